"""Project files."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from trainer.settings import FitSettings, ParticleSettings


@dataclass(frozen=True, eq=False)
class Setup:
    """Everything that a person chooses before anything is computed."""

    weights: NDArray[np.float32]
    name: str = "painting"
    fit: FitSettings = field(default_factory=FitSettings)
    particles: ParticleSettings = field(default_factory=ParticleSettings)
    seed: int = 0
    particle_seed: int = 0
