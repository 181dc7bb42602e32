"""Films: a run is moved along a timeline, drawn on a page that is never shown, and encoded as it goes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import numpy as np
import torch

from explorer.export.captions import facts, ledger_values, provenance
from explorer.export.encode import Cancelled, check_format, check_target, open_film
from explorer.export.page import Act, FilmPage, film_palette
from explorer.export.replay import Script
from explorer.export.request import ExportRequest, ExportResult, Report
from explorer.export.run import Run, offscreen, single_thread
from explorer.export.timeline import Moment, plan_film
from explorer.theme import DARK, LIGHT
from trainer.samplers import noise_levels

_ACTS: dict[str, tuple[Act, str]] = {
    "train": ("learning", "Learning the score"),
    "move": ("sampling", "Three samplers, one score"),
    "hold": ("sampling", "The result"),
}


def make_film(request: ExportRequest, script: Script, report: Report, cancelled: Callable[[], bool]) -> ExportResult:
    """Make an MP4 or a GIF; nothing is at the target unless it returns.

    Args:
        request: what to make.
        script: the run that it names (`read_script`).
        report: called with what is done, what there is to do, and a word for it.
        cancelled: asked often; once it says True the export ends.

    Raises:
        InputError: a request that cannot be met.
        TrainingError: the run cannot go on.
        ExportError: the file cannot be written.
        Cancelled: it was called off.
    """
    begun = perf_counter()
    path = Path(request.out)
    size, fps = request.format()
    check_format(check_target(path), size, fps)

    def check() -> None:
        if cancelled():
            raise Cancelled

    theme = DARK if request.theme == "dark" else LIGHT
    offscreen()
    with single_thread():
        page = FilmPage(*size, theme)
        run = Run(script, request.device, check)
        levels = noise_levels(script.particles)
        plan = plan_film(
            request.seconds,
            fps,
            script.steps,
            [level.steps for level in levels],
            script.sigma,
            levels[0].sigma,
            levels[-1].sigma,
        )
        comment = provenance(request, script, run.simulation.fit.device_name, torch.__version__)
        with open_film(path, size, fps, palette=film_palette(theme), comment=comment) as film:
            drawn: tuple[Moment, np.ndarray] | None = None
            for k, moment in enumerate(plan):
                check()
                if drawn is None or drawn[0] != moment:
                    run.train_to(moment.step)
                    if moment.phase != "train":
                        run.move_to(moment.particle_step)
                    frame = run.frame(moment, page.lattice)
                    page.show_painting(run.setup.weights, run.setup.name)
                    act, title = _ACTS[moment.phase]
                    drawn = (moment, page.draw(act, frame, (title, facts(moment, frame))))
                film.add(drawn[1])
                report(k + 1, len(plan), _ACTS[moment.phase][0])
            errors = run.errors()
    return ExportResult(
        path=str(path),
        width=size[0],
        height=size[1],
        size_bytes=path.stat().st_size,
        frames=len(plan),
        seconds_taken=perf_counter() - begun,
        steps=script.steps,
        ledger=ledger_values(frame.modes),
        errors=errors,
    )
