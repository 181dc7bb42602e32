"""A curve as a table of numbers: CSV with a header that names units, in full precision.

Any view that draws curves may offer one by a method `table() -> (header, rows)`: the header is a list of names with
their units, as in "step" or "relative Fisher error at sigma 0.1"; the rows are sequences of numbers and words, with
None where nothing is known. Numbers are written with as many digits as it takes to read the same number back, so that a
float32 of a frame is written as float32.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from explorer.engine.frames import ERROR_SIGMAS, Frame
from trainer.archives import write_whole
from trainer.errors import InputError

Table = tuple[Sequence[str], Iterable[Sequence[object]]]


@runtime_checkable
class Tabled(Protocol):
    """A view whose curves can be had as numbers."""

    def table(self) -> Table:
        """The header and the rows; without rows there is nothing to write yet."""
        ...


def csv_text(table: Table) -> str:
    """The table as CSV with lines that end in a line feed.

    Raises:
        InputError: a table without rows.
    """
    header, rows = table
    lines = [[_cell(value) for value in row] for row in rows]
    if not lines:
        raise InputError("table: there are no values yet; train or release particles first")
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(lines)
    return out.getvalue()


def write_table(path: Path, table: Table) -> None:
    """Write a table as CSV, whole or not at all.

    Raises:
        InputError: a table without rows, or a file that cannot be written.
    """
    write_whole(path, csv_text(table).encode())


def training_table(frame: Frame) -> Table:
    """Loss and relative Fisher errors over training, one row a step at which either is known."""
    header = ["step", "seconds", "loss", *(f"relative Fisher error at sigma {sigma:g}" for sigma in ERROR_SIGMAS)]
    rows: dict[int, list[Any]] = {}
    for step, seconds, loss in zip(frame.curve_steps, frame.curve_seconds, frame.curve_loss, strict=True):
        rows[int(step)] = [int(step), seconds, loss] + [None] * len(ERROR_SIGMAS)
    for step, seconds, errors in zip(frame.error_steps, frame.error_seconds, frame.errors, strict=True):
        row = rows.setdefault(int(step), [int(step), seconds, None] + [None] * len(ERROR_SIGMAS))
        row[3:] = [error if error > 0 else None for error in errors]
    return header, [rows[step] for step in sorted(rows)]


def _cell(value: object) -> str:
    """The shortest text that reads back as the same number; nothing for what is not known."""
    if value is None:
        return ""
    if not isinstance(value, float | np.floating):
        return str(value)
    size = abs(float(value))
    if not math.isfinite(size):
        return ""
    plain = size == 0 or 1e-4 <= size < 1e15
    return np.format_float_positional(value, trim="-") if plain else np.format_float_scientific(value, trim="-")
