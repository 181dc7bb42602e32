"""Where the shares of a painting's regions are written: near them, off the paint and off one another."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from explorer.paint.regions import Region
from explorer.views.curl import CurlView
from explorer.views.labels import REACH, Room, ShareLabels, place_beside
from explorer.views.plane import PlaneRange

SIZE = QSize(40, 16)
ROOM = Room((100.0, 120.0, 120.0), QRect(0, 0, 240, 240))


def cells_under(plate: QRect, ink: np.ndarray) -> int:
    """How many inked cells have their middle under the plate."""
    rows, cols = np.nonzero(ink)
    x = 120 + 100 * ((cols + 0.5) / ink.shape[1] * 2 - 1)
    y = 120 - 100 * ((rows + 0.5) / ink.shape[0] * 2 - 1)
    across = (plate.left() <= x) & (x < plate.left() + plate.width())
    return int((across & (plate.top() <= y) & (y < plate.top() + plate.height())).sum())


@pytest.mark.parametrize("at", [(0.0, 0.0), (-0.8, 0.7), (0.9, -0.9)])
def test_a_plate_leaves_a_blot_free_and_stays_in_the_square(at: tuple[float, float]) -> None:
    rows, cols = np.mgrid[0:64, 0:64]
    x, y = (cols + 0.5) / 32 - 1, (rows + 0.5) / 32 - 1
    ink = np.hypot(x - at[0], y - at[1]) < 0.25
    place = QPointF(120 + 100 * at[0], 120 - 100 * at[1])
    plate = place_beside(ink, place, SIZE, ROOM)
    assert cells_under(plate, ink) == 0
    assert ROOM.square.contains(plate)
    assert max(abs(plate.center().x() - place.x()), abs(plate.center().y() - place.y())) <= REACH + 1
    assert place_beside(np.zeros_like(ink), place, SIZE, ROOM).contains(place.toPoint()) or abs(at[0]) > 0.8


def test_plates_keep_off_one_another_and_stay_until_the_regions_change() -> None:
    weights = np.zeros((64, 64), np.float32)
    weights[30:34, 20:30] = weights[30:34, 32:44] = 1.0
    regions = (Region(0.55, 0.2, 0.0, 48), Region(0.45, -0.2, 0.0, 40))
    labels = ShareLabels()
    first, second = labels.place(regions, weights, SIZE, ROOM)
    assert not first.intersects(second)
    assert labels.place(regions, np.ones_like(weights), SIZE, ROOM) == [first, second]


@pytest.mark.parametrize(("key", "claimed"), [(Qt.Key.Key_L, True), (Qt.Key.Key_B, False)])
def test_the_loop_view_claims_l_from_the_line_tool(qtbot: QtBot, key: Qt.Key, claimed: bool) -> None:
    view = CurlView(PlaneRange())
    qtbot.addWidget(view)
    asked = QKeyEvent(QEvent.Type.ShortcutOverride, key, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(view, asked)
    assert asked.isAccepted() == claimed
    qtbot.keyClick(view, key)
    assert view.tool.kind == ("free" if claimed else "off")
