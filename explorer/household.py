"""What surrounds the document and outlives it: messages, preferences, layouts, autosaves, recovery, presentation.

The window makes one `Household` and hands it to whoever has something to tell. Everything here works on the window
through the few names of `Home`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMainWindow, QWidget

from explorer.actions import SPECS
from explorer.arranging import Arranged, Arranger
from explorer.autosave import Autosave
from explorer.document import Document
from explorer.engine.memory import give_back
from explorer.files import FileDesk, dropped_files
from explorer.guard import Guard
from explorer.late import made
from explorer.notices import NoticeLog
from explorer.panels.dropveil import DropVeil, leave_files
from explorer.panels.menus import RecentMenu
from explorer.panels.toasts import ToastStack
from explorer.places import state_folder
from explorer.preferences import Preferences, write_preferences
from explorer.presentation import Presentation
from explorer.restoring import RestoreDesk
from explorer.theme import LIGHT, Theme
from explorer.views.tile import tell
from explorer.wording import in_words
from trainer.errors import InputError
from trainer.projects import Project

if TYPE_CHECKING:
    from explorer.panels.keysheet import KeySheet, ViewKey
    from explorer.panels.noticeboard import NoticeBoard
    from explorer.panels.palette import CommandPalette, Entry
    from explorer.panels.preferences import PreferencesDialog

_SAVE_MS = 500
_TIDY_MS = 60_000
"""How often freed memory goes back to the system."""

_LATE = ("board", "dialog", "palette", "sheet")

_Part = TypeVar("_Part", bound=QWidget)


class Home(Arranged, Protocol):
    """What the household needs of the window besides its being one."""

    document: Document
    toasts: ToastStack
    files: FileDesk
    actions_by_name: dict[str, QAction]

    def quick_snapshot(self) -> Project:
        """The project as it is now, without waiting for the engine."""
        ...

    def set_scale(self, factor: float) -> None:
        """Type everywhere so many times its usual size."""
        ...

    def restart_engine(self) -> None:
        """End the engine and start it again."""
        ...


class Household(QObject):
    """One window's. Make it before the window's parts want to tell something, and `start` it once the window shows."""

    preferred = Signal(object)
    """The `Preferences` that hold from now on; all but the scale of type are for the window to put into effect."""

    def __init__(
        self,
        window: QMainWindow,
        home: Home,
        preferences: Preferences,
        *,
        view_keys: Iterable[ViewKey] = (),
        more: Callable[[], Sequence[Entry]] = tuple,
        above: Sequence[QWidget] = (),
        below: Sequence[QWidget] = (),
        beside: Sequence[QWidget] = (),
    ) -> None:
        """`more` gives the palette what no action is: pages of settings, views. The rest is for `Presentation`."""
        super().__init__(window)
        self._window, self._home, self._more, self._view_keys = window, home, more, view_keys
        self._theme, self._scale = LIGHT, 1.0
        self.preferences = preferences
        self.device = ""
        self.log = NoticeLog()
        self.guard = Guard(self.caught, self)
        self.arranger = Arranger(window, home, self.tell)
        self.autosave = Autosave(home.document, home.quick_snapshot, parent=self)
        self.autosave.set_on(preferences.autosave)
        self.autosave.failed.connect(lambda line: self.tell("warning", line))
        self.restorer = RestoreDesk(window, lambda: home.files, self.autosave, self.tell, self._write_on)
        self.presentation = Presentation(window, home.stage, self._scale_type, above=above, below=below, beside=beside)
        self.presentation.changed.connect(self._mark_presenting)
        self.recent_menu = RecentMenu(lambda: home.files.recent.paths(), window)
        self.recent_menu.chosen.connect(lambda path: home.files.open(path))
        self.recent_menu.cleared.connect(lambda: home.files.forget_recent())
        self.layout_menu = self.arranger.menu
        self.veil = DropVeil(window, dropped_files, lambda data: home.files.drop(data))
        self._write_soon = QTimer(self, singleShot=True, interval=_SAVE_MS)
        self._write_soon.timeout.connect(self._write_preferences)
        self._tidy = QTimer(self, interval=_TIDY_MS)
        self._tidy.timeout.connect(give_back)
        self._tidy.start()
        self._closed = False

    # --- what is made when it is first needed ---

    @cached_property
    def board(self) -> NoticeBoard:
        """What has happened."""
        from explorer.panels.noticeboard import NoticeBoard
        from explorer.system import facts

        return self._dressed(NoticeBoard(self.log, lambda: facts(self.device), state_folder(), self._window))

    @cached_property
    def dialog(self) -> PreferencesDialog:
        """The preferences."""
        from explorer.panels.preferences import PreferencesDialog

        dialog = self._dressed(PreferencesDialog(self.preferences, self._window))
        dialog.edited.connect(self.prefer)
        return dialog

    @cached_property
    def palette(self) -> CommandPalette:
        """Everything that can be done."""
        from explorer.panels.palette import CommandPalette

        return self._dressed(CommandPalette(self._window, self._entries))

    @cached_property
    def sheet(self) -> KeySheet:
        """Every key."""
        from explorer.panels.keysheet import KeySheet

        return self._dressed(KeySheet(self._window, SPECS, self._view_keys))

    def _dressed(self, part: _Part) -> _Part:
        tell(part, "set_theme", self._theme)
        tell(part, "set_scale", self._scale)
        leave_files(part)
        return part

    # --- life ---

    def slots(self) -> dict[str, Callable[[], object]]:
        """What to do for each action of this part, by the action's name."""
        return {
            "palette": lambda: self.palette.open(),
            "keys": lambda: self.sheet.open(),
            "notices": lambda: self.board.open_board(),
            "preferences": self.show_preferences,
            "present": self.presentation.toggle,
            "save_layout": self.arranger.ask_to_save,
        }

    def start(self, problems: Sequence[str] = (), faults: Sequence[tuple[datetime, str]] = (), *, ask: bool) -> None:
        """Catch what is unforeseen from now on, tell what went wrong with files, and offer what a crash left behind.

        `ask` puts the one question; without it (a file was named at the start) a message offers the same.
        """
        self.guard.install()
        for line in (*problems, *self.arranger.problems):
            self.tell("warning", line)
        for at, text in faults:
            self.tell("warning", f"The program ended by a fault at {at:%H:%M}. Its log is in the report.", text)
        self.restorer.offer(ask=ask)

    def close(self, *, keep: bool = False) -> None:
        """End everything; `keep` leaves the autosave for the next start. May be called twice."""
        if self._closed:
            return
        self._closed = True
        if self.presentation.on:
            self.presentation.leave()
        if self._write_soon.isActive():
            self._write_soon.stop()
            self._write_preferences()
        self.arranger.remember()
        self.autosave.close(keep=keep)
        self.restorer.close()
        if made(self, "board"):
            self.board.end()
        self.guard.remove()

    # --- messages ---

    def tell(
        self,
        level: str,
        text: str,
        details: str = "",
        action: str = "",
        on_action: Callable[[], object] | None = None,
    ) -> None:
        """Show one line at the bottom right, and write it into the log."""
        self.log.add(level, text, details)
        self._home.toasts.show_message(level, text, details, action, on_action)

    def _write_on(self) -> None:
        """Open the window in which lessons are written; it goes on with what is left there."""
        self._home.actions_by_name["lesson_write"].trigger()

    @Slot(str, str, str, bool)
    def caught(self, level: str, text: str, details: str, shown: bool) -> None:
        """Take what nobody else has caught."""
        self.log.add(level, text, details, shown=shown)
        if shown:
            self._home.toasts.show_message(level, in_words(text), details)

    @Slot(str, str, str)
    def heard(self, level: str, text: str, details: str) -> None:
        """Take what the engine has to say; an error of its own can be answered by starting it again."""
        if level == "error":
            self.tell(level, in_words(text), details, "Restart engine", self._home.restart_engine)
        else:
            self.tell(level, in_words(text), details)

    # --- preferences ---

    def show_preferences(self) -> None:
        """Show the dialog."""
        self.dialog.set_preferences(self.preferences)
        self.dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()

    def change(self, **values: Any) -> None:  # noqa: ANN401 - fields of Preferences
        """Prefer something else, as a menu does."""
        self.prefer(replace(self.preferences, **values))

    def prefer(self, preferences: Preferences) -> None:
        """Let these preferences hold, and keep them."""
        before, self.preferences = self.preferences, preferences
        self.autosave.set_on(preferences.autosave)
        if preferences.scale != before.scale:
            self._scale_type(1.0)
        if preferences.device != before.device:
            text = f"The device {preferences.device} is used when the engine is started next."
            self.tell("info", text, action="Restart engine", on_action=self._home.restart_engine)
        self.preferred.emit(preferences)
        if made(self, "dialog"):
            self.dialog.set_preferences(preferences)
        self._write_soon.start()

    def _write_preferences(self) -> None:
        try:
            write_preferences(self.preferences)
        except InputError as error:
            self.tell("warning", f"The preferences were not kept. {error}")

    def _scale_type(self, factor: float) -> None:
        """Type of the preferred size, so many times."""
        scale = factor * self.preferences.scale
        self._home.set_scale(scale)
        self.set_scale(scale)

    def set_theme(self, theme: Theme) -> None:
        """Draw everything of this part in these colours."""
        self._theme = theme
        for part in (self.presentation.halo, self.veil, *made(self, *_LATE)):
            tell(part, "set_theme", theme)

    def set_scale(self, scale: float) -> None:
        """Type of everything of this part."""
        self._scale = scale
        for part in (self.veil, *made(self, *_LATE)):
            tell(part, "set_scale", scale)

    # --- the palette ---

    def _entries(self) -> list[Entry]:
        from explorer.panels.palette import Entry, entries_of

        entries = entries_of(SPECS, self._home.actions_by_name)
        entries += self._more()
        entries += [
            Entry(f"layout: {each.name}", each.name, "Layout", partial(self.arranger.show_layout, each))
            for each in self.arranger.arrangement.layouts
        ]
        entries += [
            Entry(f"recent: {path}", path.name, "Open recent", partial(self._home.files.open, str(path)))
            for path in self._home.files.recent.paths()
        ]
        return entries

    def _mark_presenting(self, on: bool) -> None:
        action = self._home.actions_by_name.get("present")
        if action is not None:
            action.setChecked(on)


def command_entries(kind: str, titles: Mapping[str, str], show: Callable[[str], object]) -> list[Entry]:
    """Entries of the palette for things that are shown by name: pages ("Settings"), views ("View")."""
    from explorer.panels.palette import Entry

    return [Entry(f"{kind}: {name}", title, kind, partial(show, name)) for name, title in titles.items()]
