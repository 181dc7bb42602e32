"""Project files (`.scorex`): what was painted, how the run is set up, and all that determines it.

A project holds what the person sees now and the **recipe** of how it came about: the setup that the run began with, a
journal of what was done at which training step, and how many steps were taken. Replaying the recipe gives the same
networks and frames on the same device.

The file is a zip without folders:

| member | holds |
|---|---|
| `project.json` | format version, names, settings, seeds, sigma of the view, steps, facts, the journal's entries |
| `weights.npy`, `initial.npy` | the painting now and at the run's start: float32 (rows, cols), row 0 at the bottom |
| `paint.npy` | if the painting now has Gaussian components: the paint beneath them, of the same shape |
| `journal.npy` | float32 (k,): the changed rectangles of all repaints, one after another, row by row |
| `network.safetensors` | if kept: weights, averages, optimiser and generators of the run |

`weights.npy` is always the composite of paint and components, which is what was learned; the run's start and its
journal (`trainer.journals`) know composites only. numpy only: neither torch nor Qt is loaded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from trainer.archives import archive_bytes, archive_from, array_bytes, array_from, read_archive, write_archive
from trainer.components import MOST, Component
from trainer.errors import InputError
from trainer.journals import SIDE, Entry, Painting, Patch, entries, entry_json, member, short, whole_number
from trainer.plans import RaceSettings, StopSettings
from trainer.scenes import Scene, story
from trainer.settings import MOST_SIGMA, FitSettings, ParticleSettings

__all__ = [
    "LIMITS",
    "VERSION",
    "Entry",
    "Painting",
    "Patch",
    "Project",
    "Setup",
    "project_bytes",
    "project_from",
    "read_project",
    "write_project",
]

VERSION = 2
"""Of the format. A reader refuses a later one; version 1 had the settings of three panes in place of a scene."""

MEBIBYTE = 2**20

LIMITS = {
    "project.json": 32 * MEBIBYTE,
    "weights.npy": 5 * MEBIBYTE,
    "initial.npy": 5 * MEBIBYTE,
    "paint.npy": 5 * MEBIBYTE,
    "journal.npy": 256 * MEBIBYTE,
    "network.safetensors": 128 * MEBIBYTE,
}
"""The members of a project, and the most bytes that each may unpack to."""

_OPTIONAL = ("paint.npy", "network.safetensors")


@dataclass(frozen=True, eq=False)
class Setup:
    """Everything that a person chooses.

    Attributes:
        weights: (rows, cols) float32 >= 0, row 0 at the bottom; all zero when nothing is painted.
        name: what is painted, for captions.
        fit: how it is learned; scene: how particles move.
        seed: what the network is drawn from; particle_seed: what the particles' start and noise are drawn from.
        stop: when training pauses by itself.
        race: what else learns the same painting, for comparison.
        components: the Gaussians among what is painted; `weights` holds them already.
        paint: with components, what is painted besides them, of the shape of `weights`; None without.
    """

    weights: Painting
    name: str = "painting"
    fit: FitSettings = field(default_factory=FitSettings)
    scene: Scene = field(default_factory=Scene)
    seed: int = 0
    particle_seed: int = 0
    stop: StopSettings = field(default_factory=StopSettings)
    race: RaceSettings = field(default_factory=RaceSettings)
    components: tuple[Component, ...] = ()
    paint: Painting | None = None


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
    write_archive(path, _members(project, str(path)))


def project_bytes(project: Project) -> bytes:
    """What `write_project` would write.

    Raises:
        InputError: a value that no project may hold.
    """
    return archive_bytes(_members(project, project.name))


def _members(project: Project, where: str) -> dict[str, bytes]:
    """The project as the file's members, held against what reading will ask of them."""
    patches = [entry.patch.values.reshape(-1) for entry in project.journal if entry.patch is not None]
    contents = {
        "format": "scorex",
        "version": VERSION,
        "setup": {**_setup_json(project.setup), **_components_json(project.setup)},
        "initial": _setup_json(project.initial),
        "steps": project.steps,
        "sigma": project.sigma,
        "facts": dict(project.facts),
        "network": project.network is not None,
        "journal": [entry_json(entry) for entry in project.journal],
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
    if project.setup.components and project.setup.paint is not None:
        members["paint.npy"] = array_bytes(project.setup.paint)
    if project.network is not None:
        members["network.safetensors"] = project.network
    for name, data in members.items():
        if len(data) > LIMITS[name]:
            raise InputError(f"{where}: {name} would need {len(data)} bytes; at most {LIMITS[name]} fit a project")
    _project(members, where)
    return members


def read_project(path: str | Path) -> Project:
    """Open a project.

    Raises:
        InputError: no such file, not a project, a damaged one, one of a later version, or one with values that no
            project may hold; the line names the file and what is wrong in it.
    """
    return _project(read_archive(path, LIMITS), str(path))


def project_from(data: bytes, where: str) -> Project:
    """The project that the bytes of its file describe; `where` leads the line of an error.

    Raises:
        InputError: as `read_project`.
    """
    return _project(archive_from(data, where, LIMITS), where)


def _project(members: Mapping[str, bytes], where: str) -> Project:
    """The project that a file's members describe, checked throughout."""
    for name in LIMITS:
        if name not in members and name not in _OPTIONAL:
            raise InputError(f"{where}: {name} is missing; use another copy of the file")
    top = _json(members["project.json"], f"{where}: project.json")
    _check_version(top, where)
    try:
        initial = _setup(member(top, "initial", dict), _painting(members["initial.npy"], "initial.npy"), "initial.")
        setup = _setup(member(top, "setup", dict), _painting(members["weights.npy"], "weights.npy"), "setup.")
        setup = _with_components(setup, top["setup"], members.get("paint.npy"))
        values = array_from(members["journal.npy"], "journal.npy")
        journal = tuple(entries(member(top, "journal", list), values, initial.weights.shape))
        facts = member(top, "facts", dict)
        if not all(isinstance(value, str) for value in facts.values()):
            raise InputError("facts: every value must be text")
        sigma = top.get("sigma")
        if isinstance(sigma, bool) or not isinstance(sigma, int | float) or not 0 <= sigma <= MOST_SIGMA:
            raise InputError(
                f"sigma: {short(sigma)} is not a noise level; it must be a number from 0 to {MOST_SIGMA:,.0f}"
            )
        network = members.get("network.safetensors")
        if member(top, "network", bool) != (network is not None):
            raise InputError(
                "network.safetensors: missing, or there against project.json; use another copy of the file"
            )
        if network is not None:
            _check_network(network)
        return Project(setup, initial, journal, whole_number(top, "steps"), facts, float(sigma), network)
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
        "scene": setup.scene.to_json(),
        "seed": setup.seed,
        "particle_seed": setup.particle_seed,
        "stop": setup.stop.to_json(),
        "race": setup.race.to_json(),
    }


