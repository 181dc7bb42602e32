"""The canvas: hands paint, the document changes, and only what changed is painted anew."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QImage, QMouseEvent, QPaintEvent, QPointingDevice, QTabletEvent, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from explorer.brush import Brush
from explorer.document import Clear, Document
from explorer.views.canvas import Canvas
from explorer.views.plane import PlaneRange

LEFT = Qt.MouseButton.LeftButton


class Recorder(Canvas):
    """A canvas that remembers what it was asked to paint."""

    painted: QRect

    def paintEvent(self, event: QPaintEvent) -> None:
        self.painted = self.painted.united(event.rect())
        super().paintEvent(event)


@pytest.fixture
def canvas(qtbot: QtBot) -> Recorder:
    document = Document()
    document.do(Clear())
    view = Recorder(document, PlaneRange(1.0))
    view.painted = QRect()
    view.resize(256, 256)
    qtbot.addWidget(view)
    view.show()
    qtbot.waitUntil(lambda: not view.painted.isEmpty())
    return view


def at(canvas: Canvas, x: float, y: float) -> QPoint:
    return canvas.to_pixel(x, y).toPoint()


def weight(canvas: Canvas, x: float, y: float) -> float:
    return float(canvas.document.weights[int((y + 1) * 64), int((x + 1) * 64)])


def pen(canvas: Canvas, kind: QTabletEvent.Type, x: float, y: float, pressure: float, eraser: bool = False) -> None:
    device = QPointingDevice(
        "pen",
        1,
        QPointingDevice.DeviceType.Stylus,
        QPointingDevice.PointerType.Eraser if eraser else QPointingDevice.PointerType.Pen,
        QPointingDevice.Capability.Position | QPointingDevice.Capability.Pressure,
        1,
        2,
    )
    place = QPointF(at(canvas, x, y))
    held = Qt.MouseButton.NoButton if kind == QTabletEvent.Type.TabletRelease else LEFT
    button = Qt.MouseButton.NoButton if kind == QTabletEvent.Type.TabletMove else LEFT
    where = (place, QPointF(canvas.mapToGlobal(place)))
    event = QTabletEvent(kind, device, *where, pressure, 0, 0, 0, 0, 0, Qt.KeyboardModifier.NoModifier, button, held)
    QApplication.sendEvent(canvas, event)


def test_mouse_paints_one_smooth_undoable_stroke(qtbot: QtBot, canvas: Recorder) -> None:
    qtbot.mousePress(canvas, LEFT, pos=at(canvas, -0.5, 0.25))
    assert canvas.document.stroking
    for x in (0.0, 0.5):
        QApplication.sendEvent(canvas, _move(canvas, x, 0.25))
    qtbot.mouseRelease(canvas, LEFT, pos=at(canvas, 0.5, 0.25))
    row = canvas.document.weights[80, 34:94]
    assert not canvas.document.stroking
    assert row.min() == pytest.approx(0.6, abs=0.02)  # the brush's strength all along, between mouse points too
    assert canvas.document.weights[:60].max() == 0
    canvas.document.undo()
    assert canvas.document.weights.max() == 0


def test_painting_shows_at_once_and_repaints_only_its_place(qtbot: QtBot, canvas: Recorder) -> None:
    canvas.painted = QRect()
    canvas.document.begin_stroke(Brush(radius=0.1), -0.6, -0.6)
    qtbot.waitUntil(lambda: not canvas.painted.isEmpty())
    assert canvas.painted.width() < 40
    assert canvas.painted.contains(at(canvas, -0.6, -0.6))
    image = QImage(256, 256, QImage.Format.Format_RGB32)
    canvas.render(image)
    assert (
        image.pixelColor(at(canvas, -0.6, -0.6)).lightness() < image.pixelColor(at(canvas, 0.6, 0.6)).lightness() - 20
    )
    canvas.document.cancel_stroke()


def test_shift_and_the_eraser_take_paint_away(qtbot: QtBot, canvas: Recorder) -> None:
    canvas.brush = Brush(radius=0.2, strength=1.0)
    qtbot.mouseClick(canvas, LEFT, pos=at(canvas, 0, 0))
    full = weight(canvas, 0, 0)
    assert full > 0.95
    qtbot.mouseClick(canvas, LEFT, Qt.KeyboardModifier.ShiftModifier, pos=at(canvas, 0, 0))
    assert weight(canvas, 0, 0) < 0.1
    with qtbot.waitSignal(canvas.brush_changed) as told:
        qtbot.keyClick(canvas, Qt.Key.Key_E)
    assert told.args == [replace(Brush(radius=0.2, strength=1.0), eraser=True)]
    canvas.document.undo()
    qtbot.mouseClick(canvas, LEFT, pos=at(canvas, 0, 0))
    assert weight(canvas, 0, 0) < 0.1


def test_pen_pressure_scales_the_strength(qtbot: QtBot, canvas: Recorder) -> None:
    canvas.brush = Brush(radius=0.2, strength=1.0)
    for x, pressure in ((-0.5, 0.25), (0.5, 1.0)):
        pen(canvas, QTabletEvent.Type.TabletPress, x, 0, pressure)
        pen(canvas, QTabletEvent.Type.TabletMove, x, 0, pressure)
        pen(canvas, QTabletEvent.Type.TabletRelease, x, 0, 0.0)
    assert weight(canvas, -0.5, 0) == pytest.approx(0.25, abs=0.02)
    assert weight(canvas, 0.5, 0) == pytest.approx(1.0, abs=0.05)
    pen(canvas, QTabletEvent.Type.TabletPress, 0.5, 0, 1.0, eraser=True)
    pen(canvas, QTabletEvent.Type.TabletRelease, 0.5, 0, 0.0, eraser=True)
    assert weight(canvas, 0.5, 0) < 0.1


def test_keyboard_paints(qtbot: QtBot, canvas: Recorder) -> None:
    canvas.setFocus()
    canvas.forget_point()  # wherever the mouse happens to be
    qtbot.keyPress(canvas, Qt.Key.Key_Return)
    for _ in range(6):
        qtbot.keyClick(canvas, Qt.Key.Key_Right)
    qtbot.keyRelease(canvas, Qt.Key.Key_Return)
    assert not canvas.document.stroking
    assert canvas.document.weights[64, 64:82].min() == pytest.approx(0.6, abs=0.05)
    qtbot.keyClick(canvas, Qt.Key.Key_Right)
    assert canvas.document.weights[64, 90:].max() == 0
    canvas.document.undo()
    assert canvas.document.weights.max() == 0


def test_escape_takes_a_stroke_by_key_back(qtbot: QtBot, canvas: Recorder) -> None:
    qtbot.keyPress(canvas, Qt.Key.Key_Return)
    qtbot.keyClick(canvas, Qt.Key.Key_Up)
    qtbot.keyClick(canvas, Qt.Key.Key_Escape)
    qtbot.keyRelease(canvas, Qt.Key.Key_Return)
    assert canvas.document.weights.max() == 0
    assert not canvas.document.stroking


def test_keys_and_wheel_change_the_brush(qtbot: QtBot, canvas: Recorder) -> None:
    canvas.brush = Brush(radius=0.1, strength=0.5)
    qtbot.keyClick(canvas, Qt.Key.Key_BracketRight)
    assert canvas.brush.radius == pytest.approx(0.115)
    qtbot.keyClick(canvas, Qt.Key.Key_BraceLeft)
    assert canvas.brush.strength == pytest.approx(0.45)
    place = QPointF(at(canvas, 0, 0))
    event = QWheelEvent(
        place,
        canvas.mapToGlobal(place),
        QPoint(),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.ControlModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(canvas, event)
    assert canvas.brush.radius == pytest.approx(0.1)
    assert canvas.range.half_width == 1.0
    for _ in range(60):
        canvas.resize_brush(1.5)
        canvas.strengthen(0.2)
    assert (canvas.brush.radius, canvas.brush.strength) == (0.6, 1.0)


def test_it_reads_the_weight_under_the_cursor(qtbot: QtBot, canvas: Recorder) -> None:
    canvas.brush = Brush(radius=0.2, strength=0.5)
    qtbot.mouseClick(canvas, LEFT, pos=at(canvas, 0.5, 0.5))
    canvas.point_at((0.5, 0.5))
    assert canvas.reading().startswith("(0.500, 0.500), weight 0.49")
    canvas.point_at((1.2, 0.0))
    assert "weight" not in canvas.reading()


def test_a_document_keeps_no_canvas_alive(qtbot: QtBot) -> None:
    document = Document()
    canvas = Canvas(document, PlaneRange())
    watch = weakref.ref(canvas)
    del canvas
    gc.collect()
    assert watch() is None
    before = np.array(document.weights)
    document.do(Clear())
    assert before.max() > 0
    assert document.weights.max() == 0


def _move(canvas: Canvas, x: float, y: float) -> QMouseEvent:
    place = QPointF(at(canvas, x, y))
    where = (place, QPointF(canvas.mapToGlobal(place)))
    return QMouseEvent(
        QMouseEvent.Type.MouseMove, *where, Qt.MouseButton.NoButton, LEFT, Qt.KeyboardModifier.NoModifier
    )
