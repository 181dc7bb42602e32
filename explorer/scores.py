"""A trained score's folder as something to go on from: its density becomes the painting, its settings the run's.

`trainer.checkpoints` writes such folders (`score.json`, `weights.safetensors`) and loads the network itself, which
needs torch; the window reads what a document is made of, with numpy alone, and checks as suspiciously.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.brush import LARGEST_SIZE, SIZE, SMALLEST_SIZE
from trainer.errors import InputError
from trainer.paintings import check_weights, fit_square
from trainer.projects import Project, Setup
from trainer.settings import FitSettings

CARD, NUMBERS = "score.json", "weights.safetensors"
FORMAT, VERSION = "score-explorer score", 1
_LIMITS = {CARD: 1 << 20, NUMBERS: 1 << 28}

Array = NDArray[np.float64]


def score_folder(path: Path) -> Path | None:
    """The folder of a score, if this is one or one of its two files; None otherwise."""
    folder = path.parent if path.name in (CARD, NUMBERS) else path
    return folder if (folder / CARD).is_file() else None


def read_score_project(folder: Path) -> Project:
    """A document with the score's density, training settings and seed; the trained weights stay in the folder.

    Raises:
        InputError: a file is missing, damaged, or not what `trainer.checkpoints.save_score` writes.
    """
    card = _card(folder / CARD)
    try:
        settings = FitSettings.from_json(card.get("settings", {}))
        seed = card.get("seed")
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
            raise InputError(f"seed: {str(seed)[:40]} is not a whole number of 0 or more")
    except InputError as error:
        raise InputError(f"{folder / CARD}: {error}") from error
    kind = card["density"].get("kind") if isinstance(card.get("density"), Mapping) else None
    where = f"{folder / NUMBERS}: density"
    if kind == "painted":
        (weights,) = _arrays(folder / NUMBERS, "density.weights")
        painting = check_weights(weights, where)
        rows, cols = painting.shape
        if rows != cols or not SMALLEST_SIZE <= rows <= LARGEST_SIZE:
            painting = fit_square(painting, SIZE)
    elif kind == "mixture":
        names = ("density.weights", "density.means", "density.covariances")
        painting = _mixture(where, *_arrays(folder / NUMBERS, *names))
    else:
        raise InputError(f"{folder / CARD}: density is of the kind {str(kind)[:40]!r}, not 'painted' or 'mixture'")
    largest = float(painting.max())
    setup = Setup((painting / largest).astype(np.float32), folder.resolve().name, settings, seed=seed)
    return Project(setup, setup)


def _card(path: Path) -> Mapping[str, Any]:
    try:
        card = json.loads(_read(path))
    except (ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: is not JSON ({error}); use another copy") from error
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise InputError(f"{path}: is not a saved score; give a folder written by save_score")
    if card.get("version") != VERSION:
        raise InputError(
            f"{path}: has format version {card.get('version')!r:.20}; this program reads version {VERSION}"
        )
    return card


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _LIMITS[path.name]:
            raise InputError(f"{path}: {path.stat().st_size} bytes are too many for a saved score; use another copy")
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{path}: cannot be read: {reason}; give a folder written by save_score") from error


def _arrays(path: Path, *names: str) -> list[Array]:
    """Finite float64 arrays by name."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        tensors = load(_read(path))
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: is damaged ({' '.join(str(error).split())}); use another copy") from error
    found = []
    for name in names:
        array = tensors.get(name)
        if array is None or array.dtype.kind != "f" or not np.isfinite(array).all():
            raise InputError(f"{path}: the array {name!r} is missing, or not of finite numbers; use another copy")
        found.append(array.astype(np.float64))
    return found


def _mixture(where: str, weights: Array, means: Array, covariances: Array) -> Array:
    """sum_k w_k N(x; m_k, C_k) on the canvas's cell centres, one cell's variance taken off, which a painting adds."""
    count = weights.size
    if weights.shape != (count,) or means.shape != (count, 2) or covariances.shape != (count, 2, 2) or not count:
        raise InputError(f"{where}: weights, means and covariances do not fit together; use another copy")
    cell = 2 / SIZE
    axis = (np.arange(SIZE) - (SIZE - 1) / 2) * cell
    grid = np.stack(np.meshgrid(axis, axis), axis=-1)
    total = np.zeros((SIZE, SIZE))
    for share, mean, covariance in zip(weights, means, covariances, strict=True):
        variances, axes = np.linalg.eigh(covariance)
        if share < 0 or variances[0] <= 0:
            raise InputError(f"{where}: a component has no mass or no extent; use another copy")
        variances = np.maximum(variances - cell**2, (0.25 * cell) ** 2)
        along = (grid - mean) @ axes
        bump = np.exp(-0.5 * (along**2 / variances).sum(-1))
        total += share * bump / max(bump.sum(), np.finfo(float).tiny)
    return check_weights(total, where)
