"""Parts of the page that watches a run: its folder's path, its newest samples, its checkpoints and their figures."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QImage, QImageReader, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHeaderView, QSizePolicy, QTreeWidget, QTreeWidgetItem, QWidget

from explorer.gallery.runs import Run, card_metrics, span
from explorer.numbers import three
from explorer.theme import CAPTION, CONTROL, LIGHT, UNIT, Theme, font

_MOST_COLUMNS = 12
_MOST_PIXELS = 64 * 10**6
_ITEM = 3
"""Pixels that Qt itself leaves at both sides of an item's text."""
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class PathLine(QWidget):
    """A path on one line, shortened in its middle."""

    def __init__(self) -> None:
        super().__init__()
        self._text, self._theme, self._factor = "", LIGHT, 1.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def say(self, text: str) -> None:
        """Show this."""
        self._text = text
        self.setToolTip(text)
        self.setAccessibleName(text)
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = theme
        self.update()

    def set_scale(self, factor: float) -> None:
        """Set type this many times its size."""
        self._factor = factor
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """As wide as there is room."""
        return QSize(80, round(20 * self._factor))

    def paintEvent(self, event: QPaintEvent) -> None:
        """The path."""
        with QPainter(self) as painter:
            painter.setFont(font(CONTROL, scale=self._factor))
            painter.setPen(self._theme.colour("ink"))
            text = painter.fontMetrics().elidedText(self._text, Qt.TextElideMode.ElideMiddle, self.width())
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)


