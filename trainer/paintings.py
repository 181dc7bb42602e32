r"""Presets, pictures, points and arrays as paintings: weights[row, col] >= 0 on square cells, row 0 at the bottom.

* A **preset** is a drawing or a mixture of Gaussians in `assets/presets`.
* A **picture** is brightness: luminance is mass (white on black), opacity multiplies it, and pictures that are not
  square are fitted into the square with their aspect kept.
* **Points** are counted on the grid. If all of them lie in [-1, 1]^2 they are taken as they are; otherwise they are
  shifted and scaled, by one factor for both axes, so that their bounding box is centred and its longer side spans 1.8.
* **Weights** are an array as it stands, row 0 at the bottom, in .csv as well as in .npy.

Nothing here imports torch, so that the window may use it. Every fault of a file raises `InputError` with one line.
"""

from __future__ import annotations

import json
import struct
import tokenize
import warnings
import zlib
from functools import cache
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trainer.assets import assets
from trainer.drawing import draw
from trainer.errors import AmbiguousTable, InputError

_PRESETS = (
    "crescents",
    "two-moons",
    "far-modes",
    "ring",
    "checkerboard",
    "spiral",
    "pinwheel",
    "circle",
    "smile",
    "letters",
)
_PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")
_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
_KINDS = "a picture (.png, .jpg), a table (.csv, .npy) or a project (.scorex)"
_MOST_PIXELS = 50_000_000
_MOST_CELLS = 1024
_MOST_NUMBERS = 100_000_000
_MOST_TEXT = 1 << 28
_SPAN = 1.8
_NPY_FAULTS = (
    OSError,
    ValueError,
    SyntaxError,
    TypeError,
    OverflowError,
    EOFError,
    MemoryError,
    RecursionError,
    tokenize.TokenError,  # numpy parses old headers as Python's tokens
)

Array = NDArray[np.float64]
Weights = NDArray[np.float32]


# --- presets ------------------------------------------------------------------------------------------------------


def preset_names() -> tuple[str, ...]:
    """The names of the shipped paintings, the first-start painting first."""
    return _PRESETS


def preset_title(name: str) -> str:
    """What a menu calls the preset."""
    return str(_preset(name)["title"])


def preset_components(name: str) -> tuple[Array, Array, Array] | None:
    """(weights (K,), means (K, 2), covariances (K, 2, 2)) of a preset that is a mixture of Gaussians, else None."""
    parts = _preset(name).get("components")
    if parts is None:
        return None
    weights, means, covariances = (np.array([p[key] for p in parts]) for key in ("weight", "mean", "covariance"))
    return weights, means, covariances


def preset_weights(name: str, size: int = 128) -> Weights:
    """A preset on size x size cells, largest value 1.

    A mixture of Gaussians is painted with tau^2 taken off its variances, tau the width of a cell, because the density
    of the painting puts it back.
    """
    _check_size(size)
    components = preset_components(name)
    weights = draw(_preset(name)["shapes"], size) if components is None else _paint_mixture(*components, size)
    return (weights / weights.max()).astype(np.float32)


@cache
def _preset(name: str) -> dict[str, Any]:
    if name not in _PRESETS:
        raise _unknown(name)
    return json.loads((assets() / "presets" / f"{name}.json").read_text(encoding="utf-8"))


def _unknown(name: str) -> InputError:
    return InputError(f"{name}: unknown preset; known are {', '.join(_PRESETS)}; or give the path of a file")


def _paint_mixture(w: Array, means: Array, covariances: Array, size: int) -> Array:
    cell = 2 / size
    axis = (np.arange(size) - (size - 1) / 2) * cell
    grid = np.stack(np.meshgrid(axis, axis), axis=-1)
    weights = np.zeros((size, size))
    for share, mean, covariance in zip(w, means, covariances, strict=True):
        variances, axes = np.linalg.eigh(covariance)
        variances = np.maximum(variances - cell**2, (0.25 * cell) ** 2)
        u = (grid - mean) @ axes
        bump = np.exp(-0.5 * (u**2 / variances).sum(-1))
        weights += share * bump / bump.sum()
    weights[weights < 1e-9 * weights.max()] = 0  # beyond six standard deviations nothing is left to see or to learn
    return weights


