"""Films: a run is moved along a timeline, drawn on a page that is never shown, and encoded as it goes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import numpy as np
import torch

from explorer.export.captions import facts, ledger_values, provenance
from explorer.export.carrying import Carried
from explorer.export.encode import Cancelled, check_format, check_target, open_film
from explorer.export.page import Act, FilmPage, film_palette
from explorer.export.replay import Script
from explorer.export.request import ExportRequest, ExportResult, Report
from explorer.export.run import Run, offscreen, single_thread
from explorer.export.timeline import Moment, plan_film
from explorer.export.words import act_title
from explorer.theme import DARK, LIGHT

_ACTS: dict[str, Act] = {"train": "learning", "move": "sampling", "hold": "sampling"}


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

    titles = {"train": "Learning the score", "move": act_title(script.scene), "hold": "The result"}
    theme = DARK if request.theme == "dark" else LIGHT
    offscreen()
    with single_thread():
        page = FilmPage(*size, theme, script.scene)
        run = Run(script, request.device, check)
        pace = run.pace()
        plan = plan_film(request.seconds, fps, script.steps, script.sigma, pace)
        comment = provenance(request, script, run.simulation.fit.device_name, torch.__version__)
        carried = Carried(script, run, request.session)
        with open_film(
            path, size, fps, palette=film_palette(theme), comment=comment, session=carried.project_bytes
        ) as film:
            drawn: tuple[Moment, np.ndarray] | None = None
            for k, moment in enumerate(plan):
                check()
                if drawn is None or drawn[0] != moment:
                    run.train_to(moment.step)
                    if moment.phase != "train":
                        run.move_to(moment.particle_step, pace.steps)
                    frame = run.frame(moment, page.lattice)
                    page.show_painting(run.setup.weights, run.setup.name)
                    words = (titles[moment.phase], facts(moment, frame))
                    drawn = (moment, page.draw(_ACTS[moment.phase], frame, words))
                film.add(drawn[1])
                report(k + 1, len(plan), _ACTS[moment.phase])
            errors = run.errors()
    return ExportResult(
        path=str(path),
        width=size[0],
        height=size[1],
        size_bytes=path.stat().st_size,
        frames=len(plan),
        seconds_taken=perf_counter() - begun,
        steps=script.steps,
        ledger=ledger_values(frame.modes, frame.pane_states),
        errors=errors,
        session_bytes=carried.size,
    )
