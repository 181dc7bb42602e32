"""Milliseconds that a view takes to show a fresh frame: `python -m tests.benchmarks.drawing`.

Each figure is the median over renders into an image of a view that is handed another frame every time over an unchanged
ground, as while training or moving runs; `stroke` is one mouse move on the canvas, from the document to the pixels.
Figures are processor time of the drawing thread, so that other work on the machine does not count.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import partial
from statistics import median

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from explorer.brush import Brush
from explorer.document import Document
from explorer.engine.messages import Frame
from explorer.viewing import Viewing, ViewOptions
from explorer.views.canvas import Canvas
from explorer.views.curl import CurlView
from explorer.views.difference import DifferenceView
from explorer.views.error_map import ErrorMapView
from explorer.views.field import FieldView
from explorer.views.particles import ParticleView
from explorer.views.plane import PlaneRange, PlaneView
from explorer.views.surface import SurfaceView
from tests.explorer.frames import make_frame
from tests.explorer.mapped import mapped

RENDERS = 60


def milliseconds(work: Callable[[int], None]) -> float:
    """The median time of `work(i)` after a warm-up."""
    work(0)
    times = []
    for i in range(1, RENDERS + 1):
        start = time.thread_time()
        work(i)
        times.append(time.thread_time() - start)
    return 1000 * median(times)


def redraw(view: PlaneView, frames: list[Frame], side: int, ratio: int) -> float:
    """The time of one `show_frame` and one render at this side and device-pixel ratio."""
    view.resize(side, side)
    image = QImage(side * ratio, side * ratio, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)

    def work(i: int) -> None:
        view.show_frame(frames[i % len(frames)])
        view.render(image)

    return milliseconds(work)


def stroke(side: int) -> float:
    """The time of one mouse move of a stroke and the render that shows it."""
    document = Document()
    view = Canvas(document, PlaneRange())
    view.resize(side, side)
    image = QImage(side, side, QImage.Format.Format_RGB32)
    document.begin_stroke(Brush(), -0.9, 0.0)

    def work(i: int) -> None:
        document.extend_stroke(-0.9 + 1.8 * i / RENDERS, 0.3 * (i % 2))
        view.render(image)

    return milliseconds(work)


def main() -> None:
    """Print the table."""
    app = QApplication.instance() or QApplication([])
    print(f"{'':24}" + "".join(f"{f'{side} px, {ratio}x':>14}" for side in (300, 600) for ratio in (1, 2)))
    rows: list[tuple[str, Callable[[], PlaneView], list[Frame]]] = [
        (f"arrows {n} x {n}", lambda: FieldView("true", PlaneRange()), [make_frame(n=n, seed=s) for s in (0, 1)])
        for n in (20, 32, 64)
    ]
    fields = [mapped(make_frame(seed=s, sigma=0.12 + 0.01 * s), version=s + 1) for s in (0, 1)]
    for name, kind, options in (
        ("streamlines", DifferenceView, ViewOptions(style="streamlines")),
        ("texture", DifferenceView, ViewOptions(style="texture")),
        ("error map, hatched", ErrorMapView, ViewOptions()),
        ("curl", CurlView, ViewOptions()),
        ("surface", SurfaceView, ViewOptions()),
    ):
        rows.append((name, partial(kind, PlaneRange(), Viewing(options)), fields))
    for number in (10_000, 20_000):
        for progress, words in ((0.2, "spread"), (1.0, "settled")):
            frames = [make_frame(number=number, progress=progress, seed=s) for s in (0, 1)]
            rows.append((f"{number:,} particles, {words}", lambda: ParticleView(2, PlaneRange()), frames))
    for name, make, frames in rows:
        figures = [redraw(make(), frames, side, ratio) for side in (300, 600) for ratio in (1, 2)]
        print(f"{name:24}" + "".join(f"{figure:11.2f} ms" for figure in figures))
    print(f"{'stroke':24}{stroke(300):11.2f} ms{'':14}{stroke(600):11.2f} ms")
    app.processEvents()


if __name__ == "__main__":
    main()
