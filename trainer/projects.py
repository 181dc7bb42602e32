"""Project files (`.scorex`): what was painted, how the run is set up, and all that determines it.

A project holds what the person sees now and the **recipe** of how it came about: the setup that the run began with, a
journal of what was done at which training step, and how many steps were taken. Replaying the recipe gives the same
networks and frames on the same device.

The file is a zip without folders:

| member | holds |
|---|---|
| `project.json` | format version, names, settings, seeds, sigma of the view, steps, facts, the journal's entries |
| `weights.npy`, `initial.npy` | the painting now and at the run's start: float32 (rows, cols), row 0 at the bottom |
| `journal.npy` | float32 (k,): the changed rectangles of all repaints, one after another, row by row |
| `network.safetensors` | if kept: weights, averages, optimiser and generators of the run |

A repaint is kept, in memory and in the file, as the smallest rectangle that differs from the painting before it,
holding the values themselves, so that nothing is lost to rounding. numpy only: neither torch nor Qt is loaded.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.archives import array_bytes, array_from, read_archive, write_archive
from trainer.errors import InputError
from trainer.settings import FitSettings, ParticleSettings

Painting = NDArray[np.float32]

VERSION = 1
"""Of the format. A reader refuses a later one."""

MEBIBYTE = 2**20

LIMITS = {
    "project.json": 32 * MEBIBYTE,
    "weights.npy": 5 * MEBIBYTE,
    "initial.npy": 5 * MEBIBYTE,
    "journal.npy": 256 * MEBIBYTE,
    "network.safetensors": 128 * MEBIBYTE,
}
"""The members of a project, and the most bytes that each may unpack to."""

_SIDE = 1024
"""The most cells along a side of a painting."""


@dataclass(frozen=True, eq=False)
class Setup:
    """Everything that a person chooses.

    Attributes:
        weights: (rows, cols) float32 >= 0, row 0 at the bottom; all zero when nothing is painted.
        name: what is painted, for captions.
        fit: how it is learned; particles: how they move.
        seed: what the network is drawn from; particle_seed: what the particles' start and noise are drawn from.
    """

    weights: Painting
    name: str = "painting"
    fit: FitSettings = field(default_factory=FitSettings)
    particles: ParticleSettings = field(default_factory=ParticleSettings)
    seed: int = 0
    particle_seed: int = 0


@dataclass(frozen=True, eq=False)
class Patch:
    """The part of a painting that changed: `values` (rows, cols) float32, its lower left cell at (row, col)."""

    row: int
    col: int
    values: Painting

    @classmethod
    def between(cls, before: Painting, after: Painting) -> Patch:
        """The smallest patch that turns one painting into the other, bit by bit.

        Raises:
            InputError: they differ in shape.
        """
        if before.shape != after.shape:
            raise InputError(f"painting: shape {after.shape} after {before.shape}; a run keeps its painting's shape")
        rows, cols = np.nonzero(before != after)
        if not rows.size:
            return cls(0, 0, np.zeros((0, 0), np.float32))
        row, col = int(rows.min()), int(cols.min())
        return cls(row, col, after[row : int(rows.max()) + 1, col : int(cols.max()) + 1].astype(np.float32))

    def on(self, before: Painting) -> Painting:
        """The painting after this patch, read-only."""
        after = before.astype(np.float32)
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


@dataclass(frozen=True, eq=False)
class Project:
    """What a `.scorex` file holds.

    Attributes:
        setup: as the person left it.
        initial: as the run began.
        journal: what was done since then, in order.
        steps: training steps taken, as the run's counter shows them.
        facts: what the run depends on besides: device, dtype, threads, versions.
        sigma: the noise level looked at.
        network: a safetensors blob to go on from; None if the run must be repeated.
    """

    setup: Setup
    initial: Setup
    journal: tuple[Entry, ...] = ()
    steps: int = 0
    facts: Mapping[str, str] = field(default_factory=dict)
    sigma: float = 0.1
    network: bytes | None = None

    @property
    def weights(self) -> Painting:
        """The painting as the person left it: (rows, cols) float32 >= 0, row 0 at the bottom."""
        return self.setup.weights

    @property
    def name(self) -> str:
        """What is painted."""
        return self.setup.name


def write_project(path: str | Path, project: Project) -> None:
    """Save a project: the file holds all of it, or is what it was before. Equal projects make equal files.

    Raises:
        InputError: a value that no project may hold, or a file that cannot be written.
    """
    where = str(path)
    patches = [entry.patch.values.reshape(-1) for entry in project.journal if entry.patch is not None]
    contents = {
        "format": "scorex",
        "version": VERSION,
        "setup": _setup_json(project.setup),
        "initial": _setup_json(project.initial),
        "steps": project.steps,
        "sigma": project.sigma,
        "facts": dict(project.facts),
        "network": project.network is not None,
        "journal": [_entry_json(entry) for entry in project.journal],
    }
    try:
        text = json.dumps(contents, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        raise InputError(f"{where}: a journal entry or fact has no JSON form ({error}); use plain values") from error
    members = {
        "project.json": text.encode(),
        "weights.npy": array_bytes(project.setup.weights),
        "initial.npy": array_bytes(project.initial.weights),
        "journal.npy": array_bytes(np.concatenate([*patches, np.zeros(0, np.float32)])),
    }
    if project.network is not None:
        members["network.safetensors"] = project.network
    for name, data in members.items():
        if len(data) > LIMITS[name]:
            raise InputError(f"{where}: {name} would need {len(data)} bytes; at most {LIMITS[name]} fit a project")
    _project(members, where)
    write_archive(path, members)


def read_project(path: str | Path) -> Project:
    """Open a project.

    Raises:
        InputError: no such file, not a project, a damaged one, one of a later version, or one with values that no
            project may hold; the line names the file and what is wrong in it.
    """
    return _project(read_archive(path, LIMITS), str(path))


def _project(members: Mapping[str, bytes], where: str) -> Project:
    """The project that a file's members describe, checked throughout."""
    for name in LIMITS:
        if name not in members and name != "network.safetensors":
            raise InputError(f"{where}: {name} is missing; use another copy of the file")
    top = _json(members["project.json"], f"{where}: project.json")
    _check_version(top, where)
    try:
        initial = _setup(_member(top, "initial", dict), _painting(members["initial.npy"], "initial.npy"), "initial.")
        setup = _setup(_member(top, "setup", dict), _painting(members["weights.npy"], "weights.npy"), "setup.")
        values = array_from(members["journal.npy"], "journal.npy")
        journal = tuple(_entries(_member(top, "journal", list), values, initial.weights.shape))
        facts = _member(top, "facts", dict)
        if not all(isinstance(value, str) for value in facts.values()):
            raise InputError("facts: every value must be text")
        sigma = top.get("sigma")
        if isinstance(sigma, bool) or not isinstance(sigma, int | float) or not 0 <= sigma <= 100:
            raise InputError(f"sigma: {_short(sigma)} is not a noise level; it must be a number from 0 to 100")
        network = members.get("network.safetensors")
        if _member(top, "network", bool) != (network is not None):
            raise InputError(
                "network.safetensors: missing, or there against project.json; use another copy of the file"
            )
        if network is not None:
            _check_network(network)
        return Project(setup, initial, journal, _whole(top, "steps"), facts, float(sigma), network)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error


