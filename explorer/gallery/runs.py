"""A run of `score-trainer images train` as it goes on, read from its folder: figures, checkpoints, sample grids.

Only what was appended to the journal is read at each look, and of a long one no more than a piece. A journal that was
replaced or cut, as by a resumed run, is read anew; a last line that is still being written waits; a damaged one is
counted and left out. Of a long run every second, fourth, ... line is kept, evenly, and the last.

Whether a run has ended is nowhere written, and is told from what a run does last: it saves. It has *ended* when there
is a checkpoint of all the steps that its settings ask for; it was *stopped* when it is silent and its last line is
that of a checkpoint, for a run that goes on follows it with figures; otherwise a run without new lines is *silent*,
killed perhaps. Neither Qt nor torch.
"""

from __future__ import annotations

import json
import math
import re
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from trainer.images.journal import METRICS

CURVES = ("loss", "gradient", "learning_rate", "pictures_per_second")
"""The figures of a line of the journal that are drawn."""

Phase = Literal["nothing", "running", "silent", "stopped", "ended"]

CHECKPOINT = re.compile(r"checkpoint-(\d{6,12})")
"""What a checkpoint's folder is called; the group is its step."""
_SAMPLES = re.compile(r"step-(\d{6,12})\.png")
_CARD = "trainer.json"
_PIECE = 2**20
"""Bytes that one look reads at most, and that a line has at most."""
_LAST = 64
"""Bytes before the place reached, by which a journal is known to be the same."""
_MOST_POINTS = 4000
_MOST_FIGURES = 40
_LARGEST_CARD = 2**20
_ENDLESS = 10**8
"""Steps of a run that is ended by its minutes."""
_SILENT = 60.0
"""Seconds without a new line after which a run is silent, or three times the longest wait among the latest lines."""
_LATEST = 30
"""Lines that tell how fast the run is."""


@dataclass
class Run:
    """What is known of a run.

    Attributes:
        folder: where it lies; there: whether it has written anything.
        steps: of the lines; curves: a figure for each of them by its name in `CURVES`, NaN where the line has none;
            seconds: spent until then.
        checkpoints: (step, folder) of those that are kept, the oldest first.
        figures: what the journal says of checkpoints, by their steps and the figures' names.
        samples: the newest grid, and when it was written (ns); None if there is none.
        asked: the steps that the newest checkpoint's settings ask for; 0 where that is not known.
        saved: whether the last line is that of a checkpoint.
        age: seconds since the journal was written.
        damaged: lines left out.
    """

    folder: Path
    there: bool = False
    steps: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    curves: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in CURVES})
    checkpoints: list[tuple[int, Path]] = field(default_factory=list)
    figures: dict[int, dict[str, float]] = field(default_factory=dict)
    samples: tuple[Path, int] | None = None
    asked: int = 0
    saved: bool = False
    age: float = math.inf
    damaged: int = 0

    @property
    def step(self) -> int:
        """The last step that is known of."""
        return max([0, *self.steps[-1:], *(step for step, _ in self.checkpoints[-1:])])

    @property
    def goal(self) -> int:
        """The steps to take; 0 where that is not known, as after a resumption with more than were asked for."""
        return self.asked if self.step <= self.asked < _ENDLESS else 0

    @property
    def phase(self) -> Phase:
        """What the run is doing, as far as its folder tells."""
        if not self.there:
            return "nothing"
        if self.goal and self.checkpoints and self.checkpoints[-1][0] >= self.goal:
            return "ended"
        waits = [late - early for early, late in pairwise(self.seconds[-_LATEST:])]
        if self.age <= max(_SILENT, 3 * max(waits, default=0.0)):
            return "running"
        return "stopped" if self.saved or not self.steps else "silent"

    @property
    def seconds_a_step(self) -> float:
        """What a step has taken of late; NaN before two lines."""
        steps, seconds = self.steps[-_LATEST:], self.seconds[-_LATEST:]
        if len(steps) < 2 or seconds[-1] <= seconds[0]:
            return math.nan
        return (seconds[-1] - seconds[0]) / (steps[-1] - steps[0])

    @property
    def left(self) -> float:
        """Seconds until the goal; NaN where that cannot be told."""
        return self.seconds_a_step * (self.goal - self.step) if self.goal else math.nan

    @property
    def state(self) -> str:
        """All that in one line."""
        phase, step = self.phase, f"step {self.step:,}"
        if phase == "nothing":
            return "nothing was written yet"
        if phase in ("ended", "stopped"):
            words = [f"{phase} at {step}"]
        else:
            words = [f"{step} of {self.goal:,}" if self.goal else step]
            words.append("running" if phase == "running" else f"silent for {span(self.age)}")
        if phase == "running" and self.left > 0:
            words.append(f"about {span(self.left)} left")
        if self.damaged:
            words.append(f"{self.damaged:,} damaged line{'s' if self.damaged > 1 else ''} left out")
        return "  ·  ".join(words)