class Sheet(QWidget):
    """A picture file as large as fits, its pixels alike: enlarged by a whole factor first, then made to fit."""

    def __init__(self) -> None:
        super().__init__()
        self._file: tuple[Path, int] | None = None
        self._image, self._fitted = QImage(), QImage()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(120, 120)
        self.setAccessibleName("Newest samples")

    @property
    def there(self) -> bool:
        """Whether there is a picture."""
        return not self._image.isNull()

    def height_for(self, width: int) -> int:
        """How high the picture is at this width; as high as wide without one."""
        size = self._image.size()
        return width if self._image.isNull() else round(width * size.height() / size.width())

    def show_file(self, file: tuple[Path, int] | None) -> None:
        """Show this file, written at this time; one that cannot be read, and None, show nothing."""
        if file == self._file:
            return
        self._file, self._image, self._fitted = file, QImage(), QImage()
        if file is not None:
            reader = QImageReader(str(file[0]))
            if 0 < reader.size().width() * reader.size().height() <= _MOST_PIXELS:
                self._image = reader.read()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The picture, at the top in the middle."""
        if self._image.isNull():
            return
        ratio = self.devicePixelRatioF()
        size = self._image.size().scaled(self.size() * ratio, Qt.AspectRatioMode.KeepAspectRatio)
        if size.isEmpty():
            return
        if self._fitted.size() != size:
            factor = min(8, -(-size.width() // self._image.width()))
            larger = self._image.scaled(self._image.size() * factor)
            smooth = Qt.TransformationMode.SmoothTransformation
            self._fitted = larger.scaled(size, Qt.AspectRatioMode.IgnoreAspectRatio, smooth)
            self._fitted.setDevicePixelRatio(ratio)
        with QPainter(self) as painter:
            painter.drawImage(round((self.width() - size.width() / ratio) / 2), 0, self._fitted)


class CheckpointTable(QTreeWidget):
    """The checkpoints of a run, the newest first: the step of each, and what its card and the journal say of it."""

    opened = Signal()
    """The chosen one is to be opened."""

    def __init__(self) -> None:
        super().__init__()
        self._known: tuple[object, ...] = ()
        self._cards: dict[Path, dict[str, float]] = {}
        self._paths: list[Path] = []
        self._factor = 1.0
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setAllColumnsShowFocus(True)
        self.setHorizontalScrollMode(QTreeWidget.ScrollMode.ScrollPerPixel)
        self.setAccessibleName("Checkpoints")
        self.setMinimumHeight(60)
        header = self.header()
        header.setSectionsMovable(False)
        header.setHighlightSections(False)
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setMinimumSectionSize(1)
        self.setColumnCount(1)
        self.setHeaderLabels(["step"])
        self.itemActivated.connect(lambda *_: self.opened.emit())

    @property
    def chosen(self) -> Path | None:
        """The folder of the chosen checkpoint."""
        item = self.currentItem()
        row = -1 if item is None else self.indexOfTopLevelItem(item)
        return self._paths[row] if 0 <= row < len(self._paths) else None

    def show_run(self, run: Run | None) -> None:
        """List the checkpoints of this run. The choice stays; where it was the newest, it is the newest again."""
        found = list(reversed(run.checkpoints)) if run is not None else []
        said = [run.figures.get(step, {}) for step, _ in found] if run is not None else []
        if (known := (found, said)) == self._known:
            return
        self._known = known
        self._cards = {path: self._cards.get(path) or card_metrics(path) for _, path in found}
        rows = [{**self._cards[path], **more} for (_, path), more in zip(found, said, strict=True)]
        names = list(dict.fromkeys(name for row in rows for name in row))[:_MOST_COLUMNS]
        before = self.chosen if self._paths and self.chosen != self._paths[0] else None
        self._paths = [path for _, path in found]
        self.clear()
        self.setHeaderHidden(not found)
        self.setColumnCount(1 + len(names))
        self.setHeaderLabels(["step", *(_words(name) for name in names)])
        for column in range(1 + len(names)):
            self.headerItem().setTextAlignment(column, _RIGHT)
        for (step, _), row in zip(found, rows, strict=True):
            item = QTreeWidgetItem([f"{step:,}", *(_value(name, row.get(name)) for name in names)])
            for column in range(1 + len(names)):
                item.setTextAlignment(column, _RIGHT)
            self.addTopLevelItem(item)
        if self._paths:
            place = self._paths.index(before) if before in self._paths else 0
            self.setCurrentIndex(self.model().index(place, 0))
        self._spread()

    def _spread(self) -> None:
        """Give each column what it needs, and its part of the width that is left over."""
        header, count = self.header(), self.columnCount()
        wide = header.fontMetrics().horizontalAdvance
        around = 2 * (_edge(self._factor) + _ITEM) + 2
        needed = [max(self.sizeHintForColumn(k), wide(self.headerItem().text(k)) + around) for k in range(count)]
        spare = max(0, self.viewport().width() - sum(needed))
        for k, least in enumerate(needed):
            header.resizeSection(k, least + spare * (k + 1) // count - spare * k // count)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the columns spread over the width."""
        super().resizeEvent(event)
        self._spread()

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        edge = _edge(self._factor)
        self.setStyleSheet(
            f"QTreeWidget {{ color: {theme.ink}; background: transparent; border: 1px solid transparent;"
            " outline: none; }"
            f"QTreeWidget:focus {{ border-color: {theme.true}; }}"
            f"QTreeWidget::item {{ padding: {edge}px; border: none; }}"
            f"QTreeWidget::item:hover, QTreeWidget::item:selected"
            f" {{ color: {theme.ink}; background: {theme.selection}; }}"
            "QHeaderView { background: transparent; border: none; }"
            f"QHeaderView::section {{ color: {theme.quiet}; background: transparent; border: none;"
            f" padding: 0 {edge + _ITEM}px; }}"
            "QScrollBar:horizontal { background: transparent; height: 8px; margin: 0; }"
            f"QScrollBar::handle:horizontal {{ background: {theme.rule}; border-radius: 4px; min-width: 24px; }}"
        )

    def set_scale(self, factor: float) -> None:
        """Set type this many times its size."""
        self._factor = factor
        self.setFont(font(CONTROL, scale=factor))
        self.header().setFont(font(CAPTION, scale=factor))
        self._spread()


def _edge(factor: float) -> int:
    """Pixels around what stands in a cell."""
    return round(UNIT / 2 * factor)


def _words(name: str) -> str:
    """A column's heading."""
    return "time" if name == "seconds" else name.replace("_", " ")


def _value(name: str, value: float | None) -> str:
    """A figure: a time in words, a whole number without places, else three figures; nothing where there is none."""
    if value is None:
        return ""
    if name == "seconds":
        return span(value)
    return f"{value:,.0f}" if value == round(value) and abs(value) < 1e6 else three(value)
