"""A score field over the density: the learned one, the true one, or a race's; as arrows, streamlines or a texture.

Arrows stand on the frame's own lattice. Streamlines and textures are made from the finer lattice of the frame's maps
where these show the same place, else from the frame's own. All styles weigh a magnitude by |s| / (|s| + s_half), with
one s_half for all fields of a frame (`explorer.views.arrows`).

Over the logarithm of a density or over its energy, the learned view shows what was *learned*, where the network is an
energy and knows its log-density; a plate says so.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QPointF, QRect, Qt, QTimer
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QWidget

from explorer.engine.messages import Frame, Maps, Want
from explorer.numbers import three
from explorer.viewing import FieldStyle, Viewing, ViewOptions
from explorer.views.arrows import Arrows, half_length_score
from explorer.views.ground import FLOOR
from explorer.views.pins import paint_pins, pins_of
from explorer.views.plane import PlaneRange, PlaneView, pair
from explorer.views.threads import PAUSE, Streams, Style, Texture

Role = Literal["learned", "true", "error"]

_STYLES: dict[FieldStyle, Callable[[], Style]] = {"arrows": Arrows, "streamlines": Streams, "texture": Texture}

_UNITS = {"arrows": "half-length arrow", "streamlines": "half-weight line", "texture": "half-dark texture"}

_GROUNDS = {
    "density": "Below it, the density p_σ.",
    "log": f"Below it, log p_σ, from its maximum down to {FLOOR:g} nats less.",
    "energy": f"Below it, the energy −log p_σ: paper at its minimum, darkest from {FLOOR:g} nats above.",
    "none": "",
}


def fitting_maps(frame: Frame) -> Maps | None:
    """The frame's maps, if they show the range and the noise level that the frame's own fields show."""
    maps = frame.maps
    if maps is None or (maps.centre, maps.half_width) != (frame.centre, frame.half_width):
        return None
    return maps if abs(maps.sigma - frame.sigma) <= 1e-6 * frame.sigma else None


class FieldView(PlaneView):
    """The learned or the true score field at the frame's noise level, over the density at that level."""

    def __init__(
        self,
        role: Role,
        plane_range: PlaneRange,
        viewing: Viewing | None = None,
        parent: QWidget | None = None,
        *,
        name: str = "",
    ) -> None:
        """Show `frame.learned` or `frame.true`, in the colour of that role; `name` stands for "learned" or "true"."""
        which = name or role
        super().__init__(
            plane_range,
            f"{which.capitalize()} score field",
            f"The {which} score over the density. Arrow keys move a cross-hair that reads both scores.",
            parent,
            viewing,
        )
        self.role = role
        self._style = self.options.style
        self._painter_of: Style = Arrows()
        self._s_half = 1.0
        self._taken = False
        self._made_at = 0.0
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self.update)
        self._take_options()

    # --- what is shown

    def field(self, frame: Frame) -> NDArray[np.float32]:
        """The scores (n, n, 2) that this view draws, over the frame's range."""
        maps = fitting_maps(frame) if self._style != "arrows" else None
        source = frame if maps is None else maps
        return source.learned if self.role == "learned" else source.true

    def magnified(self, frame: Frame) -> float:
        """How many times larger than in the fields of scores a vector is drawn."""
        return 1.0

    def show_frame(self, frame: Frame) -> None:
        """Draw this moment from now on."""
        if self.frame is None or not self.looks_like(self.frame, frame):
            self._s_half = half_length_score(frame.true)
            self._taken = False
        super().show_frame(frame)

    def looks_like(self, before: Frame, frame: Frame) -> bool:
        """Whether both frames hold the same fields and probe the same point."""
        same = frame.fields_version > 0 and before.fields_version == frame.fields_version and before.run == frame.run
        if self.wants:
            same = same and _version(before) == _version(frame)
        pinned = np.array_equal(pins_of(before), pins_of(frame))
        return same and pinned and np.array_equal(before.probe[:2], frame.probe[:2])

    def set_options(self, options: ViewOptions) -> None:
        """Draw by these options from now on."""
        self.options = options
        self._take_options()
        super().set_options(options)

    def _take_options(self) -> None:
        style, ground = self.options.style, self.options.ground
        if style != self._style or not self._taken:
            self._style = style
            self._painter_of = _STYLES[style]()
            self._taken, self._made_at = False, 0.0
        wants: set[Want] = set() if style == "arrows" else {"fine"}
        if self.role == "learned" and ground in ("log", "energy"):
            wants.add("log_density")
        self.wants = frozenset(wants)
        self.setToolTip(f"Weight grows with |s| / (|s| + s_half); s_half is stated below. {_GROUNDS[ground]}".strip())

    # --- ground

    def lay_ground(self, frame: Frame) -> bool:
        """As in every view; below the learned field of an energy, what it has learned."""
        learned = self._learned_ground(frame)
        if learned is None:
            return super().lay_ground(frame)
        return self.ground.show(learned, frame.centre, frame.half_width, self.options.ground)

    def _learned_ground(self, frame: Frame) -> NDArray[np.float32] | None:
        """The learned density over its maximum, where the options ask for it and there is one."""
        maps = fitting_maps(frame) if "log_density" in self.wants else None
        if maps is None or not maps.learned_log_p.size:
            return None
        return np.exp(maps.learned_log_p - maps.learned_log_p.max())

    def let_go(self) -> None:
        """Free the ground's pictures and the texture."""
        super().let_go()
        if isinstance(self._painter_of, Texture):
            self._painter_of.let_go()

    # --- texts

    def caption(self) -> str:
        """The noise level."""
        return "" if self.frame is None else f"σ {three(self.frame.sigma)}"

    def reading(self) -> str:
        """The field's score under the cursor; without one, the scale of what is drawn."""
        frame = self.frame
        if frame is None:
            return ""
        if frame.probe.size < 7 or not np.isfinite(frame.probe).all():
            return f"{_UNITS[self._style]}: |s| = {three(self._s_half / self.magnified(frame))}"
        x, y, *scores, _ = (float(v) for v in frame.probe)
        return self.probed((x, y), (scores[0], scores[1]), (scores[2], scores[3]))

    def probed(self, at: tuple[float, float], learned: tuple[float, float], true: tuple[float, float]) -> str:
        """What to say of the point that is read, and of both scores there."""
        return f"s{pair(*at)} = {pair(*(learned if self.role == 'learned' else true))}"

    # --- painting

    def paint_marks(self, painter: QPainter, square: QRect) -> None:
        """The field, a ring at the point that is read, and what the ground is where that is not the true density."""
        frame = self.frame
        if frame is None:
            return
        if not self._taken:
            self._take_field(frame)
        self._painter_of.paint(painter, square, self.mapping(), self.theme, self.role)
        if frame.probe.size >= 2 and np.isfinite(frame.probe[:2]).all():
            self._paint_ring(painter, self.to_pixel(float(frame.probe[0]), float(frame.probe[1])))
        paint_pins(painter, self)
        if self._learned_ground(frame) is not None:
            words = "learned log p" if self.options.ground == "log" else "learned energy"
            at = QPoint(square.left() + 4, square.bottom() - 3)
            self.paint_plate(painter, f"ground: {words}", at, Qt.Corner.BottomLeftCorner, "learned")

    def _take_field(self, frame: Frame) -> None:
        """Hand the field to the style, or leave that for later where it would cost too much too often."""
        waited = monotonic() - self._made_at
        if self._style != "arrows" and self.isVisible() and waited < PAUSE:
            if not self._later.isActive():
                self._later.start(round(1000 * (PAUSE - waited)) + 1)
            return
        scale = self._s_half / self.magnified(frame)
        self._painter_of.take(self.field(frame), scale, frame.centre, frame.half_width)
        self._taken = True
        self._made_at = monotonic()

    def _paint_ring(self, painter: QPainter, at: QPointF) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, width in ((self.theme.surface, 3.5), (self.theme.ink, 1.5)):
            painter.setPen(QPen(QColor(colour), width))
            painter.drawEllipse(at, 5.0, 5.0)


def _version(frame: Frame) -> int:
    return -1 if frame.maps is None else frame.maps.version
