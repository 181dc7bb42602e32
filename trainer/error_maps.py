r"""Where in the plane a score is wrong: the Fisher error as a map over a lattice.

At each lattice point the learned and the true score give

    absolute  |s_theta - s|,                           how wrong the arrow is;
    relative  |s_theta - s| / |s|,                     against the arrow's own length;
    weighted  p_sigma |s_theta - s|^2 / sum p_sigma |s|^2,    what the point adds to the relative Fisher error;
    cosine    s_theta . s / (|s_theta| |s|),           whether it points the right way.

The weighted map sums to the relative Fisher error as far as the lattice reaches and resolves p_sigma, which says why a
score may be arbitrarily wrong in empty places without the training objective noticing (Song & Ermon 2019, section 3.2).

At a summit or a saddle of p_sigma the true score vanishes and no ratio to it means anything: there the relative map
divides by `SMALL` = 1 % of the root mean square of |s| under p_sigma instead.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainer.errors import InputError
from trainer.kernels import GAUSSIAN, Kernel
from trainer.lattices import finish, lattice_points, portions, to_device
from trainer.metrics import cosine
from trainer.models import ScoreModel

if TYPE_CHECKING:
    from trainer.densities import Density

SMALL = 0.01
CHUNK = 256

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ErrorMap:
    """Learned and true score side by side on a lattice, float64, [row, col] with row 0 at the bottom.

    Attributes:
        learned, exact: the scores, (n, n, 2).
        density: p_sigma, (n, n).
    """

    learned: Floats
    exact: Floats
    density: Floats

    @property
    def absolute(self) -> Floats:
        """|s_theta - s|, (n, n)."""
        return np.linalg.norm(self.learned - self.exact, axis=2)

    @property
    def relative(self) -> Floats:
        """|s_theta - s| / |s|, (n, n), with `SMALL` of the typical |s| where |s| is less than that."""
        typical = np.sqrt(self._power / self.density.sum())
        return self.absolute / np.maximum(np.linalg.norm(self.exact, axis=2), SMALL * typical)

    @property
    def weighted(self) -> Floats:
        """What each point adds to the relative Fisher error, (n, n)."""
        return self.density * self.absolute**2 / self._power

    @property
    def cosine(self) -> Floats:
        """The cosine of the angle between the two fields, (n, n); 0 where one of them vanishes."""
        return cosine(torch.from_numpy(self.learned), torch.from_numpy(self.exact)).numpy()

    @property
    def relative_fisher_error(self) -> float:
        """E|s_theta - s|^2 / E|s|^2 by quadrature over the lattice."""
        return float(self.weighted.sum())

    @property
    def _power(self) -> float:
        return float((self.density * np.square(self.exact).sum(axis=2)).sum())


class ErrorMapProbe:
    """The true score and density on a lattice, kept for repeated comparison with a learner that changes.

    Args:
        density: what is true.
        sigma: the noise level.
        centre, half_width, n: the lattice is the n x n cell centres of this square.
        chunk: how many lattice points are worked on between two yields.
        kernel: the noise that makes p_sigma of p.

    Raises:
        InputError: n is less than 1 or half_width is not positive.
    """

    def __init__(
        self,
        density: Density,
        sigma: float,
        centre: tuple[float, float] = (0.0, 0.0),
        half_width: float = 1.5,
        n: int = 64,
        chunk: int = CHUNK,
        kernel: Kernel = GAUSSIAN,
    ) -> None:
        check_lattice(half_width, n)
        self.density = density
        self.sigma = sigma
        self.kernel = kernel
        self._n = n
        self._points = lattice_points(centre, half_width, n)
        self._parts = list(portions(n * n, chunk))
        self._exact: list[Tensor] = []
        self._log_prob: list[Tensor] = []

    def prepare(self) -> Iterator[None]:
        """Compute the truth, a chunk at a time; going on where it was left."""
        while len(self._exact) < len(self._parts):
            points = self._points[self._parts[len(self._exact)]]
            self._log_prob.append(self.density.log_prob(points, self.sigma, kernel=self.kernel))
            self._exact.append(self.density.score(points, self.sigma, kernel=self.kernel))
            yield

    def measure(self, model: ScoreModel) -> Generator[None, None, ErrorMap]:
        """Evaluate the model a chunk at a time; the generator's return value: `error_map = yield from ...`."""
        yield from self.prepare()
        learned = []
        for part in self._parts:
            with torch.no_grad():
                points = to_device(self._points[part], model.device)
                learned.append(model.score(points, self.sigma).cpu().double())
            yield
        n = self._n
        return ErrorMap(
            torch.cat(learned).view(n, n, 2).numpy(),
            torch.cat(self._exact).view(n, n, 2).numpy(),
            torch.cat(self._log_prob).exp().view(n, n).numpy(),
        )


def fisher_error_map(
    model: ScoreModel,
    density: Density,
    sigma: float,
    centre: tuple[float, float] = (0.0, 0.0),
    half_width: float = 1.5,
    n: int = 64,
) -> ErrorMap:
    """The Fisher error of a model over the n x n cell centres of a square; arguments as for `ErrorMapProbe`."""
    return finish(ErrorMapProbe(density, sigma, centre, half_width, n, kernel=model.kernel).measure(model))


def check_lattice(half_width: float, n: int) -> None:
    """Refuse a lattice without points or without extent."""
    if n < 1:
        raise InputError(f"n: {n}; give 1 or more lattice points along a side")
    if not half_width > 0:
        raise InputError(f"half_width: {half_width:g}; give a distance above 0, in units of the plane")
