"""The menu of presets: each with a small picture in the theme's density map."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon, QImage, QPixmap
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QMenu, QWidget, QWidgetAction

from explorer.theme import CONTROL, LIGHT, UNIT, Theme, font
from trainer.paintings import preset_names, preset_title, preset_weights

THUMBNAIL = 40
"""Pixels along a preset's small picture."""


class PresetMenu(QMenu):
    """A list of presets; the pictures are drawn when it is first opened in some colours and scale."""

    chosen = Signal(str)
    """The person wants this preset."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._factor = LIGHT, 1.0
        self._pictured: tuple[Theme, float] | None = None
        self.list = QListWidget()
        self.list.setAccessibleName("Presets")
        self.list.setMouseTracking(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemClicked.connect(self._choose)
        self.list.itemActivated.connect(self._choose)
        entry = QWidgetAction(self)
        entry.setDefaultWidget(self.list)
        self.addAction(entry)
        self.aboutToShow.connect(self._draw)

    def picture(self, theme: Theme, factor: float) -> None:
        """Draw in these colours and at this scale when it is opened next."""
        self._theme, self._factor = theme, factor

    def _draw(self) -> None:
        """Fill the list when it is first wanted in these colours and at this scale."""
        self.list.setFocus()
        if self._pictured == (self._theme, self._factor):
            return
        self._pictured = (self._theme, self._factor)
        side = round(THUMBNAIL * self._factor)
        self.list.clear()
        self.list.setIconSize(QSize(side, side))
        self.list.setFont(font(CONTROL, scale=self._factor))
        for name in preset_names():
            item = QListWidgetItem(preset_icon(name, self._theme), preset_title(name))
            item.setData(Qt.ItemDataRole.UserRole, name)
            self.list.addItem(item)
        high = self.list.sizeHintForRow(0) * self.list.count()
        self.list.setFixedSize(self.list.sizeHintForColumn(0) + 2 * UNIT, high + 2)

    def _choose(self, item: QListWidgetItem) -> None:
        # A click may both click and activate an item, as the desktop has it: the closed menu answers only once.
        if self.isVisible():
            self.close()
            self.chosen.emit(item.data(Qt.ItemDataRole.UserRole))


def preset_icon(name: str, theme: Theme) -> QIcon:
    """A preset as a small picture in the theme's density map."""
    weights = preset_weights(name, THUMBNAIL)
    pixels = theme.density_table()[(weights[::-1] * 255).round().astype("uint8")]
    image = QImage(pixels.tobytes(), THUMBNAIL, THUMBNAIL, 4 * THUMBNAIL, QImage.Format.Format_RGBA8888)
    return QIcon(QPixmap.fromImage(image.copy()))
