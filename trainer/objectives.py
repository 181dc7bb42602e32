"""What is minimised: denoising score matching over a ladder of noise levels.

Perturb x~ = x0 + sigma z with z ~ N(0, I). Denoising score matching (Vincent 2011) regresses on the score of the
perturbation kernel, and over a ladder (Song & Ermon 2019, eq. 5 and 6):

    loss = 1/2 mean_i  lambda(sigma_i) E | s(x~, sigma_i) - t(x~) |^2

* target "single": t = (x0 - x~) / sigma^2 = -z / sigma, the textbook's. Its mean given x~ is the score of p_sigma
  (Vincent 2011, section 4.2), its variance is large at small sigma.
* target "pooled": t = the score at x~ of all draws so far, blurred by sigma: that same mean, taken over a growing pool
  (`trainer.pool`; the stable target field of Xu, Tong & Jaakkola 2023 with the whole pool as reference batch). The
  minimiser is the same as the pool grows; the variance, and with it the loss's floor, is gone.

**Weights.** lambda(sigma) = sigma^2 (`ncsn`) makes every level count alike; 1 (`none`) lets the small levels rule;
`edm` is Karras et al. 2022, Table 1: lambda_D = (sigma^2 + sd^2) / (sigma sd)^2 on the denoiser, that is
sigma^4 lambda_D on the score, which gives the network's own output F (`trainer.networks`) weight 1 at every level.

With s = F sd / (sigma sqrt(sigma^2 + sd^2)) + (a term free of the network), every one of these is a weight on
|F - F_target|^2, and that is what `level_weights` returns.
"""

from __future__ import annotations

import torch
from torch import Tensor

from trainer.settings import Weighting


def one_draw_target(x0: Tensor, x: Tensor, sigma: Tensor) -> Tensor:
    """The score of the Gaussian kernel at x, with shape (B, 2), given the clean x0; sigma with shape (B,)."""
    return (x0 - x) / (sigma * sigma)[:, None]


def level_weights(weighting: Weighting, sigma: Tensor, scale: float) -> Tensor:
    """The weight of |F - F_target|^2 at each sigma, with the shape of sigma; `scale` is the data's sd."""
    if weighting == "edm":
        return torch.ones_like(sigma)
    on_score = sigma**2 if weighting == "ncsn" else torch.ones_like(sigma)
    return on_score * scale**2 / (sigma**2 * (sigma**2 + scale**2))


def weighted_loss(residual: Tensor, weight: Tensor) -> Tensor:
    """1/2 mean of weight |residual|^2, a scalar; residual with shape (B, 2), weight with shape (B,)."""
    return 0.5 * torch.mean(weight * residual.square().sum(1))
