"""What has happened since the start, in order: every notice once, with how often and when it came last. No Qt.

A toast goes by; the log keeps. It makes the report that a person can copy into a message: versions, device, the last
notices with their details.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

MOST = 300
"""Notices that the log keeps; the oldest go."""

LONGEST = 20_000
"""Characters of details that one notice keeps, its end if it has more."""

LEVELS = ("info", "warning", "error")


@dataclass(frozen=True)
class Notice:
    """One thing that happened.

    Attributes:
        level: "info", "warning" or "error".
        text: one line.
        details: what else is known, "" for nothing.
        at: when it came last.
        count: how often it came.
        shown: whether it was worth a message; the rest stands in the log only.
    """

    level: str
    text: str
    details: str
    at: datetime
    count: int = 1
    shown: bool = True

    @property
    def line(self) -> str:
        """Time, text, and how often."""
        times = f"  ({self.count:,} times)" if self.count > 1 else ""
        return f"{self.at:%H:%M:%S}  {self.text}{times}"


class NoticeLog:
    """The notices of one session, oldest first; the same one again moves to the end and counts on."""

    def __init__(self, clock: Callable[[], datetime] = datetime.now) -> None:
        self._clock = clock
        self._notices: deque[Notice] = deque(maxlen=MOST)
        self._callbacks: list[Callable[[Notice], None]] = []

    @property
    def notices(self) -> tuple[Notice, ...]:
        """All of them, oldest first."""
        return tuple(self._notices)

    def add(self, level: str, text: str, details: str = "", *, shown: bool = True) -> Notice:
        """Write down what happened; a level that is unknown counts as an error."""
        level = level if level in LEVELS else "error"
        notice = Notice(level, " ".join(text.split()) or level, details[-LONGEST:], self._clock(), shown=shown)
        for known in self._notices:
            if (known.level, known.text) == (notice.level, notice.text):
                self._notices.remove(known)
                notice = replace(notice, count=known.count + 1, shown=shown or known.shown)
                break
        self._notices.append(notice)
        for callback in tuple(self._callbacks):
            callback(notice)
        return notice

    def subscribe(self, callback: Callable[[Notice], None]) -> Callable[[], None]:
        """Call back with every notice; the returned function ends that."""
        self._callbacks.append(callback)

        def unsubscribe() -> None:
            if callback in self._callbacks:
                self._callbacks.remove(callback)

        return unsubscribe

    def report(self, facts: Mapping[str, str], last: int = 30) -> str:
        """Versions and the last notices with their details, as plain text to send to somebody."""
        lines = [f"{name}: {value}" for name, value in facts.items()]
        lines += ["", f"What happened, the last {last} at most:"]
        for notice in self.notices[-last:]:
            lines.append(f"[{notice.level}] {notice.line}")
            lines += [f"    {line}" for line in notice.details.splitlines()]
        return "\n".join(lines) + "\n"
