"""Both fields and the density under them, on the lattice that is looked at.

The truth is kept until painting, kernel, sigma or range change. The learned field is taken anew when it may have
changed, as often as the caller says.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch

from explorer.engine.messages import Array, Look
from trainer.densities import PaintedDensity
from trainer.kernels import GAUSSIAN
from trainer.models import ScoreModel

GROUND = 192
"""The density behind the fields is drawn on this many cells a side."""


def _no_field() -> Array:
    return np.zeros((0, 0, 2), np.float32)


@dataclass
class Fields:
    """The two fields of the last look, and what a frame says of them.

    Attributes:
        learned, true: (n, n, 2), [row, col] with row 0 at the bottom.
        ground: (GROUND, GROUND), p_sigma, its maximum scaled to 1; peak: what 1 stands for.
        version: grows when any of them differs from before.
    """

    learned: Array = field(default_factory=_no_field)
    true: Array = field(default_factory=_no_field)
    ground: Array = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    peak: float = 0.0
    version: int = 0
    _place: tuple[object, ...] = ()
    _weights: tuple[object, ...] = ()

    def take(
        self,
        model: ScoreModel,
        weights: tuple[object, ...],
        density: PaintedDensity,
        sigma: float,
        look: Look,
        due: bool,
    ) -> None:
        """Bring the fields up to date.

        Args:
            model: the learned score.
            weights: what tells its weights from others.
            density: what is true; it is asked under Gaussian noise by lattices, under other kernels point by point.
            sigma: the noise level, one that the model knows.
            look: lattice and range.
            due: whether weights that differ are worth another look; a change of place always is.
        """
        place = (id(density), model.kernel, sigma, look.lattice, look.centre, look.half_width)
        moved = place != self._place
        if moved or (due and weights != self._weights):
            n = look.lattice
            learned = model.score(lattice_of(look).to(model.device), sigma).reshape(n, n, 2)
            self.learned = np.nan_to_num(learned.to("cpu", torch.float32).numpy())
            self._weights = weights
            self.version += 1
        if moved:
            self._take_truth(model, density, sigma, look)
            self._place = place

    def _take_truth(self, model: ScoreModel, density: PaintedDensity, sigma: float, look: Look) -> None:
        n = look.lattice
        if model.kernel == GAUSSIAN:
            true = np.asarray(density.score_lattice(look.centre, look.half_width, n, sigma))
            ground = np.asarray(density.density_lattice(look.centre, look.half_width, GROUND, sigma))
        else:
            true = density.score(lattice_of(look), sigma, kernel=model.kernel).reshape(n, n, 2).numpy()
            fine = lattice_of(Look(sigma, GROUND // 4, look.centre, look.half_width))
            height = density.log_prob(fine, sigma, kernel=model.kernel).exp().reshape(GROUND // 4, GROUND // 4)
            ground = np.kron(height.numpy(), np.ones((4, 4)))
        self.peak = float(ground.max())
        self.true = true.astype(np.float32)
        self.ground = (ground / self.peak if self.peak > 0 else ground).astype(np.float32)


def lattice_of(look: Look) -> torch.Tensor:
    """The cell centres of the range that is looked at, (n * n, 2) float32, row by row from the bottom."""
    n, half, (cx, cy) = look.lattice, look.half_width, look.centre
    side = ((torch.arange(n, dtype=torch.float32) + 0.5) / n * 2 - 1) * half
    y, x = torch.meshgrid(side + cy, side + cx, indexing="ij")
    return torch.stack([x.ravel(), y.ravel()], 1)
