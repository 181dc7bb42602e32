"""Runs of nothing, written by hand: lines of a journal, folders that look like checkpoints."""

from __future__ import annotations

import json
from pathlib import Path

from trainer.images.journal import append_line

ROOT = Path(__file__).resolve().parents[3]


def line(step: int, **changes: object) -> dict[str, object]:
    """A line of figures, a second a step."""
    figures = {"loss": 1 / (1 + step), "gradient": 0.5, "learning_rate": 1e-3, "pictures_per_second": 80.0}
    return {"step": step, **figures, "seconds": float(step), **changes}


def write(folder: Path, *steps: int) -> None:
    """Append lines of these steps."""
    for step in steps:
        append_line(folder, line(step))


def checkpoint(folder: Path, step: int, asked: int = 100, **metrics: float) -> Path:
    """A folder that looks like a checkpoint, and its line in the journal."""
    path = folder / f"checkpoint-{step:06d}"
    path.mkdir()
    (path / "trainer.json").write_text(json.dumps({"settings": {"steps": asked}, "metrics": metrics}))
    append_line(folder, {"step": step, "checkpoint": path.name, "diverged": 1})
    return path