def _components_json(setup: Setup) -> dict[str, Any]:
    if not setup.components:
        return {}
    return {"components": [component.to_json() for component in setup.components]}


def _with_components(setup: Setup, values: Mapping[str, Any], paint: bytes | None) -> Setup:
    """The setup with its Gaussian components and the paint beneath them, if it has any."""
    found = member(values, "components", list) if "components" in values else []
    if bool(found) != (paint is not None):
        raise InputError("paint.npy: missing, or there against project.json; use another copy of the file")
    if paint is None:
        return setup
    if len(found) > MOST:
        raise InputError(f"setup.components: {len(found)} are too many; at most {MOST} fit a painting")
    layer = _painting(paint, "paint.npy")
    if layer.shape != setup.weights.shape:
        raise InputError(f"paint.npy: shape {layer.shape} beside weights of {setup.weights.shape}; they must agree")
    components = []
    for i, item in enumerate(found):
        try:
            components.append(Component.from_json(item))
        except InputError as error:
            raise InputError(f"setup.components[{i}]: {error}") from error
    return replace(setup, components=tuple(components), paint=layer)


def _setup(values: Mapping[str, Any], weights: Painting, prefix: str) -> Setup:
    try:
        return Setup(
            weights,
            member(values, "name", str),
            FitSettings.from_json(member(values, "fit", dict)),
            _scene(values),
            whole_number(values, "seed"),
            whole_number(values, "particle_seed"),
            StopSettings.from_json(values.get("stop", {})),
            RaceSettings.from_json(values.get("race", {})),
        )
    except InputError as error:
        raise InputError(f"{prefix}{error}") from error


def _scene(values: Mapping[str, Any]) -> Scene:
    """The scene, or the three panes that a file of version 1 describes by their common settings."""
    if "scene" in values:
        return Scene.from_json(member(values, "scene", dict))
    return Scene(story(ParticleSettings.from_json(member(values, "particles", dict))))


def _painting(data: bytes, name: str) -> Painting:
    """The painting in NPY bytes; nothing painted is allowed."""
    array = array_from(data, name)
    if array.ndim != 2 or not all(1 <= side <= SIDE for side in array.shape):
        raise InputError(f"{name}: shape {array.shape} is no painting; give (rows, cols), 1 to {SIDE} each")
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
