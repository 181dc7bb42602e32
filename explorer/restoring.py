"""The one question after a crash: restore what was open, or start fresh.

Whatever the answer, nothing is lost: what is not restored is kept in a folder that a message leads to. A lesson that
was being written asks nothing: its window goes on with it when it is opened.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMessageBox, QWidget

from explorer.autosave import Autosave
from explorer.files import FileDesk, Tell
from explorer.keeping import at_words, orphans
from explorer.lessons.names import DRAFT, draft_folder
from explorer.panels.noticeboard import show_folder
from explorer.recovery import Leftover, Recovery
from explorer.wording import in_words
from trainer.errors import InputError


class RestoreDesk(QObject):
    """Offers what `Recovery` finds. `files` is asked for when it is needed; `write` opens the window of lessons."""

    def __init__(
        self,
        window: QWidget,
        files: Callable[[], FileDesk],
        autosave: Autosave,
        tell: Tell,
        write: Callable[[], object],
    ) -> None:
        super().__init__(window)
        self._write = write
        self._window, self._files, self._autosave, self._tell = window, files, autosave, tell
        self.recovery = Recovery()
        self._leftovers: list[Leftover] = []

    def offer(self, *, ask: bool) -> None:
        """Ask, or say so in a message if a file was named at the start; tell what was set aside as damaged."""
        self._leftovers, lines = self.recovery.find()
        for line in lines:
            self._tell("warning", line, action="Show folder", on_action=self._show_kept)
        if self._leftovers and ask:
            self._ask()  # which tells of lessons once it is answered: a message does not wait so long
            return
        self._tell_of_lesson()
        if self._leftovers:
            first = self._leftovers[0]
            self._tell(
                "warning",
                f"{first.words} was not saved when the program ended.",
                action="Restore",
                on_action=lambda: self.restore(first) if self._files().may_leave() else None,
            )

    def restore(self, leftover: Leftover) -> None:
        """Put it in place of the present document; it leaves its old place once it is kept in another."""
        if leftover not in self._leftovers:
            return
        try:
            self._files().adopt(leftover.project, leftover.source, saved=False)
        except InputError as error:
            self._tell("error", f"It cannot be restored and is kept. {in_words(str(error))}")
            return
        self._leftovers.remove(leftover)
        if self._autosave.secure():
            self.recovery.done(leftover)
        else:
            self.recovery.keep(leftover)
        self._tell("info", f"Restored {leftover.words}")

    def close(self) -> None:
        """Leave what was neither restored nor refused to the next start."""
        for leftover in self._leftovers:
            leftover.lock.unlock()
        self._leftovers = []

    def _ask(self) -> None:
        first, *others = self._leftovers
        question = QMessageBox(self._window)
        question.setWindowTitle("Restore")
        question.setText(f"Restore what was open at {first.at:%H:%M}, or start fresh?")
        older = (
            "" if not others else ", as is one older one" if len(others) == 1 else f", as are {len(others)} older ones"
        )
        question.setInformativeText(f"{first.words}: not saved when the program ended. It is kept either way{older}.")
        restore = question.addButton("Restore", QMessageBox.ButtonRole.AcceptRole)
        fresh = question.addButton("Start fresh", QMessageBox.ButtonRole.RejectRole)
        question.setDefaultButton(restore)
        question.setEscapeButton(fresh)
        question.finished.connect(lambda _: self._answered(question.clickedButton() is restore, question))
        question.open()

    def _tell_of_lesson(self) -> None:
        """Say that a lesson was being written, if one was."""
        for _, at, lock in orphans(draft_folder(), DRAFT):
            lock.unlock()
            words = f"A lesson was being written {at_words(at)} when the program ended."
            self._tell("warning", words, action="Go on writing", on_action=self._write)
            return

    def _answered(self, restore: bool, question: QMessageBox) -> None:
        question.deleteLater()
        self._tell_of_lesson()
        if restore and self._leftovers:
            self.restore(self._leftovers[0])
        kept = [self.recovery.keep(leftover) for leftover in self._leftovers]
        self._leftovers = []
        if kept:
            what = "What was open is" if len(kept) == 1 else f"{len(kept)} documents that were open are"
            self._tell(
                "info",
                f"{what} kept in the folder of autosaves",
                "\n".join(map(str, kept)),
                action="Show folder",
                on_action=self._show_kept,
            )

    def _show_kept(self) -> None:
        show_folder(self.recovery.kept)
