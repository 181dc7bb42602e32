"""A run of `score-trainer images train` in progress: its curves, its newest samples, its checkpoints and their figures.

The folder is looked at once a second while the page is seen, or while new checkpoints are to be opened. Nothing of the
run is touched. Without a run to show, the page says how to begin one.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from explorer.gallery.curve import RunCurve
from explorer.gallery.folders import is_run
from explorer.gallery.runparts import CheckpointTable, PathLine, Sheet
from explorer.gallery.runs import CHECKPOINT, CURVES, Run, RunReader
from explorer.gallery.titled import Titled
from explorer.numbers import three
from explorer.theme import CAPTION, CONTROL, TITLE, UNIT, Theme, font
from explorer.views.tile import HEAD, tell

EVERY_MS = 1000
CATCH_UP_MS = 20
"""Between two looks at a journal of which more is there than one look reads."""

_TITLES = {
    "loss": ("Loss", "learned", True, True),
    "gradient": ("Norm of the gradient", "error", True, True),
    "learning_rate": ("Learning rate", "true", False, False),
    "pictures_per_second": ("Pictures a second", "particles", False, True),
}
"""Title, colour, whether the axis is logarithmic and whether there is a running mean, of each curve."""
_SIDE = 264
"""Pixels that the samples are wide, at least."""


class TrainingPage(QWidget):
    """Watches one run's folder.

    Attributes:
        folder: the run's; None before one is chosen.
    """

    open_wanted = Signal(object)
    """The folder of a checkpoint that the person wants to see at work."""
    newest = Signal(object)
    """The folder of a checkpoint that has just appeared, if new ones are to be opened."""

    def __init__(self) -> None:
        super().__init__()
        self.folder: Path | None = None
        self._reader: RunReader | None = None
        self._seen: int | None = None
        self._timer = QTimer(self, interval=EVERY_MS)
        self._timer.timeout.connect(self.look)
        self.choose = QPushButton("Choose folder…")
        self.choose.setToolTip("The folder of a run of score-trainer images train, which it writes to (-o)")
        self.choose.setAutoDefault(False)
        self.choose.clicked.connect(self._ask)
        self.where, self.state = PathLine(), QLabel("")
        self.state.setProperty("quiet", True)
        self.curves = {
            name: RunCurve(title, role, log=log, smooth=smooth) for name, (title, role, log, smooth) in _TITLES.items()
        }
        self.titled = {name: Titled(_TITLES[name][0], self.curves[name]) for name in CURVES}
        self.samples = Sheet()
        self.sheet = Titled("Newest samples", self.samples)
        self.table = CheckpointTable()
        self.table.opened.connect(self._open)
        self.open = QPushButton("Open")
        self.open.setToolTip("See the chosen checkpoint at work")
        self.open.setAccessibleName("Open the chosen checkpoint")
        self.open.setAutoDefault(False)
        self.open.clicked.connect(self._open)
        self.follow = QCheckBox("Open new checkpoints as they appear")
        below = QWidget()
        controls = QVBoxLayout(below)
        controls.setContentsMargins(0, UNIT // 2, 0, 0)
        controls.setSpacing(UNIT)
        controls.addWidget(self.open)
        controls.addWidget(self.follow)
        self.checkpoints = Titled("Checkpoints", self.table, below)
        self.empty = QLabel("")
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setWordWrap(True)
        self.empty.setTextFormat(Qt.TextFormat.RichText)
        self.empty.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._factor = 1.0
        self._lay_out()
        self.set_scale(1.0)
        self._show()

    def _lay_out(self) -> None:
        """The folder's line above; below it four curves, and at their right samples and checkpoints."""
        head = QHBoxLayout()
        head.setSpacing(2 * UNIT)
        head.addWidget(self.choose)
        head.addWidget(self.where, 1)
        head.addWidget(self.state)
        plots = QGridLayout()
        plots.setSpacing(2 * UNIT)
        for k, name in enumerate(CURVES):
            plots.addWidget(self.titled[name], k // 2, k % 2)
        self._side = QWidget()
        self._side.installEventFilter(self)
        side = QVBoxLayout(self._side)
        side.setContentsMargins(0, 0, 0, 0)
        side.setSpacing(2 * UNIT)
        side.addWidget(self.sheet, 3)
        side.addWidget(self.checkpoints, 2)
        body = QWidget()
        row = QHBoxLayout(body)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2 * UNIT)
        row.addLayout(plots, 5)
        row.addWidget(self._side, 2)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.empty)
        self._pages.addWidget(body)
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * UNIT, UNIT, 2 * UNIT, 2 * UNIT)
        column.setSpacing(2 * UNIT)
        column.addLayout(head)
        column.addWidget(self._pages, 1)

    def watch(self, folder: Path) -> None:
        """Watch this run from now on; a checkpoint stands for the run that it belongs to."""
        if CHECKPOINT.fullmatch(folder.name) and _is_run(folder.parent):
            folder = folder.parent
        if folder != self.folder:
            self.folder, self._reader = folder, RunReader(folder)
            self._seen = None
            self.where.say(str(folder))
            self.look()
            self._show()

    def stop(self) -> None:
        """Look no more."""
        self._timer.stop()

    def look(self) -> None:
        """Read what is new."""
        if self._reader is None:
            return
        changed = self._reader.look()
        run = self._reader.run
        wait = CATCH_UP_MS if self._reader.behind else EVERY_MS
        if self._timer.interval() != wait:
            self._timer.setInterval(wait)
        if self.state.text() != run.state:
            self.state.setText(run.state)
        if changed:
            self._show()
        last, path = run.checkpoints[-1] if run.checkpoints else (-1, None)
        if self._seen is not None and last > self._seen and self.follow.isChecked():
            self.newest.emit(path)
        self._seen = last

    def _show(self) -> None:
        run = self._reader.run if self._reader is not None else None
        self._pages.setCurrentIndex(1 if run is not None and run.there else 0)
        if run is None or not run.there:
            self._say_what_to_do()
            return
        marks = tuple(step for step, _ in run.checkpoints)
        for name, curve in self.curves.items():
            values = run.curves[name]
            curve.show_curve(run.steps, values, marks)
            say = _exact if name == "learning_rate" else three
            self.titled[name].set_caption(say(values[-1]) if values else "")
            self.titled[name].set_empty("" if values else "Comes with the run's first figures")
        self._show_samples(run)
        self.table.show_run(run)
        self.open.setEnabled(bool(marks))
        self.checkpoints.set_caption("dots on the curves" if marks else "")
        self.checkpoints.set_empty("" if marks else "None yet")

    def _show_samples(self, run: Run) -> None:
        self.samples.show_file(run.samples)
        there = self.samples.there and run.samples is not None
        self.sheet.set_caption(f"step {int(run.samples[0].stem[5:]):,}" if there and run.samples else "")
        self.sheet.set_empty("" if there else "Drawn at every checkpoint")
        self._fit_samples()

    def _fit_samples(self) -> None:
        """Leave to the checkpoints what the samples have no use for."""
        self.sheet.setMaximumHeight(self.samples.height_for(self._side.width()) + round(HEAD * self._factor))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The samples are as high as the width of their side asks for."""
        if event.type() == QEvent.Type.Resize:
            self._fit_samples()
        return False

    def _say_what_to_do(self) -> None:
        """In place of curves: how a run begins, or that this folder holds none yet."""
        waiting = self.folder is not None
        title = "This folder holds no run yet" if waiting else "Watch a network learn"
        out = "FOLDER" if self.folder is None else shlex.quote(str(self.folder))
        then = (
            "The curves come by themselves with its first figures."
            if waiting
            else "Then choose its folder above, before, during or after the run."
        )
        large, small = (round(size * self._factor) for size in (TITLE, CONTROL))
        self.empty.setText(
            f"<p style='font-size:{large}px; font-weight:600'>{title}</p>"
            f"<p style='font-size:{small}px'>Begin a run in a terminal:</p>"
            f"<p style='font-size:{small}px'><b>score-trainer images train digits -o {_safe(out)}</b></p>"
            f"<p style='font-size:{small}px'>{then}</p>"
        )

    def _open(self) -> None:
        path = self.table.chosen
        if path is not None:
            self.open_wanted.emit(path)

    def _ask(self) -> None:
        start = str(self.folder or Path.home())
        folder = QFileDialog.getExistingDirectory(self, "The folder of a run", start)
        if folder:
            self.watch(Path(folder))

    def showEvent(self, event: QShowEvent) -> None:
        """Look while the page is seen."""
        super().showEvent(event)
        self.look()
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Look on only if new checkpoints are to be opened."""
        super().hideEvent(event)
        if not self.follow.isChecked():
            self._timer.stop()

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        for part in (*self.titled.values(), self.sheet, self.checkpoints, self.where):
            tell(part, "set_theme", theme)

    def set_scale(self, factor: float) -> None:
        """Type this many times its size."""
        self._factor = factor
        for part in (*self.titled.values(), self.sheet, self.checkpoints, self.where):
            tell(part, "set_scale", factor)
        self._side.setMinimumWidth(round(_SIDE * factor))
        for widget in (self.choose, self.open, self.follow, self.empty):
            widget.setFont(font(CONTROL, scale=factor))
        self.state.setFont(font(CAPTION, scale=factor))
        self._say_what_to_do()


def _is_run(folder: Path) -> bool:
    try:
        return is_run(folder)
    except OSError:
        return False


def _exact(value: float) -> str:
    """A number that was set, not measured: without the zeros that three figures end with."""
    figures, e, power = three(value).partition("e")
    return (figures.rstrip("0").rstrip(".") if "." in figures else figures) + e + power


def _safe(text: str) -> str:
    """Text that rich text shows as it is."""
    return text.replace("&", "&amp;").replace("<", "&lt;")
