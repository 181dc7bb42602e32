"""Views that are not seen keep no pictures, and draw the same again when they are seen."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from explorer.viewing import FieldStyle, Viewing, ViewOptions
from explorer.views.error_map import ErrorMapView
from explorer.views.field import FieldView
from explorer.views.ground import Ground
from explorer.views.overlay import Overlay
from explorer.views.particles import ParticleView
from explorer.views.plane import PlaneRange
from explorer.views.splat import Splat
from explorer.views.square import SquareView
from explorer.views.surface import SurfaceView
from explorer.views.threads import Texture
from tests.explorer.frames import make_frame
from tests.explorer.pixels import draw

SIDE = 400


def field(style: FieldStyle) -> FieldView:
    return FieldView("learned", PlaneRange(), Viewing(ViewOptions(style=style)))


VIEWS: dict[str, Callable[[], SquareView]] = {
    "particles": lambda: ParticleView(1, PlaneRange()),
    "arrows": lambda: field("arrows"),
    "texture": lambda: field("texture"),
    "error map": lambda: ErrorMapView(PlaneRange(), Viewing()),
    "surface": lambda: SurfaceView(PlaneRange(), Viewing()),
}


def held(thing: object) -> int:
    """Bytes of the pictures that a view, or a part of it, holds."""
    if isinstance(thing, QImage):
        return thing.sizeInBytes()
    if isinstance(thing, QPixmap):
        return 4 * thing.width() * thing.height()
    if isinstance(thing, np.ndarray):
        return thing.nbytes if thing.dtype in (np.uint8, np.uint16, np.uint32) else 0
    if isinstance(thing, tuple):
        return sum(map(held, thing))
    if isinstance(thing, QWidget | Ground | Overlay | Splat | Texture):
        return sum(held(part) for name, part in vars(thing).items() if name != "frame")
    return 0


@pytest.mark.parametrize("name", VIEWS)
def test_what_is_hidden_keeps_no_pictures(qtbot: QtBot, name: str) -> None:
    view = VIEWS[name]()
    qtbot.addWidget(view)
    view.show_frame(make_frame())
    before = draw(view, SIDE)
    assert held(view) >= 4 * SIDE**2
    view.show()
    view.hide()
    assert held(view) < 0.1 * 4 * SIDE**2
    np.testing.assert_array_equal(draw(view, SIDE), before)
