"""`metrics.jsonl`: one JSON object a line about a run, appended while it goes on, so that others can watch.

    {"step": 10, "loss": 0.41, "gradient": 0.8, "learning_rate": 2e-05, "pictures_per_second": 510, "seconds": 2.5}
    {"step": 500, "checkpoint": "checkpoint-000500"}

`loss` and `gradient` (the norm, before it is clipped) are means over the steps since the line before. A run that is
resumed cuts off what lies after the step that it resumes from, and a last line that was not finished.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainer.archives import write_whole
from trainer.errors import InputError

METRICS = "metrics.jsonl"


def cut_journal(run: Path, step: int) -> None:
    """Drop the lines after this step, and any that is damaged.

    Raises:
        InputError: the file cannot be read or written.
    """
    path = run / METRICS
    try:
        lines = path.read_bytes().splitlines(keepends=True)
    except FileNotFoundError:
        return
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}; make it readable") from error
    kept = [line for line in lines if line.endswith(b"\n") and 0 <= _step(line) <= step]
    write_whole(path, b"".join(kept))


def append_line(run: Path, values: Mapping[str, Any]) -> None:
    """Append one line, whole.

    Raises:
        OSError: it cannot be written.
    """
    with (run / METRICS).open("ab", buffering=0) as file:
        line = json.dumps(values, allow_nan=False).encode() + b"\n"
        if file.write(line) != len(line):
            raise OSError(28, "No space left on device")


def read_journal(run: Path) -> list[dict[str, Any]]:
    """The lines of a run so far, a last one that is still being written left out; empty if there are none."""
    try:
        data = (run / METRICS).read_bytes()
    except OSError:
        return []
    return [json.loads(line) for line in data.splitlines(keepends=True) if line.endswith(b"\n") and _step(line) >= 0]


def _step(line: bytes) -> int:
    """The step of a line; -1 if it is damaged."""
    try:
        step = json.loads(line)["step"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return -1
    return step if type(step) is int else -1
