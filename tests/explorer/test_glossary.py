"""Every entry can be set as a formula, and every number in it is the frame's."""

from __future__ import annotations

import re

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from explorer.engine.frames import Frame
from explorer.glossary import Entry, entry, explain
from explorer.glossary.entry import latex_number
from explorer.glossary.tiles import ENTRIES, TILES
from explorer.numbers import three
from explorer.panels.explain import ExplainCard
from explorer.panels.formula import picture
from explorer.theme import DARK, LIGHT
from tests.explorer.moments import moment, pane
from trainer.samplers import SAMPLERS

FRAME = moment()


def ink(latex: str, colour: str = LIGHT.ink, scale: float = 1.0, ratio: float = 1.0) -> int:
    image = picture(latex, colour, scale, ratio)
    bits = np.asarray(image.constBits()).reshape(image.height(), image.bytesPerLine())
    return int((bits[:, 3::4] > 128).sum())


@pytest.mark.parametrize("name", ENTRIES)
def test_every_formula_has_ink(qtbot: QtBot, name: str) -> None:
    found = ENTRIES[name]
    assert ink(found.formula) > 80
    assert found.line.endswith(".")
    assert found.source
    frame = moment(pane_states=(pane(name),)) if name in SAMPLERS else FRAME
    numbered = found.numbered(frame)
    assert bool(numbered) == bool(found.numbers), "a frame that knows everything leaves no number out"
    if numbered:
        assert "<" not in numbered
        assert ink(numbered) > 40
        assert set(re.findall(r"<(\w+)>", found.numbers)) <= set(found.values(frame) or {})


def _expected(frame: Frame) -> dict[str, dict[str, float]]:
    """What the entries' numbers are, straight from the frame."""
    last, probe, pin, modes = frame.errors[-1], frame.probe, frame.pins[0], frame.modes
    assert modes is not None
    annealed, ascent = frame.pane_states[2], frame.pane_states[0]
    gap = np.hypot(probe[2] - probe[4], probe[3] - probe[5])
    return {
        "loss_dsm": {"loss": frame.loss, "step": 8192},
        "floor": {"loss": 0.7654, "floor": 0.61, "above": 0.1554},
        "fisher": {"error": last[2], "sigma": 0.1, "root": last[2] ** 0.5},
        "variance": {"least": 2.5, "most": 37.0},
        "draws": {"draws": 4_000_000},
        "network": {"parameters": 35_202, "seed": 7},
        "speed": {"rate": 412.0, "milliseconds": 1000 / 412},
        "training_ladder": {"levels": 32, "first": 2.8, "last": 0.02, "ratio": 140 ** (1 / 31)},
        "keyframes": {"kept": 9, "step": 8192, "bytes": 9 * 140_000 / 2**20, "limit": 64.0},
        "score": {"x": probe[0], "learned_x": probe[2], "learned_y": probe[3], "true_x": probe[4], "true_y": probe[5]},
        "p_sigma": {"sigma": frame.sigma, "peak": frame.peak},
        "difference": {"gap": gap, "size": np.hypot(probe[4], probe[5])},
        "log_p": {"log_p": probe[6]},
        "denoised": {"to_x": probe[0] + 0.12**2 * probe[2], "to_y": probe[1] + 0.12**2 * probe[3]},
        "divergence": {"value": pin[7]},
        "curl": {"value": pin[9]},
        "expected": {"value": pin[10]},
        "loop": {"learned": 0.0123, "error": 1e-6, "true": 1e-7},
        "annealed": {"step": 480, "steps": 1780, "sigma": 0.2, "level": 7, "levels": 22},
        "epsilon": {"ratio": (annealed.sigma / annealed.ladder[-1]) ** 2, "last": annealed.ladder[-1]},
        "ladder": {"levels": 22, "first": 0.4, "last": 0.02},
        "evaluations": {"evaluations": ascent.evaluations},
        "table_error": {"error": 0.0042},
        "distance": {"distance": 0.123, "time": 0.27},
        "band": {"share": 0.801, "low": 0.79, "high": 0.81, "mass": 0.8, "pane": 3},
        "elsewhere": {"share": 0.0012},
    }


