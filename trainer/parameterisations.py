r"""What the network's output stands for: a score, a noise, a denoised point, or an energy.

With the data's mean mu and scale sd, and D(x) = E[x0 | x] the denoiser, Gaussian noise ties the three together exactly
(Tweedie's formula, Efron 2011; Vincent 2011, section 4.3):

    s(x, sigma) = (D(x, sigma) - x) / sigma^2 = -eps(x, sigma) / sigma .

The network gives F(x, sigma), and every parameterisation but the energy is an affine function of it,

    s = slope(sigma) F + pull(sigma) (x - mu):

==============  ==================================  ======================  =====================================
name            slope                               pull                    source
==============  ==================================  ======================  =====================================
denoiser        sd / (sigma sqrt(sigma^2 + sd^2))   -1 / (sigma^2 + sd^2)   Karras et al. 2022, eq. 7 and Table 1
noise           -1 / sigma                          0                       Ho et al. 2020, eq. 11
score           1                                   0                       Hyvarinen 2005
unconditional   1 / sigma                           0                       Song & Ermon 2020, Technique 3
==============  ==================================  ======================  =====================================

For "noise" F is the noise, for "score" the score itself, and the unconditional F does not see sigma.
The denoiser is exact for a Gaussian when F = 0, and its F is of order one at every sigma. For noise that is not
Gaussian the first two mean nothing; score, unconditional and energy remain.

**Energy.** The output is a scalar f with

    log p_sigma(x) = c(sigma) f(x, sigma) - |x - mu|^2 / 2 (sigma^2 + sd^2) + const,    c = sd / sqrt(sigma^2 + sd^2),

and the score is its gradient by autograd: a field without curl, whose log-density is known up to a constant (Song &
Kingma 2021, "How to train your energy-based models", section 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from torch import Tensor

from trainer.settings import Parameterisation

Level = TypeVar("Level", float, Tensor)


@dataclass(frozen=True)
class Preconditioning:
    """How the network's output becomes a score, with the data's mean (2,) and scale frozen at the start of a run.

    Attributes:
        mean: of the data.
        scale: sd, the data's standard deviation per coordinate.
        kind: the parameterisation. For an energy the score itself is what a loss compares, so its slope is 1.
    """

    mean: tuple[float, float]
    scale: float
    kind: Parameterisation = "denoiser"

    def total(self, sigma: Level) -> Level:
        """The data's variance and the noise's, sigma^2 + sd^2."""
        return sigma**2 + self.scale**2

    def slope(self, sigma: Level) -> Level:
        """What F is multiplied by."""
        if self.kind == "denoiser":
            return self.scale / (sigma * self.total(sigma) ** 0.5)
        if self.kind == "noise":
            return -1 / sigma
        return sigma**-1 if self.kind == "unconditional" else sigma**0

    def pull(self, sigma: Level) -> Level:
        """What x - mean is multiplied by."""
        return -1 / self.total(sigma) if self.kind == "denoiser" else 0 * sigma

    def output(self, score: Tensor, centred: Tensor, sigma: Tensor) -> Tensor:
        """The F that makes the network's score equal `score`; shapes (B, 2), (B, 2), (B,)."""
        return (score - centred * self.pull(sigma)[:, None]) / self.slope(sigma)[:, None]

    def score(self, output: Tensor, centred: Tensor, sigma: Tensor) -> Tensor:
        """The score that F = `output` stands for; shapes as in `output`, or sigma (1,)."""
        return output * self.slope(sigma)[..., None] + centred * self.pull(sigma)[..., None]

    def log_density(self, output: Tensor, centred: Tensor, sigma: Tensor) -> Tensor:
        """The log-density up to a constant, (B,), for an energy's output (B, 1); sigma (B,) or (1,)."""
        total = self.total(sigma)
        return output[:, 0] * (self.scale / total**0.5) - centred.square().sum(1) / (2 * total)


def _column(sigma: float | Tensor) -> float | Tensor:
    return sigma[:, None] if isinstance(sigma, Tensor) and sigma.ndim else sigma


def noise_from_score(score: Tensor, sigma: float | Tensor) -> Tensor:
    """The noise that was added on average, eps = -sigma s, (B, 2); sigma a float or (B,)."""
    return score * -_column(sigma)


def score_from_noise(noise: Tensor, sigma: float | Tensor) -> Tensor:
    """The score s = -eps / sigma, (B, 2); sigma a float or (B,)."""
    return -noise / _column(sigma)


def denoised_from_score(score: Tensor, x: Tensor, sigma: float | Tensor) -> Tensor:
    """The posterior mean D = x + sigma^2 s, (B, 2); sigma a float or (B,)."""
    return x + score * _column(sigma) ** 2


def score_from_denoised(denoised: Tensor, x: Tensor, sigma: float | Tensor) -> Tensor:
    """The score s = (D - x) / sigma^2, (B, 2); sigma a float or (B,)."""
    return (denoised - x) / _column(sigma) ** 2
