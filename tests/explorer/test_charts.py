"""Curves, ledger and share bars: what they say, where they draw it, and that they let go of what they held."""

from __future__ import annotations

import gc
import math
import subprocess
import sys
import time
import weakref
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from explorer.engine.messages import Modes
from explorer.numbers import share, three
from explorer.theme import LIGHT
from explorer.views.axes import axis_range, decades, log_points, spread
from explorer.views.chart import Chart
from explorer.views.curves import CurvesView
from explorer.views.ledger import LedgerView
from explorer.views.sharebar import ShareBar
from tests.explorer.frames import empty_frame, make_frame
from tests.explorer.pixels import of_colour, picture

NAMES = ("ascent", "Langevin", "annealed")


def many_modes(count: int) -> Modes:
    """A ledger of `count` modes: ascent has equal shares, the other two are right."""
    mass = np.random.default_rng(count).dirichlet(np.full(count, 3.0)) * 0.999
    part = np.stack([np.full(count, 0.998 / count), mass, mass])
    arrays = np.zeros((count, 2)), mass, part, part - 0.01, part + 0.01, np.full(3, 0.001)
    return Modes(*(a.astype(np.float32) for a in arrays))


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.12, "0.120"), (1, "1.00"), (12.345, "12.3"), (999.6, "1,000"), (3412, "3,410"), (0.00123, "0.00123")],
)
def test_numbers_have_three_figures(value: float, text: str) -> None:
    assert three(value) == text


def test_tiny_and_huge_numbers_are_powers_of_ten() -> None:
    assert (three(3.14159e-5), three(2.5e7), three(-0.5), three(0)) == ("3.14e-5", "2.50e7", "−0.500", "0")
    assert share(0.8029) == "0.803"


# --- curves ---


def test_axes_end_at_round_numbers() -> None:
    assert axis_range(1, 3412) == pytest.approx((0, math.log10(5000)))
    assert axis_range(0.04, 8.3) == pytest.approx((-2, 1))
    assert axis_range(1, 1) == (0, 1)
    assert decades(np.array([0.0023, 0.5])) == (-3, 0)
    assert decades(np.array([1.0, 1.0])) == (0, 1)
    assert decades(np.array([0.0, 0.02, np.nan])) == (-2, -1)
    assert decades(np.zeros(3)) == (0, 1)


def test_labels_keep_their_distance() -> None:
    places = spread([10, 11, 12, 95, 96], 14, 0, 100)
    assert np.diff(places).min() >= 14 - 1e-9
    assert places[0] >= 0
    assert places[-1] <= 100
    assert spread([20, 60], 14, 0, 100) == [20, 60]


def test_points_lie_where_their_values_say(qtbot: QtBot) -> None:
    at = np.array([0, 1, 10, 100], np.float32)
    errors = np.zeros((4, 5), np.float32)
    errors[:, 1] = 1.0, 1.0, 0.01, 1e-3
    nothing = np.zeros(0, np.float32)
    view = CurvesView()
    qtbot.addWidget(view)
    view.resize(400, 400)
    frame = make_frame(error_steps=at, errors=errors, curve_steps=nothing, curve_loss=nothing)
    view.show_frame(frame)
    pixels = picture(view, QColor(LIGHT.surface))
    area = view._areas()[0]
    assert view._plots is not None
    curve = view._plots.errors[1]
    places = [curve.mapToScene(QPointF(x, y)) for x, y in zip(*curve.getData(), strict=True)]
    left, top, right, bottom = area.left(), area.top(), area.right(), area.bottom()
    middle, third = (left + right) / 2, top + (bottom - top) * 2 / 3
    wanted = [left, top, middle, third, right, bottom]
    assert [c for p in places for c in (p.x(), p.y())] == pytest.approx(wanted, abs=1e-3)
    # And that is where the picture has them: the line starts flat along the top, then falls.
    y, x = np.nonzero(of_colour(pixels, view.shade(1)))
    inside = (x > left + 4) & (x < right - 4)
    fall = np.interp(x[inside] + 0.5, wanted[0::2], wanted[1::2])
    assert inside.sum() > 40
    assert np.abs(y[inside] + 0.5 - fall).max() < 2.5
    assert [view._plots.errors[i].getData()[0].size for i in (0, 2, 3, 4)] == [0, 0, 0, 0]


