"""What an export says about itself: the facts under a picture, the ledger as numbers, and where it came from."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from dataclasses import fields

import numpy as np

from explorer import __version__
from explorer.engine.messages import Frame, Modes, PaneState
from explorer.export.replay import Script
from explorer.export.request import ExportRequest
from explorer.export.timeline import Moment
from explorer.export.words import learning
from explorer.numbers import three

_SEPARATOR = "  ·  "


def facts(moment: Moment, frame: Frame) -> tuple[str, ...]:
    """What belongs under a picture, from long to short; objective, sigma, step and seed are in all of them."""
    full, middle, short = learning(frame.objective, frame.target)
    lines: tuple[tuple[str, ...], ...]
    seed, step = f"seed {frame.seed}", f"step {frame.step:,}"
    if moment.phase == "train":
        draws = f"{frame.draws / 1e6:.1f} million draws" if frame.draws >= 1e6 else f"{frame.draws:,} draws"
        last = (seed, f"σ {three(frame.sigma)}", step)
        lines = ((draws, full, *last), (full, *last), (short, *last))
    else:
        moved = f"t {frame.particle_step:,} of {frame.particle_steps:,}"
        pane = longest(frame.pane_states)
        level = f"σ {three(pane.sigma)}"
        cooled = f"annealed at {level}" if pane.sampler == "annealed" else level
        number = f"{frame.panes.shape[1]:,} particles a pane"
        long, middle, brief = _sources(frame.pane_states, (full, middle, short), step)
        lines = (
            (number, long, seed, cooled, moved),
            (long, seed, cooled, moved),
            (middle, seed, level, moved),
            (brief, seed, level, moved),
        )
    return tuple(_SEPARATOR.join(line) for line in lines)


def longest(panes: Sequence[PaneState]) -> PaneState:
    """The pane that takes the most steps; of several the annealed one, whose noise level says where the run is."""
    return max(panes, key=lambda pane: (pane.steps, pane.sampler == "annealed", pane.levels))


def _sources(panes: Sequence[PaneState], learned: tuple[str, str, str], step: str) -> tuple[str, str, str]:
    """Which score moves the particles, from long to short."""
    full, middle, short = learned
    used = {pane.source for pane in panes}
    if used == {"true"}:
        return "true score", "true score", "true score"
    if used == {"learned"}:
        return f"score learned by {full}, {step}", f"score learned by {middle}, {step}", f"{short}, {step}"
    return f"true score and one learned by {full}, {step}", f"true score and {short}, {step}", f"true, {short}, {step}"


def ledger_values(modes: Modes | None, panes: Sequence[PaneState]) -> dict[str, object]:
    """The ledger as plain values: by pane, each mode's centre, true mass, share and band, and "elsewhere".

    A pane is called by its sampler; where one sampler moves several panes, by its sampler and its place among all.
    """
    if modes is None:
        return {}
    rounded = {
        name: np.asarray(getattr(modes, name), dtype=float).round(6).tolist()
        for name in (f.name for f in fields(Modes))
    }
    return {
        name: {
            "modes": [
                {
                    "centre": rounded["centres"][m],
                    "mass": rounded["mass"][m],
                    "share": rounded["share"][k][m],
                    "low": rounded["low"][k][m],
                    "high": rounded["high"][k][m],
                }
                for m in range(len(modes.mass))
            ],
            "elsewhere": rounded["elsewhere"][k],
        }
        for k, name in enumerate(pane_names([pane.sampler for pane in panes]))
    }


def pane_names(samplers: Sequence[str]) -> list[str]:
    """A name for every pane, each different."""
    return [name if samplers.count(name) == 1 else f"{name} {k}" for k, name in enumerate(samplers, 1)]


def provenance(request: ExportRequest, script: Script, device: str, torch: str) -> str:
    """What a picture or film was made from, as JSON; without names of files and without the time.

    `device` is what computed, `torch` that library's version.
    """
    setup = script.initial
    size, fps = request.format()
    return json.dumps(
        {
            "program": f"Score Explorer {__version__}",
            "painting": setup.name,
            "seed": setup.seed,
            "particle_seed": setup.particle_seed,
            "steps": script.steps,
            "fit": setup.fit.to_json(),
            "scene": script.scene.to_json(),
            "changes": len(script.cues),
            "film": {"size": size, "fps": fps, "seconds": request.seconds, "theme": request.theme},
            "device": device,
            "torch": torch,
            "python": platform.python_version(),
        },
        separators=(",", ":"),
    )
