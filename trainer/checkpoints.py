"""A learned score as a folder: `score.json` says what it is, `weights.safetensors` holds its numbers.

    save_score("moons", fit)
    model = load_score("moons")            # a ScoreModel, with .settings, .density, .seed and .step

Both formats hold plain data: nothing in such a folder can run. Nothing in it is believed either: sizes, names, shapes,
types and values are checked before use, and whatever is wrong is said in one line that names the file. A folder is
written under another name first and takes its own only when complete, so that a full disk leaves what was there before.
"""

from __future__ import annotations

import json
import reprlib
import secrets
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from trainer.densities import Density, GaussianMixture, PaintedDensity
from trainer.devices import choose_device
from trainer.errors import InputError
from trainer.fit import Fit
from trainer.kernels import kernel_named
from trainer.learned import LearnedScore
from trainer.networks import ScoreNetwork
from trainer.parameterisations import Preconditioning
from trainer.settings import FitSettings

FORMAT = "score-explorer score"
VERSION = 1
CARD, NUMBERS = "score.json", "weights.safetensors"
LIMITS = {CARD: 1 << 20, NUMBERS: 1 << 28}
"""The most bytes that each file may have."""


def save_score(folder: str | Path, fit: Fit | LearnedScore) -> None:
    """Write the averaged weights, and what they were learned from, as a folder; an earlier score there is replaced.

    A link stays one, and what it leads to is written.

    Raises:
        InputError: if the folder holds something else, or cannot be written.
    """
    folder = Path(folder)
    model = fit.snapshot() if isinstance(fit, Fit) else fit
    density, tensors = _density_parts(model.density)
    tensors["average"] = model.weights.detach().cpu().contiguous()
    conditioning = model.network.conditioning
    card = {
        "format": FORMAT,
        "version": VERSION,
        "settings": model.settings.to_json(),
        "kernel": model.kernel.name,
        "mean": list(conditioning.mean),
        "scale": conditioning.scale,
        "sigma_max": model.sigma_max,
        "sigma_min": model.sigma_min,
        "seed": model.seed,
        "step": model.step,
        "density": density,
    }
    if folder.exists() and not (folder.is_dir() and (not any(folder.iterdir()) or (folder / CARD).is_file())):
        raise InputError(f"{folder}: holds something other than a saved score; choose an empty or a new folder")
    mark, target = secrets.token_hex(4), folder.resolve()
    fresh, old = (target.parent / f".{target.name}.{mark}.{role}" for role in ("part", "old"))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh.mkdir()
        (fresh / NUMBERS).write_bytes(save(tensors))
        (fresh / CARD).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
        if target.exists():
            target.rename(old)
        try:
            fresh.rename(target)
        except OSError:
            if old.exists():
                old.rename(target)
            raise
    except OSError as error:
        raise InputError(f"{folder}: cannot be written: {error.strerror or error}; choose another place") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def load_score(folder: str | Path, device: str = "cpu") -> LearnedScore:
    """The score saved in a folder.

    Raises:
        InputError: if a file is missing, damaged, or not what `save_score` writes.
    """
    folder = Path(folder)
    card = _read_card(folder / CARD)
    where = choose_device(device)
    try:
        settings = FitSettings.from_json(card["settings"])
        if kernel_named(card["kernel"]).name != settings.kernel:
            raise InputError("kernel and settings do not fit together")
        mean = _pair("mean", card["mean"])
        scale, top, bottom = (_number(name, card[name]) for name in ("scale", "sigma_max", "sigma_min"))
        seed, step = (_count(name, card[name]) for name in ("seed", "step"))
        if not (scale > 0 and 0 < bottom <= top):
            raise InputError("scale, sigma_min and sigma_max do not fit together")
    except KeyError as error:
        raise InputError(f"{folder / CARD}: the field {error} is missing; use another copy") from error
    except (TypeError, ValueError) as error:  # InputError is a ValueError
        raise InputError(f"{folder / CARD}: {error}") from error
    conditioning = Preconditioning(mean, scale, settings.parameterisation)
    network = ScoreNetwork(settings.network, conditioning, where)
    tensors = _read_tensors(folder / NUMBERS)
    try:
        weights = _take(tensors, "average", (network.count,), torch.float32)
        density = _density_from(card.get("density"), tensors)
        if tensors:
            raise InputError(f"holds {sorted(tensors)[0]!r}, which does not belong there")
    except InputError as error:
        raise InputError(f"{folder / NUMBERS}: {error}; use another copy") from error
    return LearnedScore(
        network, weights.to(where), (top, bottom), settings=settings, density=density, seed=seed, step=step
    )


