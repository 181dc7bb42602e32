"""The export dialog: what kind of file, how large, how long, where to; then how far it is, and a button to cancel.

It knows nothing of how a film is made: it asks for one by `start`, is told by `set_progress`, and ends with
`show_finished`, `show_cancelled` or `show_failed`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QWidget,
)

from explorer.export.request import DEFAULT_STEPS, FILM_SIZE, GIF_SIZE, SIZES, ExportRequest
from explorer.numbers import three
from explorer.panels.fields import FieldRow, Spec, dialog_column
from explorer.theme import CONTROL, HEADING, UNIT, Theme, font
from trainer.errors import InputError

if TYPE_CHECKING:
    from explorer.recipe import Recipe
    from trainer.projects import Project

KINDS = ((".mp4", "film (MP4)"), (".gif", "film (GIF)"), (".png", "picture (PNG)"))
CUSTOM = "custom"
INSIDE = "Session inside (opens again in Score Explorer)"

_FIELDS = (
    Spec("kind", "kind", "MP4 for slides and video, GIF where nothing else plays, PNG for the last picture", KINDS),
    Spec("size", "size", "Width and height in pixels", (*((s, s) for s in SIZES), (CUSTOM, "custom"))),
    Spec("width", "width", "Pixels; even for MP4", whole=True),
    Spec("height", "height", "Pixels; even for MP4", whole=True),
    Spec("fps", "pictures per second", "30 is smooth; GIF holds 50 at most", whole=True),
    Spec("seconds", "seconds of film", "From 1 to 600; training first, then the particles"),
    Spec("steps", "training steps", "How long the network trains in the film; 0 shows the particles alone", whole=True),
)


class ExportDialog(QDialog):
    """Asks for an `ExportRequest` and shows how its making goes."""

    start = Signal(ExportRequest)
    cancelled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._source: str | Recipe | Project = "crescents"
        self._look: tuple[Literal["light", "dark"], float, str] = ("light", 0.1, "auto")
        self._running = False
        self.setWindowTitle("Export")
        self.heading = QLabel("Export a film")
        self.rows = {spec.path: FieldRow(spec) for spec in _FIELDS}
        self.path = QLineEdit()
        self.path.setAccessibleName("File")
        self.path.setToolTip("The file to write")
        self.path.textEdited.connect(self._path_typed)
        self.browse = QPushButton("Choose…")
        self.browse.setToolTip("Choose where to write the film or picture")
        self.browse.setAutoDefault(False)
        self.browse.clicked.connect(self._choose)
        self.inside = QCheckBox(INSIDE)
        self.inside.setAccessibleName(INSIDE)
        self.inside.setToolTip(
            "The file carries painting, settings, journal and network; other programs pass over them"
        )
        self.weight = QLabel("")
        self.weight.setProperty("quiet", True)
        self.inside.toggled.connect(self.weight.setEnabled)
        self.line = QLabel("")
        self.line.setWordWrap(True)
        self.line.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.line.setAccessibleName("Export")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress of the export")
        self.go = QPushButton("Export")
        self.go.setDefault(True)
        self.go.clicked.connect(self._start)
        self.stop = QPushButton("Close")
        self.stop.setAutoDefault(False)
        self.stop.clicked.connect(self._stop)
        place = QHBoxLayout()
        place.setSpacing(UNIT)
        place.addWidget(self.path, 1)
        place.addWidget(self.browse)
        carried = QHBoxLayout()
        carried.setSpacing(UNIT)
        carried.addWidget(self.inside)
        carried.addStretch(1)
        carried.addWidget(self.weight)
        buttons = QHBoxLayout()
        buttons.setSpacing(UNIT)
        buttons.addStretch(1)
        buttons.addWidget(self.stop)
        buttons.addWidget(self.go)
        layout = dialog_column(self, self.heading, self.rows.values())
        layout.addLayout(place)
        layout.addLayout(carried)
        layout.addSpacing(UNIT)
        layout.addWidget(self.line)
        layout.addWidget(self.bar)
        layout.addStretch(1)
        layout.addLayout(buttons)
        self.rows["kind"].edited.connect(self._kind_chosen)
        self.rows["size"].edited.connect(self._size_chosen)
        self.prepare("crescents", Path("score.mp4"))
        self.set_scale(1.0)

    def prepare(
        self,
        source: str | Recipe | Project,
        path: Path,
        *,
        steps: int = DEFAULT_STEPS,
        theme: Literal["light", "dark"] = "light",
        sigma: float = 0.1,
        device: str = "auto",
        session: bool = True,
    ) -> None:
        """Ask about exporting this source; the suffix of `path` (.mp4, .gif, .png) is the kind first offered.

        `session`: whether its session is offered to go with it.
        """
        if self._running:
            return
        self._source, self._look = source, (theme, sigma, device)
        self.path.setText(str(path))
        self.rows["kind"].set_value(path.suffix if path.suffix in dict(KINDS) else ".mp4")
        self.inside.setChecked(session)
        self.weight.setText("")
        self.rows["seconds"].set_value(20.0)
        self.rows["steps"].set_value(max(steps, 0) or DEFAULT_STEPS)
        self._kind_chosen()
        self._show_state("")

    def show_weight(self, session_bytes: int) -> None:
        """Say how much the session adds to the file."""
        self.weight.setText(f"{three(session_bytes / 1e6)} MB")

    def leave_session_out(self, line: str) -> None:
        """The session cannot go with the file: the line says why."""
        self.inside.setChecked(False)
        if not self._running:
            self._show_state(line)

    def request(self) -> ExportRequest:
        """What the fields ask for; `InputError` says in one line what is wrong with them."""
        path = Path(self.path.text().strip()).expanduser()
        numbers = {name: _number(self.rows[name]) for name in ("width", "height", "fps", "seconds", "steps")}
        size = round(numbers["width"]), round(numbers["height"])
        fps = round(numbers["fps"])
        if not path.name:
            raise InputError("file: no name; give a file ending in .mp4, .gif or .png")
        # The encoder loads ffmpeg's and Pillow's modules: only when there is something to export.
        from explorer.export.encode import check_format, check_target

        check_format(check_target(path), size, fps)
        theme, sigma, device = self._look
        return ExportRequest(
            source=self._source,
            out=str(path),
            size=size,
            fps=fps,
            seconds=numbers["seconds"],
            steps=round(numbers["steps"]),
            theme=theme,
            sigma=sigma,
            device=device,
            session=self.inside.isChecked(),
        )

    def set_progress(self, done: int, total: int, text: str) -> None:
        """The export has done this much of the whole."""
        self.bar.setMaximum(max(total, 1))
        self.bar.setValue(done)
        self.line.setText(text)

    def show_finished(self, path: str) -> None:
        """The file is written."""
        self._running = False
        self._show_state(f"Saved {path}")

    def show_failed(self, line: str) -> None:
        """It went wrong; the line says what happened and what was kept."""
        self._running = False
        self._show_state(line)

    def show_cancelled(self) -> None:
        """It was cancelled and nothing is left behind."""
        self._running = False
        self._show_state("Cancelled. Nothing was written.")

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        for row in self.rows.values():
            row.set_theme(theme)

    def set_scale(self, factor: float) -> None:
        """Type this many times its size."""
        for widget in (self.path, self.browse, self.inside, self.weight, self.line, self.go, self.stop):
            widget.setFont(font(CONTROL, scale=factor))
        self.heading.setFont(font(HEADING, scale=factor))
        for row in self.rows.values():
            row.set_scale(factor)
        self.setMinimumWidth(round(440 * factor))

    def reject(self) -> None:
        """Escape closes the dialog; while an export runs only its button cancels it."""
        if not self._running:
            super().reject()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Closing the dialog while an export runs cancels it."""
        if self._running:
            self.cancelled.emit()
        super().closeEvent(event)

    def _kind_chosen(self) -> None:
        """A GIF is smaller and slower than a film; a picture has no length."""
        kind = str(self.rows["kind"].value())
        moving = kind != ".png"
        for name in ("fps", "seconds"):
            self.rows[name].setVisible(moving)
        self.rows["fps"].set_value(20 if kind == ".gif" else 30)
        width, height = GIF_SIZE if kind == ".gif" else FILM_SIZE
        self.rows["size"].set_value(f"{width} x {height}")
        self._size_chosen()
        self.heading.setText("Export a film" if moving else "Export a picture")
        path = Path(self.path.text())
        if path.name:
            self.path.setText(str(path.with_suffix(kind)))

    def _size_chosen(self) -> None:
        size = str(self.rows["size"].value())
        for name in ("width", "height"):
            self.rows[name].setVisible(size == CUSTOM)
        if size != CUSTOM:
            for name, text in zip(("width", "height"), size.split(" x "), strict=True):
                self.rows[name].set_value(int(text))

    def _path_typed(self) -> None:
        """Follow the suffix typed."""
        suffix = Path(self.path.text()).suffix.lower()
        if suffix in dict(KINDS) and suffix != self.rows["kind"].value():
            text = self.path.text()
            self.rows["kind"].set_value(suffix)
            self._kind_chosen()
            self.path.setText(text)

    def _choose(self) -> None:
        kind = str(self.rows["kind"].value())
        words = f"{dict(KINDS)[kind]} (*{kind})"
        chosen, _ = QFileDialog.getSaveFileName(
            self, "Export to", self.path.text(), words, options=QFileDialog.Option.DontConfirmOverwrite
        )
        if chosen:
            self.path.setText(chosen if Path(chosen).suffix else chosen + kind)
            self._path_typed()

    def _start(self) -> None:
        for row in self.rows.values():
            row.set_error("")
        try:
            request = self.request()
        except InputError as problem:
            name = str(problem).partition(":")[0]
            if name in self.rows and self.rows[name].isVisible() and name not in ("kind", "size"):
                self.rows[name].set_error(str(problem))
            else:
                self._show_state(str(problem))
            return
        self._running = True
        self.bar.setValue(0)
        self._show_state("Starting")
        self.start.emit(request)

    def _stop(self) -> None:
        if self._running:
            self.stop.setEnabled(False)
            self.line.setText("Cancelling")
            self.cancelled.emit()
        else:
            self.reject()

    def _show_state(self, text: str) -> None:
        """Show the line, and the controls that belong to asking or to waiting."""
        self.line.setText(text)
        self.bar.setVisible(self._running)
        for widget in (*self.rows.values(), self.path, self.browse, self.inside, self.go):
            widget.setEnabled(not self._running)
        self.stop.setEnabled(True)
        self.stop.setText("Cancel" if self._running else "Close")
        self.stop.setToolTip("Stop the export; nothing is left behind" if self._running else "Close (Esc)")


def _number(row: FieldRow) -> float:
    value = row.value()
    if isinstance(value, int | float):
        return value
    raise InputError(f"{row.spec.path}: {value!r} is not a number; give one")
