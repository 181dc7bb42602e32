"""Each connected region's share of the mass, kept up to date a few times a second while a person paints."""

from __future__ import annotations

import weakref

from PySide6.QtCore import QObject, QTimer, Signal

from explorer.document import Document
from explorer.edits import Change
from explorer.paint.regions import Region, regions

PAUSE_MS = 120
"""The least time between two counts: strokes must not wait for them."""


class MassReadout(QObject):
    """Follows a document; `regions` are those of its painting, a moment late."""

    changed = Signal(object)
    """The regions: a tuple of `Region`, the heaviest first."""

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.document = document
        self.regions: tuple[Region, ...] = ()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE_MS)
        self._timer.timeout.connect(self.count)
        heard = weakref.WeakMethod(self._hear)
        weakref.finalize(self, document.subscribe(lambda change: _pass_on(heard, change)))
        self.count()

    def count(self) -> None:
        """Count now."""
        found = regions(self.document.weights)
        if found != self.regions:
            self.regions = found
            self.changed.emit(found)

    def _hear(self, change: Change) -> None:
        if change.rect is not None and not self._timer.isActive():
            self._timer.start()


def _pass_on(method: weakref.WeakMethod, change: Change) -> None:
    alive = method()
    if alive is not None:
        alive(change)
