"""What each process may load: the window no torch, the engine no Qt, a bare import neither."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def loaded_after(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sorted(m.split('.')[0] for m in sys.modules))"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("code", ["import trainer", "import trainer.settings", "import explorer.cli"])
def test_bare_imports_load_neither_torch_nor_qt(code: str) -> None:
    assert not loaded_after(code) & {"torch", "PySide6", "pyqtgraph"}


def test_window_loads_no_torch_and_no_pyqtgraph_before_it_is_painted() -> None:
    assert not loaded_after("import explorer.app, explorer.window") & {"torch", "pyqtgraph"}


def test_engine_loads_no_qt() -> None:
    loaded = loaded_after("import explorer.engine.process, explorer.engine.simulation")
    assert "torch" in loaded
    assert not loaded & {"PySide6", "pyqtgraph", "shiboken6"}


def test_trainer_loads_no_qt() -> None:
    code = "import trainer.cli, trainer.fit, trainer.samplers, trainer.metrics, trainer.checkpoints, trainer.projects"
    assert not loaded_after(code) & {"PySide6", "pyqtgraph", "shiboken6", "explorer"}


def test_two_hundred_thousand_calls_of_qt_survive() -> None:
    """Some releases of PySide6 lose a reference to None with every call that returns nothing, and abort."""
    code = (
        "from PySide6.QtWidgets import QApplication, QLabel\n"
        "application = QApplication([])\n"
        "label = QLabel()\n"
        "for i in range(200_000):\n"
        "    label.setText('a' if i % 2 else 'b')\n"
    )
    assert "PySide6" in loaded_after(code)


def test_no_display_is_one_line_that_names_the_way_out() -> None:
    import os

    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    environment = {key: value for key, value in os.environ.items() if key not in hidden}
    done = subprocess.run(
        [sys.executable, "-m", "explorer.cli"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux runs without a display")
    assert done.returncode == 2
    assert "export" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", [["missing.scorex"], ["--theme", "pink"], ["export"], ["no-such-preset"]])
def test_bad_arguments_are_one_line_with_status_two(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "explorer.cli", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
