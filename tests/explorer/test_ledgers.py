"""Ledger and share bars: what they say and where they draw it."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from explorer.engine.messages import Modes
from explorer.theme import DARK, LIGHT, Theme
from explorer.views.chart import blend
from explorer.views.ledger import LedgerView, ledger_text, rows
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


# --- ledger ---


def test_ledger_text_tells_the_story(qtbot: QtBot) -> None:
    frame = make_frame()
    assert frame.modes is not None
    first, second = ledger_text(frame.modes, NAMES).splitlines()[1:3]
    assert first.split()[:3] == ["mode", "1", "0.800"]
    assert [first.split()[3], first.split()[7], first.split()[11]] == ["0.549", "0.548", "0.801"]
    assert second.split()[2] == "0.200"
    view = LedgerView()
    view.show_frame(frame)
    assert view.text() == ledger_text(frame.modes, NAMES)
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


@pytest.mark.parametrize("size", [(230, 200), (250, 260), (420, 300)])
@pytest.mark.parametrize("scale", [1.0, 1.6])
def test_long_names_break_at_the_comma_rather_than_being_cut(qtbot: QtBot, size: tuple[int, int], scale: float) -> None:
    view = LedgerView()
    qtbot.addWidget(view)
    view.set_scale(scale)
    view.resize(round(size[0] * scale), round(size[1] * scale))
    frame = make_frame()
    labels = ("Langevin, learned score", "Langevin, true score", "annealed")
    states = [replace(state, label=label) for state, label in zip(frame.pane_states, labels, strict=True)]
    view.show_frame(replace(frame, pane_states=tuple(states)))
    with patch.object(LedgerView, "write", autospec=True, side_effect=LedgerView.write) as write:
        picture(view, QColor(LIGHT.surface))
    names = [
        (*call.args[2:4], call.kwargs["pixels"]) for call in write.call_args_list if call.args[3] in " ".join(labels)
    ]
    assert {text for _, text, _ in names} > {"annealed"}
    assert [text for box, text, pixels in names if view.advance(text, pixels) > box.width() + 1] == []


# --- share bar ---


@pytest.mark.parametrize(("pane", "part"), [(1, 0.548), (2, 0.801)])
def test_share_bar_divides_at_the_share(qtbot: QtBot, pane: int, part: float) -> None:
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
    bar = ShareBar(0)
    qtbot.addWidget(bar)
    bar.show_frame(empty_frame())
    assert bar.text() == ""