# --- arrays -------------------------------------------------------------------------------------------------------


def check_weights(array: ArrayLike, where: str) -> NDArray[Any]:
    """The array as floats if it is a painting: 2-D, 1 to 1024 a side, finite, >= 0, some > 0.

    `where` names the file or field in the message of the `InputError` raised otherwise.
    """
    try:
        weights = np.asarray(array)
    except ValueError:
        raise InputError(f"{where}: rows differ in length; give a rectangular array of numbers") from None
    if weights.dtype.kind not in "biuf":
        raise InputError(f"{where}: holds {weights.dtype} and not numbers; give an array of real numbers")
    if weights.ndim != 2:
        raise InputError(f"{where}: shape {weights.shape}; give a 2-D array of weights, (rows, cols)")
    if not all(1 <= side <= _MOST_CELLS for side in weights.shape):
        raise InputError(f"{where}: shape {weights.shape}; give 1 to {_MOST_CELLS} cells along each side")
    if weights.dtype.kind != "f" or weights.dtype.itemsize not in (4, 8):
        weights = weights.astype(np.float64)
    if not np.isfinite(weights).all():
        raise InputError(f"{where}: contains NaN or infinity; give finite weights")
    if (weights < 0).any():
        raise InputError(f"{where}: contains negative weights; give numbers >= 0")
    if not weights.max() > 0:
        raise InputError(f"{where}: all weights are zero; some must be positive")
    return weights


def fit_square(weights: NDArray[Any], size: int) -> NDArray[Any]:
    """Weights (rows, cols) on size x size cells, aspect kept and centred, mass shared out by overlapping area."""
    rows, cols = weights.shape
    longer = max(rows, cols)
    down = _overlaps(rows, longer, size).astype(weights.dtype)
    across = _overlaps(cols, longer, size).astype(weights.dtype)
    return down @ weights @ across.T


def _overlaps(n: int, longer: int, size: int) -> Array:
    """The fraction of each of n source cells that falls into each of `size` target cells, shape (size, n)."""
    edges = ((longer - n) / 2 + np.arange(n + 1)) * size / longer  # in target cells
    low, high = edges[:-1], edges[1:]
    target = np.arange(size)[:, None]
    return np.clip(np.minimum(high, target + 1) - np.maximum(low, target), 0, None) / (high - low)


def count_points(points: NDArray[Any], size: int, where: str) -> Array:
    """Points (N, 2) as counts on size x size cells, fitted into the square as the head of this file says."""
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise InputError(f"{where}: shape {points.shape}; points are an (N, 2) array, N >= 1")
    points = points.astype(np.float64)
    if not np.isfinite(points).all():
        raise InputError(f"{where}: contains NaN or infinity; give finite points")
    if np.abs(points).max() > 1:
        low, high = points.min(axis=0), points.max(axis=0)
        points = points - (low / 2 + high / 2)
        points = points * (_SPAN / 2 / max(np.abs(points).max(), np.finfo(float).tiny))
    cell = np.clip((points + 1) * (size / 2), 0, size - 1).astype(np.int64)
    return np.bincount(cell[:, 1] * size + cell[:, 0], minlength=size * size).reshape(size, size).astype(np.float64)


# --- files --------------------------------------------------------------------------------------------------------


def read_painting(
    source: str | PathLike[str], as_: str | None = None, size: int = 128, *, invert: bool = False
) -> tuple[Weights, str]:
    """A painting on size x size cells, largest value 1, and its name, from a preset or a file.

    Args:
        source: a preset's name, or the path of a picture, a .csv or a .npy.
        as_: "points" or "weights", what a .csv or .npy holds; an (N, 2) array must say.
        size: cells along a side; weights on another grid are fitted into it.
        invert: for pictures of black on white.

    Raises:
        InputError: if it cannot be read; one line that names it.
    """
    weights, name = read_weights(source, as_, size, invert=invert)
    if weights.shape != (size, size):
        weights = fit_square(weights, size)
    return (weights / weights.max()).astype(np.float32), name