def _density_parts(density: object) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """A density as JSON values and tensors."""
    if isinstance(density, PaintedDensity):
        return {"kind": "painted", "bandwidth": density.bandwidth}, {"density.weights": _tensor(density.weights)}
    if isinstance(density, GaussianMixture):
        names = ("weights", "means", "covariances")
        return {"kind": "mixture"}, {f"density.{name}": _tensor(getattr(density, name)) for name in names}
    raise InputError(f"density: {type(density).__name__} cannot be saved; give a PaintedDensity or a GaussianMixture")


def _density_from(card: object, tensors: dict[str, Tensor]) -> Density:
    """The density that `_density_parts` took apart; its tensors are taken out of `tensors`."""
    kind = card.get("kind") if isinstance(card, dict) else None
    weights = _take(tensors, "density.weights", None, torch.float64)
    if kind == "painted" and isinstance(card, dict):
        return PaintedDensity(weights.numpy(), bandwidth=card.get("bandwidth"))
    if kind == "mixture":
        means, covariances = (_take(tensors, f"density.{n}", None, torch.float64) for n in ("means", "covariances"))
        return GaussianMixture(weights.numpy(), means.numpy(), covariances.numpy())
    raise InputError(f"its density is of the kind {kind!r}, not 'painted' or 'mixture'")


def _tensor(array: object) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float64))


def _take(tensors: dict[str, Tensor], name: str, shape: tuple[int, ...] | None, dtype: torch.dtype) -> Tensor:
    """Take out one finite tensor of this name, shape (None: any) and type."""
    if name not in tensors:
        raise InputError(f"the array {name!r} is missing")
    tensor = tensors.pop(name)
    if tensor.dtype != dtype or (shape is not None and tuple(tensor.shape) != shape):
        wanted = f"{dtype} {shape if shape is not None else ''}".rstrip()
        raise InputError(f"the array {name!r} is {tensor.dtype} {tuple(tensor.shape)}, not {wanted}")
    if not bool(torch.isfinite(tensor).all()):
        raise InputError(f"the array {name!r} holds NaN or infinity")
    return tensor


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= sys.float_info.max:
        raise InputError(f"{name}: {_shown(value)} stands where a finite number should; use another copy")
    return float(value)


def _pair(name: str, value: object) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise InputError(f"{name}: {_shown(value)} stands where two finite numbers should; use another copy")
    return _number(name, value[0]), _number(name, value[1])


def _count(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InputError(f"{name}: {_shown(value)} stands where a whole number should; use another copy")
    return value


def _shown(value: object) -> str:
    """A value for a message: a card may hold a megabyte of it."""
    return f"a list of {len(value)}" if isinstance(value, list) else reprlib.repr(value)


def _read(path: Path) -> bytes:
    """The bytes of a file of a plausible size."""
    try:
        size = path.stat().st_size
        if size > LIMITS[path.name]:
            raise InputError(f"{path}: {size} bytes are too many for a saved score; use another copy")
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{path}: cannot be read: {reason}; give a folder written by save_score") from error


def _read_card(path: Path) -> dict[str, Any]:
    data = _read(path)
    try:
        card = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: is not JSON ({error}); use another copy") from error
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise InputError(f"{path}: is not a saved score; give a folder written by save_score")
    if card.get("version") != VERSION:
        raise InputError(f"{path}: has format version {card.get('version')!r}; this program reads version {VERSION}")
    return card


def _read_tensors(path: Path) -> dict[str, Tensor]:
    data = _read(path)
    try:
        return load(data)
    except (SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise InputError(f"{path}: is damaged ({' '.join(str(error).split())}); use another copy") from error
