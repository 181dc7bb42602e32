"""Maps over the plane, and integrals round a loop, made in pieces while something else goes on.

The learned score is asked for a chunk of points at a time, its curl by two backward passes a chunk, the energy's
log-density where there is one; truth, log p_sigma and the number of training points expected in a cell,

    expected = (points drawn per training block) * p_sigma * (area of a cell),

are closed-form sums over a lattice and are kept until painting, noise level or range change. Where p_sigma is too
small for a float, its logarithm comes from the sums that hold there (`trainer.separable`).

A request that differs only in the training step waits until the maps in the making are complete: while training runs
there is always a complete map of some step, and never one that mixes two. A request for another place or painting
starts at once.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from explorer.engine.frames import Array, Maps
from trainer.circulation import curl_map_chunks, line_integral_chunks
from trainer.densities import Density
from trainer.error_maps import check_lattice
from trainer.kernels import GAUSSIAN
from trainer.lattices import finish, lattice_points, portions, to_device
from trainer.models import ScoreModel, TrueScore

CELLS = 64
"""Maps have this many cells a side unless more are asked for."""

CHUNK = 1024
"""Points of the learned score between two looks at the clock: about two milliseconds of one processor."""

CURL_CHUNK = 256
"""Points of its Jacobian: as long."""

TOLERANCE = 1e-5
"""A loop's integral is refined until it moves by less than this share of the integral of |s . dl|."""

_SMALLEST = 1e-280  # densities below it have lost digits: see `trainer.separable.SAFE`
_EMPTY = np.zeros((0, 0), np.float32)

Corners = tuple[tuple[float, float], ...]


@runtime_checkable
class _Energy(Protocol):
    """A model that may know its log-density."""

    has_log_density: bool

    def log_prob(self, x: Tensor, sigma: float | Tensor) -> Tensor: ...


@dataclass(frozen=True)
class _Request:
    """What is to be mapped. Two requests are compared by what they show, not by the copy of the weights they hold."""

    model: ScoreModel
    density: Density
    sigma: float
    centre: tuple[float, float]
    half_width: float
    cells: int
    step: int
    wants: frozenset[str]
    draws_per_block: int
    log_density: bool
    loop: Corners

    @property
    def place(self) -> tuple[object, ...]:
        """What the truth depends on."""
        kernel = self.model.kernel
        return id(self.density), kernel, self.sigma, self.centre, self.half_width, self.cells, self.draws_per_block

    @property
    def key(self) -> tuple[object, ...]:
        """What the maps and the loop's integrals depend on; the model's own settings stand for a fresh network."""
        run = getattr(self.model, "settings", None), getattr(self.model, "seed", None)
        return *self.place, self.step, run, self.wants & {"fine", "curl"}, self.log_density, self.loop


@dataclass(frozen=True)
class _Truth:
    """What is true on a lattice; `density` is held so that its identity stays its own."""

    density: Density
    score: Array
    log_p: Array
    expected: Array


