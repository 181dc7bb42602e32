"""What a job has made, as files: a grid, all pictures as numbers, or a film of how they came out of noise."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import torch
from torch import Tensor

from explorer.engine.gallery.job import JobRun
from explorer.engine.gallery.orders import Export
from explorer.export.pictures import DARK, LIGHT, caption, film
from explorer.panes import TITLES
from trainer.errors import InputError
from trainer.images.grids import write_grid, write_samples

SUFFIXES = (".png", ".npz", ".mp4", ".gif")


Writing = Generator[float, None, str]
"""Yields the fraction that is written; returns one line that says what was."""


def export(order: Export, run: JobRun) -> Writing:
    """Write a file of what the job has made until now, by its ending, whole or not at all.

    Pictures are written at the first turn, a film in many; what the job does meanwhile changes nothing in it.

    Raises:
        InputError: an unknown ending, or a file, size or length that cannot be.
        ExportError: writing failed half-way.
    """
    path = Path(order.path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"{path.name}: give a name that ends in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}")
    if suffix in (".png", ".npz"):
        return _still(path, torch.from_numpy(run.pictures()).clamp(-1, 1), run.model.card.levels)
    return _film(order, path, run, run.moments())


def _still(path: Path, shown: Tensor, levels: int) -> Writing:
    """The pictures shown, as a grid or as numbers."""
    if path.suffix.lower() == ".png":
        write_grid(path, shown)
    else:
        write_samples(path, shown, levels)
    yield 1.0
    return f"Saved {path.name}: {len(shown):,} pictures{' as numbers' if path.suffix.lower() == '.npz' else ''}"


def _film(order: Export, path: Path, run: JobRun, moments: dict[int, Tensor]) -> Writing:
    """How they came out of noise."""
    name = TITLES.get(run.job.sampler, run.job.sampler)
    frames = yield from film(
        path,
        tuple(moments),
        lambda step: moments[step].float().numpy(),
        lambda step: caption(name, run.sigmas[step], step, run.steps, run.job.seed),
        size=order.size,
        fps=order.fps,
        seconds=order.seconds,
        ground=DARK if order.dark else LIGHT,
    )
    return f"Saved {path.name}: {frames / order.fps:.1f} seconds"
