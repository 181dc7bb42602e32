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


def test_a_window_is_made_without_what_it_does_not_show_yet() -> None:
    code = (
        "from explorer.qt import load_qt\n"
        "load_qt()\n"
        "from explorer.app import make_application\n"
        "from explorer.window import MainWindow\n"
        "application = make_application()\n"
        "window = MainWindow()\n"
        "late = ('racepage', 'particlespage', 'ladder', 'preferences', 'palette', 'keysheet', 'explain', 'exporting')\n"
        "assert not {f'explorer.panels.{name}' for name in late} & set(sys.modules)\n"
        "assert not {f'explorer.views.{name}' for name in ('surface', 'race', 'inspector')} & set(sys.modules)\n"
    )
    assert not loaded_after(code) & {"torch", "pyqtgraph", "scipy", "PIL", "imageio_ffmpeg", "ziamath"}


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
