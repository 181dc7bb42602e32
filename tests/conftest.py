"""What every test shares: no screen, one thread of torch, and nothing left behind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("PYQTGRAPH_QT_LIB", "PySide6")
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or writes what a person keeps on this machine, and none finds what another one left."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("SCORE_EXPLORER_HOME", str(folder))
    return folder