class RunReader:
    """Reads one run again and again; `look` is cheap when nothing has changed.

    Attributes:
        run: what is known of it; another object once the journal has been replaced.
        behind: whether the journal holds more than was read, so that another look is worth it at once.
    """

    def __init__(self, folder: Path) -> None:
        self.run, self.behind = Run(folder), False
        self._forget()

    def _forget(self) -> None:
        """Begin at the journal's first line."""
        self.run = Run(self.run.folder, samples=self.run.samples, checkpoints=self.run.checkpoints)
        self.behind = False
        self._place, self._last, self._rest = 0, b"", b""
        self._stamp: tuple[int, ...] = ()
        self._card: tuple[Path, int] | None = None
        self._every, self._count, self._overlong = 1, 0, False

    def look(self) -> bool:
        """Read what is new; whether anything is. A folder that cannot be read has nothing new."""
        read = self._look_at_journal()
        return self._look_at_files() or read

    # --- the journal ---

    def _look_at_journal(self) -> bool:
        path = self.run.folder / METRICS
        try:
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):
                return False
            self.run.there = True
            self.run.age = max(0.0, time.time() - status.st_mtime)
            stamp = status.st_ino, status.st_size, status.st_mtime_ns
            if stamp == self._stamp and not self.behind:
                return False
            with path.open("rb") as file:
                back = len(self._last)
                file.seek(self._place - back)
                data = file.read(back + _PIECE)
        except FileNotFoundError:
            known = self._place > 0
            if known:
                self._forget()
            self.run.there = False
            return known
        except OSError:
            return False
        if data[:back] != self._last:  # another journal under the same name
            there, age = self.run.there, self.run.age
            self._forget()
            self.run.there, self.run.age = there, age
            self._look_at_journal()
            return True
        self._stamp = stamp
        self._place += len(data) - back
        self._last = data[-_LAST:]
        self.behind = self._place < status.st_size
        for line in self._lines(data[back:]):
            self._take(line)
        return len(data) > back

    def _lines(self, data: bytes) -> Iterator[bytes]:
        """The lines that are whole; what follows the last waits, unless it is too long to be one."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if self._overlong:
                self._overlong = False  # the end of a line that was counted
            else:
                yield line
        if len(self._rest) > _PIECE:
            self.run.damaged += not self._overlong
            self._rest, self._overlong = b"", True

    def _take(self, line: bytes) -> None:
        """Keep what one line says."""
        run = self.run
        try:
            values: Any = json.loads(line)
            step = values["step"]
            if type(step) is not int or not 0 <= step <= 10**12:
                raise ValueError
            saved = "checkpoint" in values
            if not saved:
                point = [_figure(values[name]) for name in CURVES]
                seconds = _figure(values["seconds"])
                if not math.isfinite(point[0] + seconds):
                    raise ValueError
        except (ValueError, KeyError, TypeError, RecursionError):
            run.damaged += 1
            return
        run.saved = saved
        if saved:
            rest = {name: value for name, value in values.items() if name != "step"}
            run.figures[step] = _figures(rest)
            return
        provisional = self._count % self._every != 0
        while run.steps and (provisional or run.steps[-1] >= step):
            for kept in self._columns():
                kept.pop()
            provisional = False
        run.steps.append(step)
        run.seconds.append(seconds)
        for name, value in zip(CURVES, point, strict=True):
            run.curves[name].append(value)
        self._count += 1
        if len(run.steps) > _MOST_POINTS and self._count % self._every == 0:
            for kept in self._columns():
                del kept[1::2]  # of an odd number: the first and the newest stay
            self._every, self._count = 2 * self._every, 0

    def _columns(self) -> tuple[list[Any], ...]:
        """All that has one entry a line."""
        return self.run.steps, self.run.seconds, *self.run.curves.values()

    # --- checkpoints and samples ---

    def _look_at_files(self) -> bool:
        run = self.run
        found = [(step, path) for step, path in _numbered(run.folder, CHECKPOINT) if (path / _CARD).is_file()]
        grids = _numbered(run.folder / "samples", _SAMPLES)
        run.there = run.there or bool(found)
        last = max([*run.steps[-1:], *(step for step, _ in found[-1:])], default=math.inf)
        # grids of later steps are what a resumed run was before
        dated = ((path, _written(path)) for step, path in reversed(grids) if step <= last)
        samples = next(((path, written) for path, written in dated if written is not None), None)
        changed = (found, samples) != (run.checkpoints, run.samples)
        run.checkpoints, run.samples = found, samples
        if found:
            card = found[-1][1], _written(found[-1][1] / _CARD) or 0
            if card != self._card:
                self._card, run.asked, changed = card, _asked(found[-1][1]), True
        return changed


def card_metrics(checkpoint: Path) -> dict[str, float]:
    """The figures that a checkpoint's card holds, by name; empty if they cannot be read."""
    metrics = _card(checkpoint).get("metrics")
    return _figures(metrics) if isinstance(metrics, dict) else {}


def span(seconds: float) -> str:
    """A time in words: "40 s", "12 min", "3.5 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:,.1f} h"


def _numbered(folder: Path, pattern: re.Pattern[str]) -> list[tuple[int, Path]]:
    """(number, path) of what is called so, the smallest number first."""
    try:
        return sorted((int(match[1]), path) for path in folder.iterdir() if (match := pattern.fullmatch(path.name)))
    except OSError:
        return []


def _written(path: Path) -> int | None:
    """When a file was last written (ns); None if it is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns if stat.S_ISREG(status.st_mode) else None


def _figure(value: object) -> float:
    """A number, NaN for null; ValueError for anything else, infinity too."""
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e300:
        raise ValueError
    return float(value)


def _figures(values: dict[str, Any]) -> dict[str, float]:
    """Those entries that are finite numbers, so many at most."""
    found = {}
    for name, value in list(values.items())[:_MOST_FIGURES]:
        try:
            figure = _figure(value)
        except ValueError:
            continue
        if math.isfinite(figure):
            found[name[:60]] = figure
    return found


def _asked(checkpoint: Path) -> int:
    settings = _card(checkpoint).get("settings")
    steps = settings.get("steps") if isinstance(settings, dict) else None
    return steps if type(steps) is int and steps > 0 else 0


def _card(checkpoint: Path) -> dict[str, Any]:
    try:
        path = checkpoint / _CARD
        if not path.is_file() or path.stat().st_size > _LARGEST_CARD:
            return {}
        values = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}
