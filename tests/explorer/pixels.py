"""Pixels of a view that is drawn without a window, for tests to measure."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPoint
from PySide6.QtGui import QColor, QImage, QPainter, QRegion
from PySide6.QtWidgets import QWidget

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
