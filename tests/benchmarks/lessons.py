"""The shipped lessons played on the real window: what every question measures, and how far that is from its limits.

    python -m tests.benchmarks.lessons                     # all of them, some minutes
    python -m tests.benchmarks.lessons 10 11 --seed 1      # two of them, other weights and particles

Every step is entered in its order and every question answered; then comes whatever the lesson itself waits for. A line
says what was measured, which choice that makes right, and the **margin**: how far the value is from the nearest limit
of that choice, as a fraction of the limit (of the value, where the limit is 0). A question whose margin is small on
one seed will be answered otherwise on another, and is to be asked differently.
"""

from __future__ import annotations

import argparse
import json
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING

from explorer.lessons.files import shipped
from explorer.lessons.lesson import Beginning, Choice, Lesson

if TYPE_CHECKING:
    from explorer.window import MainWindow

_ENTER_SECONDS = 180.0


@dataclass(frozen=True)
class Answer:
    """One question, measured.

    Attributes:
        lesson: its number, from 1; step: likewise; title: the lesson's.
        what: the quantity in words; value: None if it did not come in time.
        right: the choice that it makes right; margin: see the module's docstring.
        seconds: from the answer to the measurement.
    """

    lesson: int
    step: int
    title: str
    what: str
    value: float | None
    right: str
    margin: float
    seconds: float

    def line(self) -> str:
        """The same for a person."""
        if self.value is None:
            return f"{self.lesson:2}.{self.step} {self.title}: {self.what}: not measured in {self.seconds:.0f} s"
        return (
            f"{self.lesson:2}.{self.step} {self.title}: {self.what} = {self.value:.4g}; right: {self.right!r}; "
            f"margin {self.margin:.0%}; {self.seconds:.1f} s"
        )


def margin(choice: Choice, value: float) -> float:
    """How far a value is from the nearer limit of the choice that holds it, as a fraction; infinite if it has none."""
    limits = [limit for limit in (choice.low, choice.high) if math.isfinite(limit)]
    return min((abs(value - limit) / abs(limit or value or 1.0) for limit in limits), default=math.inf)


def seeded(lesson: Lesson, seed: int | None) -> Lesson:
    """The same lesson, its runs from this seed."""
    if seed is None:
        return lesson
    steps = tuple(
        replace(step, begin=replace(step.begin, seed=seed, particle_seed=seed))
        if isinstance(step.begin, Beginning)
        else step
        for step in lesson.steps
    )
    return replace(lesson, steps=steps)


def played(window: MainWindow, number: int, lesson: Lesson, longest: float) -> Iterator[Answer]:
    """Play one lesson from its first step to its last; an answer for every question."""
    player, panel = window.lessons.player, window.lessons.panel
    for index, step in enumerate(lesson.steps):
        if index == 0:
            player.start(lesson)
        else:
            player.next()
        _until(partial(_entered, window), _ENTER_SECONDS)
        predict, question = step.predict, panel.question
        if predict is None:
            continue
        began = perf_counter()
        question.choices[0].click()
        _until(partial(_measured, window), longest)
        seconds, value, right = perf_counter() - began, question.value, question.right
        what = predict.measure.quantity
        if value is None or right is None:
            yield Answer(number, index + 1, lesson.title, what, value, "none", 0.0, seconds)
        else:
            choice = predict.choices[right]
            yield Answer(number, index + 1, lesson.title, what, value, choice.text, margin(choice, value), seconds)


def _entered(window: MainWindow) -> bool:
    frame = window.session.frame
    return frame is not None and frame.revision >= window.document.revision


def _measured(window: MainWindow) -> bool:
    return window.lessons.panel.question.value is not None


def _until(done: Callable[[], bool], seconds: float) -> None:
    """Let the window live until this holds, or for so many seconds."""
    from PySide6.QtCore import QEventLoop
    from PySide6.QtWidgets import QApplication

    end = perf_counter() + seconds
    while not done() and perf_counter() < end:
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents, 50)


def measure(numbers: list[int], seed: int | None, longest: float, lessons: list[Path]) -> Iterator[Answer]:
    """Play these lessons on one window, and close it."""
    from PySide6.QtWidgets import QApplication

    from explorer.lessons.files import read_lesson
    from explorer.window import MainWindow

    if not QApplication.instance():
        QApplication([])
    window = MainWindow(theme="light", device="cpu")
    window.resize(1280, 720)
    window.show()
    try:
        known = [read_lesson(path) for path in lessons] or [lesson for _, lesson in shipped()]
        for number, lesson in enumerate(known, 1):
            if not numbers or number in numbers:
                yield from played(window, number, seeded(lesson, seed), longest)
        window.lessons.player.end()
    finally:
        window.shut_down()


def main() -> None:
    """Print a line for every question."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("numbers", nargs="*", type=int, metavar="NUMBER", help="of the lessons; none: all of them")
    parser.add_argument("--file", nargs="*", type=Path, default=[], help="other lessons in place of the shipped ones")
    parser.add_argument("--seed", type=int, help="of weights and particles, in place of the lessons' own")
    parser.add_argument("--longest", type=float, default=300.0, help="seconds to wait for one answer")
    parser.add_argument("--json", action="store_true", help="answers as JSON lines")
    options = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ.setdefault("PYQTGRAPH_QT_LIB", "PySide6")
    with TemporaryDirectory() as home:
        os.environ["SCORE_EXPLORER_HOME"] = home
        for answer in measure(options.numbers, options.seed, options.longest, options.file):
            print(json.dumps(asdict(answer)) if options.json else answer.line(), flush=True)


if __name__ == "__main__":
    main()
