"""A picture: the eight squares of the stage at the end of a run, with a line of facts, as one PNG.

Charts and type have a least size, so a picture smaller than `_LEAST` of 1280x720 is drawn at that size and scaled down.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from explorer.composition import Composition
from explorer.document import Document
from explorer.engine.messages import Frame
from explorer.export.captions import facts, ledger_values, provenance
from explorer.export.carrying import Carried
from explorer.export.encode import Cancelled, check_format, check_target, write_picture
from explorer.export.page import Sheet, Words
from explorer.export.replay import Script
from explorer.export.request import ExportRequest, ExportResult, Report
from explorer.export.run import Run, offscreen, single_thread
from explorer.export.timeline import Moment
from explorer.theme import DARK, LIGHT, Theme
from explorer.views.plane import PlaneRange
from trainer.projects import Setup

_LEAST = 0.75


class Poster(Sheet):
    """The stage on a page of `size` pixels."""

    def __init__(self, width: int, height: int, theme: Theme, setup: Setup) -> None:
        super().__init__(width, height, theme, scale=max(_LEAST, min(width / 1280, height / 720)))
        self._stage = Composition(Document(setup), PlaneRange(parent=self)).stage
        self._stage.setParent(self)
        self._stage.set_theme(theme)
        self._stage.set_scale(self.scale)
        self._stage.setGeometry(0, 0, width, height - self.line)
        self._stage.settle()
        self.margin = min(self._stage.tile(name).x() for name in self._stage.names)

    @property
    def lattice(self) -> int:
        """How many arrows along a side suit the size of the fields."""
        return self._stage.lattice

    def draw(self, frame: Frame, words: Words) -> NDArray[np.uint8]:
        """The picture (height, width, 3) of a frame; `words` stand on the line of facts."""
        self._stage.show_frame(frame)
        return self.picture(words)


def make_figure(request: ExportRequest, script: Script, report: Report, cancelled: Callable[[], bool]) -> ExportResult:
    """Make a PNG of the result; nothing is at the target unless it returns.

    Args and Raises as `explorer.export.film.make_film`.
    """
    begun = perf_counter()
    path = Path(request.out)
    size, _ = request.format()
    check_format(check_target(path), size, 1)

    def check() -> None:
        if cancelled():
            raise Cancelled
        moved = run.mover.steps - run.mover.left
        total = script.steps + (run.mover.steps or 1)
        report(run.taken + moved, total, "sampling" if run.mover.released else "learning")

    offscreen()
    with single_thread():
        run = Run(script, request.device, check)
        run.train_to(script.steps)
        pace = run.pace()
        run.move_to(pace.steps, pace.steps)
        moment = Moment("hold", script.steps, pace.steps, script.sigma)
        theme = DARK if request.theme == "dark" else LIGHT
        factor = max(1.0, _LEAST / min(size[0] / 1280, size[1] / 720))
        poster = Poster(round(factor * size[0]), round(factor * size[1]), theme, run.setup)
        frame = run.frame(moment, poster.lattice)
        picture = poster.draw(frame, (run.setup.name, facts(moment, frame)))
        errors = run.errors()
    check()
    if factor > 1:
        picture = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))
    comment = provenance(request, script, run.simulation.fit.device_name, torch.__version__)
    carried = Carried(script, run, request.session)
    write_picture(path, picture, comment=comment, session=carried.project_bytes())
    return ExportResult(
        path=str(path),
        width=size[0],
        height=size[1],
        size_bytes=path.stat().st_size,
        frames=1,
        seconds_taken=perf_counter() - begun,
        steps=script.steps,
        ledger=ledger_values(frame.modes, frame.pane_states),
        errors=errors,
        session_bytes=carried.size,
    )
