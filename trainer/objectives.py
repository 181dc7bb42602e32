r"""What is minimised: one idea, the Fisher divergence, and the ways to do without the true score.

Each function returns one loss per sample, (B,), of points x drawn from p_sigma; training minimises the mean of
lambda(sigma) times it. `score` is the learner at the batch's own noise levels, differentiable in x and in its weights.

**Explicit** (`esm`): 1/2 |s_theta - s|^2 against the true score, which real data do not give and a painting does.

**Implicit** (`ism`; Hyvarinen 2005, theorem 1). By integration by parts the same up to the constant 1/2 E|s|^2, from
samples alone: 1/2 |s_theta|^2 + tr(grad s_theta). The trace costs one backward pass per coordinate.

**Sliced** (Song et al. 2019, eq. 7 and 8). Along random directions v with E[v v^T] = I one backward pass is enough:
`ssm` is v^T grad(v^T s) + 1/2 (v^T s)^2, and `ssm_vr` puts the exact 1/2 |s|^2 for the last term. That is the implicit
loss with Hutchinson's estimate of the trace (Hutchinson 1990), known as `hutchinson`; the two are one formula.

**Denoising** (`dsm`; Vincent 2011, eq. 9). The point was made by perturbing x0, and the score of the kernel at it,
t = grad log q(x | x0), which is -z / sigma for Gaussian noise, has the score of p_sigma for its mean. So
1/2 |s_theta - t|^2 differs from `esm` on p_sigma by the constant 1/2 E|t - s|^2, which no learner can remove: the
*floor*. The remedies for its variance, which grows like d / sigma^2:

* `dsm_control_variate`: subtract c [(|z|^2 - d) / (2 sigma^2) + z . s_theta(x0) / sigma], which has mean zero and at
  small sigma nearly the same fluctuations (Wang et al. 2020, "A Wasserstein minimum velocity approach", section 3.1).
  At large sigma it adds noise instead: `VariateCoefficient` fits c to each level's gradient as training goes.
* `dsm_reference`: in place of t its posterior mean over a reference batch of draws (Xu, Tong & Jaakkola 2023, eq. 7).
* pooled targets: that same mean over all draws so far, from tables (`trainer.pool`). Such a target is a function of x,
  known everywhere: training may then look wider than p_sigma (`trainer.tasks`) and weigh large residuals less
  (`robust_weights`), neither of which moves the minimiser.

**Noise prediction** (`noise_prediction`; Ho et al. 2020, eq. 14): |eps_theta - eps|^2 is 2 sigma^2 times `dsm`, since
eps_theta = -sigma s_theta. With noise levels from DDPM's timesteps it is L_simple to the letter.

**Weights.** lambda = sigma^2 (`ncsn`) makes all levels count alike (Song & Ermon 2019, section 4.2); 1 (`none`) lets
the small ones rule; `edm` is Karras et al. 2022, Table 1, as it falls on the score: sigma^2 (sigma^2 + sd^2) / sd^2;
`ddpm` is L_simple's 2 sigma^2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from trainer.kernels import GAUSSIAN, Kernel
from trainer.settings import FitSettings, Projection, Weighting

ScoreFunction = Callable[[Tensor], Tensor]
"""The learner's score at x, (B, 2), for the noise levels of the batch."""


@dataclass(frozen=True)
class Batch:
    """What the losses look at; fields that an objective does not need stay None.

    Attributes:
        x0: draws from the density, (B, 2); x: the same after noise, (B, 2); sigma: each point's noise level, (B,).
        kernel: the noise.
        exact: the true score of p_sigma at x, (B, 2).
        probes: random directions, (M, B, 2).
        reference: more draws from the density, (n, 2).
    """

    x0: Tensor
    x: Tensor
    sigma: Tensor
    kernel: Kernel = GAUSSIAN
    exact: Tensor | None = None
    probes: Tensor | None = None
    reference: Tensor | None = None


# --- per-sample losses ----------------------------------------------------------------------------------------------


def regression(score: ScoreFunction, batch: Batch, target: Tensor) -> Tensor:
    """1/2 |s_theta(x) - target|^2 for any target with shape (B, 2)."""
    return 0.5 * (score(batch.x) - target).square().sum(1)


def esm(score: ScoreFunction, batch: Batch) -> Tensor:
    """Explicit score matching: 1/2 |s_theta(x) - s(x)|^2 (Hyvarinen 2005, eq. 2)."""
    return regression(score, batch, _given(batch.exact))