def test_what_was_not_measured_is_not_drawn(qtbot: QtBot) -> None:
    full = make_frame()
    errors = full.errors.copy()
    errors[:, 4] = 0
    errors[5:9, 0] = np.nan
    view = CurvesView()
    qtbot.addWidget(view)
    view.resize(400, 400)
    view.show_frame(full)
    assert of_colour(picture(view, QColor(LIGHT.surface)), view.shade(4)).sum() > 60
    view.show_frame(make_frame(errors=errors))
    assert not of_colour(picture(view, QColor(LIGHT.surface)), view.shade(4)).any()
    assert view._plots is not None
    x, y = view._plots.errors[0].getData()
    assert x.size == len(errors) - 4
    assert np.isfinite(y).all()


def test_many_points_are_thinned_to_pixels_and_keep_the_last() -> None:
    at = np.linspace(1, 100, 50_000)
    x, y = log_points(at, np.full(at.size, 0.5), (0.0, 2.0), 200)
    assert x.size <= 402
    assert x[-1] == pytest.approx(2.0)
    assert y == pytest.approx(math.log10(0.5))
    # Wherever a pixel had a point it still has one.
    assert np.unique(np.round(x * 200)).size == np.unique(np.round(np.log10(at) * 200)).size


def test_equal_frames_make_equal_pictures(qtbot: QtBot) -> None:
    """Whatever a chart showed before, and wherever on a page it stands."""
    ground = QColor(LIGHT.surface)
    first, second, page = CurvesView(), CurvesView(), QWidget()
    for widget in (first, second, page):
        qtbot.addWidget(widget)
        widget.resize(300, 280)
    frame = make_frame()
    first.show_frame(frame)
    once = picture(first, ground)
    assert (picture(first, ground) == once).all()
    second.resize(500, 500)
    second.set_scale(1.6)
    second.show_frame(make_frame(errors=frame.errors * 1e-3, curve_loss=frame.curve_loss * 1e3))
    second.set_in_seconds(True)
    picture(second, ground)
    second.set_in_seconds(False)
    second.set_scale(1.0)
    second.resize(300, 280)
    second.show_frame(frame)
    assert (picture(second, ground) == once).all()
    page.resize(400, 400)
    second.setParent(page)
    second.setGeometry(37, 53, 300, 280)
    second.show()
    assert (picture(page, ground)[53 : 53 + 280, 37 : 37 + 300] == once).all()


def test_a_window_is_painted_before_pyqtgraph_is_imported() -> None:
    """In a process of its own: this one has it."""
    program = """if True:
        import sys
        import explorer.window
        from PySide6.QtWidgets import QApplication
        from explorer.views.curves import CurvesView
        from tests.explorer.frames import make_frame
        app = QApplication([])
        view, seen = CurvesView(), []
        paint = CurvesView.paintEvent
        def noted(self, event):
            paint(self, event)
            seen.append("pyqtgraph" in sys.modules)
        CurvesView.paintEvent = noted
        view.show_frame(make_frame())
        view.show()
        while len(seen) < 2:
            app.processEvents()
        print(seen[:2])
    """
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.strip() == "[False, True]"


def test_axis_changes_by_mouse_and_by_key(qtbot: QtBot) -> None:
    view = CurvesView()
    qtbot.addWidget(view)
    view.resize(300, 280)
    frame = make_frame()
    view.show_frame(frame)
    with qtbot.waitExposed(view):
        view.show()
    with qtbot.waitSignal(view.axis_changed) as seen:
        qtbot.mouseClick(view._axis, Qt.MouseButton.LeftButton)
    assert seen.args == [True]
    assert view.curves()[0][-1] == pytest.approx(float(frame.error_seconds[-1]))
    assert view._axis.text() == "seconds"
    with qtbot.waitSignal(view.axis_changed) as seen:
        qtbot.keyClick(view, Qt.Key.Key_T)
    assert seen.args == [False]
    assert view.curves()[0][-1] == frame.error_steps[-1]
    with qtbot.assertNotEmitted(view.axis_changed):
        view.set_in_seconds(False)