class MapMaker:
    """Makes `Maps` in pieces. `latest` is the newest complete one, `loop_integrals` belong to `loop`.

    Args:
        chunk: points of the learned score worked on between two looks at the clock.
    """

    def __init__(self, chunk: int = CHUNK) -> None:
        self.chunk = chunk
        self.latest: Maps | None = None
        self.loop: Array = np.zeros((0, 2), np.float32)
        self.loop_integrals: Array = np.zeros((0, 3), np.float32)
        self._job: Iterator[None] | None = None
        self._making: _Request | None = None
        self._waiting: _Request | None = None
        self._made: _Request | None = None
        self._truth: tuple[tuple[object, ...], _Truth] | None = None
        self._version = 0

    def request(
        self,
        model: ScoreModel,
        density: Density,
        sigma: float,
        centre: tuple[float, float],
        half_width: float,
        cells: int = CELLS,
        step: int = 0,
        wants: frozenset[str] = frozenset({"fine"}),
        draws_per_block: int = 0,
        log_density: bool = False,
        loop: Corners = (),
    ) -> None:
        """Ask for maps; asking again for what is made or in the making costs nothing.

        Args:
            model: the learned score, which must not change any more (a snapshot).
            density: what it learns.
            sigma: the noise level, within the model's.
            centre: of the square.
            half_width: of the square.
            cells: along a side.
            step: the training step of the weights.
            wants: of `messages.Want`: "fine" for maps at all, "curl" for the curl too.
            draws_per_block: how many points one training block draws, for `Maps.expected`.
            log_density: whether the learned log-density is wanted, where the model has one.
            loop: corners of a closed polygon to integrate round; fewer than three for none.

        Raises:
            InputError: the lattice has no points, no extent, or lies too far out.
        """
        check_lattice(centre, half_width, cells)
        energy = log_density and isinstance(model, _Energy) and model.has_log_density
        corners = tuple((float(x), float(y)) for x, y in loop) if len(loop) > 2 else ()
        wanted = _Request(
            model, density, sigma, centre, half_width, cells, step, wants, draws_per_block, energy, corners
        )
        if wanted.loop != self._asked_loop():
            self.loop = np.zeros((0, 2), np.float32)
            self.loop_integrals = np.zeros((0, 3), np.float32)
        if self._making is not None and (self._making.place, self._making.loop) != (wanted.place, wanted.loop):
            self._job = self._making = None
        if self._making is None:
            if self._made is None or wanted.key != self._made.key:
                self._making, self._job = wanted, self._make(wanted)
            self._waiting = None
        else:
            self._waiting = None if wanted.key == self._making.key else wanted

    def work(self, deadline: float | None = None) -> bool:
        """Go on until the deadline (of `perf_counter`) or the end; True when nothing is left to do."""
        while self._job is not None:
            for _ in self._job:
                if deadline is not None and perf_counter() > deadline:
                    return False
            assert self._making is not None
            self._made = self._making
            self._making, self._waiting = self._waiting, None
            self._job = None if self._making is None else self._make(self._making)
            if deadline is not None and perf_counter() > deadline:
                break
        return self._job is None

    def _asked_loop(self) -> Corners:
        """The loop of the request in the making, or of the last one made."""
        last = self._making or self._made
        return last.loop if last is not None else ()

    # --- the pieces

    def _make(self, ask: _Request) -> Iterator[None]:
        if ask.loop:
            self.loop_integrals = yield from _integrals(ask.model, ask.density, ask.loop, ask.sigma, self.chunk)
            self.loop = np.asarray(ask.loop, np.float32)
        if not ask.wants & {"fine", "curl"} and not ask.log_density:
            return
        truth = yield from self._true(ask)
        n = ask.cells
        points = to_device(lattice_points(ask.centre, ask.half_width, n).float(), ask.model.device)
        learned, energies = [], []
        for part in portions(n * n, self.chunk):
            with torch.no_grad():
                learned.append(ask.model.score(points[part], ask.sigma).float().cpu())
            yield
        if ask.log_density and isinstance(ask.model, _Energy):
            for part in portions(n * n, self.chunk):
                with torch.no_grad():
                    energies.append(ask.model.log_prob(points[part], ask.sigma).float().cpu())
                yield
        curl = rotational = _EMPTY
        if "curl" in ask.wants:
            chunks = curl_map_chunks(ask.model, ask.sigma, ask.centre, ask.half_width, n, chunk=CURL_CHUNK)
            found = yield from chunks
            curl, rotational = _finite(found.curl), _finite(found.rotational_share)
        log_density = _EMPTY
        if energies:
            values = torch.cat(energies).view(n, n).numpy()
            log_density = _finite(values - values.max() + truth.log_p.max())
        self._version += 1
        self.latest = Maps(
            self._version,
            ask.step,
            ask.sigma,
            ask.centre,
            ask.half_width,
            _finite(torch.cat(learned).view(n, n, 2).numpy()),
            truth.score,
            truth.log_p,
            truth.expected,
            curl,
            rotational,
            log_density,
        )

    def _true(self, ask: _Request) -> Generator[None, None, _Truth]:
        """The truth of a request, from before where nothing that it depends on has changed."""
        if self._truth is None or self._truth[0] != ask.place:
            self._truth = ask.place, (yield from _true_maps(ask, self.chunk))
        return self._truth[1]


def loop_integrals(model: ScoreModel, density: Density, loop: Corners, sigma: float) -> Array:
    """Integrate the learned and the true score once round a closed polygon, in one go.

    Args:
        model: the learned score.
        density: what is true.
        loop: the polygon's corners (N, 2), N >= 2.
        sigma: the noise level.

    Returns:
        (2, 3), learned and true: the line integral, its error, and the integral of |s . dl|.

    Raises:
        InputError: the loop is no list of finite points.
    """
    return finish(_integrals(model, density, loop, sigma, CHUNK))


def _integrals(
    model: ScoreModel, density: Density, loop: Corners, sigma: float, chunk: int
) -> Generator[None, None, Array]:
    rows = []
    for score in (model, TrueScore(density, model.kernel)):
        found = yield from line_integral_chunks(score, loop, sigma, TOLERANCE, chunk)
        rows.append((found.value, found.error, found.size))
    return _finite(np.array(rows))


def _true_maps(ask: _Request, chunk: int) -> Generator[None, None, _Truth]:
    """Score, log p_sigma and expected points on the lattice: by lattice sums under Gaussian noise, else by chunks."""
    n, kernel, density = ask.cells, ask.model.kernel, ask.density
    points = lattice_points(ask.centre, ask.half_width, n)
    if kernel == GAUSSIAN:
        score = np.asarray(density.score_lattice(ask.centre, ask.half_width, n, ask.sigma))
        yield
        p = np.asarray(density.density_lattice(ask.centre, ask.half_width, n, ask.sigma)).ravel()
        yield
        log_p = np.log(np.maximum(p, _SMALLEST))
        lost = np.flatnonzero(p <= _SMALLEST)
    else:
        parts = []
        for part in portions(n * n, chunk // 4):
            parts.append(density.score(points[part], ask.sigma, kernel=kernel))
            yield
        score = torch.cat(parts).view(n, n, 2).numpy()
        log_p = np.empty(n * n)
        lost = np.arange(n * n)
    for part in portions(len(lost), chunk // 4):
        log_p[lost[part]] = density.log_prob(points[lost[part]], ask.sigma, kernel=kernel).numpy()
        yield
    area = (2 * ask.half_width / n) ** 2
    expected = ask.draws_per_block * area * np.exp(log_p)
    return _Truth(density, _finite(score), _finite(log_p.reshape(n, n)), _finite(expected.reshape(n, n)))


def _finite(values: np.ndarray) -> Array:
    """Values as a frame carries them: float32, nothing in them but numbers."""
    return np.nan_to_num(np.asarray(values), nan=0.0, posinf=3e38, neginf=-3e38).astype(np.float32)