def ism(score: ScoreFunction, batch: Batch) -> Tensor:
    """Implicit score matching with the exact trace: 1/2 |s|^2 + sum_i d s_i / d x_i (Hyvarinen 2005, eq. 4)."""
    s, x = _differentiable(score, batch.x)
    trace = sum(_gradient(s[:, i], x)[:, i] for i in range(x.shape[1]))
    return 0.5 * s.square().sum(1) + trace


def ssm(score: ScoreFunction, batch: Batch) -> Tensor:
    """Sliced score matching: the mean over probes of v^T grad(v^T s) + 1/2 (v^T s)^2 (Song et al. 2019, eq. 7)."""
    s, x = _differentiable(score, batch.x)
    along = [(v, (v * s).sum(1)) for v in _given(batch.probes)]
    return torch.stack([(_gradient(a, x) * v).sum(1) + 0.5 * a.square() for v, a in along]).mean(0)


def ssm_vr(score: ScoreFunction, batch: Batch) -> Tensor:
    """Sliced score matching, variance reduced: 1/2 |s|^2 + the mean of v^T grad(v^T s) (Song et al. 2019, eq. 8)."""
    s, x = _differentiable(score, batch.x)
    trace = torch.stack([(_gradient((v * s).sum(1), x) * v).sum(1) for v in _given(batch.probes)]).mean(0)
    return 0.5 * s.square().sum(1) + trace


hutchinson = ssm_vr
"""Implicit score matching with Hutchinson's trace: the formula of `ssm_vr` under its older name."""


def dsm(score: ScoreFunction, batch: Batch) -> Tensor:
    """Denoising score matching with one-draw targets: 1/2 |s_theta(x) - grad log q(x | x0)|^2 (Vincent 2011, eq. 9)."""
    return regression(score, batch, one_draw_target(batch))


def dsm_reference(score: ScoreFunction, batch: Batch) -> Tensor:
    """Denoising score matching with the stable targets of a reference batch (Xu, Tong & Jaakkola 2023, eq. 7)."""
    return regression(score, batch, reference_target(batch))


def dsm_control_variate(score: ScoreFunction, batch: Batch, coefficient: float | Tensor = 1.0) -> Tensor:
    """`dsm` less `coefficient`, a float or (B,), times a variate of mean zero (Gaussian noise only; see above)."""
    z = (batch.x - batch.x0) / batch.sigma[:, None]
    free = (z.square().sum(1) - z.shape[1]) / (2 * batch.sigma**2)
    return dsm(score, batch) - coefficient * (free + (z * score(batch.x0)).sum(1) / batch.sigma)


def noise_prediction(score: ScoreFunction, batch: Batch) -> Tensor:
    """|eps_theta - eps|^2 with eps = (x - x0) / sigma and eps_theta = -sigma s_theta (Ho et al. 2020, eq. 14)."""
    sigma = batch.sigma[:, None]
    return (-sigma * score(batch.x) - (batch.x - batch.x0) / sigma).square().sum(1)


# --- targets, probes, weights ---------------------------------------------------------------------------------------


def one_draw_target(batch: Batch) -> Tensor:
    """Grad log q(x | x0), (B, 2): the score of the kernel that made each point."""
    return batch.kernel.score(batch.x - batch.x0, batch.sigma[:, None])


def reference_target(batch: Batch) -> Tensor:
    """E[grad log q(x | y)] with y among x0 and the reference batch, weighted by q(x | y), (B, 2)."""
    others = _given(batch.reference)
    y = torch.cat((batch.x0[:, None], others.expand(len(batch.x0), -1, -1)), 1)  # (B, n + 1, 2)
    delta = batch.x[:, None] - y
    sigma = batch.sigma.repeat_interleave(y.shape[1])
    flat = delta.flatten(0, 1)  # (B (n + 1), 2)
    log_q = batch.kernel.log_prob(flat, sigma).view(y.shape[:2])
    pull = batch.kernel.score(flat, sigma[:, None]).view_as(delta)
    return torch.einsum("bn,bnd->bd", log_q.softmax(1), pull)