def test_hovering_reads_the_nearest_measurement(qtbot: QtBot) -> None:
    view = CurvesView()
    qtbot.addWidget(view)
    view.resize(300, 280)
    frame = make_frame()
    view.show_frame(frame)
    picture(view, QColor("white"))
    text = view.hint(300)
    assert f"step {round(float(frame.error_steps[-1])):,}" in text
    assert "σ = 0.02: 0.00" in text
    assert view.hint(0).split("<br>")[0].endswith("step 1</b>")
    view.show_frame(empty_frame())
    assert "Space" in view.hint(100)


def test_curves_are_drawn_in_the_inks_of_errors(qtbot: QtBot) -> None:
    view = CurvesView()
    qtbot.addWidget(view)
    view.resize(600, 560)
    view.set_scale(1.6)
    view.show_frame(make_frame())
    pixels = picture(view, QColor(LIGHT.surface))
    drawn = [int(of_colour(pixels, view.shade(i)).any(0).sum()) for i in range(5)]
    assert min(drawn) > 60
    assert len({view.shade(i).name() for i in range(5)}) == 5


class PaintCount(QObject):
    """Counts paint events."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.Paint
        return False


def test_curves_redraw_at_most_ten_times_a_second(qtbot: QtBot) -> None:
    view = CurvesView()
    qtbot.addWidget(view)
    view.resize(300, 280)
    with qtbot.waitExposed(view):
        view.show()
    qtbot.wait(150)
    counter = PaintCount()
    view.installEventFilter(counter)
    frame = make_frame(number=10)
    start = time.monotonic()
    for _ in range(60):
        view.show_frame(frame)
        qtbot.wait(5)
    elapsed = time.monotonic() - start
    assert 1 <= counter.count <= elapsed / 0.1 + 1
    view.removeEventFilter(counter)


@pytest.mark.parametrize("make", [CurvesView, LedgerView, lambda: ShareBar(2)])
def test_charts_are_collected(qtbot: QtBot, make: type[Chart]) -> None:
    chart = make()
    chart.show_frame(make_frame(number=10))
    picture(chart, QColor("white"))
    gone = weakref.ref(chart)
    del chart
    gc.collect()
    assert gone() is None


def test_curves_without_points_say_when_the_first_one_comes(qtbot: QtBot) -> None:
    view = CurvesView()
    qtbot.addWidget(view)
    nothing = np.zeros(0, np.float32)
    no_errors = {"errors": np.zeros((0, 5), np.float32), "error_steps": nothing, "error_seconds": nothing}
    for frame, words in (
        (empty_frame(), "Train to see how wrong the field is (Space)"),
        (empty_frame(training=True), "The first point comes with the first step"),
        (make_frame(step=12, **no_errors), "The first error is measured at step 50"),
        (make_frame(step=50, **no_errors), "Measuring the error"),
    ):
        view.show_frame(frame)
        assert view.waiting() == words


def test_what_an_empty_plot_says_stands_in_it(qtbot: QtBot) -> None:
    """The words have ink inside the plot, and none outside it."""
    view = Chart()
    qtbot.addWidget(view)
    view.resize(400, 300)
    area = QRectF(100, 40, 260, 120)
    image = QImage(view.size(), QImage.Format.Format_RGB32)
    image.fill(QColor(LIGHT.surface))
    with QPainter(image) as painter:
        view.say(painter, "The first error is measured at step 50", area)
    ground = QColor(LIGHT.surface).rgb()
    rows, cols = np.nonzero(np.array(image.constBits()).view(np.uint32).reshape(300, 400) != np.uint32(ground))
    assert 90 < cols.max() - cols.min() < 260
    assert cols.min() >= 104
    assert cols.max() <= 356
    assert abs(rows.mean() - 100) < 4
