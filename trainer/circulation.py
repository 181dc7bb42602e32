r"""Is the field a gradient at all? Its curl, and its integral round closed loops.

A score is the gradient of log p, so the line integral along a path is a difference of log-densities and round a closed
loop it is zero; equivalently the curl d s_y / d x - d s_x / d y vanishes everywhere. A network with two free outputs
knows nothing of this: what it learns has a curl wherever it is wrong, and then there is no density whose score it is
(Salimans & Ho 2021). An energy parameterisation has none by construction. Stokes' theorem ties the two together,

    oint_loop s . dl = int_inside (d s_y / d x - d s_x / d y) dA,

the inside counted as often as the loop winds round it, anticlockwise positive.

**How much.** The curl has the size of a derivative, so it is judged against the whole Jacobian J. With A = (J - J^T)/2,
|A|^2 = curl^2 / 2, and the `rotational_share` |A|^2 / |J|^2, at a point or as the ratio of means under p_sigma, is 0
for a gradient and 1 for a pure rotation.

**Line integrals** run over each edge of a polygon by Gauss-Legendre quadrature on equal pieces, halved until the result
moves by less than the tolerance; what it moved by last is handed back as the error. The rule's own error falls like the
piece's length to the power 2 `NODES`, so the figure is an upper bound once the pieces resolve the field; a score in
float32 stops it at about 1e-7 of the integral of |s . dl|.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from trainer.derivatives import SPACING, curl, is_differentiable, jacobian
from trainer.error_maps import check_lattice
from trainer.errors import InputError
from trainer.lattices import finish, lattice_points, portions, to_device
from trainer.models import ScoreModel

if TYPE_CHECKING:
    from trainer.densities import Density

CHUNK = 128
"""Lattice points between two yields: some milliseconds of a network's two backward passes."""
NODES = 8
"""Gauss-Legendre nodes on a piece."""
TOLERANCE = 1e-6
_LONGEST = 0.25  # the first pieces, in units of the plane: modes are not wider
_MOST_PIECES = 1 << 12  # along an edge
_MOST_PANELS = 16  # along a side of a triangle

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CurlMap:
    """The curl of a score on a lattice, [row, col] with row 0 at the bottom.

    Attributes:
        curl: d s_y / d x - d s_x / d y, (n, n), float64.
        size: the Jacobian's Frobenius norm |J|, (n, n), float64.
        spacing: of the central differences behind it; None if it was differentiated automatically.
    """

    curl: Floats
    size: Floats
    spacing: float | None

    @property
    def rotational_share(self) -> Floats:
        """The antisymmetric part's share of |J|^2, (n, n): 0 for a gradient, 1 for a rotation; 0 where J vanishes."""
        return np.square(self.curl) / 2 / np.maximum(np.square(self.size), np.finfo(np.float64).tiny)


@dataclass(frozen=True)
class Circulation:
    """An integral and how well it is known.

    Attributes:
        value: of the integral.
        error: by how much the last refinement moved it.
        size: the integral of the integrand's absolute value, which says when a value is as good as zero.
    """

    value: float
    error: float
    size: float


def curl_map(
    model: ScoreModel,
    sigma: float,
    centre: tuple[float, float] = (0.0, 0.0),
    half_width: float = 1.5,
    n: int = 64,
    spacing: float | None = None,
) -> CurlMap:
    """The curl of a score over the n x n cell centres of a square, in one go; see `curl_map_chunks`."""
    return finish(curl_map_chunks(model, sigma, centre, half_width, n, spacing))