def _check_version(top: Mapping[str, Any], where: str) -> None:
    version = top.get("version")
    if top.get("format") != "scorex" or isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise InputError(f"{where}: project.json does not describe a project; choose a .scorex file")
    if version > VERSION:
        raise InputError(
            f"{where}: format version {version} is later than {VERSION}, the last that this program reads; "
            "install a later Score Explorer"
        )


def _check_network(blob: bytes) -> None:
    """Refuse bytes that are not a whole safetensors file."""
    from safetensors import SafetensorError, deserialize

    try:
        deserialize(blob)
    except SafetensorError as error:
        raise InputError(f"network.safetensors: damaged ({error}); use another copy of the file") from error


# --- setups and entries as JSON ---------------------------------------------------------------------------------


def _setup_json(setup: Setup) -> dict[str, Any]:
    return {
        "name": setup.name,
        "fit": setup.fit.to_json(),
        "particles": setup.particles.to_json(),
        "seed": setup.seed,
        "particle_seed": setup.particle_seed,
    }


def _setup(values: Mapping[str, Any], weights: Painting, prefix: str) -> Setup:
    try:
        return Setup(
            weights,
            _member(values, "name", str),
            FitSettings.from_json(_member(values, "fit", dict)),
            ParticleSettings.from_json(_member(values, "particles", dict)),
            _whole(values, "seed"),
            _whole(values, "particle_seed"),
        )
    except InputError as error:
        raise InputError(f"{prefix}{error}") from error


