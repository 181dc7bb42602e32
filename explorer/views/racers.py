"""How racers are told apart, and what is said of them, alike in every view of a race.

All of them are learned, so all are orange; each has a shade between that and the theme's ink, a dash and a mark of its
own, which tell them apart in grey as well. Their common measure is the relative Fisher error: the geometric mean over
the noise levels that all of them learn, or one level.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from explorer.engine.frames import ERROR_SIGMAS, Race, Racer
from explorer.numbers import three
from explorer.theme import Theme
from explorer.views.chart import blend

Floats = NDArray[np.floating]

_SHADES = (0.0, 0.5, 0.25, 0.8, 0.65)
_DASHES: tuple[tuple[float, ...], ...] = ((), (4.0, 2.0), (1.2, 1.8), (5.0, 1.8, 1.2, 1.8), (8.0, 3.0))


def ink(theme: Theme, index: int) -> QColor:
    """The shade of the racer with this number, from 0."""
    return blend(theme.colour("learned"), theme.colour("ink"), _SHADES[index % len(_SHADES)])


def pen(theme: Theme, index: int, width: float) -> QPen:
    """Its line."""
    result = QPen(ink(theme, index), width)
    result.setCapStyle(Qt.PenCapStyle.FlatCap)
    result.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    if dashes := _DASHES[index % len(_DASHES)]:
        result.setDashPattern(list(dashes))
    return result


def paint_mark(painter: QPainter, theme: Theme, index: int, at: QPointF, radius: float) -> None:
    """Its mark: a disc, a square, a triangle, a diamond or a ring."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    colour = ink(theme, index)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    x, y, r = at.x(), at.y(), radius
    match index % 5:
        case 0:
            painter.drawEllipse(at, r, r)
        case 1:
            painter.drawRect(QRectF(x - 0.88 * r, y - 0.88 * r, 1.76 * r, 1.76 * r))
        case 2:
            painter.drawPolygon(QPolygonF([QPointF(x, y - 1.1 * r), QPointF(x + r, y + r), QPointF(x - r, y + r)]))
        case 3:
            corners = ((x, y - 1.25 * r), (x + 1.25 * r, y), (x, y + 1.25 * r), (x - 1.25 * r, y))
            painter.drawPolygon(QPolygonF([QPointF(*corner) for corner in corners]))
        case _:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(colour, 0.7 * r))
            painter.drawEllipse(at, 0.8 * r, 0.8 * r)


def common_levels(race: Race) -> list[int]:
    """The columns of `ERROR_SIGMAS` at which every racer that was measured has been measured."""
    known = [(racer.errors > 0).all(axis=0) for racer in race.racers if len(racer.errors)]
    return np.flatnonzero(np.all(known, axis=0)).tolist() if known else []


def error_curve(racer: Racer, levels: list[int]) -> Floats:
    """The geometric mean of its errors over these levels, (j,): one value for each time it was measured."""
    if not levels or not len(racer.errors):
        return np.zeros(0)
    chosen = np.asarray(racer.errors, dtype=float)[:, levels]
    return np.exp(np.log(np.maximum(chosen, 1e-30)).mean(axis=1))


def last_error(racer: Racer, levels: list[int]) -> str:
    """The newest of them in three figures, or a dash."""
    values = error_curve(racer, levels)
    return three(float(values[-1])) if values.size else "–"


def noise_of(racer: Racer) -> str:
    """The variance of its gradient over the squared mean, or a dash."""
    return three(float(racer.variance[0])) if racer.variance.size else "–"


def sentence(racer: Racer, levels: list[int]) -> str:
    """All that is known of a racer, in words."""
    if racer.note:
        return f"{racer.label}: stands still. {racer.note}"
    parts = [f"step {racer.step:,}", f"{three(racer.milliseconds)} ms per step"]
    if levels and len(racer.errors):
        which = f"at σ {ERROR_SIGMAS[levels[0]]:g}" if len(levels) == 1 else f"mean over {len(levels)} noise levels"
        parts.append(f"Fisher error {last_error(racer, levels)} ({which})")
    if racer.curve_loss.size:
        floor = f", floor {three(float(racer.floor[0]))}" if racer.floor.size else ", floor not known"
        parts.append(f"own loss {three(float(np.mean(racer.curve_loss[-16:])))}{floor}")
    if racer.variance.size:
        parts.append(f"gradient variance {noise_of(racer)} of its squared mean")
    return f"{racer.label}: {'; '.join(parts)}"
