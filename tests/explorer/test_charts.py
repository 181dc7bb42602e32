"""Curves, ledger and share bars: what they say, where they draw it, and that they let go of what they held."""

from __future__ import annotations

import gc
import math
import time
import weakref

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QRegion
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from explorer.engine.messages import Modes
from explorer.numbers import share, three
from explorer.theme import DARK, LIGHT, Theme
from explorer.views.chart import Chart, blend
from explorer.views.curves import CurvesView, _axis_range, _decades, _spread
from explorer.views.ledger import LedgerView, ledger_text, rows
from explorer.views.sharebar import ShareBar
from tests.explorer.frames import empty_frame, make_frame


def many_modes(count: int) -> Modes:
    """A ledger of `count` modes: ascent has equal shares, the other two are right."""
    mass = np.random.default_rng(count).dirichlet(np.full(count, 3.0)) * 0.999
    part = np.stack([np.full(count, 0.998 / count), mass, mass])
    arrays = np.zeros((count, 2)), mass, part, part - 0.01, part + 0.01, np.full(3, 0.001)
    return Modes(*(a.astype(np.float32) for a in arrays))


def picture(widget: QWidget, ground: QColor) -> np.ndarray:
    """The widget as (height, width, 3) bytes, rendered without a window as a film does."""
    image = QImage(widget.size(), QImage.Format.Format_RGB32)
    image.fill(ground)
    painter = QPainter(image)
    widget.render(painter, QPoint(), QRegion(), QWidget.RenderFlag.DrawChildren)
    painter.end()
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine() // 4, 4)
    return pixels[:, : image.width(), 2::-1].copy()


def of_colour(pixels: np.ndarray, colour: QColor) -> np.ndarray:
    """Where the picture has this colour, a level or two aside."""
    return (np.abs(pixels.astype(int) - np.array(colour.getRgb()[:3])) <= 2).all(-1)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.12, "0.120"), (1, "1.00"), (12.345, "12.3"), (999.6, "1,000"), (3412, "3,410"), (0.00123, "0.00123")],
)
def test_numbers_have_three_figures(value: float, text: str) -> None:
    assert three(value) == text


def test_tiny_and_huge_numbers_are_powers_of_ten() -> None:
    assert (three(3.14159e-5), three(2.5e7), three(-0.5), three(0)) == ("3.14e-5", "2.50e7", "−0.500", "0")
    assert share(0.8029) == "0.803"


# --- ledger ---


def test_ledger_text_tells_the_story(qtbot: QtBot) -> None:
    frame = make_frame()
    assert frame.modes is not None
    first, second = ledger_text(frame.modes).splitlines()[1:3]
    assert first.split()[:3] == ["mode", "1", "0.800"]
    assert [first.split()[3], first.split()[7], first.split()[11]] == ["0.549", "0.548", "0.801"]
    assert second.split()[2] == "0.200"
    view = LedgerView()
    view.show_frame(frame)
    assert view.text() == ledger_text(frame.modes)
    assert "simultaneous 95 %" in view.hint(0)


