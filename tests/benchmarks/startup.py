"""From the start of the process to a painted window, and to the first trained frame.

    xvfb-run -s "-screen 0 1600x1000x24" python -m tests.benchmarks.startup [--runs 5] [--json]

Compared, in the same run and taking turns, with a script that imports torch and shows a bare Qt window. One run of each
before the first that counts writes the compiled modules that an installed program has.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

_WINDOW = """
import sys, time
from explorer.qt import load_qt
load_qt()
from PySide6.QtCore import QEvent, QObject, QTimer
from explorer.app import make_application
from explorer.window import MainWindow
application = make_application()
window = MainWindow(theme="light", device="cpu")

class Watch(QObject):
    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint and not said:
            said.append(True)
            QTimer.singleShot(0, lambda: print("painted", time.time(), flush=True))
        return False

def on_frame(frame):
    if frame.step > 0:
        print("trained", time.time(), flush=True)
        application.quit()

said = []
watch = Watch()
window.stage.installEventFilter(watch)
window.session.framed.connect(on_frame)
window.show()
application.exec()
window.shut_down()
"""

_BARE = """
import time, torch
from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication, QWidget
application = QApplication([])

class Bare(QWidget):
    def paintEvent(self, event):
        QTimer.singleShot(0, self.say)
    def say(self):
        print("painted", time.time(), flush=True)
        application.quit()

window = Bare()
window.resize(1280, 720)
window.show()
application.exec()
"""


def run(script: str) -> dict[str, float]:
    """Seconds from the start of the process to each mark that the script prints."""
    compiled = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    began = time.time()
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=compiled)
    marks = [line.split() for line in done.stdout.splitlines()]
    return {name: float(at) - began for name, at in marks}


def main() -> None:
    """Measure and print medians."""
    parser = argparse.ArgumentParser(description="Time to a painted window and to a trained frame.")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    ours, bare = [], []
    run(_WINDOW)
    run(_BARE)
    for _ in range(options.runs):
        ours.append(run(_WINDOW))
        bare.append(run(_BARE))
    result = {
        "painted_s": statistics.median(marks["painted"] for marks in ours),
        "first_trained_frame_s": statistics.median(marks["trained"] for marks in ours),
        "torch_and_bare_window_s": statistics.median(marks["painted"] for marks in bare),
    }
    result["ratio"] = result["painted_s"] / result["torch_and_bare_window_s"]
    if options.json:
        print(json.dumps(result))
        return
    for name, value in result.items():
        print(f"{name:28s} {value:8.3f}")


if __name__ == "__main__":
    main()