def draw_probes(kind: Projection, count: int, like: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Random directions v with E[v v^T] = I, (count, B, d) for `like` (B, d): what the sliced losses need.

    gaussian: N(0, I); rademacher: independent signs; sphere: uniform on the sphere of radius sqrt(d).
    """
    shape = (count, *like.shape)
    if kind == "rademacher":
        v = torch.randint(0, 2, shape, generator=generator, device=like.device).to(like.dtype)
        return v.mul_(2).sub_(1)
    v = torch.randn(shape, generator=generator, dtype=like.dtype, device=like.device)
    return v if kind == "gaussian" else v * (like.shape[1] ** 0.5 / v.norm(dim=2, keepdim=True))


def level_weights(weighting: Weighting, sigma: Tensor, scale: float) -> Tensor:
    """lambda(sigma), the weight of a squared error of the score, shaped like sigma; `scale` is the data's sd."""
    if weighting == "none":
        return torch.ones_like(sigma)
    square = sigma.square()
    if weighting == "edm":
        return square * (square + scale**2) / scale**2
    return square if weighting == "ncsn" else 2 * square


def weighted_squares(residual: Tensor, weight: Tensor) -> Tensor:
    """Weight |residual|^2, (B,), for a residual (B, 2) and a weight (B,): the loss is half the mean of these."""
    return weight * residual.square().sum(1)


def robust_weights(u: Tensor, mean: Tensor) -> Tensor:
    """The weights, (B,), with which weighted squares u, (B,), have the gradient of a pseudo-Huber loss.

    u counts like 2 c^2 (sqrt(1 + u / c^2) - 1), c^2 = `mean` being the batch's mean of u (Charbonnier et al. 1997).
    Where the target is a function of x the minimiser is that of squares; but the few points with the largest residuals,
    which hold most of the squares, no longer make up most of the gradient.
    """
    return (1 + u / mean.clamp(min=1e-30)).rsqrt()


class VariateCoefficient:
    """The control variate's coefficient c for each noise level, fitted to the gradient as training goes.

    What is to be steadied is the gradient, not the loss. By the output layer's weights W the gradient of one sample's
    loss is r h(x)^T, with the residual r = s(x) + z / sigma and the last hidden layer h; that of its variate is
    (z / sigma) h(x0)^T. Least is left of the one by the other for

        c = E[(r . z / sigma) (h(x) . h(x0))] / E[|z / sigma|^2 |h(x0)|^2],

    held within [0, 1] (outside only its noise leads). Both means are running ones with a memory of some `MEMORY`
    batches, and c serves the batch after the one that it was fitted to, so that the variate keeps its mean of zero.
    """

    MEMORY = 100

    def __init__(self, levels: int, device: torch.device) -> None:
        self.products = torch.zeros(2, levels, device=device)  # both means, up to a common factor

    def of(self, level: Tensor) -> Tensor:
        """The coefficient at each point's level, (B,); 0 before anything is known."""
        both, square = self.products
        return (both / square.clamp(min=1e-30)).clamp(0, 1)[level]

    @torch.no_grad()
    def update(self, score: ScoreFunction, hidden: ScoreFunction, batch: Batch, level: Tensor) -> None:
        """Learn from one batch, with `level` (B,) the index of each point's noise level; `hidden` is h, (B, width)."""
        pull = (batch.x - batch.x0) / batch.sigma[:, None] ** 2  # z / sigma
        above = hidden(batch.x0)
        both = ((score(batch.x) + pull) * pull).sum(1) * (hidden(batch.x) * above).sum(1)
        square = pull.square().sum(1) * above.square().sum(1)
        found = torch.stack((both, square))
        found = torch.where(found.isfinite().all(), found, 0.0)  # a step that fails teaches nothing
        self.products.mul_(1 - 1 / self.MEMORY)
        self.products.index_add_(1, level, found)


# --- the floor ------------------------------------------------------------------------------------------------------


def floor_samples(settings: FitSettings, batch: Batch) -> Tensor | None:
    """Per-sample values, (B,), whose mean is the least that the objective's mean can be; None where that is not known.

    Needs `batch.exact`. Explicit: 0. Implicit and sliced: -1/2 |s|^2. One draw, with or without the control variate:
    1/2 |t - s|^2. Pooled targets are a function of x, so nothing stands in
    the way of 0 once their tables are made. What a reference batch leaves depends on its size in no closed form: None.
    """
    exact = _given(batch.exact)
    if settings.objective in ("ism", "hutchinson", "ssm", "ssm_vr"):
        return -0.5 * exact.square().sum(1)
    if settings.objective == "esm" or settings.pooled:
        return exact.new_zeros(len(exact))
    if settings.objective == "dsm" and settings.target == "reference":
        return None
    return 0.5 * (one_draw_target(batch) - exact).square().sum(1)


# --- helpers --------------------------------------------------------------------------------------------------------


def _given(value: Tensor | None) -> Tensor:
    if value is None:
        raise ValueError("the batch lacks what this objective needs")
    return value


def _differentiable(score: ScoreFunction, x: Tensor) -> tuple[Tensor, Tensor]:
    """The score and the x that it can be differentiated by."""
    x = x.detach().requires_grad_(True)
    return score(x), x


def _gradient(values: Tensor, x: Tensor) -> Tensor:
    """The gradient of each value, (B,), by its own x, (B, 2), itself differentiable."""
    return torch.autograd.grad(values.sum(), x, create_graph=True)[0]