def test_rows_go_by_mass_and_the_small_ones_together() -> None:
    modes = many_modes(20)
    lines = rows(modes, 12)
    assert [row.number for row in lines] == [*range(1, 12), 0]
    assert [row.mass for row in lines[:11]] == sorted((float(m) for m in modes.mass), reverse=True)[:11]
    assert sum(row.mass for row in lines) == pytest.approx(0.999, abs=1e-6)
    assert sum(row.share for row in lines) == pytest.approx(modes.share.sum(1), abs=1e-6)
    assert lines[-1].name == "others"
    assert len(rows(many_modes(3))) == 3


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_bars_are_as_long_as_shares(qtbot: QtBot, theme: Theme) -> None:
    view = LedgerView()
    qtbot.addWidget(view)
    view.set_theme(theme)
    view.resize(600, 560)
    view.show_frame(make_frame())
    pixels = picture(view, QColor(theme.surface))
    green = of_colour(pixels, blend(QColor(theme.surface), QColor(theme.particles), 0.85)).sum(1)
    tall = view.height() - 20
    upper, lower = green[: tall // 2].max(), green[tall // 2 : tall].max()
    # Annealed's bars: 0.801 above; below, every pane's bar is green as far as the truth, 0.200.
    assert lower / upper == pytest.approx(0.2 / 0.801, abs=0.02)
    ticks = of_colour(pixels, QColor(theme.true)).sum(0)
    x = np.flatnonzero(ticks > 60)
    left = np.flatnonzero(of_colour(pixels, blend(QColor(theme.surface), QColor(theme.particles), 0.85)).any(0))[0]
    assert x[-1] - left == pytest.approx(upper * 0.8 / 0.801, abs=3)
    wrong = of_colour(pixels, QColor(theme.error))
    assert wrong.sum(1)[tall // 2 :].max() / upper == pytest.approx(0.251 / 0.801, abs=0.02)


@pytest.mark.parametrize("count", [1, 3, 4, 8, 12, 40])
@pytest.mark.parametrize("size", [(230, 200), (600, 600)])
def test_ledger_draws_any_number_of_modes(qtbot: QtBot, count: int, size: tuple[int, int]) -> None:
    view = LedgerView()
    qtbot.addWidget(view)
    view.resize(*size)
    view.show_frame(make_frame(modes=many_modes(count)))
    blue = of_colour(picture(view, QColor(LIGHT.surface)), QColor(LIGHT.true))
    assert blue.any(1).sum() >= 15
    # Blue marks reach down to the last row that is not "elsewhere": no row is cut off.
    assert np.flatnonzero(blue.any(1))[-1] < size[1] - 10


# --- share bar ---


@pytest.mark.parametrize(("pane", "part"), [("langevin", 0.548), ("annealed", 0.801)])
def test_share_bar_divides_at_the_share(qtbot: QtBot, pane: str, part: float) -> None:
    bar = ShareBar(pane)
    qtbot.addWidget(bar)
    bar.resize(502, 40)
    bar.show_frame(make_frame())
    pixels = picture(bar, QColor(LIGHT.surface))
    full = of_colour(pixels, QColor(LIGHT.particles))[10]
    assert np.flatnonzero(full)[-1] == pytest.approx(part * 500, abs=2)
    tick = np.flatnonzero(of_colour(pixels, QColor(LIGHT.true))[3])
    assert tick.mean() == pytest.approx(1 + 0.8 * 500, abs=1.5)
    assert f"mode 1: {part:.3f}, truth 0.800" in bar.text()


def test_share_bar_is_quiet_before_the_first_release(qtbot: QtBot) -> None:
    bar = ShareBar("ascent")
    qtbot.addWidget(bar)
    bar.show_frame(empty_frame())
    assert bar.text() == ""


# --- curves ---


def test_axes_end_at_round_numbers() -> None:
    assert _axis_range(1, 3412) == pytest.approx((0, math.log10(5000)))
    assert _axis_range(0.04, 8.3) == pytest.approx((-2, 1))
    assert _axis_range(1, 1) == (0, 1)
    assert _decades(np.array([0.0023, 0.5])) == (-3, 0)
    assert _decades(np.array([1.0, 1.0])) == (0, 1)


def test_labels_keep_their_distance() -> None:
    places = _spread([10, 11, 12, 95, 96], 14, 0, 100)
    assert np.diff(places).min() >= 14 - 1e-9
    assert places[0] >= 0
    assert places[-1] <= 100
    assert _spread([20, 60], 14, 0, 100) == [20, 60]


def test_points_lie_where_their_values_say(qtbot: QtBot) -> None:
    view = CurvesView()
    qtbot.addWidget(view)
    view._range = (0.0, 2.0)
    area = QRectF(100, 50, 200, 300)
    path = view._path(area, np.array([0.0, 1.0, 10.0, 100.0]), np.array([1.0, 1.0, 0.01, 1e-3]), (-3, 0))
    assert [c for p in path for c in (p.x(), p.y())] == pytest.approx([100, 50, 200, 250, 300, 350])


def test_many_points_are_thinned_to_pixels_and_keep_the_last(qtbot: QtBot) -> None:
    view = CurvesView()
    qtbot.addWidget(view)
    at = np.linspace(1, 100, 50_000)
    view._range = (0.0, 2.0)
    path = view._path(QRectF(0, 0, 200, 100), at, np.full(at.size, 0.5), (-3, 0))
    assert path.size() <= 402
    assert path.last().x() == pytest.approx(200)


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


@pytest.mark.parametrize("make", [CurvesView, LedgerView, lambda: ShareBar("annealed")])
def test_charts_are_collected(qtbot: QtBot, make: type[Chart]) -> None:
    chart = make()
    chart.show_frame(make_frame(number=10))
    picture(chart, QColor("white"))
    gone = weakref.ref(chart)
    del chart
    gc.collect()
    assert gone() is None
