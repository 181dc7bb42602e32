"""The strip under a pane: shares, the distance to the truth over the run, and what moves the particles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint
from PySide6.QtGui import QColor, QHelpEvent, QImage, QRegion
from PySide6.QtWidgets import QApplication, QToolTip, QWidget
from pytestqt.qtbot import QtBot

from explorer.colours import contrast, rgb
from explorer.engine.frames import Frame
from explorer.glossary import explain
from explorer.theme import DARK, LIGHT, Theme
from explorer.views import sharebar
from explorer.views.panefoot import HEIGHT, PaneFoot
from explorer.views.particles import ParticleView
from explorer.views.plane import PlaneRange
from tests.explorer.pixels import draw, inked
from tests.explorer.releases import ledger_of, pane_state, released_frame

HALF = np.array([0.0, 0.25, 0.5], np.float32)


def moment(*distances: list[float], shares: list[list[float]] | None = None) -> Frame:
    """A frame half through a run whose panes have lain this far from the truth."""
    states = tuple(
        pane_state(distance_times=HALF[: len(each)], distances=np.array(each, np.float32)) for each in distances
    )
    panes = np.zeros((len(states), 10, 2), np.float32)
    return released_frame(panes, states, modes=ledger_of(shares or [[0.8, 0.2]] * len(states)))


def foot_of(qtbot: QtBot, frame: Frame, width: int = 230, pane: int = 0, theme: Theme = LIGHT) -> PaneFoot:
    view = ParticleView(pane, PlaneRange())
    foot = PaneFoot(view)
    for part in (view, foot):
        qtbot.addWidget(part)
        part.set_theme(theme)
        part.resize(width, width if part is view else HEIGHT)
        part.show_frame(frame)
    return foot


def picture(foot: PaneFoot) -> np.ndarray:
    image = QImage(foot.size(), QImage.Format.Format_RGB32)
    image.fill(QColor(foot.theme.window))
    foot.render(image, QPoint(), QRegion(), QWidget.RenderFlag.DrawChildren)
    return np.asarray(image.constBits()).reshape(foot.height(), foot.width(), 4)[..., 2::-1].astype(int)


def line(foot: PaneFoot) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the line's ink, right of the bar of shares."""
    rows, cols = np.nonzero(inked(picture(foot)[:20, 148:], QColor(foot.theme.particles), 250))
    return rows, cols + 148


def test_the_line_runs_over_the_run_on_an_axis_that_panes_share(qtbot: QtBot) -> None:
    frame = moment([1.0, 0.1, 0.01], [1.0, 1.0, 1.0])
    falling, level = (line(foot_of(qtbot, frame, pane=pane)) for pane in (0, 1))
    # Half of the run is half of the way; a hundredth is the lowest that any pane has come, at the bottom.
    for _, cols in (falling, level):
        assert np.ptp(cols) == pytest.approx(0.5 * 80 + 3, abs=4)
    assert np.ptp(falling[0]) == pytest.approx(15 + 2.5, abs=2)
    assert np.ptp(level[0]) <= 5
    end = falling[0][falling[1] >= falling[1].max() - 2]
    assert end.mean() == pytest.approx(17, abs=1.5)
    assert level[0].mean() == pytest.approx(2, abs=1.5)


def test_numbers_are_said_and_shown(qtbot: QtBot) -> None:
    foot = foot_of(qtbot, moment([1.2, 0.03, 0.0312]))
    source = "learned score, step 3,412, table error 0.4 %"
    assert foot.distance == pytest.approx(0.0312)
    assert foot.text() == (
        "mode 1: 0.800, truth 0.800; mode 2: 0.200, truth 0.200; elsewhere: 0.000; "
        f"distance to the truth W₂ 0.0312; {source}"
    )
    event = QHelpEvent(QEvent.Type.ToolTip, QPoint(20, 10), foot.mapToGlobal(QPoint(20, 10)))
    QApplication.sendEvent(foot, event)
    assert QToolTip.text() == foot.hint(20)
    assert "W<sub>2</sub> = 0.0312; 1.20 at the start, 0.0300 at its least" in foot.hint(20)
    assert foot.hint(20).endswith(source)
    QToolTip.hideText()


