"""What a job has made, as files: a grid, all pictures as numbers, or a film of how they came out of noise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from explorer.engine.gallery.job import JobRun
from explorer.engine.gallery.orders import Export
from explorer.export.pictures import DARK, LIGHT, caption, film
from explorer.panes import TITLES
from trainer.errors import InputError
from trainer.images.grids import write_grid, write_samples

SUFFIXES = (".png", ".npz", ".mp4", ".gif")


def export(order: Export, run: JobRun, told: Callable[[float], object] = lambda _: None) -> str:
    """Write a file by its ending, whole or not at all; one line that says what was written.

    `told` is called now and then with the fraction of a film that is written.

    Raises:
        InputError: an unknown ending, or a file, size or length that cannot be.
        ExportError: writing failed half-way.
    """
    path = Path(order.path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"{path.name}: give a name that ends in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}")
    shown = torch.from_numpy(run.pictures()).clamp(-1, 1)
    if suffix == ".png":
        write_grid(path, shown)
        return f"Saved {path.name}: {len(shown):,} pictures"
    if suffix == ".npz":
        write_samples(path, shown, run.model.card.levels)
        return f"Saved {path.name}: {len(shown):,} pictures as numbers"
    name = TITLES.get(run.job.sampler, run.job.sampler)
    frames = film(
        path,
        run.kept,
        run.at,
        lambda step: caption(name, run.sigmas[step], step, run.steps, run.job.seed),
        size=order.size,
        fps=order.fps,
        seconds=order.seconds,
        ground=DARK if order.dark else LIGHT,
        told=told,
    )
    return f"Saved {path.name}: {frames / order.fps:.1f} seconds"
