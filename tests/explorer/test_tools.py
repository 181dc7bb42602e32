"""Every tool under real mouse and key events: what it makes of the document in one step, and what Escape takes back."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QMouseEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from explorer.brush import Brush
from explorer.document import Document
from explorer.edits import ChangeComponents, Clear, Resize
from explorer.paint.symmetry import Symmetry
from explorer.tools.gaussians import GaussianTool
from explorer.tools.kit import TOOLS, ToolKit
from explorer.tools.placing import text_picture
from explorer.tools.selecting import SelectTool
from explorer.views.canvas import Canvas
from explorer.views.plane import PlaneRange
from trainer.components import Component
from trainer.errors import InputError

LEFT = Qt.MouseButton.LeftButton
NONE, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
Key = Qt.Key


@pytest.fixture
def canvas(qtbot: QtBot) -> Canvas:
    document = Document()
    document.do(Clear())
    view = Canvas(document, PlaneRange(1.0), ToolKit())
    view.resize(512, 512)
    qtbot.addWidget(view)
    with qtbot.waitExposed(view):
        view.show()
    view.forget_point()
    return view


def at(canvas: Canvas, x: float, y: float) -> QPoint:
    return canvas.to_pixel(x, y).toPoint()


def weight(canvas: Canvas, x: float, y: float) -> float:
    size = canvas.document.size
    return float(canvas.document.weights[int((y + 1) * size / 2), int((x + 1) * size / 2)])


def move(canvas: Canvas, x: float, y: float, modifiers: Qt.KeyboardModifier = NONE, held: bool = True) -> None:
    place = QPointF(at(canvas, x, y))
    buttons = LEFT if held else Qt.MouseButton.NoButton
    where = (place, QPointF(canvas.mapToGlobal(place)))
    event = QMouseEvent(QMouseEvent.Type.MouseMove, *where, Qt.MouseButton.NoButton, buttons, modifiers)
    QApplication.sendEvent(canvas, event)


def drag(qtbot: QtBot, canvas: Canvas, *way: tuple[float, float], modifiers: Qt.KeyboardModifier = NONE) -> None:
    qtbot.mousePress(canvas, LEFT, modifiers, pos=at(canvas, *way[0]))
    for point in way[1:]:
        move(canvas, *point, modifiers)
    qtbot.mouseRelease(canvas, LEFT, modifiers, pos=at(canvas, *way[-1]))


def steps(document: Document) -> list[str]:
    """The names of all steps, the last one first; the document ends where it began."""
    names = []
    while document.can_undo:
        names.append(document.undo_text)
        document.undo()
    for _ in names:
        document.redo()
    return names


def test_every_letter_takes_its_tool(qtbot: QtBot, canvas: Canvas) -> None:
    taken = set()
    for spec in TOOLS:
        qtbot.keyClick(canvas, getattr(Key, f"Key_{spec.key}"))
        assert canvas.kit.options.tool == spec.name
        assert canvas.brush.eraser == (spec.name == "eraser")
        taken.add(spec.key)
    assert len(taken) == 9


def test_a_line_shows_while_dragged_and_is_one_step(qtbot: QtBot, canvas: Canvas) -> None:
    canvas.kit.set(tool="line", brush=Brush(0.1, 0.5))
    qtbot.mousePress(canvas, LEFT, pos=at(canvas, -0.5, 0.0))
    move(canvas, 0.0, 0.5)
    assert weight(canvas, -0.25, 0.25) == pytest.approx(0.5, abs=0.02)
    move(canvas, 0.5, 0.1, SHIFT)
    assert weight(canvas, -0.25, 0.25) == 0
    qtbot.mouseRelease(canvas, LEFT, SHIFT, pos=at(canvas, 0.5, 0.1))
    assert weight(canvas, 0.4, 0.0) == pytest.approx(0.5, abs=0.02)  # kept to the horizontal
    assert steps(canvas.document) == ["Undo line", "Undo clear"]


def test_two_clicks_or_keys_draw_a_line_too(qtbot: QtBot, canvas: Canvas) -> None:
    canvas.kit.set(tool="line", brush=Brush(0.1, 0.5))
    qtbot.mouseClick(canvas, LEFT, pos=at(canvas, -0.5, -0.5))
    move(canvas, 0.5, -0.5, held=False)
    assert weight(canvas, 0.0, -0.5) > 0.45
    qtbot.mouseClick(canvas, LEFT, pos=at(canvas, 0.5, -0.5))
    canvas.point_at((-0.5, 0.5))
    qtbot.keyPress(canvas, Key.Key_Return)
    for _ in range(10):
        qtbot.keyClick(canvas, Key.Key_Right)
    qtbot.keyRelease(canvas, Key.Key_Return)
    assert weight(canvas, -0.25, 0.5) > 0.45
    assert steps(canvas.document) == ["Undo line", "Undo line", "Undo clear"]
    qtbot.mouseClick(canvas, LEFT, pos=at(canvas, -0.9, -0.9))
    move(canvas, -0.9, 0.9, held=False)
    qtbot.keyClick(canvas, Key.Key_Escape)
    assert weight(canvas, -0.9, 0.0) == 0
    assert not canvas.document.stroking
    assert len(steps(canvas.document)) == 3


def test_ellipses_filled_and_outlined_and_round_with_shift(qtbot: QtBot, canvas: Canvas) -> None:
    canvas.kit.set(tool="ellipse", brush=Brush(0.05, 1.0))
    drag(qtbot, canvas, (-0.8, -0.4), (0.0, 0.2), (0.8, 0.4))
    assert weight(canvas, 0, 0) == 1
    assert weight(canvas, 0.75, 0.35) == 0
    canvas.document.undo()
    canvas.kit.set(filled=False)
    drag(qtbot, canvas, (0.0, 0.0), (0.2, 0.0), (0.5, 0.0), modifiers=SHIFT)
    assert weight(canvas, 0, 0) == 0
    assert min(weight(canvas, *p) for p in ((0.49, 0), (-0.5, 0), (0, 0.49), (0, -0.5))) > 0.8
    assert canvas.document.undo_text == "Undo circle"


def test_fill_fills_and_shift_empties(qtbot: QtBot, canvas: Canvas) -> None:
    canvas.kit.set(tool="ellipse", filled=False, brush=Brush(0.05, 1.0))
    drag(qtbot, canvas, (0.0, 0.0), (0.2, 0.0), (0.5, 0.0), modifiers=SHIFT)
    canvas.kit.set(tool="fill", brush=Brush(0.05, 0.25))
    qtbot.mouseClick(canvas, LEFT, pos=at(canvas, 0.0, 0.0))
    assert weight(canvas, 0.2, 0.2) == 0.25
    assert weight(canvas, 0.8, 0.8) == 0
    qtbot.mouseClick(canvas, LEFT, SHIFT, pos=at(canvas, 0.0, 0.0))
    assert weight(canvas, 0.2, 0.2) == 0
    qtbot.mouseClick(canvas, LEFT, pos=at(canvas, 0.999, 0.0) + QPoint(5, 0))  # beyond the edge
    assert steps(canvas.document)[:2] == ["Undo fill", "Undo fill"]


def test_a_stroke_and_its_images(qtbot: QtBot, canvas: Canvas) -> None:
    canvas.brush = Brush(0.1, 1.0)
    canvas.kit.set(symmetry=Symmetry(left_right=True, folds=2))
    drag(qtbot, canvas, (0.2, 0.5), (0.5, 0.5))
    weights = canvas.document.weights
    assert min(weight(canvas, x, y) for x in (0.35, -0.35) for y in (0.5, -0.5)) > 0.9
    assert np.abs(weights - weights[:, ::-1]).max() < 1e-5
    assert steps(canvas.document) == ["Undo stroke", "Undo clear"]


def test_smoothing_blurs_under_the_brush_only(qtbot: QtBot, canvas: Canvas) -> None:
    canvas.brush = Brush(0.03, 1.0)
    for x in (-0.5, 0.5):
        qtbot.mouseClick(canvas, LEFT, pos=at(canvas, x, 0))
    before = canvas.document.weights
    canvas.kit.set(tool="smooth", brush=Brush(0.2, 1.0), softness=0.1)
    qtbot.mouseClick(canvas, LEFT, pos=at(canvas, -0.5, 0))
    assert weight(canvas, -0.5, 0) < 0.2 * weight(canvas, 0.5, 0)
    assert np.array_equal(canvas.document.weights[:, 64:], before[:, 64:])
    assert canvas.document.undo_text == "Undo smoothing"


def test_a_text_is_stamped_upright_and_previewed(qtbot: QtBot, canvas: Canvas) -> None:
    picture = text_picture("T")
    assert picture is not None
    assert text_picture(" ") is None
    canvas.kit.set(tool="stamp", stamp=picture, stamp_width=1.0, brush=Brush(0.1, 1.0))
    empty = QImage(512, 512, QImage.Format.Format_RGB32)
    canvas.render(empty)
    canvas.point_at((0.0, 0.0))
    ghost = QImage(512, 512, QImage.Format.Format_RGB32)
    canvas.render(ghost)
    stem = at(canvas, 0.0, -0.2)
    assert ghost.pixelColor(stem).lightness() < empty.pixelColor(stem).lightness() - 20
    assert not canvas.document.weights.any()
    qtbot.mouseClick(canvas, LEFT, pos=at(canvas, 0.0, 0.0))
    rows = canvas.document.weights.sum(axis=1)
    assert rows[60:96].max() > 2.5 * rows[34:50].max()  # the bar of the T is above
    assert canvas.document.undo_text == "Undo stamping text"
    assert np.flatnonzero(rows).min() >= 32 - 1
    assert np.flatnonzero(rows).max() <= 95 + 1


# --- Gaussians


def gaussian(canvas: Canvas) -> GaussianTool:
    assert isinstance(canvas.tool, GaussianTool)
    return canvas.tool


def pull(qtbot: QtBot, canvas: Canvas, handle: str, dx: int, dy: int) -> None:
    place = gaussian(canvas).handles()[handle].toPoint()
    qtbot.mousePress(canvas, LEFT, pos=place)
    for part in (0.5, 1.0):
        to = place + QPoint(round(part * dx), round(part * dy))
        move(canvas, *canvas.to_plane(QPointF(to)))
    qtbot.mouseRelease(canvas, LEFT, pos=place + QPoint(dx, dy))


def test_a_gaussian_is_placed_by_a_click_and_shaped_by_handles(qtbot: QtBot, canvas: Canvas) -> None:
    canvas.kit.set(tool="gaussian", brush=Brush(0.1, 0.5))
    qtbot.mouseClick(canvas, LEFT, pos=at(canvas, -0.25, 0.25))
    (placed,) = canvas.document.components
    assert (placed.x, placed.y) == pytest.approx((-0.25, 0.25), abs=0.004)
    assert (placed.along, placed.across, placed.mass) == (0.1, 0.1, 0.0314)  # 2 pi 0.1^2 at half strength
    assert canvas.document.weights.max() == pytest.approx(0.5, rel=0.03)
    unit = canvas.mapping()[0]
    pull(qtbot, canvas, "centre", 64, 0)
    pull(qtbot, canvas, "along", 51, 0)
    pull(qtbot, canvas, "across", 0, 26)
    pull(qtbot, canvas, "mass", 0, -24)
    (shaped,) = canvas.document.components
    assert shaped.x == pytest.approx(placed.x + 64 / unit, abs=1e-3)
    assert shaped.along == pytest.approx(0.1 + 51 / unit / 2, abs=0.004)
    assert shaped.across == pytest.approx(0.1 - 26 / unit / 2, abs=0.004)
    assert shaped.mass == 0.0628
    turn = gaussian(canvas).handles()["angle"]
    centre = gaussian(canvas).handles()["centre"]
    reach = round(turn.x() - centre.x())
    pull(qtbot, canvas, "angle", -reach, -reach)
    assert canvas.document.components[0].angle == pytest.approx(90, abs=0.5)
    assert canvas.reading() == "mass 0.0628  share 1.000"
    assert steps(canvas.document) == [
        "Undo turning a Gaussian",
        "Undo the mass of a Gaussian",
        "Undo stretching a Gaussian",
        "Undo stretching a Gaussian",
        "Undo moving a Gaussian",
        "Undo placing a Gaussian",
        "Undo clear",
    ]


def test_a_gaussian_is_placed_and_moved_by_keys(qtbot: QtBot, canvas: Canvas) -> None:
    canvas.kit.set(tool="gaussian", brush=Brush(0.1, 0.5))
    canvas.point_at((0.5, 0.5))
    qtbot.keyClick(canvas, Key.Key_Return)
    assert canvas.document.components == (Component(0.5, 0.5, 0.1, 0.1, 0.0, 0.0314),)
    qtbot.keyPress(canvas, Key.Key_Return)
    qtbot.keyClick(canvas, Key.Key_Left)
    qtbot.keyClick(canvas, Key.Key_Down)
    qtbot.keyRelease(canvas, Key.Key_Return)
    assert canvas.document.components == (Component(0.45, 0.45, 0.1, 0.1, 0.0, 0.0314),)
    assert steps(canvas.document) == ["Undo moving a Gaussian", "Undo placing a Gaussian", "Undo clear"]


def test_gaussians_are_chosen_deleted_and_let_go_by_key(qtbot: QtBot, canvas: Canvas) -> None:
    components = (Component(-0.5, 0.0), Component(0.5, 0.0))
    canvas.document.do(ChangeComponents(components))
    canvas.kit.take("gaussian")
    qtbot.keyClick(canvas, Key.Key_N)
    qtbot.keyClick(canvas, Key.Key_N)
    assert canvas.kit.component == 1
    qtbot.mouseClick(canvas, LEFT, pos=at(canvas, -0.5, 0.03))
    assert canvas.kit.component == 0
    assert canvas.document.components == components  # a click chooses and changes nothing
    qtbot.keyClick(canvas, Key.Key_Delete)
    assert canvas.document.components == components[1:]
    assert canvas.document.undo_text == "Undo deleting a Gaussian"
    canvas.document.undo()
    canvas.kit.choose(1)
    place = gaussian(canvas).handles()["centre"].toPoint()
    qtbot.mousePress(canvas, LEFT, pos=place)
    move(canvas, 0.0, 0.5)
    assert canvas.document.components != components
    qtbot.keyClick(canvas, Key.Key_Escape)
    assert canvas.document.components == components
    qtbot.mouseRelease(canvas, LEFT, pos=at(canvas, 0.0, 0.5))
    qtbot.keyClick(canvas, Key.Key_Escape)
    assert canvas.kit.component is None
    canvas.kit.choose(1)
    canvas.document.undo()
    assert canvas.kit.component is None  # there is none any more


# --- selecting


def test_a_selection_floats_over_several_moves_each_one_step(qtbot: QtBot, canvas: Canvas) -> None:
    canvas.brush = Brush(0.1, 1.0)
    for x in (-0.5, 0.0):
        qtbot.mouseClick(canvas, LEFT, pos=at(canvas, x, 0))
    canvas.kit.take("select")
    drag(qtbot, canvas, (-0.7, -0.2), (-0.4, 0.1), (-0.3, 0.2))
    before = canvas.document.weights
    mass = before.sum(dtype=float)
    drag(qtbot, canvas, (-0.5, 0.0), (-0.2, 0.0), (0.0, 0.0))  # onto the other dot
    assert weight(canvas, -0.5, 0.0) == 0
    assert canvas.document.weights.sum(dtype=float) < 0.9 * mass  # both dots together are brighter than 1
    drag(qtbot, canvas, (0.0, 0.0), (0.0, 0.3), (0.0, 0.5))  # and on: the other dot is whole again
    assert canvas.document.weights.sum(dtype=float) == pytest.approx(mass, rel=1e-6)
    assert canvas.document.weights[64:96, :].sum() > 0.4 * mass
    moved = steps(canvas.document)
    assert moved[:2] == ["Undo moving the selection"] * 2
    canvas.document.undo()
    assert isinstance(canvas.tool, SelectTool)
    assert canvas.tool.cells.size == 0  # where it lay before it floated no more
    canvas.document.undo()
    assert np.array_equal(canvas.document.weights, before)


def test_arrows_move_a_selection_and_delete_empties_it(qtbot: QtBot, canvas: Canvas) -> None:
    canvas.brush = Brush(0.1, 1.0)
    qtbot.mouseClick(canvas, LEFT, pos=at(canvas, 0, 0))
    before = canvas.document.weights
    canvas.kit.select_all.emit()
    assert canvas.kit.options.tool == "select"
    assert isinstance(canvas.tool, SelectTool)
    assert canvas.tool.cells.size == 128 * 128
    qtbot.keyClick(canvas, Key.Key_Right)
    qtbot.keyClick(canvas, Key.Key_Up, SHIFT)
    assert np.array_equal(canvas.document.weights[10:, 1:], before[:-10, :-1])
    canvas.kit.delete_wanted.emit()
    assert not canvas.document.weights.any()
    assert steps(canvas.document)[:3] == ["Undo deleting the selection", *["Undo moving the selection"] * 2]
    canvas.kit.select_all.emit()
    canvas.document.do(Resize(64))
    assert canvas.tool.cells.size == 0  # its cells are no longer those


def test_a_lasso_selects_what_it_goes_around_and_escape_lets_go(qtbot: QtBot, canvas: Canvas) -> None:
    canvas.kit.set(tool="select", lasso=True)
    drag(qtbot, canvas, (-0.5, -0.5), (0.5, -0.5), (-0.5, 0.5))
    assert isinstance(canvas.tool, SelectTool)
    assert canvas.tool.cells.size == pytest.approx(128 * 128 / 8, rel=0.03)
    qtbot.keyClick(canvas, Key.Key_Escape)
    assert canvas.tool.cells.size == 0
    canvas.kit.take("brush")
    assert not canvas.document.can_undo or canvas.document.undo_text == "Undo clear"


# --- masses and options


def test_shares_follow_the_painting_and_stand_at_their_places(qtbot: QtBot, canvas: Canvas) -> None:
    canvas.brush = Brush(0.1, 1.0)
    qtbot.mouseClick(canvas, LEFT, pos=at(canvas, -0.5, 0))
    with qtbot.waitSignal(canvas.masses.changed):
        qtbot.mouseClick(canvas, LEFT, pos=at(canvas, 0.5, 0))
    assert [r.share for r in canvas.masses.regions] == pytest.approx([0.5, 0.5], abs=0.03)
    canvas.point_at((0.0, 0.9))
    images = []
    for named in (True, False):
        canvas.kit.set(masses=named)
        image = QImage(512, 512, QImage.Format.Format_RGB32)
        canvas.render(image)
        images.append(image)
    here = at(canvas, 0.5, 0)
    dot = [here + QPoint(x, y) for x in range(-12, 13) for y in range(-12, 13)]
    around = [here + QPoint(x, y) for x in range(-90, 91) for y in range(-90, 91)]
    assert all(images[0].pixelColor(p) == images[1].pixelColor(p) for p in dot)  # the plate leaves the paint free
    assert sum(images[0].pixelColor(p) != images[1].pixelColor(p) for p in around) > 20  # and stands beside it


def test_options_out_of_range_are_refused_and_change_nothing(qtbot: QtBot) -> None:
    kit = ToolKit()
    before = kit.options
    for name, value in (("tolerance", 1.5), ("softness", 0.0), ("stamp_width", "wide")):
        with pytest.raises(InputError, match=rf"^{name}: .* is out of range; give a number from .* to .*$"):
            kit.set(**{name: value})
    assert kit.options == before