def curl_map_chunks(
    model: ScoreModel,
    sigma: float,
    centre: tuple[float, float] = (0.0, 0.0),
    half_width: float = 1.5,
    n: int = 64,
    spacing: float | None = None,
    chunk: int = CHUNK,
) -> Generator[None, None, CurlMap]:
    """The curl of a score over the n x n cell centres of a square, a chunk of points between two yields.

    Args:
        model: the score.
        sigma: the noise level.
        centre: the square's, in the plane.
        half_width: of the square.
        n: lattice points along a side.
        spacing: of central differences; None differentiates automatically where the model can be, and takes
            `derivatives.SPACING` where it cannot (the result says which).
        chunk: how many lattice points are worked on between two yields.

    Raises:
        InputError: n is less than 1, half_width or spacing is not positive, or the square lies
            beyond `error_maps.FARTHEST`.
    """
    check_lattice(centre, half_width, n)
    points = to_device(lattice_points(centre, half_width, n), model.device)
    if spacing is None and not is_differentiable(model, points, sigma):
        spacing = SPACING
    parts = []
    for part in portions(n * n, chunk):
        parts.append(jacobian(model, points[part], sigma, spacing))
        yield
    found = torch.cat(parts).cpu().double()  # (n * n, 2, 2)
    turning = (found[:, 1, 0] - found[:, 0, 1]).view(n, n)
    return CurlMap(turning.numpy(), found.square().sum((1, 2)).sqrt().view(n, n).numpy(), spacing)


def rotational_share(model: ScoreModel, density: Density, sigma: float, n: int = 4096, seed: int = 0) -> float:
    """The antisymmetric part's share of the Jacobian, E|A|^2 / E|J|^2 over n points of p_sigma drawn from `seed`.

    0 where the Jacobian vanishes at all of them, as for a score that does not depend on x.

    Raises:
        InputError: the model's score cannot be differentiated.
    """
    generator = torch.Generator().manual_seed(seed)
    points = to_device(density.sample(n, sigma, kernel=model.kernel, generator=generator).double(), model.device)
    found = torch.cat([jacobian(model, points[part], sigma) for part in portions(n, 4096)]).cpu().double()
    turning = (found[:, 1, 0] - found[:, 0, 1]).square().sum() / 2
    return float(turning / found.square().sum().clamp(min=torch.finfo(torch.float64).tiny))


def circle(centre: tuple[float, float], radius: float, corners: int = 64) -> Floats:
    """The corners of a regular polygon on a circle, (corners, 2), anticlockwise."""
    angle = 2 * np.pi * np.arange(corners) / corners
    return np.array(centre) + radius * np.stack((np.cos(angle), np.sin(angle)), axis=1)


def line_integral(
    model: ScoreModel, loop: ArrayLike | Tensor, sigma: float, tolerance: float = TOLERANCE
) -> Circulation:
    """The integral of s . dl once round a closed polygon, in one go; see `line_integral_chunks`."""
    return finish(line_integral_chunks(model, loop, sigma, tolerance))


def line_integral_chunks(
    model: ScoreModel,
    loop: ArrayLike | Tensor,
    sigma: float,
    tolerance: float = TOLERANCE,
    chunk: int = 4096,
) -> Generator[None, None, Circulation]:
    """The integral of s . dl once round a closed polygon, a chunk of points between two yields.

    Args:
        model: the score.
        loop: the polygon's corners, (N, 2), N >= 2; the last is joined to the first.
        sigma: the noise level.
        tolerance: refinement stops when it moves the integral by less than this times the integral of |s . dl|, or at
            4,096 pieces an edge; look at the result's `error`.
        chunk: how many points are worked on between two yields.

    Raises:
        InputError: the loop is no list of finite points.
    """
    corners = _corners(loop, 2)
    edges = corners.roll(-1, 0) - corners  # (N, 2)
    first = max(1, int(np.ceil(float(torch.linalg.vector_norm(edges, dim=1).max()) / _LONGEST)))

    def integrate(pieces: int) -> Generator[None, None, tuple[float, float]]:
        at, weight = _composite(pieces)  # along an edge, 0 .. 1
        points = (corners[:, None] + at[:, None] * edges[:, None]).view(-1, 2)
        scores = []
        for part in portions(len(points), chunk):
            scores.append(_score(model, points[part], sigma))
            yield
        along = (torch.cat(scores).view(len(corners), -1, 2) * edges[:, None]).sum(2) * weight
        return float(along.sum()), float(along.abs().sum())

    return (yield from _refine(integrate, first, _MOST_PIECES, tolerance))


