"""Every view by its name, and which eight of them make the story; the window and pictures are composed here, once.

What I painted, what was learned, what is true, how wrong; then, whose particles are right. A view is made when it is
first seen.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from explorer.document import Document
from explorer.layouts import story_places
from explorer.tools.kit import ToolKit
from explorer.viewing import Viewing
from explorer.views.canvas import Canvas
from explorer.views.curves import CurvesView
from explorer.views.field import FieldView
from explorer.views.ledger import LedgerView
from explorer.views.panefoot import PaneFoot
from explorer.views.particles import ParticleView
from explorer.views.plane import PlaneRange
from explorer.views.stage import Stage
from trainer.scenes import MOST_PANES

PANE_VIEWS = tuple(f"pane{i + 1}" for i in range(MOST_PANES))

TITLES = {
    "painting": "Painting",
    "learned": "Learned score",
    "true": "True score",
    "difference": "Difference",
    "error_map": "Error map",
    "curl": "Is it a gradient?",
    "surface": "Surface",
    "curves": "How wrong",
    "shares": "Shares",
    "distances": "Distance to the truth",
    "pane1": "Particles 1",
    "pane2": "Particles 2",
    "pane3": "Particles 3",
    "pane4": "Particles 4",
    "race": "Race",
    "race_curves": "Race curves",
    "inspector": "Inspector",
}
"""What a person calls the views; a pane's tile takes the name of its sampler."""


class Composition:
    """The stage and its views.

    Args:
        document: what is painted; its scene says how many panes there are.
        plane: the range that all planes show.
        viewing: how things are drawn.
        kit: the tools in hand, for the canvas.
        strip: goes below the canvas; `between` into the row between the two rows of squares.
        between: see `strip`.
        made: told of every view when it is made, by its name.
    """

    def __init__(
        self,
        document: Document,
        plane: PlaneRange,
        *,
        viewing: Viewing | None = None,
        kit: ToolKit | None = None,
        strip: QWidget | None = None,
        between: QWidget | None = None,
        made: Callable[[str, QWidget], None] | None = None,
    ) -> None:
        self._plane, self._viewing, self._made = plane, viewing or Viewing(), made
        self._strip = strip
        self.canvas = Canvas(document, plane, kit)
        self.views: dict[str, QWidget] = {}
        self.stage = Stage(self._put)
        if between is not None:
            self.stage.set_between(between)
        self.stage.arrange(story_places(len(document.scene.panes)))

    def view(self, name: str) -> QWidget:
        """The view of this name, made if nobody has seen it yet."""
        if name not in self.views:
            self._put(name)
        return self.views[name]

    def _put(self, name: str) -> None:
        view, footer = self._make(name)
        self.views[name] = view
        self.stage.put(name, TITLES[name], view, footer)
        if self._made is not None:
            self._made(name, view)

    def _make(self, name: str) -> tuple[QWidget, QWidget | None]:
        """The view of this name and what goes below it."""
        plane, viewing = self._plane, self._viewing
        if name == "painting":
            return self.canvas, self._strip
        if name in PANE_VIEWS:
            pane = PANE_VIEWS.index(name)
            particles = ParticleView(pane, plane, viewing)
            return particles, PaneFoot(particles)
        return _MAKERS[name](plane, viewing), None


def _difference(plane: PlaneRange, viewing: Viewing) -> QWidget:
    from explorer.views.difference import DifferenceView

    return DifferenceView(plane, viewing)


def _error_map(plane: PlaneRange, viewing: Viewing) -> QWidget:
    from explorer.views.error_map import ErrorMapView

    return ErrorMapView(plane, viewing)


def _curl(plane: PlaneRange, viewing: Viewing) -> QWidget:
    from explorer.views.curl import CurlView

    return CurlView(plane, viewing)


def _surface(plane: PlaneRange, viewing: Viewing) -> QWidget:
    from explorer.views.surface import SurfaceView

    return SurfaceView(plane, viewing)


def _distances(plane: PlaneRange, viewing: Viewing) -> QWidget:
    from explorer.views.distances import DistancesView

    return DistancesView()


def _race(plane: PlaneRange, viewing: Viewing) -> QWidget:
    from explorer.views.race import RaceView

    return RaceView(plane, viewing)


def _race_curves(plane: PlaneRange, viewing: Viewing) -> QWidget:
    from explorer.views.race_curves import RaceCurvesView

    return RaceCurvesView(viewing)


def _inspector(plane: PlaneRange, viewing: Viewing) -> QWidget:
    from explorer.views.inspector import InspectorView

    return InspectorView()


_MAKERS: dict[str, Callable[[PlaneRange, Viewing], QWidget]] = {
    "learned": lambda plane, viewing: FieldView("learned", plane, viewing),
    "true": lambda plane, viewing: FieldView("true", plane, viewing),
    "curves": lambda _, viewing: CurvesView(viewing=viewing),
    "shares": lambda *_: LedgerView(),
    "difference": _difference,
    "error_map": _error_map,
    "curl": _curl,
    "surface": _surface,
    "distances": _distances,
    "race": _race,
    "race_curves": _race_curves,
    "inspector": _inspector,
}
"""How a view is made; those that the story does not begin with are imported when they are first seen."""
