r"""Exact sums over the cells of a painting: log p_sigma and the posterior mean, near the mass and far from it.

A painting blurred by Gaussian noise is a mixture of equal Gaussians on a grid, with s^2 = sigma^2 + tau^2,

    p_sigma(x) = sum_ij w_ij N(x; c_ij, s^2 I),    grad log p_sigma(x) = (E[c | x] - x) / s^2      (Tweedie's formula),

where E[c | x] is the mean of the cell centres under the posterior weights w_ij exp(-|x - c_ij|^2 / 2 s^2).

**Separable sums.** exp(-|x - c_ij|^2 / 2s^2) = e_j(x_0) f_i(x_1), so both sums are matrix products with w. Each factor
is divided by its largest value over the columns (rows) that hold any mass, so e_j, f_i <= 1 and the sum

    S = sum_ij w_ij e_j f_i,    sum w = 1,

may take exp(-690) = 2e-300 for every factor below that: it is wrong by no more than 5e-300, and by less than 1e-300 for
the products that float64 loses below 2.3e-308, a million cells taken together. Hence **S >= 1e-280 proves S right to
1e-19** (and to rounding), and one comparison tells the points where the sum is safe. These are all points near the
mass, whatever sigma, and every point at large sigma. The floor is there for speed: exp takes seven times as long for
what underflows, and most columns lie far from any one point.

**Far points.** Elsewhere S has underflowed: the nearest columns and the nearest rows hold mass, but not where they
cross. There the sum runs, in logarithms, over all cells within 40 nats of the best; what it drops is at most
exp(-40) = 4e-18 per cell. The cells are found row by row. In each row the nearest occupied cells left and right of x
give a lower bound for the best term; the row's largest weight then bounds how far along the row a cell can still lie
within 40 nats of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

SAFE = 1e-280
"""A separable sum at least this large is right to 1e-19 (see above)."""

_DEEPEST = 690.0
"""Nats below the largest factor at which all others are held."""

NATS = 40.0
"""Cells whose term lies this far below the best one are left out."""

_CHUNK = 1 << 18
"""Points x (rows + columns) evaluated at once: what stays in the processor's cache."""

_MOST_TERMS = 1 << 22
"""Terms of far points summed at once: 32 MB an array."""


@dataclass(frozen=True)
class _Sums:
    """The occupied part of a painting on one device. R rows and C columns that hold mass."""

    w: Tensor  # (R, C)
    wt: Tensor  # (C, R)
    cx: Tensor  # (C,)
    cy: Tensor  # (R,)


@dataclass(frozen=True)
class _Search:
    """Where the nearest occupied cells are: entry [q, i] is for row i and a point with q columns at or left of it."""

    log_w: Tensor  # (R, C), -inf where empty
    row_best: Tensor  # (R,)
    left: Tensor  # (C + 1, R) column index, -1 where there is none
    right: Tensor  # (C + 1, R) column index, C where there is none
    cx: Tensor  # (C + 2,): -inf, the columns, +inf
    log_left: Tensor  # (C + 1, R) log-weight of the left cell
    log_right: Tensor  # (C + 1, R)


