"""The export dialog and the process behind it, joined."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from explorer.export.request import ExportRequest
from explorer.export.runner import ExportRunner
from explorer.files import Tell
from explorer.panels.asking import may_replace
from explorer.panels.exporting import ExportDialog
from explorer.panels.noticeboard import show_folder
from explorer.session import Session
from explorer.theme import Theme
from trainer.errors import InputError

_LATER = "It is replaced when the export is complete, and stays as it is until then."


class FilmDesk(QObject):
    """Offers the dialog, runs what it asks for, and shows how it goes."""

    def __init__(self, window: QWidget, session: Session, tell: Tell | None = None) -> None:
        """`tell` shows a message with a button, as `FileDesk` has it."""
        super().__init__(window)
        self._session, self._tell = session, tell
        self.dialog = ExportDialog(window)
        self.runner = ExportRunner(self)
        self.dialog.start.connect(self._start)
        self.dialog.cancelled.connect(self.runner.cancel)
        self.runner.progressed.connect(self.dialog.set_progress)
        self.runner.finished.connect(self.dialog.show_finished)
        self.runner.finished.connect(self._finished)
        self.runner.failed.connect(self.dialog.show_failed)
        self.runner.cancelled.connect(self.dialog.show_cancelled)

    def offer(self, suffix: str, theme: Theme, sigma: float) -> None:
        """Show the dialog for a film (".mp4", ".gif") or a picture (".png") of the run so far."""
        document = self._session.document
        folder = document.path.parent if document.path else Path.home()
        recipe = self._session.recipe()
        self.dialog.prepare(
            recipe,
            folder / f"{document.name}{suffix}",
            steps=recipe.steps,
            theme="dark" if theme.name == "dark" else "light",
            sigma=sigma,
            device=self._session.device,
        )
        self.dialog.set_theme(theme)
        self.dialog.show()
        self.dialog.raise_()

    def _start(self, request: ExportRequest) -> None:
        out = Path(request.out)
        if out.exists() and not may_replace(self.dialog, "Export", out, _LATER):
            self.dialog.show_cancelled()
            return
        try:
            self.runner.start(request)
        except (InputError, OSError) as error:
            self.dialog.show_failed(str(error))

    def _finished(self, path: str) -> None:
        if self._tell is not None:
            where = Path(path)
            self._tell("info", f"Saved {where.name}", action="Show folder", on_action=lambda: show_folder(where.parent))

    def close(self) -> None:
        """End an export that still runs."""
        self.runner.close()
