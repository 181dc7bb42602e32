r"""An objective at work: what it wants to know about a block of points, and the loss and gradient of each batch.

* `Regression`: explicit and denoising objectives with an affine parameterisation. The target of each point becomes the
  F that the network should give there, and a square of the score becomes one of F, slope(sigma)^2 times as large.
* `Differential`: everything else, by autograd (`trainer.passes`).

Both state a `bound`, the loss of a network that gives nothing: a loss far above it is as lost as one that is not
finite.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol

import torch
from torch import Tensor

from trainer.batches import Points, Streams
from trainer.errors import InputError
from trainer.networks import ScoreNetwork
from trainer.objectives import (
    VariateCoefficient,
    draw_probes,
    dsm_control_variate,
    ism,
    level_weights,
    one_draw_target,
    reference_target,
    regression,
    ssm,
    ssm_vr,
    weighted_squares,
)
from trainer.passes import Criterion, DifferentialPass, RegressionPass, fast_bfloat16
from trainer.pool import Drawable, Pool
from trainer.settings import FitSettings

CRITERIA: dict[str, Criterion] = {"ism": ism, "hutchinson": ssm_vr, "ssm": ssm, "ssm_vr": ssm_vr}
"""The objectives that need no target."""
WIDER, FARTHER, EVERY = 1.4, 3.0, 16
"""Pooled targets are known everywhere, so the points that ask for them lie WIDER times as far from their x0 as noise
would carry them: the network is most wrong where points of p_sigma are rare. One in EVERY lies FARTHER out, where
particles start: without these the far field is left to chance."""
ROAMING, GUIDANCE, REACH, SEEN = 64, 0.02, 1.5, 1024
"""One point in ROAMING lies anywhere on [-REACH, REACH]^2, for particles may start there: its target is the score of
SEEN of the block's draws. Such points only guide: they weigh GUIDANCE times as much as others in the gradient, and
nothing in the loss. Without them the weights that an edit leaves send particles off the plane."""
MOST_PAIRS = 1 << 20
"""Points times draws of a reference batch that are weighed at once."""


class Task(Protocol):
    """What a training loop asks of an objective."""

    gradient: Tensor
    """By all weights, (count,), of the latest loss."""
    bound: Tensor
    """The loss of a network that gives nothing, a scalar."""

    def prepare(self, streams: Streams) -> None:
        """Make targets, directions and features for the block that was just drawn."""
        ...

    def describe(self) -> None:
        """Make what follows from `tensors` and the points alone."""
        ...

    def loss(self, weights: Tensor, part: slice) -> Tensor:
        """The loss of these rows, a scalar; leaves its gradient in `gradient`."""
        ...

    def tensors(self) -> dict[str, Tensor]:
        """All that a block in progress needs, beside its points, to go on."""
        ...


def make_task(settings: FitSettings, network: ScoreNetwork, points: Points, pool: Pool, density: Drawable) -> Task:
    """The objective of these settings, at work on these points.

    Raises:
        InputError: if the objective wants the true score and the density does not know it.
    """
    if settings.objective == "esm" and not hasattr(density, "score"):
        raise InputError("objective: esm needs a density with an exact score; choose dsm for draws alone")
    targets = Targets(settings, network, points, pool, density)
    varied = settings.objective == "dsm" and settings.target == "control_variate"
    if network.is_energy or varied or settings.objective in CRITERIA:
        return Differential(settings, network, points, targets, varied=varied)
    targets.roams = settings.pooled
    return Regression(settings, network, points, targets)


class Targets:
    """What a regression wants the network to give at each point of a block, in the network's own units."""

    def __init__(
        self, settings: FitSettings, network: ScoreNetwork, points: Points, pool: Pool, density: Drawable
    ) -> None:
        self.settings, self.points, self.pool, self.density = settings, points, pool, density
        self.conditioning = network.conditioning
        self.centre = network.centre
        self.roams = False
        """Whether some points lie anywhere."""
        self._lattices = pool.rows(points.level) if settings.pooled else None
        if settings.pooled:
            self._spread = torch.full((len(points), 1), WIDER, device=network.device)
            self._spread[::EVERY] = FARTHER

    def make(self, streams: Streams) -> Tensor:
        """The target of each point, (rows, 2).

        For pooled targets the points are spread wider, or anywhere, and moved to their nearest nodes. Where the node
        has no target the point stays where noise put it, and has its one-draw target, right under that noise only.
        """
        points = self.points
        if self._lattices is None:
            return self.conditioning.output(self._score(streams), self.centre(points.x), points.sigma)
        wide = torch.lerp(points.x0, points.x, self._spread)
        if self.roams:
            wide[roaming()] = points.x[roaming()] = self._anywhere(streams)
        node, tabulated = self.pool.lookup(wide, self._lattices)
        known = ~tabulated[:, :1].isnan()
        points.x.copy_(torch.where(known, node, points.x))
        score = self._score(streams)
        if self.roams:
            score[roaming()] = self._score_of_draws()
        single = self.conditioning.output(score, self.centre(points.x), points.sigma)
        return torch.where(known, tabulated, single)

    def _anywhere(self, streams: Streams) -> Tensor:
        """Places for the points that roam."""
        count = len(self._spread[roaming()])
        unit = torch.rand(count, 2, generator=streams.extra, device=streams.extra.device)
        return ((2 * unit - 1) * REACH).to(self.points.x)

    def _score_of_draws(self) -> Tensor:
        """The score at the points that roam of some of the block's draws, as if these were all of the density."""
        points = self.points
        draws = points.x0[:: max(1, len(points) // SEEN)]
        away = draws - points.x[roaming()][:, None]  # (k, draws, 2)
        variance = points.sigma[roaming()][:, None] ** 2
        near = (-away.square().sum(2) / (2 * variance)).softmax(1)
        return torch.einsum("kn,knd->kd", near, away) / variance

    def _score(self, streams: Streams) -> Tensor:
        """The score that each point is to have, (rows, 2)."""
        points, settings = self.points, self.settings
        if settings.objective == "esm":
            density: Any = self.density
            return density.score(points.x, points.sigma, kernel=points.kernel)
        if settings.objective == "dsm" and settings.target == "reference":
            found = []
            for part in points.parts():
                reference = self.density.sample(settings.reference, 0.0, generator=streams.extra).to(points.x)
                size = max(1, MOST_PAIRS // settings.reference)
                for first in range(part.start, part.stop, size):
                    some = points.batch(slice(first, min(first + size, part.stop)))
                    found.append(reference_target(replace(some, reference=reference)))
            return torch.cat(found)
        return one_draw_target(points.batch(slice(None)))


def roaming() -> slice:
    """The rows of a block whose points lie anywhere; those of FARTHER are others."""
    return slice(EVERY // 2, None, ROAMING)


class Regression:
    """The weighted square of F - F_target, by the written-out pass."""

    def __init__(self, settings: FitSettings, network: ScoreNetwork, points: Points, targets: Targets) -> None:
        self.network, self.points, self.targets = network, points, targets
        weight = level_weights(settings.weighting, points.sigma, network.conditioning.scale)
        self._weight = weight * network.conditioning.slope(points.sigma) ** 2
        self._guide = torch.zeros_like(self._weight)
        if targets.roams:
            self._guide[roaming()] = GUIDANCE * self._weight[roaming()]
            self._weight = self._weight * (len(points) / (len(points) - len(self._weight[roaming()])))
            self._weight[roaming()] = 0.0
        self._levels = network.levels(points.sigma)
        # Without Fourier features the position itself goes in, and bfloat16 would round it by more than sigma.
        rough = fast_bfloat16(network.device) and settings.network.features > 0
        hidden = torch.bfloat16 if rough else torch.float32
        self._pass = RegressionPass(network, settings.batch, hidden, robust=settings.pooled)
        self._features = torch.zeros(len(points), network.inputs, dtype=hidden, device=network.device)
        self._target = torch.zeros(len(points), 2, device=network.device)
        self.gradient = self._pass.gradient
        self.bound = torch.zeros((), device=network.device)

    def prepare(self, streams: Streams) -> None:
        """Make the block's targets and features."""
        self._target.copy_(self.targets.make(streams))
        self.describe()

    def describe(self) -> None:
        """Make the features, and the loss of F = 0."""
        self.network.features(self.network.centre(self.points.x), self._levels, self._features)
        self.bound.copy_(0.5 * weighted_squares(self._target, self._weight).mean())

    def loss(self, weights: Tensor, part: slice) -> Tensor:
        """The loss of these rows, a scalar; leaves its gradient in `gradient`."""
        return self.loss_of(weights, *(tensor[part] for tensor in self.inputs()))

    def inputs(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Features, targets, weights and guidance of the whole block; its rows are what `loss_of` takes."""
        return self._features, self._target, self._weight, self._guide

    def loss_of(self, weights: Tensor, features: Tensor, target: Tensor, weight: Tensor, guide: Tensor) -> Tensor:
        """The loss of one batch of `inputs`, a scalar; leaves its gradient in `gradient`."""
        return self._pass.loss(weights, features, target, weight, guide)

    def tensors(self) -> dict[str, Tensor]:
        """The targets."""
        return {"target": self._target}


class Differential:
    """Objectives that autograd differentiates: implicit and sliced ones, the control variate, and all of an energy."""

    def __init__(
        self, settings: FitSettings, network: ScoreNetwork, points: Points, targets: Targets, *, varied: bool
    ) -> None:
        self.settings, self.network, self.points, self.targets = settings, network, points, targets
        device = network.device
        self._weight = level_weights(settings.weighting, points.sigma, network.conditioning.scale)
        self._levels = network.levels(points.sigma)
        self._pass = DifferentialPass(network)
        self._tensors: dict[str, Tensor] = {}
        if settings.objective in CRITERIA:
            if settings.objective != "ism":
                self._tensors["probes"] = torch.zeros(settings.projections, len(points), 2, device=device)
        elif not varied:
            self._tensors["target"] = torch.zeros(len(points), 2, device=device)
        self._coefficient = VariateCoefficient(len(points.ladder), device) if varied else None
        if self._coefficient:
            self._tensors["variate"] = self._coefficient.products
        self.gradient = self._pass.gradient
        # One-draw targets have a mean square of 2 / sigma^2, and every other loss is smaller.
        self.bound = (self._weight / points.sigma**2).mean()

    def prepare(self, streams: Streams) -> None:
        """Draw the block's directions, or make its targets."""
        if "probes" in self._tensors:
            like = torch.zeros(len(self.points), 2, device=streams.extra.device)
            self._tensors["probes"].copy_(
                draw_probes(self.settings.projection, self.settings.projections, like, streams.extra)
            )
        if "target" in self._tensors:
            self._tensors["target"].copy_(self.targets.make(streams))

    def describe(self) -> None:
        """Nothing more follows."""

    def loss(self, weights: Tensor, part: slice) -> Tensor:
        """The loss of these rows, a scalar; leaves its gradient in `gradient`."""
        batch, level = self.points.batch(part), self.points.level[part]
        if "probes" in self._tensors:
            batch = replace(batch, probes=self._tensors["probes"][:, part])
        levels, network = self._levels.rows(part), self.network
        value = self._pass.loss(weights, self._criterion(part, level), batch, levels, self._weight[part])
        if self._coefficient:

            def hidden(x: Tensor) -> Tensor:
                return network.hidden(weights, network.embed(network.centre(x), levels))

            self._coefficient.update(network.score_function(weights, batch.sigma, levels), hidden, batch, level)
        return value

    def _criterion(self, part: slice, level: Tensor) -> Criterion:
        """The per-sample loss for these rows."""
        if self.settings.objective in CRITERIA:
            return CRITERIA[self.settings.objective]
        if self._coefficient:
            c = self._coefficient.of(level)
            return lambda score, batch: dsm_control_variate(score, batch, c)
        target = self._tensors["target"][part]
        return lambda score, batch: regression(score, batch, target)

    def tensors(self) -> dict[str, Tensor]:
        """Targets or directions, and what the control variate has learned."""
        return self._tensors
