"""What the window shows of the moment and of the document besides its squares: titles, states, marks on actions.

Until the engine's first frame the planes stand on what is known without one: the painting, pale, and a line that says
what is to come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.composition import PANE_VIEWS
from explorer.edits import Change
from explorer.engine.frames import Frame, same_learning
from explorer.layouts import story_places
from explorer.numbers import three
from explorer.panels.timeline import past_words
from explorer.views.plane import PlaneView
from explorer.views.tile import tell

if TYPE_CHECKING:
    from explorer.window import MainWindow

_SOON = {
    "learned": "The network begins to learn when the engine has loaded",
    "true": "The exact score is drawn when the engine has loaded",
    **dict.fromkeys(PANE_VIEWS, "Particles are released after a moment of learning"),
}
_SOON_OTHERS = "Drawn when the engine has loaded"
"""What planes say until the first frame."""

_EMPTY = "Paint something, or choose a preset"
_CLEARED = f"{_EMPTY}: until then the other squares go on with the painting before"
"""What the canvas says without a painting: before the first one, and once one has been learned."""


class Showing:
    """Hands frames and changes of the document to the parts of one window."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._panes = len(window.document.scene.panes)
        self._waiting: set[str] = set()
        self._cleared = False  # whether nothing is painted; a stroke ends that when it ends
        self._shown: Frame | None = None
        window.stage.arranged.connect(self._wait)

    def _wait(self) -> None:
        """Until there is a frame: give the planes the painting to stand on, and a line."""
        window = self._window
        if window.session.frame is not None:
            return
        if not window.session.painted:
            self._wait_no_more()
            return
        for name in window.stage.names:
            tile = window.stage.tile(name)
            if name != "painting" and isinstance(tile.content, PlaneView):
                tile.content.ground.show(window.document.weights, (0.0, 0.0), 1.0)
                tile.content.update()
                tile.set_empty(_SOON.get(name, _SOON_OTHERS))
                self._waiting.add(name)

    def _wait_no_more(self) -> None:
        for name in self._waiting:
            self._window.stage.tile(name).set_empty("")
        self._waiting.clear()

    def page(self) -> None:
        """Hand the moment to the page of settings that is open."""
        window = self._window
        if window.drawer.isVisible() and window.session.frame is not None:
            tell(window.pages[window.drawer.page], "show_frame", window.session.frame)

    def frame(self, frame: Frame) -> None:
        """Show this moment everywhere."""
        window = self._window
        self._wait_no_more()
        window.stage.show_frame(frame)
        window.transport.show_frame(frame)
        window.squares.show_frame(frame)
        self.page()
        window.actions_by_name["particles_play"].setChecked(frame.moving)
        before, self._shown = self._shown, frame
        if not same_learning(before, frame):
            self._learning(frame)
        waiting = "" if frame.released else "Particles are released in a moment, or now with Shift+R"
        for i, name in enumerate(PANE_VIEWS):
            if name in window.stage.names:
                absent = frame.released and i >= len(frame.pane_states)
                window.stage.tile(name).set_empty("Sample > Add a pane fills this square" if absent else waiting)

    def _learning(self, frame: Frame) -> None:
        """Show what the engine says, where no square does."""
        window, actions = self._window, self._window.actions_by_name
        window.timeline.show_frame(frame)
        ladder = frame.training_ladder.tolist()
        window.slider.set_range(ladder[-1], ladder[0])
        window.slider.set_ladder(ladder)
        actions["train"].setChecked(frame.training)
        actions["race"].setChecked(frame.racing)
        actions["release_past"].setEnabled(frame.shown_step >= 0)
        self._say_state(frame)

    def _say_state(self, frame: Frame) -> None:
        """Say in the corner what computes, how fast, and what it shows if that is not the present."""
        rate = f"{three(frame.steps_per_second)} steps/s" if frame.training else "paused"
        before = "still the painting before" if self._cleared else ""
        words = frame.device, rate, f"seed {frame.seed}", past_words(frame), before
        self._window.state.say("  ·  ".join(filter(None, words)))

    def document(self, change: Change) -> None:
        """Show the document after this change."""
        window, document = self._window, self._window.document
        for part in (*window.pages.made.values(), *window.parts.views.values()):
            if hasattr(part, "show_document"):
                part.show_document(document, change)
        if change.live:
            self._invite()
            return
        self._cleared = not window.session.painted
        actions = window.actions_by_name
        undo, redo = actions["undo"], actions["redo"]
        undo.setEnabled(document.can_undo)
        redo.setEnabled(document.can_redo)
        undo.setText(f"&{document.undo_text}")
        redo.setText(f"&{document.redo_text}")
        window.setWindowTitle(f"{document.path.name if document.path else document.name}[*] - Score Explorer")
        window.setWindowModified(document.changed)
        window.parts.view("painting")
        self._wait()
        self._invite()
        if window.session.frame is not None:
            self._say_state(window.session.frame)
        if change.opened or change.scene:
            panes, self._panes = self._panes, len(document.scene.panes)
            if panes != self._panes and window.stage.places == story_places(panes):
                window.stage.arrange(story_places(self._panes))
            sources = {pane.settings.source for pane in document.scene.panes}
            for source in ("learned", "true"):
                actions[f"source_{source}"].setChecked(sources == {source})
            actions["pane_add"].setEnabled(len(document.scene.panes) < len(PANE_VIEWS))
            actions["pane_remove"].setEnabled(len(document.scene.panes) > 1)

    def _invite(self) -> None:
        """Say on an empty canvas what to do."""
        session = self._window.session
        empty = "" if session.painted else _EMPTY if session.frame is None else _CLEARED
        self._window.stage.tile("painting").set_empty(empty)
