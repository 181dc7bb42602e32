"""The journal of a run: what was done at which training step, and the part of the painting that it changed.

A repaint is kept as the smallest rectangle that differs from the painting before it, holding the values themselves, so
that nothing is lost to rounding. A repaint with another number of cells is kept whole. In a file the entries are JSON
and the values of all patches stand in one array, one after another, row by row.

numpy only: neither torch nor Qt is loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.errors import InputError

Painting = NDArray[np.float32]

SIDE = 1024
"""The most cells along a side of a painting."""


@dataclass(frozen=True, eq=False)
class Patch:
    """The part of a painting that changed.

    Attributes:
        row, col: its lower left cell.
        values: (rows, cols) float32, what its cells became.
        whole: it is all of the painting, which has this shape from then on.
    """

    row: int
    col: int
    values: Painting
    whole: bool = False

    @classmethod
    def between(cls, before: Painting, after: Painting) -> Patch:
        """The smallest patch that turns one painting into the other, bit by bit; all of it for another shape."""
        if before.shape != after.shape:
            return cls(0, 0, after.astype(np.float32), whole=True)
        rows, cols = np.nonzero(before != after)
        if not rows.size:
            return cls(0, 0, np.zeros((0, 0), np.float32))
        row, col = int(rows.min()), int(cols.min())
        return cls(row, col, after[row : int(rows.max()) + 1, col : int(cols.max()) + 1].astype(np.float32))

    def on(self, before: Painting) -> Painting:
        """The painting after this patch, read-only."""
        after = self.values.astype(np.float32) if self.whole else before.astype(np.float32)
        if not self.whole:
            after[self.row : self.row + self.values.shape[0], self.col : self.col + self.values.shape[1]] = self.values
        after.flags.writeable = False
        return after


@dataclass(frozen=True, eq=False)
class Entry:
    """One line of a journal: when the run's step counter showed `step`, this was done.

    Attributes:
        step: training steps since the network was drawn.
        kind: what was done, one word.
        values: its plain values, as JSON has them.
        patch: what it changed in the painting as the entries before left it; None for all but repaints.
    """

    step: int
    kind: str
    values: Mapping[str, Any] = field(default_factory=dict)
    patch: Patch | None = None


def entry_json(entry: Entry) -> dict[str, Any]:
    """An entry as JSON has it, without the values of its patch."""
    record: dict[str, Any] = {"step": entry.step, "kind": entry.kind, "values": dict(entry.values)}
    if entry.patch is not None:
        record["patch"] = [entry.patch.row, entry.patch.col, *entry.patch.values.shape]
        if entry.patch.whole:
            record["whole"] = True
    return record


def entries(records: Iterable[object], values: Painting, shape: tuple[int, ...]) -> Iterator[Entry]:
    """The journal that begins with a painting of this shape; its patches share out the values, to the last one.

    Raises:
        InputError: anything that no journal holds; the line names the entry.
    """
    taken = 0
    for i, record in enumerate(records):
        where = f"journal[{i}]"
        if not isinstance(record, dict):
            raise InputError(f"{where}: not an object; an entry has step, kind and values")
        patch: Patch | None = None
        try:
            if "patch" in record:
                whole = member(record, "whole", bool) if "whole" in record else False
                row, col, rows, cols = _whole(record["patch"]) if whole else _corners(record["patch"], shape)
                if taken + rows * cols > values.size:
                    raise InputError("patch: journal.npy holds too few values; the file is cut or damaged")
                patch = Patch(row, col, values[taken : taken + rows * cols].reshape(rows, cols), whole)
                if (patch.values < 0).any():
                    raise InputError("patch: negative weights; a weight is 0 or more")
                taken += rows * cols
                shape = (rows, cols) if whole else shape
            yield Entry(
                whole_number(record, "step"), member(record, "kind", str), member(record, "values", dict), patch
            )
        except InputError as error:
            raise InputError(f"{where}.{error}") from error
    if values.ndim != 1 or taken != values.size:
        raise InputError(f"journal.npy: {values.size} values for {taken} cells; the file is damaged")


def _corners(record: object, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """A patch's (row, col, rows, cols) if it lies inside a painting of this shape."""
    if isinstance(record, list) and len(record) == 4 and all(type(n) is int and n >= 0 for n in record):
        row, col, rows, cols = record
        if row + rows <= shape[0] and col + cols <= shape[1]:
            return row, col, rows, cols
    raise InputError(f"patch: {short(record)} does not lie inside {shape[0]} x {shape[1]} cells")


def _whole(record: object) -> tuple[int, int, int, int]:
    """A whole painting's (0, 0, rows, cols)."""
    if isinstance(record, list) and len(record) == 4 and record[:2] == [0, 0]:
        rows, cols = record[2:]
        if all(type(n) is int and 1 <= n <= SIDE for n in (rows, cols)):
            return 0, 0, rows, cols
    raise InputError(f"patch: {short(record)} is no whole painting; give [0, 0, rows, cols], 1 to {SIDE} each")


# --- values of JSON ---------------------------------------------------------------------------------------------


def member(values: Mapping[str, Any], key: str, kind: type) -> Any:  # noqa: ANN401 - of the type that is asked for
    """A member of an object if it is of this type.

    Raises:
        InputError: it is missing or of another type.
    """
    value = values.get(key)
    if not isinstance(value, kind):
        words: dict[type, str] = {dict: "an object", list: "a list", str: "text", bool: "true or false"}
        raise InputError(f"{key}: {short(value)} is not {words[kind]}")
    return value


def whole_number(values: Mapping[str, Any], key: str) -> int:
    """A member that is a whole number of 0 or more.

    Raises:
        InputError: it is not.
    """
    value = values.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise InputError(f"{key}: {short(value)} is not a whole number of 0 or more")
    return value


def short(value: object) -> str:
    """A value for an error line."""
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
