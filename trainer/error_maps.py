r"""Where in the plane a score is wrong: the Fisher error as a map over a lattice.

At each lattice point the learned and the true score give

    absolute  |s_theta - s|,                           how wrong the arrow is;
    relative  |s_theta - s| / |s|,                     against the arrow's own length;
    weighted  p_sigma |s_theta - s|^2 / sum p_sigma |s|^2,    what the point adds to the relative Fisher error;
    cosine    s_theta . s / (|s_theta| |s|),           whether it points the right way.

The weighted map sums to the relative Fisher error as far as the lattice reaches and resolves p_sigma, which says why a
score may be arbitrarily wrong in empty places without the training objective noticing (Song & Ermon 2019, section 3.2).

The weights p_sigma enter as p_sigma / max p_sigma over the lattice, so that both relative figures hold even where the
lattice lies so far from the mass that p_sigma itself is below what a float can hold.

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
FARTHEST = 1e6
"""No lattice lies farther from the origin: up to there all figures stay well within the range of a float."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ErrorMap:
    """Learned and true score side by side on a lattice, float64, [row, col] with row 0 at the bottom.

    Attributes:
        learned, exact: the scores, (n, n, 2).
        log_density: log p_sigma, (n, n).
    """

    learned: Floats
    exact: Floats
    log_density: Floats

    @property
    def density(self) -> Floats:
        """p_sigma, (n, n); 0 where that is less than a float can hold."""
        return np.exp(self.log_density)

    @property
    def absolute(self) -> Floats:
        """|s_theta - s|, (n, n)."""
        return np.linalg.norm(self.learned - self.exact, axis=2)

    @property
    def relative(self) -> Floats:
        """|s_theta - s| / |s|, (n, n), with `SMALL` of the typical |s| where |s| is less than that.

        Raises:
            InputError: the true score vanishes at every lattice point.
        """
        typical = np.sqrt(self._power / self._share.sum())
        return self.absolute / np.maximum(np.linalg.norm(self.exact, axis=2), SMALL * typical)

    @property
    def weighted(self) -> Floats:
        """What each point adds to the relative Fisher error, (n, n); errors as for `relative`."""
        return self._share * self.absolute**2 / self._power

    @property
    def cosine(self) -> Floats:
        """The cosine of the angle between the two fields, (n, n); 0 where one of them vanishes."""
        return cosine(torch.from_numpy(self.learned), torch.from_numpy(self.exact)).numpy()

    @property
    def relative_fisher_error(self) -> float:
        """E|s_theta - s|^2 / E|s|^2 by quadrature over the lattice; errors as for `relative`."""
        return float(self.weighted.sum())

    @property
    def _share(self) -> Floats:
        """The density over its largest value on the lattice, (n, n)."""
        return np.exp(self.log_density - self.log_density.max())

    @property
    def _power(self) -> float:
        """The sum of |s|^2 by these weights."""
        power = float((self._share * np.square(self.exact).sum(axis=2)).sum())
        if not power > 0:
            raise InputError(
                "lattice: the true score vanishes at every point of it; give more points or another centre"
            )
        return power


class ErrorMapProbe:
    """The true score and density on a lattice, kept for repeated comparison with a learner that changes.

    Args:
        density: what is true.
        sigma: the noise level.
        centre, half_width, n: the lattice is the n x n cell centres of this square.
        chunk: how many lattice points are worked on between two yields.
        kernel: the noise that makes p_sigma of p.

    Raises:
        InputError: n is less than 1, half_width is not positive, or the square lies beyond `FARTHEST`.
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
        check_lattice(centre, half_width, n)
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
            torch.cat(self._log_prob).view(n, n).numpy(),
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


def check_lattice(centre: tuple[float, float], half_width: float, n: int) -> None:
    """Refuse a lattice without points, without extent or beyond what scores can be asked for."""
    if n < 1:
        raise InputError(f"n: {n}; give 1 or more lattice points along a side")
    if not 0 < half_width <= FARTHEST:
        raise InputError(
            f"half_width: {half_width:g}; give a distance above 0 and up to {FARTHEST:g}, in units of the plane"
        )
    if not all(abs(c) <= FARTHEST for c in centre):
        raise InputError(f"centre: ({centre[0]:g}, {centre[1]:g}); give coordinates within {FARTHEST:g} of the origin")
