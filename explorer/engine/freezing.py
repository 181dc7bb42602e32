"""A learned score to and from what can travel (`explorer.engine.orders.Frozen`), to the last bit."""

from __future__ import annotations

import numpy as np
import torch

from explorer.engine.orders import Frozen
from trainer.densities import Density
from trainer.learned import LearnedScore
from trainer.networks import ScoreNetwork
from trainer.parameterisations import Preconditioning


def freeze(model: LearnedScore) -> Frozen:
    """What determines this score."""
    conditioning = model.network.conditioning
    return Frozen(
        model.settings,
        model.seed,
        model.step,
        conditioning.mean,
        conditioning.scale,
        model.sigma_max,
        model.sigma_min,
        model.weights.detach().to("cpu", torch.float32).numpy().copy(),
    )


def thaw(frozen: Frozen, density: Density, device: torch.device) -> LearnedScore:
    """The score that was frozen, learned from `density`, on this device."""
    conditioning = Preconditioning(frozen.mean, frozen.scale, frozen.settings.parameterisation)
    return LearnedScore(
        ScoreNetwork(frozen.settings.network, conditioning, device),
        torch.from_numpy(np.array(frozen.weights)).to(device),
        (frozen.sigma_max, frozen.sigma_min),
        settings=frozen.settings,
        density=density,
        seed=frozen.seed,
        step=frozen.step,
    )
