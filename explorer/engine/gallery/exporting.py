"""What a job has made, as files: a grid, all pictures as numbers, or a film of how they came out of noise."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path

import torch

from explorer.engine.gallery.job import JobRun
from explorer.engine.gallery.orders import FILMS, STILLS, Export
from explorer.export.pictures import DARK, LIGHT, caption, film
from explorer.panes import TITLES
from trainer.errors import InputError
from trainer.images.grids import write_grid, write_samples

Writing = Generator[float, None, str]
"""Yields the fraction that is written; returns one line that says what was."""


def write_still(path: Path, run: JobRun) -> str:
    """Write the pictures shown, as a grid (.png) or as numbers (.npz); one line that says what was written.

    Raises:
        InputError: an unknown ending, or a file that cannot be written.
    """
    shown = torch.from_numpy(run.pictures()).clamp(-1, 1)
    if path.suffix.lower() == ".png":
        write_grid(path, shown)
        return f"Saved {path.name}: {len(shown):,} pictures"
    if path.suffix.lower() == ".npz":
        write_samples(path, shown, run.model.card.levels)
        return f"Saved {path.name}: {len(shown):,} pictures as numbers"
    raise InputError(f"{path.name}: give a name that ends in {', '.join((*STILLS, FILMS[0]))} or {FILMS[1]}")


def write_film(order: Export, run: JobRun) -> Writing:
    """Write a film of what the job has made until now, a frame each turn, whole or not at all.

    What the job does between two turns changes nothing in it.

    Raises:
        InputError: a file, size or length that cannot be.
        ExportError: writing failed half-way.
    """
    return _written(order, run.moments(), run.job.sampler, run.sigmas, run.job.seed)


def _written(
    order: Export, moments: dict[int, torch.Tensor], sampler: str, sigmas: Sequence[float], seed: int
) -> Writing:
    path, name, steps = Path(order.path), TITLES.get(sampler, sampler), len(sigmas) - 1
    frames = yield from film(
        path,
        tuple(moments),
        lambda step: moments[step].float().numpy(),
        lambda step: caption(name, sigmas[step], step, steps, seed),
        size=order.size,
        fps=order.fps,
        seconds=order.seconds,
        ground=DARK if order.dark else LIGHT,
    )
    return f"Saved {path.name}: {frames / order.fps:.1f} seconds"
