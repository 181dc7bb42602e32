"""A run's folder: what a run begins with, what it may resume, and what it keeps.

OUT/metrics.jsonl              `trainer.images.journal`
OUT/checkpoint-000500/         `trainer.images.checkpoints`, with state/
OUT/samples/step-000500.png    where the caller draws samples
OUT/tensorboard/               where it was asked for
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from trainer.devices import choose_device
from trainer.errors import InputError
from trainer.images.card import DDPM_LADDER, DataCard, ImageCard
from trainer.images.checkpoints import CARD, checkpoints, load_image_model
from trainer.images.journal import cut_journal
from trainer.images.ladder import ladder_levels, recommended_ladder
from trainer.images.networks import PRESETS
from trainer.images.pictures import padded_side
from trainer.images.settings import ImageSettings
from trainer.images.weights import read_json

if TYPE_CHECKING:
    from accelerate import Accelerator
    from torch.nn import Module

    from trainer.images.pictures import Pictures


@dataclass(frozen=True)
class Resumed:
    """A checkpoint that a run goes on from."""

    folder: Path
    card: ImageCard


def described(pictures: Pictures, settings: ImageSettings, seed: int, source: str, command: str) -> ImageCard:
    """The card of a run on these pictures before its first step; the ladder is the recommended one."""
    ladder: tuple[float, ...] | str = DDPM_LADDER
    if settings.objective == "ncsn":
        found = recommended_ladder(pictures.values, pictures.levels, settings, seed)
        ladder = tuple(ladder_levels(found).tolist())
    halvings = PRESETS[settings.preset].halvings
    height, width = pictures.shape[1:]
    digest = hashlib.sha256(np.ascontiguousarray(pictures.values).data).hexdigest()
    return ImageCard(
        settings.objective,
        ladder,
        pictures.shape,
        (padded_side(height, halvings) - height, padded_side(width, halvings) - width),
        pictures.levels,
        data=DataCard(pictures.name, source, len(pictures), digest),
        seed=seed,
        settings=settings,
        command=command,
    )


def make_accelerator(settings: ImageSettings, device: str) -> Accelerator:
    """What gives device, precision and the other processes.

    Raises:
        InputError: a device that is not there or lacks this precision, or a batch that cannot be shared out.
    """
    if ":" in device:
        raise InputError(f"device: {device!r}; give auto, cpu, cuda or mps, and choose a GPU by CUDA_VISIBLE_DEVICES")
    kind = choose_device(device).type
    if settings.precision == "fp16" and kind == "cpu":
        raise InputError("precision: fp16 needs a GPU, and there is none here; choose fp32, or bf16")
    if settings.precision == "bf16" and kind == "cuda" and not torch.cuda.is_bf16_supported():
        raise InputError("precision: this GPU has no bf16; choose fp16 or fp32")
    try:
        from accelerate import Accelerator
        from accelerate.state import AcceleratorState, GradientState
    except ImportError as error:
        raise InputError("accelerate: is not installed; install score-explorer[images]") from error
    if AcceleratorState._shared_state and AcceleratorState().num_processes == 1:
        AcceleratorState._reset_state(reset_partial_state=True)  # another device or precision than the run before
        GradientState._reset_state()
    precision = "no" if settings.precision == "fp32" else settings.precision
    accelerator = Accelerator(cpu=kind == "cpu", mixed_precision=precision)
    if settings.batch % accelerator.num_processes:
        raise InputError(
            f"batch: {settings.batch} cannot be shared out over {accelerator.num_processes} processes; give a multiple"
        )
    return accelerator


def find_resumed(out: Path, resume: bool, card: ImageCard) -> Resumed | None:
    """The newest checkpoint of a run with this card, or None where a run begins.

    Raises:
        InputError: `out` holds a run that was not to be resumed, or one with other pictures, settings or seed.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"{out}: is a file; give a folder for the run")
    found = checkpoints(out)
    if not found:
        return None
    if not resume:
        raise InputError(f"{out}: holds a run already; resume it, or choose another folder")
    folder = found[-1]
    values, _ = read_json(folder / CARD, folder)
    try:
        before = ImageCard.from_json(values)
    except InputError as error:
        raise InputError(f"{folder / CARD}: {error}, or delete {folder.name} to resume from the one before") from error
    same = card.settings is not None and before.settings is not None
    if not same or replace(card.settings, steps=1) != replace(before.settings, steps=1):  # type: ignore[type-var]
        raise InputError(f"{folder}: was trained with other settings; resume with the same, steps alone may differ")
    if before.data.digest != card.data.digest:
        raise InputError(f"{folder}: was trained on other pictures ({before.data.name}); resume with the same")
    if before.seed != card.seed:
        raise InputError(f"{folder}: was trained with the seed {before.seed}, not {card.seed}; resume with the same")
    return Resumed(folder, before)


def read_average(found: Resumed, network: Module) -> None:
    """Put the averaged weights of a checkpoint into a network.

    Raises:
        InputError: they are damaged.
    """
    network.load_state_dict(load_image_model(found.folder).unet.state_dict())


def prepare_folder(out: Path, step: int, tensorboard: bool) -> Any:  # noqa: ANN401 - TensorBoard's writer, if any
    """Make the folder, cut its journal to this step, and sweep up what a killed run left; returns a writer or None.

    Raises:
        InputError: the folder cannot be written, or TensorBoard is not installed.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        for left in (*out.glob(".checkpoint-*.part"), *out.glob(".checkpoint-*.old")):
            shutil.rmtree(left, ignore_errors=True)
    except OSError as error:
        raise InputError(f"{out}: cannot be written: {error.strerror or error}; choose another folder") from error
    if not os.access(out, os.W_OK):
        raise InputError(f"{out}: cannot be written; choose another folder")
    cut_journal(out, step)
    if not tensorboard:
        return None
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise InputError("tensorboard: is not installed; install score-explorer[tensorboard]") from error
    return SummaryWriter(str(out / "tensorboard"), purge_step=step + 1)


def prune(out: Path, keep: int) -> None:
    """Delete all but the newest checkpoints; each loses its name first, so that none is ever there in part."""
    for folder in checkpoints(out)[: -max(keep, 1)]:
        doomed = out / f".{folder.name}.{secrets.token_hex(4)}.old"
        folder.rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)
