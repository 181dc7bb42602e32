"""A run of `score-trainer images train` as it goes on, read from its folder: figures, checkpoints, sample grids.

Only what was appended is read at each look. A file that was replaced or cut, as by a resumed run, is read anew; a last
line that is still being written waits; a damaged one is counted and left out. Neither Qt nor torch.
"""

from __future__ import annotations

import json
import math
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainer.images.journal import METRICS

CURVES = ("loss", "gradient", "learning_rate", "pictures_per_second")
"""The figures of a line of the journal that are drawn."""

_CHECKPOINT = re.compile(r"checkpoint-(\d{6,12})")
_SAMPLES = re.compile(r"step-(\d{6,12})\.png")
_MOST_BYTES = 64 * 2**20
_MOST_POINTS = 4000
_SILENT = 60.0
"""Seconds without a new line after which a run counts as silent, or three times what lines have taken so far."""


@dataclass
class Run:
    """What is known of a run.

    Attributes:
        folder: where it lies; there: whether it has written anything.
        steps: of the lines; curves: a figure for each of them by its name in `CURVES`; seconds: spent until then.
        checkpoints: (step, folder), the oldest first; samples: the newest grid, or None.
        goal: the steps to take, 0 where it is not known.
        age: seconds since the last line.
        damaged: lines left out.
    """

    folder: Path
    there: bool = False
    steps: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    curves: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in CURVES})
    checkpoints: list[tuple[int, Path]] = field(default_factory=list)
    samples: Path | None = None
    goal: int = 0
    age: float = math.inf
    damaged: int = 0

    @property
    def state(self) -> str:
        """What a person is told of it."""
        if not self.there:
            return "nothing was written yet"
        if self.goal and self.steps and self.steps[-1] >= self.goal:
            return f"ended at step {self.steps[-1]:,}"
        at = f"step {self.steps[-1]:,}" if self.steps else "begun"
        of = f" of {self.goal:,}" if self.goal else ""
        if self.age > max(_SILENT, 3 * self._pace):
            return f"{at}{of}  ·  silent for {_span(self.age)}"
        left = self._left
        return f"{at}{of}  ·  running" + (f"  ·  about {_span(left)} left" if left > 0 else "")

    @property
    def _pace(self) -> float:
        """Seconds that a line takes."""
        return self.seconds[-1] / len(self.seconds) if self.seconds else 0.0

    @property
    def _left(self) -> float:
        if not self.goal or len(self.steps) < 2:
            return 0.0
        taken = self.steps[-1] - self.steps[0]
        pace = (self.seconds[-1] - self.seconds[0]) / taken if taken > 0 else 0.0
        return pace * (self.goal - self.steps[-1])


class RunReader:
    """Reads one run again and again; `look` is cheap when nothing has changed."""

    def __init__(self, folder: Path) -> None:
        self.run = Run(folder)
        self._read = 0
        self._identity: tuple[int, int] = (0, 0)
        self._rest = b""

    def look(self) -> bool:
        """Read what is new; whether anything is. A folder that cannot be read has nothing new."""
        changed = self._look_at_journal()
        return self._look_at_files() or changed

    def _look_at_journal(self) -> bool:
        path = self.run.folder / METRICS
        try:
            status = path.stat()
            if (status.st_dev, status.st_ino) != self._identity or status.st_size < self._read:
                self.run = Run(self.run.folder, checkpoints=self.run.checkpoints, samples=self.run.samples)
                self._read, self._rest = 0, b""
                self._identity = status.st_dev, status.st_ino
            self.run.there = True
            self.run.age = max(0.0, time.time() - status.st_mtime)
            if status.st_size == self._read or status.st_size > _MOST_BYTES:
                return False
            with path.open("rb") as file:
                file.seek(self._read)
                data = file.read(_MOST_BYTES)
        except OSError:
            return False
        self._read += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._take(line)
        self._thin()
        return bool(lines)

    def _take(self, line: bytes) -> None:
        run = self.run
        try:
            values: Any = json.loads(line)
            step = values["step"]
            if type(step) is not int:
                raise TypeError
            if "checkpoint" in values:
                return
            figures = [float(values[name]) for name in CURVES]
            seconds = float(values["seconds"])
        except (ValueError, KeyError, TypeError, RecursionError):
            run.damaged += 1
            return
        if not all(map(math.isfinite, (*figures, seconds))):
            run.damaged += 1
            return
        while run.steps and run.steps[-1] >= step:  # resumed from an earlier step
            run.steps.pop()
            run.seconds.pop()
            for name in CURVES:
                run.curves[name].pop()
        run.steps.append(step)
        run.seconds.append(seconds)
        for name, figure in zip(CURVES, figures, strict=True):
            run.curves[name].append(figure)

    def _thin(self) -> None:
        """Keep every second point of a curve that has become too long, and the last."""
        run = self.run
        if len(run.steps) > _MOST_POINTS:
            stay = [*range(0, len(run.steps) - 1, 2), len(run.steps) - 1]
            run.steps = [run.steps[k] for k in stay]
            run.seconds = [run.seconds[k] for k in stay]
            run.curves = {name: [values[k] for k in stay] for name, values in run.curves.items()}

    def _look_at_files(self) -> bool:
        run = self.run
        try:
            found = sorted(
                (int(match[1]), path)
                for path in run.folder.iterdir()
                if (match := _CHECKPOINT.fullmatch(path.name)) and (path / "trainer.json").exists()
            )
        except OSError:
            found = []
        try:
            grids = sorted(
                (int(match[1]), path)
                for path in (run.folder / "samples").iterdir()
                if (match := _SAMPLES.fullmatch(path.name))
            )
        except OSError:
            grids = []
        samples = grids[-1][1] if grids else None
        changed = (found, samples) != (run.checkpoints, run.samples)
        if found and found != run.checkpoints:
            run.goal = _goal(found[-1][1]) or run.goal
        run.checkpoints, run.samples = found, samples
        run.there = run.there or bool(found)
        return changed


def card_metrics(checkpoint: Path) -> dict[str, float]:
    """The figures that a checkpoint's card holds, by name; empty if they cannot be read."""
    metrics = _card(checkpoint).get("metrics")
    if not isinstance(metrics, dict):
        return {}
    return {str(name)[:60]: float(value) for name, value in metrics.items() if isinstance(value, int | float)}


def _goal(checkpoint: Path) -> int:
    """The steps that a run is to take, as its checkpoint's settings say; 0 if they do not."""
    settings = _card(checkpoint).get("settings")
    steps = settings.get("steps") if isinstance(settings, dict) else None
    return steps if type(steps) is int and steps > 0 else 0


def _card(checkpoint: Path) -> dict[str, Any]:
    try:
        path = checkpoint / "trainer.json"
        if path.stat().st_size > 2**20:
            return {}
        values = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}


def _span(seconds: float) -> str:
    """A time in words: "40 s", "12 min", "3.5 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