def _entry_json(entry: Entry) -> dict[str, Any]:
    record: dict[str, Any] = {"step": entry.step, "kind": entry.kind, "values": dict(entry.values)}
    if entry.patch is not None:
        record["patch"] = [entry.patch.row, entry.patch.col, *entry.patch.values.shape]
    return record


def _entries(records: Iterable[object], values: Painting, shape: tuple[int, ...]) -> Iterator[Entry]:
    """The journal; its patches share out the values in order, to the last one."""
    taken = 0
    for i, record in enumerate(records):
        where = f"journal[{i}]"
        if not isinstance(record, dict):
            raise InputError(f"{where}: not an object; an entry has step, kind and values")
        patch: Patch | None = None
        try:
            if "patch" in record:
                row, col, rows, cols = _corners(record["patch"], shape)
                if taken + rows * cols > values.size:
                    raise InputError("patch: journal.npy holds too few values; the file is cut or damaged")
                patch = Patch(row, col, values[taken : taken + rows * cols].reshape(rows, cols))
                if (patch.values < 0).any():
                    raise InputError("patch: negative weights; a weight is 0 or more")
                taken += rows * cols
            yield Entry(_whole(record, "step"), _member(record, "kind", str), _member(record, "values", dict), patch)
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
    raise InputError(f"patch: {_short(record)} does not lie inside {shape[0]} x {shape[1]} cells")


def _painting(data: bytes, name: str) -> Painting:
    """The painting in NPY bytes; nothing painted is allowed."""
    array = array_from(data, name)
    if array.ndim != 2 or not all(1 <= side <= _SIDE for side in array.shape):
        raise InputError(f"{name}: shape {array.shape} is no painting; give (rows, cols), 1 to {_SIDE} each")
    if (array < 0).any():
        raise InputError(f"{name}: negative weights; a weight is 0 or more")
    return array


def _json(data: bytes, where: str) -> Mapping[str, Any]:
    def refuse(word: str) -> float:
        raise ValueError(f"{word} is not a number")

    try:
        top = json.loads(data.decode(), parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: not JSON ({error}); use another copy of the file") from error
    if not isinstance(top, dict):
        raise InputError(f"{where}: not an object; use another copy of the file")
    return top


def _member(values: Mapping[str, Any], key: str, kind: type) -> Any:  # noqa: ANN401 - of the type that is asked for
    value = values.get(key)
    if not isinstance(value, kind):
        words: dict[type, str] = {dict: "an object", list: "a list", str: "text", bool: "true or false"}
        raise InputError(f"{key}: {_short(value)} is not {words[kind]}")
    return value


def _whole(values: Mapping[str, Any], key: str) -> int:
    value = values.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise InputError(f"{key}: {_short(value)} is not a whole number of 0 or more")
    return value


def _short(value: object) -> str:
    """A value for an error line."""
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
