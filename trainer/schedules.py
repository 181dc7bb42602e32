r"""How much noise, and in what order.

**Geometric** (Song & Ermon 2019, section 4.1): sigma_1 > ... > sigma_L with a constant ratio. The largest level is the
largest distance between two data points (Song & Ermon 2020, Technique 1): then every data point is within one standard
deviation of every other, and no gap between modes is too wide to cross.

**DDPM** (Ho et al. 2020): x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) z for t = 1 .. 1000,
abar_t = prod_{s<=t} (1 - beta_s).

* linear: beta from 1e-4 to 0.02 in equal steps (Ho et al. 2020, section 4);
* cosine: abar(t) = f(t) / f(0), f(t) = cos^2((t / T + s) / (1 + s) pi / 2), s = 0.008, each beta at most 0.999
  (Nichol & Dhariwal 2021, eq. 17).

**EDM** (Karras et al. 2022): training draws ln sigma ~ N(-1.2, 1.2^2) (table 1); sampling steps down the ladder of
eq. 5, (sigma_max^(1/rho) + i / (N - 1) (sigma_min^(1/rho) - sigma_max^(1/rho)))^rho with rho = 7. The two constants
were chosen for pictures with pixels in [-1, 1] and a standard deviation of 0.5, which is what paintings of the plane
have too (0.3 to 0.6), so they are taken as they are.

**One process, two scales.** DDPM keeps the variance (VP), the others let it grow (VE). With sigma^2 = (1 - abar) / abar
x_t / sqrt(abar_t) = x_0 + sigma z: the VP process divided by sqrt(abar) *is* the VE process, with the same posterior
mean E[x_0 | x_t], and score_VP(x) = score_VE(x / sqrt(abar), sigma) / sqrt(abar) (Song et al. 2021, appendix B).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from trainer.errors import InputError
from trainer.settings import FitSettings, LadderSettings

DDPM_STEPS = 1000
EDM_MEAN, EDM_STD = -1.2, 1.2
_LINEAR = (1e-4, 0.02)
_OFFSET, _LARGEST_BETA = 0.008, 0.999
_CHUNK = 65_536


# --- ladders ------------------------------------------------------------------------------------------------------


def geometric_ladder(settings: LadderSettings, sigma_max: float) -> Tensor:
    """The noise levels, largest first, (levels,) float64; `sigma_max` is used where the settings leave it open.

    One level is sigma_min.
    """
    low, top = _ends(settings, sigma_max)
    ladder = torch.logspace(math.log(top), math.log(low), settings.levels, base=math.e, dtype=torch.float64)
    ladder[0], ladder[-1] = top, low
    return ladder


def rho_ladder(sigma_max: float, sigma_min: float, steps: int, rho: float = 7.0) -> Tensor:
    """EDM's noise levels for sampling (Karras et al. 2022, eq. 5), largest first, (steps,) float64, without a final 0.

    rho = 1 steps evenly in sigma; the larger rho, the more of the steps are at small sigma.

    Raises:
        InputError: unless sigma_max > sigma_min > 0, steps >= 2 and rho > 0.
    """
    if not 0 < sigma_min < sigma_max < math.inf:
        raise InputError(f"sigma_min: {sigma_min:g} to sigma_max = {sigma_max:g}; give 0 < sigma_min < sigma_max")
    if steps < 2:
        raise InputError(f"steps: {steps}; give at least 2 noise levels, the largest and the smallest")
    if not 0 < rho < math.inf:
        raise InputError(f"rho: {rho:g}; give a positive number, 7 as Karras et al. 2022")
    high, low = sigma_max ** (1 / rho), sigma_min ** (1 / rho)
    ladder = torch.linspace(high, low, steps, dtype=torch.float64) ** rho
    ladder[0], ladder[-1] = sigma_max, sigma_min
    return ladder


def edm_levels(n: int, mean: float = EDM_MEAN, std: float = EDM_STD) -> Tensor:
    """EDM's noise levels for training, ln sigma ~ N(mean, std^2): largest first, (n,) float64.

    They are stratified, level i the quantile (i + 1/2) / n counted from above, so that n rows follow the distribution
    as evenly as n numbers can.

    Raises:
        InputError: unless n >= 1 and std > 0.
    """
    if n < 1:
        raise InputError(f"n: {n} noise levels; give at least 1")
    if not 0 < std < math.inf:
        raise InputError(f"std: {std:g}; give a positive number, 1.2 as Karras et al. 2022")
    above = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    return (mean - std * torch.special.ndtri(above)).exp()


# --- DDPM ---------------------------------------------------------------------------------------------------------


def ddpm_alphas_cumprod(kind: str, steps: int = DDPM_STEPS) -> Tensor:
    """abar_t for t = 1 .. steps, (steps,) float64, falling from nearly 1 to nearly 0.

    Args:
        kind: "ddpm-linear" or "ddpm-cosine".
        steps: into how many steps the same end points (linear) or the same curve (cosine) are cut.

    Raises:
        InputError: for another kind, or steps < 1.
    """
    if steps < 1:
        raise InputError(f"steps: {steps}; give at least 1 step of diffusion, 1000 as Ho et al. 2020")
    if kind == "ddpm-linear":
        beta = torch.linspace(*_LINEAR, steps, dtype=torch.float64)
    elif kind == "ddpm-cosine":
        t = torch.arange(steps + 1, dtype=torch.float64) / steps
        kept = ((t + _OFFSET) / (1 + _OFFSET) * (math.pi / 2)).cos().square()
        beta = (1 - kept[1:] / kept[:-1]).clamp(max=_LARGEST_BETA)
    else:
        raise InputError(f"schedule: {kind!r} is none of DDPM's; choose ddpm-linear or ddpm-cosine")
    return (1 - beta).cumprod(0)


def vp_to_ve(alpha_bar: float | Tensor) -> Tensor:
    """The noise level sigma = sqrt((1 - abar) / abar) at which x_t / sqrt(abar) = x_0 + sigma z; float64, any shape.

    Near abar = 1 the digits of 1 - abar are few: sigma's relative error is about 1e-16 / (2 sigma^2).
    """
    kept = torch.as_tensor(alpha_bar, dtype=torch.float64)
    return ((1 - kept) / kept).sqrt()


def ve_to_vp(sigma: float | Tensor) -> Tensor:
    """The share abar = 1 / (1 + sigma^2) of the variance that is left of the data at this noise level; float64."""
    return 1 / (1 + torch.as_tensor(sigma, dtype=torch.float64).square())


# --- which row of the training batch has which level --------------------------------------------------------------


def level_counts(levels: int, rows: int) -> Tensor:
    """How many of `rows` training points each noise level gets, int64 (levels,): as evenly as whole numbers allow."""
    return torch.linspace(0, rows, levels + 1, dtype=torch.float64).round().long().diff()


def training_levels(settings: FitSettings, diameter: float, rows: int) -> tuple[Tensor, Tensor]:
    """The noise levels of training, and the level of each training point.

    * "geometric": the ladder of `settings.ladder`, each level for as many rows as any other.
    * "edm": a level of its own for every row, clipped to the ladder's two ends, which are levels themselves; rows at
      the same end share its level.
    * "ddpm-linear", "ddpm-cosine": the 1000 levels of the VP process in VE's scale, t uniform. They have their own
      ends: 0.010 to 157 and 0.0064 to 20,000.

    Args:
        settings: `schedule` and `ladder` are used.
        diameter: the data's largest pairwise distance, where the ladder leaves sigma_max open.
        rows: how many training points there are.

    Returns:
        The levels (L,) float64, strictly falling; and for each row the index of its level, (rows,) int64, not falling.
    """
    if settings.schedule == "edm":
        low, high = _ends(settings.ladder, diameter)
        spread = edm_levels(rows).clamp(low, high)
        spread[0], spread[-1] = high, low  # few rows would not reach the ends by themselves
        levels, index = spread.unique(return_inverse=True)
        return levels.flip(0), len(levels) - 1 - index
    if settings.schedule == "geometric":
        ladder = geometric_ladder(settings.ladder, diameter)
    else:
        ladder = vp_to_ve(ddpm_alphas_cumprod(settings.schedule)).flip(0)
    return ladder, torch.repeat_interleave(torch.arange(len(ladder)), level_counts(len(ladder), rows))


def _ends(settings: LadderSettings, sigma_max: float) -> tuple[float, float]:
    """The smallest and the largest level of the ladder, the one below the other even where all points coincide."""
    return settings.sigma_min, max(settings.sigma_max or sigma_max, 1.01 * settings.sigma_min)


# --- the extent of the data ---------------------------------------------------------------------------------------


def largest_distance(points: Tensor, directions: int = 64) -> float:
    """The largest distance between two of the points with shape (N, 2), without comparing all pairs.

    The two points farthest apart are corners of the convex hull. The outermost points in `directions` directions are
    corners of it, and the farthest pair of those falls short by at most a factor cos(pi / directions): 0.12 % for 64.
    Time grows as N; memory does not grow beyond what 65,536 points take.
    """
    angle = torch.arange(directions, dtype=points.dtype) * (2 * math.pi / directions)
    axes = torch.stack((angle.cos(), angle.sin())).to(points.device)  # (2, directions)
    while len(points) > _CHUNK:
        points = torch.cat([part[(part @ axes).argmax(0)] for part in points.split(_CHUNK)])
    corners = points[(points @ axes).argmax(0)]
    return float(torch.cdist(corners, corners, compute_mode="donot_use_mm_for_euclid_dist").max())
