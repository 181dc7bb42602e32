"""The export dialog and the process behind it, joined."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from explorer.export.request import ExportRequest
from explorer.export.runner import ExportRunner
from explorer.files import Tell
from explorer.packing import Packer
from explorer.panels.asking import may_replace
from explorer.panels.exporting import ExportDialog
from explorer.panels.noticeboard import show_folder
from explorer.session import Session
from explorer.theme import Theme
from explorer.wording import in_words
from trainer.errors import InputError
from trainer.projects import project_bytes

_LATER = "It is replaced when the export is complete, and stays as it is until then."


class FilmDesk(QObject):
    """Offers the dialog, runs what it asks for, and shows how it goes."""

    def __init__(
        self,
        window: QWidget,
        session: Session,
        tell: Tell | None = None,
        inside: Callable[[], bool] = lambda: True,
    ) -> None:
        """`tell` shows a message with a button, as `FileDesk` has it; `inside`: whether files carry their session."""
        super().__init__(window)
        self._session, self._tell, self._inside = session, tell, inside
        self.dialog = ExportDialog(window)
        self.runner = ExportRunner(self)
        self._packer = Packer(self)
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
        project = self._session.project(sigma)
        self.dialog.prepare(
            project,
            folder / f"{document.name}{suffix}",
            steps=project.steps,
            theme="dark" if theme.name == "dark" else "light",
            sigma=sigma,
            device=self._session.device,
            session=self._inside(),
        )
        self._packer.begin(lambda: len(project_bytes(project)), self._weighed)
        self.dialog.set_theme(theme)
        self.dialog.show()
        self.dialog.raise_()

    def _weighed(self, size: Future[int]) -> None:
        """Say how much the session adds, or that it cannot go with the file."""
        try:
            self.dialog.show_weight(size.result())
        except InputError as error:
            self.dialog.leave_session_out(in_words(str(error)))

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
        self._packer.close()
