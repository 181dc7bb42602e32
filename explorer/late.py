"""What nobody sees at the start is made late: when it is first asked for, or once the window has been painted.

A single part that is late is a `functools.cached_property` of whoever holds it, and `made` finds it without making it;
parts with names, as the pages of the drawer, are a `Late`. Either way whoever asks has the part there and then, and
what everybody else wants to do to it (give it colours, say what the document holds) is done as soon as it is there.
`AfterPaint` does the rest while the person looks: one piece to a turn of the event loop.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QWidget

Part = TypeVar("Part")

PATIENCE = 500
"""Milliseconds after which a window that is not painted, as on another desktop, counts as painted."""


class Late(Mapping[str, Part]):
    """Parts by name, each made when it is first looked up.

    Attributes:
        made: those that there are, in the order in which they were made.
    """

    def __init__(self, makers: Mapping[str, Callable[[], Part]]) -> None:
        self._makers = dict(makers)
        self._wishes: list[Callable[[str, Part], object]] = []
        self.made: dict[str, Part] = {}

    def __getitem__(self, name: str) -> Part:
        if name not in self.made:
            part = self.made[name] = self._makers[name]()
            for do in self._wishes:
                do(name, part)
        return self.made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)

    def each(self, do: Callable[[str, Part], object]) -> None:
        """Do this with every part by its name: with those that there are now, with the others when they are made."""
        for name, part in tuple(self.made.items()):
            do(name, part)
        self._wishes.append(do)


def made(holder: object, *names: str) -> tuple[object, ...]:
    """Those of an object's late attributes that have been made."""
    return tuple(vars(holder)[name] for name in names if name in vars(holder))


class AfterPaint(QObject):
    """Works through a list once `widget` has been painted for the first time; in between, events are handled."""

    def __init__(self, widget: QWidget, works: Sequence[Callable[[], object]]) -> None:
        super().__init__(widget)
        self._widget = widget
        self._works = deque(works)
        self._timer = QTimer(self, singleShot=True, interval=PATIENCE)
        self._timer.timeout.connect(self._work)

    def start(self) -> None:
        """Wait for the first painting."""
        self._widget.installEventFilter(self)
        self._timer.start()

    def stop(self) -> None:
        """Leave the rest undone."""
        self._works.clear()
        self._timer.stop()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Begin when the painting that starts now is over."""
        if event.type() == QEvent.Type.Paint:
            self._widget.removeEventFilter(self)
            self._timer.start(0)
        return False

    def _work(self) -> None:
        if self._works:
            self._works.popleft()()
            self._timer.start(0)