def enclosed_curl(
    model: ScoreModel,
    loop: ArrayLike | Tensor,
    sigma: float,
    tolerance: float = TOLERANCE,
    spacing: float | None = None,
) -> Circulation:
    """The integral of the curl over the inside of a closed polygon: by Stokes the `line_integral` round it.

    The inside is the fan of triangles from the corners' mean, each with its sign, so that any polygon is counted as
    often as it winds. Arguments and errors as for `line_integral`; `spacing` as for `derivatives.jacobian`. Refinement
    stops at 16 x 16 panels a triangle.
    """
    corners = _corners(loop, 3)
    apex = corners.mean(0)
    one, two = corners - apex, corners.roll(-1, 0) - corners  # (N, 2): apex to corner, corner to corner
    doubled = one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]  # (N,): twice the signed areas

    def integrate(panels: int) -> Generator[None, None, tuple[float, float]]:
        at, weight = _composite(panels)
        u, v = at[:, None], at[None, :]  # Duffy's map of the square onto a triangle: apex + u (one + v two)
        points = apex + u[..., None] * (one[:, None, None] + v[..., None] * two[:, None, None])  # (N, q, q, 2)
        flat = points.reshape(-1, 2)
        curls = []
        for part in portions(len(flat), 4096):
            curls.append(_curl(model, flat[part], sigma, spacing))
            yield
        found = torch.cat(curls)
        area = doubled[:, None, None] * (weight * at)[:, None] * weight
        inside = found.view(points.shape[:-1]) * area
        return float(inside.sum()), float(inside.abs().sum())

    return finish(_refine(integrate, 1, _MOST_PANELS, tolerance))


def _corners(loop: ArrayLike | Tensor, least: int) -> Tensor:
    given = loop.detach().cpu().numpy() if isinstance(loop, Tensor) else loop
    corners = np.array(given, dtype=np.float64)
    if corners.ndim != 2 or corners.shape[1] != 2 or len(corners) < least or not np.isfinite(corners).all():
        raise InputError(
            f"loop: shape {corners.shape} or a corner not finite; give the corners of a polygon, "
            f"shape (N, 2) with N >= {least}"
        )
    return torch.from_numpy(corners)


def _composite(pieces: int) -> tuple[Tensor, Tensor]:
    """Nodes and weights of the Gauss-Legendre rule on equal pieces of 0 .. 1, each (pieces * NODES,)."""
    node, weight = (torch.from_numpy(v) for v in np.polynomial.legendre.leggauss(NODES))
    start = torch.arange(pieces, dtype=torch.float64)[:, None]
    return ((start + (node + 1) / 2) / pieces).flatten(), (weight / (2 * pieces)).repeat(pieces)


@torch.no_grad()
def _score(model: ScoreModel, x: Tensor, sigma: float) -> Tensor:
    return model.score(to_device(x, model.device), sigma).cpu().double()


def _curl(model: ScoreModel, x: Tensor, sigma: float, spacing: float | None) -> Tensor:
    return curl(model, to_device(x, model.device), sigma, spacing).cpu().double()


def _refine(
    integrate: Callable[[int], Generator[None, None, tuple[float, float]]], first: int, most: int, tolerance: float
) -> Generator[None, None, Circulation]:
    """Double the number of pieces until the integral stands still, or there are `most` of them."""
    pieces = first
    value, size = yield from integrate(pieces)
    while True:
        pieces *= 2
        before = value
        value, size = yield from integrate(pieces)
        error = abs(value - before)
        if error <= tolerance * size or pieces >= most:
            return Circulation(value, error, size)
