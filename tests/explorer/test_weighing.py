"""Strength as a share of the mass: every stroke adds or takes exactly what was asked for, and undo brings all back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from explorer.brush import Brush
from explorer.document import Document
from explorer.edits import ChangeComponents, Clear, Ellipse, Fill, Line, PaintCommand, Stamp, Stroke
from explorer.paint.regions import regions
from explorer.paint.symmetry import Symmetry
from explorer.paint.weighing import LIGHTEST, weighed
from explorer.panels.brushes import BrushStrip
from explorer.panels.painting import PaintingPage
from explorer.tools.kit import ToolKit
from explorer.tools.weights import mass_words
from explorer.views.canvas import Canvas
from explorer.views.plane import PlaneRange
from tests.explorer.documents import draw, noise, square, state
from tests.explorer.hands import LEFT, Key, actions, shown, type_into
from tests.explorer.test_tools import at, drag, move
from trainer.components import Component, mass_of

SHIFT = Qt.KeyboardModifier.ShiftModifier
TENTH = Brush(0.1, 0.1, by_mass=True)
WAY = ((-0.8, 0.6, 1.0), (-0.3, 0.7, 0.4), (0.4, 0.6, 0.9))
EVERY = [
    Stroke(TENTH, WAY),
    Stroke(TENTH, ((0.9, 0.9, 1.0),)),
    Stroke(TENTH, WAY, Symmetry(True, True, 3)),
    Line(TENTH, (-0.5, -0.5), (0.5, 0.5)),
    Ellipse(TENTH, (0.3, 0.2), (0.3, 0.2)),
    Ellipse(TENTH, (0.3, 0.2), (0.3, 0.2), filled=False),
    Fill((0.9, 0.9), 1.0, 0.1, TENTH),
    Stamp(noise(9)[:7, :5], (0.2, -0.3), 0.5, TENTH),
]


def layers(document: Document) -> tuple[np.ndarray, tuple[Component, ...]]:
    return document.paint, document.components


@pytest.mark.parametrize("command", EVERY, ids=lambda each: type(each).__name__)
@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.99])
def test_what_is_drawn_becomes_its_share_and_the_rest_keeps_its_proportions(
    command: PaintCommand, share: float
) -> None:
    document = Document(square())
    before = document.weights.astype(float) / document.weights.sum(dtype=float)
    document.do(replace(command, brush=replace(TENTH, strength=share)))
    after = document.weights.astype(float) / document.weights.sum(dtype=float)
    added = after - (1 - share) * before
    assert added.sum() == pytest.approx(share, abs=1e-6)
    assert added.min() > -1e-8  # nowhere less than before, up to single precision
    assert document.weights.min() >= 0
    assert document.weights.max() <= 1
    rest = (before > 0) & (added < 1e-9)
    assert rest.sum() >= 100
    assert after[rest] == pytest.approx((1 - share) * before[rest], rel=1e-4)


def test_a_mode_of_twenty_percent() -> None:
    """What a lecturer wants: paint anywhere, however long, and the new region holds a fifth."""
    for end in (-0.6, -0.2, 0.7):
        document = Document(square())
        document.do(Line(replace(TENTH, strength=0.2), (-0.8, 0.8), (end, 0.8)))
        shares = [region.share for region in regions(document.weights)]
        # What is fainter than a hundredth of the largest weight belongs to no region.
        assert shares == pytest.approx([0.8, 0.2], abs=1e-3)


@pytest.mark.parametrize("erased", [0.05, 0.3, 1.0])
def test_an_eraser_takes_a_share_or_all_that_is_there(erased: float) -> None:
    document = Document(square())
    whole = mass_of(*layers(document))
    before = document.weights.copy()
    brush = Brush(0.3, erased, eraser=True, by_mass=True)
    stroke = Stroke(brush, ((-0.2, -0.2, 1.0), (-0.1, 0.1, 1.0)))
    document.do(stroke)
    left = mass_of(*layers(document)) / whole
    covered = Document(square())
    covered.do(replace(stroke, brush=Brush(0.3, 1.0, by_mass=True)))
    under = before[covered.weights > 0].sum(dtype=float) / before.sum(dtype=float)
    assert 1 - left == pytest.approx(min(erased, under), abs=1e-6)
    assert (document.weights <= before).all()
    assert (document.weights[covered.weights == 0] == before[covered.weights == 0]).all()
    if erased > under:
        assert not document.weights[covered.weights > 0].any()


def test_painting_and_erasing_a_share_at_the_same_place_leaves_the_proportions() -> None:
    document = Document(square())
    before = document.weights / document.weights.sum(dtype=float)
    line = Line(replace(TENTH, strength=0.2), (-0.8, 0.8), (0.5, 0.8))
    document.do(line)
    document.do(replace(line, brush=replace(line.brush, eraser=True)))
    assert document.weights / document.weights.sum(dtype=float) == pytest.approx(before, abs=1e-8)


def test_all_of_the_mass_replaces_and_on_an_empty_painting_every_share_does() -> None:
    for brush, first in ((replace(TENTH, strength=1.0), None), (TENTH, Clear())):
        document = Document(square())
        document.do(ChangeComponents((Component(),)) if first is None else first)
        document.do(Line(brush, (-0.5, 0.5), (0.5, 0.5)))
        alone = Document(square())
        alone.do(Clear())
        alone.do(Line(replace(brush, strength=1.0, by_mass=False), (-0.5, 0.5), (0.5, 0.5)))
        assert document.components == ()
        assert document.weights == pytest.approx(alone.weights / alone.weights.max(), abs=1e-6)


def test_components_keep_their_proportions_too() -> None:
    document = Document(square())
    document.do(ChangeComponents((Component(0.4, 0.4, mass=0.05), Component(-0.5, 0.4, mass=0.02))))
    held = document.components
    before = mass_of(*layers(document))
    document.do(Stroke(TENTH, ((0.8, -0.8, 1.0),)))
    scale = document.components[0].mass / held[0].mass
    assert scale < 0.5  # a dot of a tenth of all mass is the densest place by far
    assert document.components[1].mass == pytest.approx(scale * held[1].mass)
    rest = mass_of(*layers(document)) - float(document.paint[:40, 90:].sum(dtype=float)) * (2 / document.size) ** 2
    assert rest == pytest.approx(scale * before, rel=1e-5)
    assert rest / mass_of(*layers(document)) == pytest.approx(0.9, abs=1e-5)
    document.undo()
    assert document.components == held
    tiny = (Component(mass=LIGHTEST),)
    assert weighed(document.paint, tiny, document.paint, replace(TENTH, strength=0.99))[1] == tiny


@pytest.mark.parametrize("eraser", [False, True])
def test_a_live_stroke_ends_as_its_command_bit_for_bit(eraser: bool) -> None:
    stroke = Stroke(replace(TENTH, eraser=eraser), ((-0.5, -0.3, 1.0), (0.1, 0.2, 0.6), (0.2, -0.2, 1.0)))
    held = ChangeComponents((Component(0.4, 0.4),))
    live, whole = Document(square()), Document(square())
    for document in (live, whole):
        document.do(held)
    before = state(live)
    draw(live, stroke)
    assert state(live) != before
    assert state(Document(live.beneath)) == before
    live.end_stroke()
    whole.do(stroke)
    assert state(live) == state(whole)
    assert live.undo_text == ("Undo erasing" if eraser else "Undo stroke")
    live.undo()
    assert state(live) == before


def test_a_stroke_that_misses_the_painting_changes_nothing() -> None:
    document = Document(square())
    before = state(document)
    document.do(Stroke(TENTH, ((3.0, 3.0, 1.0),)))
    document.do(Stroke(replace(TENTH, eraser=True), ((0.9, 0.9, 1.0),)))
    assert state(document) == before
    assert not document.can_undo


# --- in a person's hand ---


@pytest.fixture
def canvas(qtbot: QtBot) -> Canvas:
    view = Canvas(Document(square()), PlaneRange(1.0), ToolKit())
    view.resize(512, 512)
    qtbot.addWidget(view)
    with qtbot.waitActive(view):
        view.show()
    view.setFocus()
    view.forget_point()
    return view


def test_the_amount_is_read_out_before_during_and_after(qtbot: QtBot, canvas: Canvas) -> None:
    said: list[str] = []
    canvas.readout.connect(said.append)
    qtbot.keyClick(canvas, "%")
    assert canvas.kit.brush == Brush(strength=0.1, by_mass=True)
    move(canvas, -0.5, 0.8, held=False)
    assert said[-1] == "+10.0 % of the mass, however long the stroke"
    qtbot.mousePress(canvas, LEFT, pos=at(canvas, -0.5, 0.8))
    for x in (0.0, 0.5):
        move(canvas, x, 0.8)
        assert said[-1] == "+10.0 % of the mass"
        assert float(canvas.document.weights[95:].sum() / canvas.document.weights.sum()) == pytest.approx(0.1, abs=1e-6)
    shown_with = canvas.grab().toImage()
    qtbot.mouseRelease(canvas, LEFT, pos=at(canvas, 0.5, 0.8))
    assert canvas.grab().toImage() != shown_with  # the words beside the pointer go with the stroke
    assert said[-1] == "+10.0 % of the mass, however long the stroke"
    drag(qtbot, canvas, (-0.3, -0.3), (-0.2, 0.2), modifiers=SHIFT)
    assert "−10.0 % of the mass" in said
    # A dot of the eraser finds less than a tenth, and says how much that was.
    canvas.kit.set(tool="eraser", brush=replace(canvas.kit.brush, eraser=True, strength=0.5))
    whole = canvas.document.weights.sum(dtype=float)
    qtbot.mousePress(canvas, LEFT, pos=at(canvas, -0.2, -0.1))
    taken = 1 - canvas.document.weights.sum(dtype=float) / whole
    assert 0 < taken < 0.5
    assert said[-1] == mass_words(-taken)
    qtbot.mouseRelease(canvas, LEFT, pos=at(canvas, -0.2, -0.1))


def test_words_of_a_change_of_the_mass() -> None:
    assert [mass_words(share) for share in (0.1, -0.0731, 1.0, 0.0)] == [
        "+10.0 % of the mass", "−7.31 % of the mass", "+100 % of the mass", "+0 % of the mass",
    ]  # fmt: skip


def test_by_the_keyboard_alone(qtbot: QtBot, canvas: Canvas) -> None:
    canvas.point_at((0.0, 0.8), crosshair=True)
    qtbot.keyClick(canvas, "%")
    qtbot.keyClick(canvas, Key.Key_BraceRight)
    assert canvas.kit.brush.strength == 0.15
    qtbot.keyPress(canvas, Key.Key_Return)
    for _ in range(4):
        qtbot.keyClick(canvas, Key.Key_Right)
    qtbot.keyRelease(canvas, Key.Key_Return)
    found = regions(canvas.document.weights)
    assert [region.share for region in found] == pytest.approx([0.85, 0.15], abs=2e-3)
    for _ in range(3):
        qtbot.keyClick(canvas, Key.Key_BraceLeft)
    assert canvas.kit.brush.strength == 0.01
    qtbot.keyClick(canvas, "%")
    assert canvas.kit.brush == Brush()


@pytest.mark.parametrize(
    ("tool", "way", "words"),
    [
        ("line", ((-0.5, 0.8), (0.5, 0.8)), "+20.0 % of the mass"),
        ("ellipse", ((-0.5, 0.6), (0.5, 0.9)), "+20.0 % of the mass"),
        ("fill", ((0.8, 0.8),), "+20.0 % of the mass, where within 0.100"),
        ("gaussian", ((0.5, 0.7),), ""),
    ],
)
def test_other_tools_weigh_too(
    qtbot: QtBot, canvas: Canvas, tool: str, way: tuple[tuple[float, float], ...], words: str
) -> None:
    canvas.kit.set(tool=tool, brush=Brush(0.08, 0.2, by_mass=True))
    before = canvas.document.weights.astype(float) / canvas.document.weights.sum(dtype=float)
    qtbot.mousePress(canvas, LEFT, pos=at(canvas, *way[0]))
    for point in way[1:]:
        move(canvas, *point)
    if words:
        assert canvas.reading() == words
    qtbot.mouseRelease(canvas, LEFT, pos=at(canvas, *way[-1]))
    after = canvas.document.weights.astype(float) / canvas.document.weights.sum(dtype=float)
    # A Gaussian's mass is rounded to three figures, which is how the drawer shows it.
    assert (after - 0.8 * before).sum() == pytest.approx(0.2, abs=1e-6)
    assert after[30:90, 40:70].sum() == pytest.approx(0.8 + 0.2 * (tool == "nothing"), abs=1e-3)
    canvas.document.undo()
    assert not canvas.document.can_undo


def test_smoothing_has_no_share(qtbot: QtBot, canvas: Canvas) -> None:
    canvas.kit.weigh(True)
    canvas.kit.take("smooth")
    assert not canvas.kit.options.weighing
    before = canvas.document.weights.sum(dtype=float)
    drag(qtbot, canvas, (-0.3, -0.3), (-0.2, 0.2))
    assert canvas.document.can_undo
    assert canvas.document.weights.sum(dtype=float) == pytest.approx(before, rel=1e-2)


def test_each_kind_of_strength_is_kept() -> None:
    kit = ToolKit()
    kit.weigh(True)
    assert kit.brush.strength == 0.1
    kit.set(brush=replace(kit.brush, strength=0.2))
    kit.weigh(False)
    assert kit.brush == Brush()
    kit.weigh(True)
    assert kit.brush.strength == 0.2


def test_strip_and_drawer_set_and_say_it(qtbot: QtBot) -> None:
    owner = QWidget()
    qtbot.addWidget(owner)
    document, kit = Document(square()), ToolKit()
    strip = BrushStrip(actions(owner, "undo", "redo", "clear"), kit)
    page = PaintingPage(document, kit)
    host = shown(qtbot, strip, page, width=288)
    strip.setFocus()
    qtbot.keyClick(host, "%")
    assert kit.brush.by_mass
    assert strip.by_mass.isChecked()
    assert strip.by_mass in strip.strength.actions()
    assert strip.strength.toolTip().startswith("Strength of the brush: 10.0 % of the mass (")
    assert strip.strength.accessibleDescription() == "strength 10.0 % of the mass"
    assert "One stroke becomes 10.0 % of the mass, however long it is" in page.tool.hint.text()
    type_into(qtbot, page.form.rows["brush.strength"].editor, "0.2")
    assert kit.brush.strength == 0.2
    choice = page.form.rows["brush.by_mass"].editor
    assert choice.currentText() == "share of the mass"  # type: ignore[union-attr]
    choice.setFocus()
    qtbot.keyClick(choice, Key.Key_Up)
    assert kit.brush == Brush()
    assert "mass," not in page.tool.hint.text()
    strip.palette_menu.popup(strip.mapToGlobal(QPoint(0, 0)))
    qtbot.mouseClick(strip.palette_menu, LEFT, pos=strip.palette_menu.actionGeometry(strip.by_mass).center())
    assert kit.brush.strength == 0.2
    kit.take("eraser")
    assert "takes 20.0 % of the mass" in page.tool.hint.text()
