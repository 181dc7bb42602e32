"""Error lines in the words of the screen.

A line of `InputError` begins with the field's inner name ("particles.fine_below: 12 is out of range ..."). In the
window the same field has a label, and a person looks for that. Values keep their names, those of the literature.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from trainer.words import FIELDS

LABELS: Mapping[str, str] = {
    **FIELDS,
    "particles.source": "score",
    "particles.number": "particles",
    "particles.levels": "noise levels",
    "particles.steps": "steps per level",
    "particles.fine_steps": "steps, fine levels",
    "particles.fine_below": "fine below σ",
    "particles.epsilon": "ε",
    "particles.sigma_min": "smallest σ",
    "particles.sigma_max": "largest σ",
    "particles.start_sigma": "starting σ",
    "particles.diffusion_steps": "steps",
    "particles.rho": "ρ",
    "particles.corrector_steps": "corrector steps",
    "particles.corrector_snr": "signal to noise",
    "particles.ode_method": "method",
    "particles.vp_schedule": "schedule",
    "particles.eta": "η",
    "particles.rungs": "ladder",
    "rung.sigma": "σ of a level",
    "rung.steps": "steps of a level",
    "rung.epsilon": "ε of a level",
    "start.kind": "start",
    "start.centre": "centre",
    "start.spread": "spread",
    "start.region": "region",
    "pane.sampler": "sampler",
    "panes": "panes",
    "stop.steps": "steps",
    "stop.seconds": "seconds",
    "stop.error": "Fisher error",
    "race.entrants": "race",
    "race.aligned": "aligned by",
    "seed": "seed",
    "x": "centre x",
    "y": "centre y",
    "along": "spread s₁",
    "across": "spread s₂",
    "font_size": "type",
    "fps": "frames per second",
    "history_mb": "undo",
    "keyframes_mb": "past steps",
    "ground_map": "density",
    "error_map": "error",
}
"""The label of each field that has one; those of training are `trainer.words.FIELDS`."""

_INSIDE = {
    "sigma_min": "smallest σ",
    "sigma_max": "largest σ",
    "start_sigma": "starting σ",
    "fine_below": "fine below σ",
    "learning_rate": "learning rate",
    "parameterisation": FIELDS["parameterisation"],
    "weighting": FIELDS["weighting"],
    "corrector_steps": "corrector steps",
    "sigma": "σ",
    "epsilon": "ε",
}
"""Inner names that also occur within sentences."""

_WORD = re.compile(rf"(?<![\w./\\])({'|'.join(_INSIDE)})(?![\w./\\])")
_PREFIXES = ("initial.", "setup.", "settings.")


def label(path: str) -> str:
    """What the screen calls this field; the name itself where it has no label."""
    for prefix in _PREFIXES:
        path = path.removeprefix(prefix)
    return LABELS.get(path, path)


def in_words(line: str) -> str:
    """The error line with the screen's names in place of inner ones: "fine below σ: 12 is out of range ...".

    What precedes the field (a file, a journal's entry) stays as it is.
    """
    parts = line.split(": ")
    named = [label(part) for part in parts[:-1]]
    return ": ".join([*named, _WORD.sub(lambda found: _INSIDE[found[0]], parts[-1])])
