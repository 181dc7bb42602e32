"""Choices of a training run on pictures, as one frozen dataclass that checks its own fields.

Nothing here imports torch: the window, the command line and checkpoints carry these objects. What is left open (None)
is recommended from the pictures by `trainer.images.ladder`, and `trainer.images.training` writes what was used into
the checkpoint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from trainer.errors import InputError
from trainer.settings import choice, known, number, whole

ImageObjective = Literal["ncsn", "ddpm"]
Preset = Literal["tiny", "small", "ncsnpp"]
Precision = Literal["fp32", "bf16", "fp16"]

SMALLEST_SIGMA, LARGEST_SIGMA = 1e-4, 1e5
MOST_LEVELS = 10_000
HELD_OUT, SPLIT_SEED = 0.2, 0
"""The share of the pictures kept out of training unless another is asked for, and the seed that chooses them."""


@dataclass(frozen=True)
class ImageSettings:
    """What `trainer.images.training.train` minimises, with which network, and how fast."""

    objective: ImageObjective = "ncsn"
    preset: Preset = "tiny"
    levels: int | None = None
    """Noise levels of the ncsn ladder. None: recommended. ddpm has its thousand timesteps, whatever stands here."""
    sigma_min: float | None = None
    """Smallest noise level of the ncsn ladder, in units of [-1, 1]. None: recommended from the width of a level."""
    sigma_max: float | None = None
    """Largest noise level of the ncsn ladder. None: the largest pairwise distance of the pictures."""
    batch: int = 128
    """Pictures a step, over all processes together."""
    learning_rate: float = 1e-3
    warmup: int = 500
    """Steps in which the learning rate rises to its value, in equal parts."""
    ema: float = 0.999
    """Decay of the averaged weights once it has warmed up."""
    ema_warmup: bool = True
    """Whether the decay of step k is min(ema, (1 + k) / (10 + k)), so that early weights are forgotten soon."""
    clip: float = 1.0
    """Largest norm of the gradient; a longer one is shortened to it. 0: never."""
    dropout: float = 0.0
    dequantise: bool = True
    """Whether a grey level stands for the whole of its interval, drawn anew each time, and not for the middle alone."""
    precision: Precision = "fp32"
    steps: int = 5000

    def __post_init__(self) -> None:
        choice("objective", self.objective, get_args(ImageObjective))
        choice("preset", self.preset, get_args(Preset))
        if self.levels is not None:
            whole("levels", self.levels, 2, MOST_LEVELS)
        for name in ("sigma_min", "sigma_max"):
            if getattr(self, name) is not None:
                number(name, getattr(self, name), SMALLEST_SIGMA, LARGEST_SIGMA)
        if self.sigma_min is not None and self.sigma_max is not None and self.sigma_max <= self.sigma_min:
            raise InputError(
                f"sigma_max: {self.sigma_max:g} is not above sigma_min = {self.sigma_min:g}; give a larger one"
            )
        whole("batch", self.batch, 1, 65_536)
        number("learning_rate", self.learning_rate, 1e-8, 1)
        whole("warmup", self.warmup, 0, 10**6)
        number("ema", self.ema, 0, 0.999999)
        number("clip", self.clip, 0, 1e6)
        number("dropout", self.dropout, 0, 0.9)
        for name in ("ema_warmup", "dequantise"):
            if not isinstance(getattr(self, name), bool):
                raise InputError(f"{name}: {getattr(self, name)!r} is neither true nor false")
        choice("precision", self.precision, get_args(Precision))
        whole("steps", self.steps, 1, 10**8)

    def to_json(self) -> dict[str, Any]:
        """The settings as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ImageSettings:
        """Rebuild settings from `to_json`'s values; `InputError` names a field that is unknown or wrong."""
        return cls(**known(cls, values))
