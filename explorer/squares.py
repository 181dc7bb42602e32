"""What belongs to the squares of the stage: who is told what they want, their menus, their explanations.

The views emit signals; here they become looks for the engine, commands for the document and cards for the eye.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QPoint, Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from explorer.composition import TITLES, Composition
from explorer.engine.messages import Frame, Look, Probe, Want
from explorer.layouts import VIEWS
from explorer.session import Session

if TYPE_CHECKING:
    from explorer.panels.explain import ExplainCard
    from explorer.views.inspector import InspectorView

_PINS_ON = ("learned", "true", "difference", "error_map")
"""A click on these pins a point."""


class Squares(QObject):
    """The views of one window and the engine's `Look` at them.

    Attributes:
        touched: the view that the person has used last.
        also_wants: what is shown outside the stage, besides what its views want; lesson_wants: what a lesson measures.
    """

    exporting = Signal(str, str)
    """"panel" or "curve", and the view to be exported."""
    pinned = Signal()
    """The first point is pinned, and the inspector is not to be seen."""
    turned = Signal(str)
    """Another view was touched."""

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.look = Look()
        self.touched = "learned"
        self.also_wants: frozenset[Want] = frozenset()
        self.lesson_wants: frozenset[Want] = frozenset()
        self.parts: Composition | None = None
        self._card: Callable[[], ExplainCard] | None = None
        self._explained = False
        self.tabled: Callable[[str], bool] = lambda _: False

    def begin(self, parts: Composition, card: Callable[[], ExplainCard]) -> None:
        """Serve these views; explanations appear on this card, which is asked for at the first one."""
        self.parts, self._card = parts, card
        stage = parts.stage
        stage.touched.connect(self._touch)
        stage.menu_wanted.connect(self.show_menu)
        stage.arranged.connect(self.tell_wants)
        stage.lattice_wanted.connect(lambda lattice: self.set_look(lattice=lattice))

    # --- views ---

    def made(self, name: str, view: QWidget) -> None:
        """Connect a view that has just been made."""
        probes = getattr(view, "hovered", None)
        if probes is not None and name != "painting":
            view.hovered.connect(lambda x, y: self.session.send(Probe((x, y))))  # type: ignore[attr-defined]
            view.left.connect(lambda: self.session.send(Probe(None)))  # type: ignore[attr-defined]
        if name in _PINS_ON:
            view.picked.connect(self.pin)  # type: ignore[attr-defined]
        for signal, slot in (
            ("wants_changed", self.tell_wants),
            ("followed", lambda particle: self.set_look(followed=particle)),
            ("loop_changed", lambda loop: self.set_look(loop=tuple(loop))),
            ("pins_changed", lambda pins: self.set_look(pins=tuple(pins))),
            ("explain_wanted", lambda word, n=name: self.explain(n, word)),
        ):
            if hasattr(view, signal):
                getattr(view, signal).connect(slot)

    @property
    def inspector(self) -> InspectorView:
        """The list of pinned points."""
        from explorer.views.inspector import InspectorView

        assert self.parts is not None
        view = self.parts.view("inspector")
        assert isinstance(view, InspectorView)
        return view

    def pin(self, x: float, y: float) -> None:
        """Follow the values at this point; the first time without an inspector on the stage it says where it is."""
        first = not self.look.pins
        if self.inspector.pin(x, y) and first and self.parts is not None and "inspector" not in self.parts.stage.seen:
            self.pinned.emit()

    # --- looking ---

    def set_look(self, **values: Any) -> None:  # noqa: ANN401 - fields of Look
        """Look at something else."""
        look = replace(self.look, **values)
        if look != self.look:
            self.look = look
            self.session.send(look)

    def tell_wants(self) -> None:
        """Ask the engine for what the views to be seen show, and for no more."""
        if self.parts is not None:
            self.set_look(wants=self.parts.stage.wants | self.also_wants | self.lesson_wants)

    def show_frame(self, frame: Frame) -> None:
        """Hand the moment to the card."""
        if self._explained and self._card is not None and self._card().isVisible():
            self._card().show_frame(frame)

    # --- menus and explanations ---

    def _touch(self, name: str) -> None:
        if name != self.touched:
            self.touched = name
            self.turned.emit(name)

    def show_menu(self, name: str, at: QPoint) -> None:
        """What can stand in this view's place, and what can be done with it."""
        assert self.parts is not None
        self._touch(name)
        stage = self.parts.stage
        menu = QMenu(stage.window())
        group = QActionGroup(menu)
        for view in VIEWS:
            action = menu.addAction(TITLES[view] if view not in stage.names else stage.tile(view).title)
            action.setCheckable(True)
            action.setChecked(view == name)
            action.triggered.connect(lambda _=False, v=view: self._exchange(name, v))
            group.addAction(action)
        menu.addSeparator()
        large = menu.addAction("Usual size" if name in stage.doubled else "Large")
        large.triggered.connect(lambda: stage.toggle(name))
        menu.addAction("Explain").triggered.connect(lambda: self.explain(name))
        menu.addAction("Export as a picture…").triggered.connect(lambda: self.exporting.emit("panel", name))
        if self.tabled(name):
            menu.addAction("Export as a table…").triggered.connect(lambda: self.exporting.emit("curve", name))
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(at)

    def _exchange(self, name: str, other: str) -> None:
        """Put another view into this one's place; the hand is on it from then on."""
        assert self.parts is not None
        self.parts.stage.exchange(name, other)
        self._touch(other)

    def swap_touched(self) -> None:
        """Offer what can stand in place of the view touched last."""
        assert self.parts is not None
        stage = self.parts.stage
        name = self.touched if self.touched in stage.seen else stage.seen[0]
        tile = stage.tile(name)
        self.show_menu(name, tile.mapToGlobal(QPoint(tile.square().left(), tile.head)))

    def explain(self, name: str, word: str = "") -> None:
        """Explain the quantities of this view, beginning with `word`."""
        from explorer.glossary import entry, explain

        assert self.parts is not None
        assert self._card is not None
        frame = self.session.frame
        stage = self.parts.stage
        name = name if name in stage.seen else stage.seen[0]
        first = entry(word, frame).name if word else ""
        self._explained = True
        self._card().show_for(stage.tile(name), explain(name, frame), frame, first=first)
