"""The window under full load: how evenly it draws, how fast it answers a brush, and what is left for training.

    xvfb-run -s "-screen 0 1600x1000x24" python -m tests.benchmarks.window [--seconds 60] [--json]

**Load.** 1280x720, both fields, the error map, a race of three, and four panes of 10,000 particles that never rest, all
with training on. A frame is an update of the window in which the first pane was drawn, and counts as shown when the
window has handed its pixels to the screen.

**Brush.** With the painting in the learned field's place, mouse moves are posted to the canvas in the middle of a
stroke, at intervals that are no multiple of a frame's. The latency goes from there to the end of the first update of
the window that draws the canvas after it has handled the move.

**Training.** Each way to learn (the main fit, and each racer) has a headless cost: seconds a step of the same settings
in a process of its own on one thread, measured before and after. The share is the headless seconds that the steps taken
under load would have cost, all fits together, over the seconds that passed: 1 is an engine that does nothing else.

**Splat.** One pane of 100,000 particles, no race: frames a second.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np

from trainer.plans import RaceSettings, entrants
from trainer.scenes import Pane, Scene
from trainer.settings import FitSettings

_HEADLESS = """
import json, sys, torch
torch.set_num_threads(1)
from trainer.densities import PaintedDensity
from trainer.fit import Fit
from trainer.paintings import preset_weights
from trainer.settings import FitSettings
fit = Fit(PaintedDensity(preset_weights("crescents")), FitSettings.from_json(json.loads(sys.argv[2])), device="cpu")
for p in fit.run(seconds=1.5): pass
before, seconds = p.step, p.seconds
for p in fit.run(seconds=float(sys.argv[1])): pass
print((p.seconds - seconds) / (p.step - before))
"""

_STROKE_EVERY = 47
"""Milliseconds between two mouse moves."""

FULL = ("learned", "true", "error_map", "race", "pane1", "pane2", "pane3", "pane4")
PAINTING = ("painting", *FULL[1:])
SPLAT = ("painting", "learned", "true", "curves", "shares", "pane1", "distances", "inspector")

FOUR = Scene((Pane("ascent"), Pane("langevin"), Pane("annealed"), Pane("sde")))
ONE = Scene((Pane("annealed"),))


def headless(settings: FitSettings, seconds: float) -> float:
    """Seconds a training step with these settings in a process of its own, on one thread."""
    command = [sys.executable, "-c", _HEADLESS, str(seconds), json.dumps(settings.to_json())]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return float(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)


class Clock:
    """When the views that are asked about were drawn and shown; patches the classes, so make it before the window."""

    def __init__(self) -> None:
        from PySide6.QtCore import QEvent
        from PySide6.QtGui import QPaintEvent

        from explorer.views.plane import PlaneView
        from explorer.window import MainWindow

        self.shown: dict[int, list[float]] = {}
        self._drawn: set[int] = set()
        painted, handled = PlaneView.paintEvent, MainWindow.event

        def paint(view: PlaneView, event: QPaintEvent) -> None:
            painted(view, event)
            self._drawn.add(id(view))

        def handle(window: MainWindow, event: QEvent) -> bool:
            if event.type() != QEvent.Type.UpdateRequest:
                return handled(window, event)
            self._drawn.clear()
            result = handled(window, event)
            now = perf_counter()
            for view in self._drawn & self.shown.keys():
                self.shown[view].append(now)
            return result

        PlaneView.paintEvent = paint  # type: ignore[method-assign]
        MainWindow.event = handle  # type: ignore[method-assign]

    def follow(self, view: object) -> list[float]:
        """When this view was shown, from now on."""
        return self.shown.setdefault(id(view), [])


class Bench:
    """One window and what is measured on it."""

    def __init__(self, size: tuple[int, int]) -> None:
        from explorer.app import make_application

        self.clock = Clock()
        from explorer.window import MainWindow

        self._application = make_application()
        self._released = 0  # the last release that was followed by another
        self.window = MainWindow(theme="light", device="cpu")
        self.window.resize(*size)
        self.window.session.framed.connect(self._keep_moving)
        self.window.show()

    def _keep_moving(self, frame: Any) -> None:  # noqa: ANN401 - a Frame, which is imported late
        from explorer.engine.messages import Release

        if frame.released > self._released and frame.particle_step >= frame.particle_steps:
            self._released = frame.released
            self.window.session.send(Release())

    def run(self, seconds: float, until: Callable[[], bool] | None = None) -> None:
        """Let the window live for so long, or until something is the case."""
        from PySide6.QtCore import QEventLoop, QTimer

        loop, timer = QEventLoop(), QTimer()
        end = perf_counter() + seconds

        def look() -> None:
            if perf_counter() > end or (until is not None and until()):
                loop.quit()

        timer.timeout.connect(look)
        timer.start(100)
        loop.exec()
        timer.stop()

    def load(self, places: tuple[str, ...], scene: Scene, race: RaceSettings) -> None:
        """Show these views, release this scene and run this race, all training."""
        from explorer.edits import ChangeRace, ChangeScene
        from explorer.engine.messages import Release, RunRace, Train

        window = self.window
        window.stage.arrange(places)
        window.document.do(ChangeScene(scene))
        window.document.do(ChangeRace(race))
        self.run(1.0)
        for command in (Train(True), RunRace(bool(race.entrants)), Release()):
            window.session.send(command)
        self.run(60.0, lambda: self._loaded(scene, race))
        self.run(2.0)

    def _loaded(self, scene: Scene, race: RaceSettings) -> bool:
        frame = self.window.session.frame
        if frame is None or frame.panes.shape[:2] != (len(scene.panes), scene.number) or not frame.training:
            return False
        racers = frame.race.racers if frame.race is not None else ()
        return len(racers) == len(race.entrants) and all(racer.step > 0 for racer in racers)

    def view(self, name: str) -> Any:  # noqa: ANN401 - any view of the stage
        """The view of this name."""
        return self.window.stage.tile(name).content

    def steps(self) -> list[int]:
        """Steps of the main fit and of each racer."""
        frame = self.window.session.frame
        assert frame is not None
        return [frame.step, *(racer.step for racer in (frame.race.racers if frame.race else ()))]

    def frames(self, seconds: float) -> tuple[np.ndarray, list[int], float]:
        """Frame intervals (ms), steps taken by each fit, and the seconds that passed."""
        shown = self.clock.follow(self.view("pane1"))
        shown.clear()
        before, began = self.steps(), perf_counter()
        self.run(seconds)
        taken = [now - then for now, then in zip(self.steps(), before, strict=True)]
        return np.diff(shown) * 1000, taken, perf_counter() - began

    def brush(self, seconds: float) -> np.ndarray:
        """Milliseconds from each mouse move of a stroke to the update of the window that shows it."""
        from PySide6.QtCore import QEvent, QObject, QPointF, Qt, QTimer
        from PySide6.QtGui import QMouseEvent
        from PySide6.QtWidgets import QApplication

        class Handled(QObject):
            def eventFilter(self, watched: QObject, event: QEvent) -> bool:
                if event.type() == QEvent.Type.MouseMove:
                    handled.append(perf_counter())
                return False

        handled: list[float] = []
        watch = Handled()
        canvas = self.view("painting")
        shown = self.clock.follow(canvas)
        sent: list[float] = []
        none, left = Qt.MouseButton.NoButton, Qt.MouseButton.LeftButton

        def post(kind: QEvent.Type, turn: float, button: Qt.MouseButton, held: Qt.MouseButton) -> None:
            side = canvas.width()
            at = QPointF(side * (0.5 + 0.3 * np.cos(turn)), side * (0.5 + 0.3 * np.sin(turn)))
            event = QMouseEvent(kind, at, canvas.mapToGlobal(at), button, held, Qt.KeyboardModifier.NoModifier)
            QApplication.postEvent(canvas, event)

        def move() -> None:
            sent.append(perf_counter())
            turn = 0.21 * len(sent)
            post(QEvent.Type.MouseMove, turn, none, left)
            if len(sent) % 24 == 0:  # a stroke of about a second ends, and the next begins
                post(QEvent.Type.MouseButtonRelease, turn, left, none)
                post(QEvent.Type.MouseButtonPress, turn, left, left)

        post(QEvent.Type.MouseButtonPress, 0.0, left, left)
        self.run(0.2)
        canvas.installEventFilter(watch)
        timer = QTimer()
        timer.setTimerType(Qt.TimerType.PreciseTimer)
        timer.timeout.connect(move)
        timer.start(_STROKE_EVERY)
        self.run(seconds)
        timer.stop()
        self.run(0.5)
        post(QEvent.Type.MouseButtonRelease, 0.0, left, none)
        self.run(0.2)
        canvas.removeEventFilter(watch)
        times = np.array(shown)
        after = np.searchsorted(times, handled[: len(sent)])
        return np.array([(times[k] - at) * 1000 for k, at in zip(after, sent, strict=False) if k < len(times)])

    def close(self) -> None:
        """End the window and its engine."""
        self.window.shut_down()
        self.window.close()


def measure(seconds: float, size: tuple[int, int], number: int) -> dict[str, float]:
    """Everything that is promised."""
    race = RaceSettings(entrants())
    fits = (FitSettings(), *race.entrants)
    costs = np.array([headless(settings, 4.0) for settings in fits])
    bench = Bench(size)
    try:
        bench.run(60.0, lambda: bench.window.session.frame is not None and bench.window.session.frame.step > 600)
        bench.load(FULL, FOUR.with_number(number), race)
        intervals, taken, passed = bench.frames(seconds)
        bench.load(PAINTING, FOUR.with_number(number), race)
        latency = bench.brush(min(seconds, 20.0))
        bench.load(SPLAT, ONE.with_number(100_000), RaceSettings())
        splat, _, _ = bench.frames(min(seconds, 15.0))
    finally:
        bench.close()
    costs = (costs + [headless(settings, 4.0) for settings in fits]) / 2
    result = {
        "frame_p50_ms": float(np.percentile(intervals, 50)),
        "frame_p99_ms": float(np.percentile(intervals, 99)),
        "frame_worst_ms": float(intervals.max()),
        "frames_per_second": float(1000 / intervals.mean()),
        "brush_p50_ms": float(np.percentile(latency, 50)),
        "brush_p95_ms": float(np.percentile(latency, 95)),
        "training_share": float(np.dot(taken, costs) / passed),
        "frames_per_second_100000": float(1000 / splat.mean()),
    }
    names = ("main", *(f"racer_{k}" for k in range(1, len(taken))))
    for name, steps, cost in zip(names, taken, costs, strict=True):
        result |= {f"{name}_steps_per_second": steps / passed, f"{name}_headless_steps_per_second": 1 / cost}
    return result


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="The window under full load.")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--number", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    width, height = (int(n) for n in options.size.split("x"))
    with TemporaryDirectory() as home:  # neither layouts nor autosaves of a person are read or written
        for name in ("CONFIG", "DATA", "STATE", "CACHE"):
            place = Path(home) / name.lower()
            place.mkdir()
            os.environ[f"XDG_{name}_HOME"] = str(place)
        result = measure(options.seconds, (width, height), options.number)
    if options.json:
        print(json.dumps(result))
        return
    for name, value in result.items():
        print(f"{name:36s} {value:10.3f}")


if __name__ == "__main__":
    main()