def test_every_number_is_the_frames() -> None:
    for name, numbers in _expected(FRAME).items():
        values = ENTRIES[name].values(FRAME)
        assert values is not None, name
        assert {key: values[key] for key in numbers} == pytest.approx(numbers, rel=1e-5), name
        shown = ENTRIES[name].numbered(FRAME)
        for key in set(numbers) & set(re.findall(r"<(\w+)>", ENTRIES[name].numbers)):
            assert latex_number(values[key]) in shown, (name, key)


def test_numbers_are_written_as_everywhere() -> None:
    assert latex_number(1234) == "1{,}234"
    assert latex_number(0.12) == three(0.12) == "0.120"
    assert latex_number(-1.5e-7) == r"{-}1.50\cdot 10^{-7}"


def test_what_is_not_known_has_no_numbers() -> None:
    bare = moment(
        loss_known=False, draws=0, errors=np.zeros((0, 5), np.float32), probe=np.zeros(0, np.float32), pane_states=(),
        modes=None, pins=np.zeros((0, 11), np.float32), loop_integrals=np.zeros((0, 3), np.float32), race=None,
        keyframes=np.zeros(0, np.float32), steps_per_second=0.0, training_ladder=np.zeros(0, np.float32),
    )  # fmt: skip
    known = {name for name, found in ENTRIES.items() if found.numbered(bare)}
    assert known == {"network", "p_sigma", "sigma"}
    assert not any(found.numbered(None) for found in ENTRIES.values())


def test_a_square_explains_what_is_in_use() -> None:
    assert [each.name for each in explain("curves", FRAME)][:3] == ["fisher", "loss_dsm", "floor"]
    assert explain("curves", moment(target="pooled"))[1].name == "loss_pooled"
    assert explain("curves", moment(objective="hutchinson"))[1].name == "loss_ssm_vr"
    assert explain("pane3", FRAME)[0].name == "annealed"
    assert entry("loss", FRAME).name == "loss_dsm"
    first, second = (
        next(each for each in explain(f"pane{number}", FRAME) if each.name == "table_error") for number in (1, 4)
    )
    assert first.numbered(FRAME)
    assert not second.numbered(FRAME)
    assert set(SAMPLERS) <= set(ENTRIES)
    assert all(explain(tile) for tile in TILES)


def test_formulas_scale_and_take_the_theme(qtbot: QtBot) -> None:
    small, large = ink(r"\sigma"), ink(r"\sigma", scale=2.0, ratio=2.0)
    assert 10 < large / small < 22
    image = picture(r"\frac{1}{2}", DARK.ink, 4.0, 1.0)
    colours = {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())
               if image.pixelColor(x, y).alpha() == 255}  # fmt: skip
    assert colours == {DARK.ink}


@pytest.fixture
def card(qtbot: QtBot) -> tuple[ExplainCard, QPushButton]:
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(1280, 720)
    button = QPushButton("asked", window)
    layout = QVBoxLayout(window)
    layout.addWidget(button)
    made = ExplainCard(window)
    with qtbot.waitActive(window):
        window.show()
    button.setFocus()
    made.window_kept = window  # type: ignore[attr-defined] - keeps the window alive
    return made, button


def test_the_card_by_keyboard(qtbot: QtBot, card: tuple[ExplainCard, QPushButton]) -> None:
    made, button = card
    made.show_for(button, explain("curves", FRAME), FRAME, first="floor")
    assert made.isVisible()
    assert made.names.hasFocus()
    assert made.title.text() == "Floor of the loss"
    assert made.numbers.latex == "0.765 = 0.610 + 0.155"
    assert made.parentWidget().rect().contains(made.geometry())
    qtbot.keyClick(made.names, Qt.Key.Key_Up)
    assert made.entry is not None
    assert made.entry.name == "loss_dsm"
    assert made.formula.latex == made.entry.formula
    qtbot.keyClick(made.names, Qt.Key.Key_Escape)
    assert not made.isVisible()
    assert button.hasFocus()


def test_the_cards_numbers_follow_the_frames(qtbot: QtBot, card: tuple[ExplainCard, QPushButton]) -> None:
    made, button = card
    made.show_for(button, explain("curves", FRAME), FRAME, first="floor")
    made.show_frame(moment(loss=0.9))
    qtbot.waitUntil(lambda: made.numbers.latex == "0.900 = 0.610 + 0.290")
    qtbot.mouseClick(made.close_button, Qt.MouseButton.LeftButton)
    assert not made.isVisible()
    made.show_for(button, (Entry("a", "A", "B.", "x", "C"),))
    assert not made.numbers.isVisible()