def read_weights(
    source: str | PathLike[str], as_: str | None = None, size: int = 128, *, invert: bool = False
) -> tuple[NDArray[Any], str]:
    """As `read_painting`, but weights keep the grid and the values that they have in the file."""
    _check_size(size)
    if as_ not in (None, "points", "weights"):
        raise InputError(f'as: {as_!r} is unknown; choose "points" or "weights"')
    if str(source) in _PRESETS:
        return preset_weights(str(source), size), str(source)
    path = Path(source)
    suffix = path.suffix.lower()
    if not suffix and not path.exists():
        raise _unknown(str(source))
    _check_file(path)
    if suffix in _PICTURES:
        if as_ == "points":
            raise InputError(f'{path}: a picture holds weights; "points" is for .csv and .npy')
        return image_weights(path, size, invert), path.stem
    if suffix == ".scorex":
        raise InputError(f"{path}: a project; open it as one")
    if suffix not in (".csv", ".npy"):
        raise InputError(f"{path}: cannot tell what this is; give {_KINDS}")
    table = _read_csv(path) if suffix == ".csv" else _read_npy(path)
    if as_ is None and table.ndim == 2 and table.shape[1] == 2:
        raise AmbiguousTable(f"{path}: an array of shape {table.shape} can be either; say --as points or --as weights")
    if as_ == "points":
        return count_points(table, size, str(path)), path.stem
    return check_weights(table, str(path)), path.stem


def image_weights(path: str | PathLike[str], size: int = 128, invert: bool = False) -> Weights:
    """A picture as weights (size, size), largest value 1: luminance times opacity, the top of the picture up.

    With `invert`, darkness times opacity. `InputError` if it is no picture, damaged, black all over or has more than
    50 million pixels (seen in its header, before it is decoded).
    """
    path = Path(path)
    _check_size(size)
    _check_file(path)
    mass = _decode(path, invert)
    if not mass.max() > 0:
        other = "white" if invert else "black"
        raise InputError(f"{path}: all {other}; brightness is mass, so paint white on black, or invert the picture")
    square = fit_square(mass[::-1], size)
    return (square / square.max()).astype(np.float32)


def read_picture(path: str | PathLike[str], most: int = 256) -> tuple[Weights, str]:
    """A picture as it stands, and its name: (rows, cols) in [0, 1], row 0 at the bottom, luminance times opacity.

    Its longer side has at most `most` pixels; a larger picture is shrunk.

    Raises:
        InputError: as `image_weights`.
    """
    path = Path(path)
    _check_file(path)
    mass = _decode(path, False)[::-1].astype(np.float64)
    if not mass.max() > 0:
        raise InputError(f"{path}: all black; brightness is mass, so choose a picture with something bright on it")
    longer = max(mass.shape)
    if longer > most:
        rows, cols = (max(1, round(side * most / longer)) for side in mass.shape)
        down, across = (_overlaps(n, n, m) * (m / n) for n, m in zip(mass.shape, (rows, cols), strict=True))
        mass = down @ mass @ across.T
    return (mass / mass.max()).astype(np.float32), path.stem


