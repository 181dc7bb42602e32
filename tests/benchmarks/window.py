"""The window under load: how evenly it draws, and what that leaves for training.

    xvfb-run -s "-screen 0 1600x1000x24" python -m tests.benchmarks.window [--seconds 30] [--json]

Load: training at full speed, both fields at 32 x 32 arrows, three panes of 10,000 particles moving without a pause.
Frame intervals are those between paints of the annealed pane. The training rate is compared with the same fit without
a window, on as many threads, measured before and after in the same run.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import replace
from time import perf_counter

import numpy as np

_HEADLESS = """
import sys, torch
torch.set_num_threads(1)
from trainer.densities import PaintedDensity
from trainer.fit import Fit
from trainer.paintings import preset_weights
fit = Fit(PaintedDensity(preset_weights("crescents")), device="cpu", seed=0)
for p in fit.run(seconds=2.0): pass
before, seconds = p.step, p.seconds
for p in fit.run(seconds=float(sys.argv[1])): pass
print((p.step - before) / (p.seconds - seconds))
"""


def headless(seconds: float) -> float:
    """Training steps a second of the default fit in a process of its own, on one thread."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", _HEADLESS, str(seconds)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout)


def under_load(seconds: float, size: tuple[int, int], number: int) -> dict[str, float]:
    """Intervals between paints (ms) and training steps a second, with everything moving."""
    from PySide6.QtCore import QEvent, QObject, QTimer

    from explorer.app import make_application
    from explorer.engine.messages import Frame, Move, Release
    from explorer.window import MainWindow

    application = make_application()
    window = MainWindow(theme="light", device="cpu")
    window.session.document.open(
        replace(window.session.document.setup, particles=replace(window.session.document.particles, number=number))
    )
    window.resize(*size)
    paints: list[float] = []

    class Watch(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.Paint:
                paints.append(perf_counter())
            return False

    watch = Watch()
    window.parts.panes[2].installEventFilter(watch)
    marks: list[tuple[float, int]] = []
    state = {"began": 0.0}

    def on_frame(frame: Frame) -> None:
        if frame.released and frame.particle_step >= frame.particle_steps:
            window.session.send(Release())
            window.session.send(Move(True))
        if frame.step < 1200:
            return
        now = perf_counter()
        if not state["began"]:
            state["began"] = now
            paints.clear()
            QTimer.singleShot(round(seconds * 1000), application.quit)
        marks.append((now, frame.step))

    window.session.framed.connect(on_frame)
    window.show()
    window.session.send(replace(window.look, lattice=32))
    application.exec()
    window.close()
    intervals = np.diff(paints) * 1000
    rate = (marks[-1][1] - marks[0][1]) / (marks[-1][0] - marks[0][0])
    return {
        "frames_per_second": 1000 / intervals.mean(),
        "p50_ms": float(np.percentile(intervals, 50)),
        "p99_ms": float(np.percentile(intervals, 99)),
        "worst_ms": float(intervals.max()),
        "steps_per_second": rate,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="The window under load.")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--number", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    width, height = (int(n) for n in options.size.split("x"))
    before = headless(8.0)
    result = under_load(options.seconds, (width, height), options.number)
    after = headless(8.0)
    result["headless_steps_per_second"] = (before + after) / 2
    result["training_share"] = result["steps_per_second"] / result["headless_steps_per_second"]
    if options.json:
        print(json.dumps(result))
        return
    for name, value in result.items():
        print(f"{name:28s} {value:10.3f}")


if __name__ == "__main__":
    main()