class CellSums:
    """Sums over the cells of a painting with normalised float64 weights (rows, cols), row 0 at the bottom.

    Args:
        weights: (rows, cols), non-negative, sum 1.
        cell: width of a cell; the grid is centred on the origin.
    """

    def __init__(self, weights: NDArray[np.float64], cell: float) -> None:
        self._w, self._cx, self._cy = occupied(weights, cell)
        self._sums: dict[torch.device, _Sums] = {}
        self._search: dict[torch.device, _Search] = {}

    # --- what the density asks ------------------------------------------------------------------------------------

    def log_sum(self, x: Tensor, inv: Tensor) -> Tensor:
        """The logarithm of sum_ij w_ij exp(-inv |x - c_ij|^2), shape (B,), differentiable.

        Args:
            x: (B, 2), float64.
            inv: 1 / (2 s^2), shape (B,) or (), float64.
        """
        return torch.cat([self._log_sum(a, b) for a, b in self._chunks(x, inv)])

    def pull(self, x: Tensor, inv: Tensor) -> Tensor:
        """E[c | x] - x, shape (B, 2): how far and whither the cells draw x; arguments as in `log_sum`."""
        return torch.cat([self._both(a, b)[1] for a, b in self._chunks(x, inv)])

    def both(self, x: Tensor, inv: Tensor) -> tuple[Tensor, Tensor]:
        """`log_sum` and `pull` from the same factors: little more than `pull` alone."""
        log_sums, pulls = zip(*(self._both(a, b) for a, b in self._chunks(x, inv)), strict=True)
        return torch.cat(log_sums), torch.cat(pulls)

    def pull_lattice(self, xs: Tensor, ys: Tensor, inv: Tensor) -> Tensor:
        """`pull` on the lattice of xs (n,) and ys (m,): shape (m, n, 2); inv is a scalar."""
        g = self._here(xs.device)
        e, _ = _factor(xs, g.cx, inv)  # (n, C)
        f, _ = _factor(ys, g.cy, inv)  # (m, R)
        a = g.w @ e.T  # (R, n)
        total = f @ a  # (m, n)
        far = total < SAFE
        total = torch.where(far, 1.0, total)
        mean_x = f @ (g.w @ (e * g.cx).T) / total
        mean_y = (f * g.cy) @ a / total
        pull = torch.stack((mean_x - xs, mean_y - ys[:, None]), dim=-1)
        if far.any():
            row, col = far.nonzero(as_tuple=True)
            pull[far] = self._far(torch.stack((xs[col], ys[row]), dim=1), inv.expand(len(row)))[1]
        return pull

    def log_sum_lattice(self, xs: Tensor, ys: Tensor, inv: Tensor) -> Tensor:
        """`log_sum` on the lattice of xs (n,) and ys (m,): shape (m, n); inv is a scalar."""
        g = self._here(xs.device)
        e, shift_x = _factor(xs, g.cx, inv)
        f, shift_y = _factor(ys, g.cy, inv)
        total = f @ (g.w @ e.T)
        far = total < SAFE
        result = torch.where(far, 1.0, total).log() - shift_y - shift_x.T
        if far.any():
            row, col = far.nonzero(as_tuple=True)
            result[far] = self._far(torch.stack((xs[col], ys[row]), dim=1), inv.expand(len(row)))[0]
        return result

    def is_far(self, x: Tensor, inv: Tensor) -> Tensor:
        """Which of the points x (B, 2) the separable sum does not serve, shape (B,), bool."""
        return torch.cat([self._is_far(a, b) for a, b in self._chunks(x, inv)])

    # --- points -----------------------------------------------------------------------------------------------------

    def _log_sum(self, x: Tensor, inv: Tensor) -> Tensor:
        g = self._here(x.device)
        e, shift_x = _factor(x[:, 0], g.cx, inv)  # (B, C)
        f, shift_y = _factor(x[:, 1], g.cy, inv)  # (B, R)
        total = ((e @ g.wt) * f).sum(1)
        far = total.detach() < SAFE
        if not far.any():
            return total.log() - (shift_x + shift_y)[:, 0]
        result = torch.where(far, 1.0, total).log() - (shift_x + shift_y)[:, 0]
        return result.masked_scatter(far, self._far(x[far], inv.expand(len(x))[far])[0])

    def _both(self, x: Tensor, inv: Tensor) -> tuple[Tensor, Tensor]:
        g = self._here(x.device)
        e, shift_x = _factor(x[:, 0], g.cx, inv)
        f, shift_y = _factor(x[:, 1], g.cy, inv)
        af = (e @ g.wt) * f  # (B, R): sums along the columns
        be = (f @ g.w) * e  # (B, C): sums along the rows
        total = af.sum(1)
        far = total.detach() < SAFE
        total = torch.where(far, 1.0, total)
        log_sum = total.log() - (shift_x + shift_y)[:, 0]
        pull = torch.stack((be @ g.cx, af @ g.cy), dim=1) / total[:, None] - x
        if far.any():
            far_log, far_pull = self._far(x[far], inv.expand(len(x))[far])
            log_sum = log_sum.masked_scatter(far, far_log)
            pull = pull.masked_scatter(far[:, None], far_pull)
        return log_sum, pull

    def _is_far(self, x: Tensor, inv: Tensor) -> Tensor:
        g = self._here(x.device)
        e, _ = _factor(x[:, 0], g.cx, inv)
        f, _ = _factor(x[:, 1], g.cy, inv)
        return ((e @ g.wt) * f).sum(1) < SAFE

    # --- far points -------------------------------------------------------------------------------------------------

    def _far(self, x: Tensor, inv: Tensor) -> tuple[Tensor, Tensor]:
        """`log_sum` and `pull` of points (U, 2), inv (U,), in logarithms over the cells within `NATS` of the best."""
        size = max(1, _CHUNK * 4 // len(self._cy))
        parts = [self._far_part(x[k : k + size], inv[k : k + size]) for k in range(0, len(x), size)]
        return torch.cat([p[0] for p in parts]), torch.cat([p[1] for p in parts])

    def _far_part(self, x: Tensor, inv: Tensor) -> tuple[Tensor, Tensor]:
        search = self._searcher(x.device)
        with torch.no_grad():
            point, row, first, length = _spans(search, self._here(x.device), x.detach(), inv.detach())
            terms = int(length.sum())
        if terms > _MOST_TERMS and len(x) > 1:
            half = len(x) // 2
            one, two = self._far_part(x[:half], inv[:half]), self._far_part(x[half:], inv[half:])
            return torch.cat((one[0], two[0])), torch.cat((one[1], two[1]))
        span = torch.repeat_interleave(length)
        col = first[span] + torch.arange(terms, device=x.device) - (length.cumsum(0) - length)[span]
        row, point = row[span], point[span]
        g = self._here(x.device)
        d = torch.stack((g.cx[col], g.cy[row]), dim=1) - x[point]  # (T, 2)
        log_term = search.log_w[row, col] - d.square().sum(1) * inv[point]
        top = torch.full_like(inv, -torch.inf).scatter_reduce(0, point, log_term.detach(), "amax")
        term = (log_term - top[point]).exp()
        total = torch.zeros_like(inv).index_add(0, point, term)
        pull = torch.zeros_like(x).index_add(0, point, term[:, None] * d) / total[:, None]
        return top + total.log(), pull

    # --- tables -----------------------------------------------------------------------------------------------------

    def _chunks(self, x: Tensor, inv: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        size = max(1, _CHUNK // (len(self._cx) + len(self._cy)))
        for k in range(0, max(1, len(x)), size):
            yield x[k : k + size], inv[k : k + size] if inv.ndim else inv

    def _here(self, device: torch.device) -> _Sums:
        if device not in self._sums:
            put = _putter(device)
            self._sums[device] = _Sums(put(self._w), put(self._w.T), put(self._cx), put(self._cy))
        return self._sums[device]

    def _searcher(self, device: torch.device) -> _Search:
        if device not in self._search:
            self._search[device] = _make_search(self._w, self._cx, _putter(device))
        return self._search[device]


def occupied(
    weights: NDArray[np.float64], cell: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The rows and columns that hold mass: weights (R, C), the columns' x (C,), the rows' y (R,)."""
    rows, cols = weights.shape
    keep_row, keep_col = (weights > 0).any(axis=1), (weights > 0).any(axis=0)
    cx = ((np.arange(cols) - (cols - 1) / 2) * cell)[keep_col]
    cy = ((np.arange(rows) - (rows - 1) / 2) * cell)[keep_row]
    return weights[keep_row][:, keep_col], cx, cy


def _factor(x: Tensor, centres: Tensor, inv: Tensor) -> tuple[Tensor, Tensor]:
    """exp(-inv (x - c)^2) divided by its largest value, shape (B, C), and minus that value's logarithm, (B, 1)."""
    if inv.ndim:
        inv = inv[:, None]
    d = x[:, None] - centres
    if d.requires_grad:
        energy = d.square() * inv
        least = energy.detach().amin(1, keepdim=True)
        return (least - energy).clamp(min=-_DEEPEST).exp(), least
    fall = d.square_().mul_(-inv)
    top = fall.amax(1, keepdim=True)
    return fall.sub_(top).clamp_(min=-_DEEPEST).exp_(), -top


def _spans(search: _Search, g: _Sums, x: Tensor, inv: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The stretches of cells that matter to far points: point, row, first column and length of each."""
    px = x[:, :1]
    q = torch.searchsorted(g.cx, x[:, 0].contiguous(), right=True)
    left, right = search.left[q], search.right[q]  # (U, R)
    inv = inv[:, None]
    fall = (x[:, 1:] - g.cy).square() * inv  # (U, R): nats lost by the distance to the row
    cost_left = (px - search.cx[left + 1]).square() * inv
    cost_right = (search.cx[right + 1] - px).square() * inv
    known = torch.maximum(search.log_left[q] - cost_left, search.log_right[q] - cost_right) - fall
    budget = search.row_best - fall - known.amax(1, keepdim=True) + NATS  # nats that a cell of the row may lose in x
    point, row = (torch.minimum(cost_left, cost_right) <= budget).nonzero(as_tuple=True)
    reach = (budget[point, row] / inv[point, 0]).sqrt()
    at = x[point, 0]
    stop_left = left[point, row] + 1
    first_left = torch.minimum(torch.searchsorted(g.cx, at - reach), stop_left)
    first_right = right[point, row]
    stop_right = torch.maximum(torch.searchsorted(g.cx, at + reach, right=True), first_right)
    return (
        torch.cat((point, point)),
        torch.cat((row, row)),
        torch.cat((first_left, first_right)),
        torch.cat((stop_left - first_left, stop_right - first_right)),
    )


def _make_search(w: NDArray[np.float64], cx: NDArray[np.float64], put: Callable[[NDArray], Tensor]) -> _Search:
    rows, cols = w.shape
    with np.errstate(divide="ignore"):
        log_w = np.log(w)
    column = np.arange(cols)
    left = np.full((rows, cols + 1), -1)
    left[:, 1:] = np.maximum.accumulate(np.where(w > 0, column, -1), axis=1)
    right = np.full((rows, cols + 1), cols)
    right[:, :-1] = np.minimum.accumulate(np.where(w > 0, column, cols)[:, ::-1], axis=1)[:, ::-1]
    row = np.arange(rows)[:, None]
    return _Search(
        log_w=put(log_w),
        row_best=put(log_w.max(axis=1)),
        left=put(left.T),
        right=put(right.T),
        cx=put(np.concatenate(([-np.inf], cx, [np.inf]))),
        log_left=put(log_w[row, left.clip(0)].T),
        log_right=put(log_w[row, right.clip(None, cols - 1)].T),
    )


def _putter(device: torch.device) -> Callable[[NDArray], Tensor]:
    return lambda array: torch.from_numpy(np.ascontiguousarray(array)).to(device)