def _decode(path: Path, invert: bool) -> NDArray[np.float32]:
    """Luminance (or darkness) times opacity, shape (height, width), row 0 at the top."""
    from PIL import Image, ImageOps, UnidentifiedImageError  # which a window that starts does without

    too_large = f"{path}: has more than {_MOST_PIXELS // 10**6} million pixels; give a smaller picture"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of large pictures, which are refused here
            with Image.open(path, formats=_FORMATS) as picture:
                if picture.width * picture.height > _MOST_PIXELS:
                    raise InputError(too_large)
                upright = ImageOps.exif_transpose(picture)
                if upright.mode.startswith(("I", "F")):  # 16 or 32 bits a pixel, which Pillow would clip at 255
                    deep = np.nan_to_num(np.asarray(upright, dtype=np.float32))
                    deep = np.clip(deep / (65535 if upright.mode.startswith("I") else max(1, deep.max())), 0, 1)
                    return 1 - deep if invert else deep
                light, opacity = upright.convert("RGBA").convert("LA").split()
                values = np.asarray(light)
                return np.multiply(255 - values if invert else values, np.asarray(opacity), dtype=np.float32) / 65025
    except InputError:
        raise
    except Image.DecompressionBombError:
        raise InputError(too_large) from None
    except UnidentifiedImageError:
        raise InputError(f"{path}: not a picture, whatever its name says; give a .png or .jpg file") from None
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error, zlib.error, MemoryError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise InputError(f"{path}: a damaged picture ({reason}); save it again") from None


def _read_csv(path: Path) -> Array:
    if path.stat().st_size > _MOST_TEXT:
        raise InputError(f"{path}: larger than {_MOST_TEXT >> 20} MB of text; save it as .npy")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path}: not a text file; a .csv holds numbers separated by commas") from None
    lines = [(k, line) for k, line in enumerate(text.splitlines(), 1) if line.strip() and not line.startswith("#")]
    if not lines:
        raise InputError(f"{path}: holds no numbers; give numbers separated by commas, one row a line")
    try:
        return np.loadtxt([line for _, line in lines], delimiter=",", ndmin=2, comments=None)
    except ValueError:
        raise InputError(f"{path}: {_fault_in(lines)}") from None


def _fault_in(lines: list[tuple[int, str]]) -> str:
    """What is wrong with the first bad line of a table."""
    first = len(lines[0][1].split(","))
    for number, line in lines:
        for word in line.split(","):
            try:
                float(word)
            except ValueError:
                return f"line {number}: {word.strip()[:40]!r} is not a number; give numbers and commas only, no heading"
        if len(line.split(",")) != first:
            return (
                f"line {number}: {len(line.split(','))} numbers where line {lines[0][0]} has {first}; give equal rows"
            )
    return "not a table of numbers; give numbers separated by commas, one row a line"


def _read_npy(path: Path) -> NDArray[Any]:
    """The array of a .npy file; only its header is read until its size and type are known to be right."""
    with path.open("rb") as file:
        if file.read(6) != b"\x93NUMPY":
            raise InputError(f"{path}: not a .npy file, whatever its name says; save it with numpy.save")
    try:
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    except _NPY_FAULTS as error:
        if "Python objects" in str(error):
            raise InputError(f"{path}: holds Python objects; save a plain array of numbers") from None
        raise InputError(f"{path}: a damaged .npy file; save it again with numpy.save") from None
    if mapped.dtype.kind not in "biuf":
        raise InputError(f"{path}: holds {mapped.dtype} and not numbers; save an array of real numbers")
    if mapped.size > _MOST_NUMBERS:
        raise InputError(f"{path}: {mapped.size:,} numbers; give at most {_MOST_NUMBERS:,}")
    return np.array(mapped)


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise InputError(f"{path}: a folder; give {_KINDS}")
    if not path.exists():
        raise InputError(f"{path}: no such file; give the path of {_KINDS}, or a preset: {', '.join(_PRESETS)}")
    if not path.is_file():
        raise InputError(f"{path}: not a regular file; give {_KINDS}")
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check its permissions") from None
    if empty:
        raise InputError(f"{path}: the file is empty; give {_KINDS}")


def _check_size(size: int) -> None:
    if isinstance(size, bool) or not isinstance(size, int | np.integer) or not 1 <= size <= _MOST_CELLS:
        raise InputError(f"size: {size!r}; give a whole number of cells between 1 and {_MOST_CELLS}")
