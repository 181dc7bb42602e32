"""A run of `score-trainer images train` in progress: its curves, its newest samples, its checkpoints.

The folder is looked at once a second while the page is seen. Nothing of the run is touched.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QRect, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QImage, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from explorer.gallery.curve import RunCurve
from explorer.gallery.runs import CURVES, RunReader, card_metrics
from explorer.gallery.titled import Titled
from explorer.theme import CAPTION, CONTROL, UNIT, Theme, font
from explorer.views.tile import tell

EVERY_MS = 1000

_TITLES = {
    "loss": ("Loss", "learned", True),
    "gradient": ("Norm of the gradient", "error", True),
    "learning_rate": ("Learning rate", "true", False),
    "pictures_per_second": ("Pictures a second", "particles", False),
}
"""Title, colour and whether the axis is logarithmic, of each curve."""
_SHOWN = 12
"""Figures of a checkpoint's card that are listed."""


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
        self._timer = QTimer(self, interval=EVERY_MS)
        self._timer.timeout.connect(self.look)
        self.where = QLabel("Choose the folder that images train writes to (-o), before, during or after the run.")
        self.where.setWordWrap(True)
        self.state = QLabel("")
        self.state.setProperty("quiet", True)
        self.choose = QPushButton("Choose folder…")
        self.choose.setToolTip("The folder of a run of score-trainer images train")
        self.choose.setAutoDefault(False)
        self.choose.clicked.connect(self._ask)
        head = QHBoxLayout()
        head.setSpacing(2 * UNIT)
        head.addWidget(self.choose)
        head.addWidget(self.where, 1)
        head.addWidget(self.state)
        self.curves = {name: RunCurve(title, role, log=log) for name, (title, role, log) in _TITLES.items()}
        self.titled = {name: Titled(_TITLES[name][0], self.curves[name]) for name in CURVES}
        plots = QGridLayout()
        plots.setSpacing(2 * UNIT)
        for k, name in enumerate(CURVES):
            plots.addWidget(self.titled[name], k // 2, k % 2)
        self.samples = _Sheet()
        self.sheet = Titled("Newest samples", self.samples)
        self.list = QListWidget()
        self.list.setAccessibleName("Checkpoints")
        self.list.itemActivated.connect(lambda _: self._open())
        self.list.currentRowChanged.connect(self._show_metrics)
        self.open = QPushButton("Open checkpoint")
        self.open.setToolTip("See this checkpoint at work")
        self.open.setAutoDefault(False)
        self.open.clicked.connect(self._open)
        self.follow = QCheckBox("Open new ones as they appear")
        self.metrics = QLabel("")
        self.metrics.setProperty("quiet", True)
        self.metrics.setWordWrap(True)
        self.metrics.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        below = QWidget()
        controls = QVBoxLayout(below)
        controls.setContentsMargins(0, 0, 0, 0)
        controls.setSpacing(UNIT)
        for widget in (self.metrics, self.open, self.follow):
            controls.addWidget(widget)
        self.checkpoints = Titled("Checkpoints", self.list, below)
        side = QVBoxLayout()
        side.setSpacing(2 * UNIT)
        side.addWidget(self.sheet, 3)
        side.addWidget(self.checkpoints, 2)
        row = QHBoxLayout()
        row.setSpacing(2 * UNIT)
        row.addLayout(plots, 5)
        row.addLayout(side, 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * UNIT, UNIT, 2 * UNIT, 2 * UNIT)
        column.setSpacing(2 * UNIT)
        column.addLayout(head)
        column.addLayout(row, 1)
        self.set_scale(1.0)
        self._show()

    def watch(self, folder: Path) -> None:
        """Watch this run from now on."""
        if folder != self.folder:
            self.folder, self._reader = folder, RunReader(folder)
            self.where.setText(str(folder))
            self.look()

    def stop(self) -> None:
        """Look no more."""
        self._timer.stop()

    def look(self) -> None:
        """Read what is new."""
        if self._reader is None:
            return
        before = [path for _, path in self._reader.run.checkpoints]
        changed = self._reader.look()
        run = self._reader.run
        self.state.setText(run.state)
        if not changed:
            return
        self._show()
        found = [path for _, path in run.checkpoints]
        if found and before and found[-1] not in before and self.follow.isChecked():
            self.newest.emit(found[-1])

    def _show(self) -> None:
        run = self._reader.run if self._reader is not None else None
        marks = tuple(step for step, _ in run.checkpoints) if run is not None else ()
        for name, curve in self.curves.items():
            values = run.curves[name] if run is not None else []
            curve.show_curve(run.steps if run is not None else [], values, marks)
            self.titled[name].set_caption(f"{values[-1]:.3g}" if values else "")
            waiting = "Waits for the run's first figures" if run is not None else "No run is watched"
            self.titled[name].set_empty("" if values else waiting)
        self.samples.show_file(run.samples if run is not None else None)
        self.sheet.set_empty("" if self.samples.there else "Drawn at every checkpoint")
        self._show_checkpoints(run.checkpoints if run is not None else [])

    def _show_checkpoints(self, found: list[tuple[int, Path]]) -> None:
        names = [f"step {step:,}" for step, _ in reversed(found)]
        if names != [self.list.item(k).text() for k in range(self.list.count())]:
            row = self.list.currentRow()
            self.list.clear()
            self.list.addItems(names)
            self.list.setCurrentRow(min(max(row, 0), len(names) - 1))
        self.open.setEnabled(bool(names))
        self.checkpoints.set_empty("" if names else "None yet")

    def _chosen(self) -> Path | None:
        run = self._reader.run if self._reader is not None else None
        row = self.list.currentRow()
        if run is None or not 0 <= row < len(run.checkpoints):
            return None
        return run.checkpoints[-1 - row][1]

    def _show_metrics(self, _: int) -> None:
        path = self._chosen()
        figures = card_metrics(path) if path is not None else {}
        lines = [f"{name.replace('_', ' ')} {value:.4g}" for name, value in list(figures.items())[:_SHOWN]]
        self.metrics.setText("  ·  ".join(lines))
        self.metrics.setVisible(bool(lines))

    def _open(self) -> None:
        path = self._chosen()
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
        for part in (*self.titled.values(), self.sheet, self.checkpoints):
            tell(part, "set_theme", theme)

    def set_scale(self, factor: float) -> None:
        """Type this many times its size."""
        for part in (*self.titled.values(), self.sheet, self.checkpoints):
            tell(part, "set_scale", factor)
        for widget in (self.choose, self.open, self.follow, self.list, self.where):
            widget.setFont(font(CONTROL, scale=factor))
        for label in (self.state, self.metrics):
            label.setFont(font(CAPTION, scale=factor))


class _Sheet(QWidget):
    """A picture file, as large as fits."""

    def __init__(self) -> None:
        super().__init__()
        self._path: Path | None = None
        self._image = QImage()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(120, 120)
        self.setAccessibleName("Newest samples")

    @property
    def there(self) -> bool:
        """Whether there is a picture."""
        return not self._image.isNull()

    def show_file(self, path: Path | None) -> None:
        """Show this file; None shows nothing."""
        if path != self._path:
            self._path = path
            self._image = QImage(str(path)) if path is not None else QImage()
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The picture in the middle, by a whole factor where it is small."""
        if self._image.isNull():
            return
        with QPainter(self) as painter:
            scale = min(self.width() / self._image.width(), self.height() / self._image.height())
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, scale < 1)
            place = QRect(0, 0, int(self._image.width() * scale), int(self._image.height() * scale))
            place.moveCenter(self.rect().center())
            place.moveTop(0)
            painter.drawImage(place, self._image)