def test_a_narrow_strip_keeps_the_number_and_a_narrower_one_asks_for_nothing(qtbot: QtBot) -> None:
    foot = foot_of(qtbot, moment([1.0, 0.5, 0.4]))
    foot.show()
    asked: list[frozenset[str]] = []
    foot.view.wants_changed.connect(lambda: asked.append(foot.view.wants))
    assert foot.view.wants == {"distances"}
    assert (foot.drawing, foot.measuring) == (True, True)
    foot.resize(180, HEIGHT)
    assert (foot.drawing, foot.measuring) == (False, True)
    assert not len(line(foot)[0])
    assert inked(picture(foot)[18:36, 140:], QColor(LIGHT.ink), 120).any()
    assert "a larger square draws it" in foot.hint(0)
    assert asked == []
    foot.resize(140, HEIGHT)
    assert asked == [frozenset()]
    assert "a larger square shows the distance" in foot.hint(0)
    assert "distance" not in foot.text()
    foot.resize(230, HEIGHT)
    foot.set_scale(1.6)
    assert foot.view.wants == frozenset()
    foot.resize(368, round(1.6 * HEIGHT))
    assert asked[-1] == {"distances"}


def test_without_distances_nothing_is_drawn_and_that_is_said(qtbot: QtBot) -> None:
    foot = foot_of(qtbot, moment([]))
    assert foot.distance is None
    assert not len(line(foot)[0])
    assert "not measured yet" in foot.hint(0)
    foot.view.show_frame(replace(foot.frame, released=0))  # type: ignore[type-var]
    assert foot.state is None
    assert foot.view.source() == ()


@pytest.mark.parametrize(("modes", "named"), [(2, 2), (3, 3), (7, 3)])
def test_shares_in_figures_come_before_the_line(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, modes: int, named: int
) -> None:
    """Up to three modes all stand there; of more, as many as fit, and the line is never shorter than its number."""
    drawn: list[int] = []
    monkeypatch.setattr(sharebar, "mode_badge", lambda painter, box, number, theme, scale: drawn.append(number))
    shares = [1 / modes] * modes
    foot = foot_of(qtbot, replace(moment([1.0, 0.5, 0.4]), modes=ledger_of([shares], tuple(shares))), 228)
    picture(foot)
    assert len(drawn) == named
    assert foot._column() >= foot.advance("W₂ ") + foot.advance("0.0000", 13, bold=True)


def test_what_stands_below_is_not_on_the_plane(qtbot: QtBot) -> None:
    frame = released_frame(np.zeros((1, 10, 2), np.float32))
    alone = ParticleView(0, PlaneRange())
    alone.show_frame(frame)
    corner = (slice(182, 199), slice(2, 120))
    assert inked(draw(alone)[corner], QColor(LIGHT.ink), 200).any()
    footed = foot_of(qtbot, frame).view
    assert not inked(draw(footed)[corner], QColor(LIGHT.ink), 200).any()
    assert footed.source() == alone.source()


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_all_three_lines_can_be_read(qtbot: QtBot, theme: Theme) -> None:
    """The ink of each line's text against the strip's ground, as it comes out on the screen."""
    pixels = picture(foot_of(qtbot, moment([1.0, 0.5, 0.4]), theme=theme))
    ground = rgb(theme.window)
    for rows in (slice(20, 34), slice(37, 52)):
        found = pixels[rows, 24:].reshape(-1, 3).astype(float)
        strongest = np.sort(contrast(found, np.broadcast_to(ground, found.shape)))[-20:]
        assert strongest.min() >= 4.5


def test_the_glossary_of_a_pane_has_the_distance() -> None:
    frame = moment([1.0, 0.5, 0.4])
    entries = {each.name: each for each in explain("pane1", frame)}
    assert "line under a pane" in entries["distance"].line
    assert (
        entries["distance"].numbered(moment([1.0, 0.5, 0.4]))
        == r"SW = 0.400\ \mathrm{at}\ 0.500\ \mathrm{of\ the\ run}"
    )
