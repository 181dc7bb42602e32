"""What an export says about itself: the facts under a picture, the ledger as numbers, and where it came from."""

from __future__ import annotations

import json
import platform
from dataclasses import fields

import numpy as np

from explorer import __version__
from explorer.engine.messages import PANES, Frame, Modes
from explorer.export.replay import Script
from explorer.export.request import ExportRequest
from explorer.export.timeline import Moment
from explorer.numbers import three

_SEPARATOR = "  ·  "

_OBJECTIVES = {"dsm": ("denoising score matching", "DSM")}
_TARGETS = {"pooled": "pooled targets", "single": "one-draw targets"}


def facts(moment: Moment, frame: Frame) -> tuple[str, ...]:
    """What belongs under a picture, from long to short; objective, sigma, step and seed are in all of them."""
    full, short = _OBJECTIVES[frame.objective]
    target = _TARGETS[frame.target]
    lines: tuple[tuple[str, ...], ...]
    seed, step = f"seed {frame.seed}", f"step {frame.step:,}"
    if moment.phase == "train":
        draws = f"{frame.draws / 1e6:.1f} million draws" if frame.draws >= 1e6 else f"{frame.draws:,} draws"
        last = (seed, f"σ {three(frame.sigma)}", step)
        lines = ((draws, f"{full}, {target}", *last), (f"{full}, {target}", *last), (short, *last))
    else:
        moved = f"t {frame.particle_step:,} of {frame.particle_steps:,}"
        level = f"σ {three(frame.particle_sigma)}"
        number = f"{frame.panes.shape[1]:,} particles a pane"
        learned = frame.particle_source == "learned"
        after = f", {step}" if learned else ""
        sources = [f"score learned by {full}, {target}", f"score learned by {full}", short]
        if not learned:
            sources = ["true score"] * 3
        long, middle, brief = (source + after for source in sources)
        lines = (
            (number, long, seed, f"annealed at {level}", moved),
            (long, seed, f"annealed at {level}", moved),
            (middle, seed, level, moved),
            (brief, seed, level, moved),
        )
    return tuple(_SEPARATOR.join(line) for line in lines)


def ledger_values(modes: Modes | None) -> dict[str, object]:
    """The ledger as plain values: by pane, each mode's centre, true mass, share and band, and "elsewhere"."""
    if modes is None:
        return {}
    rounded = {
        name: np.asarray(getattr(modes, name), dtype=float).round(6).tolist()
        for name in (f.name for f in fields(Modes))
    }
    return {
        pane: {
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
        for k, pane in enumerate(PANES)
    }


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
            "particles": script.particles.to_json(),
            "changes": len(script.cues),
            "film": {"size": size, "fps": fps, "seconds": request.seconds, "theme": request.theme},
            "device": device,
            "torch": torch,
            "python": platform.python_version(),
        },
        separators=(",", ":"),
    )
