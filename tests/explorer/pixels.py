"""Pixels of a view that is drawn without a window, for tests to measure."""

from __future__ import annotations

import numpy as np
from PySide6.QtGui import QColor, QImage

from explorer.engine.messages import Frame
from explorer.views.plane import PlaneView
from tests.explorer.frames import make_frame


def draw(view: PlaneView, side: int = 200, ratio: int = 1) -> np.ndarray:
    """The view rendered without ever being shown, as (rows, cols, 3) of device pixels, row 0 at the top."""
    view.resize(side, side)
    image = QImage(side * ratio, side * ratio, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    view.render(image)
    return np.asarray(image.constBits()).reshape(side * ratio, side * ratio, 4)[..., 2::-1].astype(int)


def inked(pixels: np.ndarray, colour: QColor, tolerance: int = 90) -> np.ndarray:
    """Where pixels are close to a colour."""
    return np.abs(pixels - np.array([colour.red(), colour.green(), colour.blue()])).sum(axis=-1) < tolerance


def flat_frame(**changes: object) -> Frame:
    """A frame over an empty ground, so that only marks have colour."""
    return make_frame(ground=np.zeros((16, 16), np.float32), **changes)
