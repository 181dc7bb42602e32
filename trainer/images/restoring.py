r"""Pictures from more than noise alone: brought back from noise, completed, or between two others.

All of it runs through the samplers as they are; what differs is the model, the start or the noise.

* **Denoise.** A sampler that starts at the noise level sigma from x = y + sigma z draws from p(x_0 | x), the clean
  pictures that could have become x; `tweedie` gives their mean, x + sigma^2 s(x, sigma), in one step (Tweedie;
  Efron 2011, eq. 2.8). The mean has the smaller squared error, a draw the look of a picture. Reversed diffusions carry
  what x says of y along; Langevin steps forget it, since they are at home anywhere in p_sigma. Annealed Langevin
  dynamics therefore runs on `Observed`, the score given x (Kawar, Vaksman & Elad 2021, eq. 8), and pc takes no
  corrector steps.
* **Inpaint.** `Inpainted` is the score of p_sigma with some values given. At the known ones it is (y - x) / sigma^2,
  whose marginals are N(y, sigma^2) at every level, so every sampler carries them down to y. At the unknown ones it is
  the network's score at x, whose known values carry just that noise: the *replacement* of Song et al. 2021 (section 5,
  eq. 14 and appendix I.2). It is an approximation: noise on the known values is taken as it comes, whatever the unknown
  ones are, and so the two match less well than the model knows (Lugmayr et al. 2022). It is exact where they are
  independent.
* **Interpolate.** `Blend` gives picture j the noise cos(a_j) z + sin(a_j) z', a_j from 0 to pi / 2, of two seeds, at
  every step: standard normal for every j. So any sampler makes pictures in between, and its own at both ends.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn.functional import pad

from trainer.annealing import langevin_step
from trainer.errors import InputError
from trainer.images.models import ImageModel, ImageScore
from trainer.images.sampling import Moment, levels_by_step, recommended
from trainer.noise import Noise
from trainer.settings import ParticleSettings

FEWEST_LEVELS = 10
"""Noise levels on the way down from a given one, unless fewer are recommended for the whole way."""
_COPIES = 3  # the use of step 0's noise that noisy copies are
_LEAST_RISE = 1.01  # of the noise level to start from over the smallest


class Inpainted:
    """The score of pictures of which some values are known: a `ScoreModel`, as `ImageScore` is.

    Args:
        model: the score of whole pictures.
        picture: (C, H, W) in [-1, 1], without padding; what it has at unknown pixels does not matter.
        unknown: (H, W), true where a pixel is to be found. The padding is known.

    Raises:
        InputError: the shapes do not fit the model, or nothing is unknown.
    """

    def __init__(self, model: ImageScore, picture: Tensor, unknown: Tensor) -> None:
        if tuple(picture.shape) != model.card.shape:
            raise InputError(f"picture: shape {tuple(picture.shape)}; give {model.card.shape}, as the model makes them")
        if tuple(unknown.shape) != model.card.shape[1:]:
            raise InputError(f"mask: shape {tuple(unknown.shape)}; give {model.card.shape[1:]}, as the pictures")
        if not bool(unknown.any()):
            raise InputError("mask: nothing is unknown; paint what is to be found")
        self.model, self.card, self.shape = model, model.card, model.shape
        self.sigma_min, self.sigma_max, self.kernel = model.sigma_min, model.sigma_max, model.kernel
        self._known = padded(model, picture.float()).to(model.device)
        self._unknown = padded(model, unknown.float()[None], 0.0)[0].bool().to(model.device)

    @property
    def device(self) -> torch.device:
        """Where the score is computed."""
        return self.model.device

    def score(self, x: Tensor, sigma: float | Tensor) -> Tensor:
        """The score at x (B, C, H, W), padded, at sigma, a float or (B,); errors as for `ImageScore.score`."""
        found = self.model.score(x, sigma)
        levels = torch.as_tensor(sigma, dtype=x.dtype, device=x.device).reshape(-1, 1, 1, 1)
        known, unknown = self._known.to(x), self._unknown.to(x.device)
        return torch.where(unknown, found, (known - x) / levels.square())

    def finished(self, moments: Iterator[Moment]) -> Iterator[Moment]:
        """The same moments; in the last, without noise, known values are exactly those given."""
        _, height, width = self.card.shape
        known, unknown = self._known[:, :height, :width], self._unknown[:height, :width]
        for moment in moments:
            if moment.sigma:
                yield moment
            else:
                x = moment.x
                yield moment._replace(x=torch.where(unknown.to(x.device), x, known.to(x)))


class Observed:
    """The score of pictures of which a noisy copy is known: a `ScoreModel`, as `ImageScore` is.

    At the level s below sigma, x + N(0, sigma^2 - s^2) is the noisy copy, so the score given it is
    s(x, s) + (noisy - x) / (sigma^2 - s^2). Near sigma that is steeper than any Langevin step can follow: there s^2 / 2
    stands in the denominator, which is corrected by the levels below.

    Args:
        model: the score of pictures.
        noisy: (B, C, H, W) at the noise level sigma, with the padding; one for each picture of the batch.
        sigma: that level.
    """

    def __init__(self, model: ImageScore, noisy: Tensor, sigma: float) -> None:
        self.model, self.card, self.shape = model, model.card, model.shape
        self.sigma_min, self.sigma_max, self.kernel = model.sigma_min, model.sigma_max, model.kernel
        self._noisy, self._sigma = noisy, sigma

    @property
    def device(self) -> torch.device:
        """Where the score is computed."""
        return self.model.device

    def score(self, x: Tensor, sigma: float | Tensor) -> Tensor:
        """The score at x (B, C, H, W), padded, at sigma, a float or (B,); errors as for `ImageScore.score`."""
        level = torch.as_tensor(sigma, dtype=x.dtype, device=x.device).reshape(-1, 1, 1, 1).square()
        apart = torch.maximum(self._sigma**2 - level, level / 2)
        return self.model.score(x, sigma) + (self._noisy.to(x) - x) / apart


class Blend(Noise):
    """Noise between that of two seeds: picture j of n has cos(a_j) z + sin(a_j) z', a_j = (pi / 2) j / (n - 1).

    z and z' are the noises of picture 0. Uniform numbers, which samplers of pictures do not use, are the first seed's.

    Args:
        first, second: the two.
        count: n; the single one of 1 is the first seed's.
    """

    def __init__(self, first: Noise, second: Noise, count: int) -> None:
        super().__init__(first.seed, first.device)
        self._first, self._second, self._count = first, second, count

    def normal(self, step: int, draw: int, ids: int | Tensor, shape: tuple[int, ...] = (2,)) -> Tensor:
        """Standard normal numbers for the pictures `ids` of the n; as `Noise.normal`."""
        first, second = (each.normal(step, draw, 1, shape) for each in (self._first, self._second))
        places = torch.arange(ids) if isinstance(ids, int) else ids
        part = places.double().to(self.device) / max(self._count - 1, 1)
        angle = (part * (math.pi / 2)).reshape(-1, *(1 for _ in shape))
        blend = angle.cos().to(first) * first + angle.sin().to(first) * second
        return torch.where((part == 1).reshape(angle.shape), second, blend)  # cos(pi / 2) is not 0 in floats


def noised(model: ImageScore, picture: Tensor, sigma: float, n: int, noise: Noise) -> Tensor:
    """N noisy copies y + sigma z of a picture (C, H, W), with the padding, float32 with shape (n, *model.shape)."""
    z = noise.normal(0, _COPIES, n, model.shape)
    return padded(model, picture.float()).to(z) + sigma * z


def tweedie(model: ImageModel, x: Tensor, sigma: float | Tensor) -> tuple[Tensor, Tensor]:
    """What the model sees in noisy pictures x (B, C, H, W), padded, at sigma, a float or (B,).

    Returns the mean of the clean pictures that could have become x, x + sigma^2 s(x, sigma), and the noise in it,
    -sigma s(x, sigma), in standard deviations; both like x.
    """
    with torch.no_grad():
        score = model.score(x, sigma)
    levels = torch.as_tensor(sigma, dtype=x.dtype, device=x.device).reshape(-1, 1, 1, 1)
    return x + levels.square() * score, -levels * score


def padded(model: ImageScore, picture: Tensor, value: float = -1.0) -> Tensor:
    """A picture (..., C, H, W) with the padding that the network sees, of this value."""
    below, right = model.card.padding
    return pad(picture, (0, right, 0, below), value=value)


def settings_from(
    model: ImageScore, sampler: str, sigma: float, settings: ParticleSettings | None = None
) -> ParticleSettings:
    """Settings that run a sampler from the noise level sigma down to its smallest.

    The part of the way that is left has its part of the noise levels, but at least `FEWEST_LEVELS` of them. pc takes no
    corrector steps: they would forget where it started.

    Args:
        model: whose noise levels.
        sampler: one of `IMAGE_SAMPLERS`.
        sigma: where to start.
        settings: of the whole way; None for the `recommended`.

    Raises:
        InputError: sigma is not above the smallest level, or above what the model knows.
    """
    whole = settings or recommended(model, sampler)
    low = whole.sigma_min
    if not low * _LEAST_RISE <= sigma <= model.sigma_max * (1 + 1e-6):
        raise InputError(
            f"sigma: {sigma:.4g}; give a noise level between {low * _LEAST_RISE:.4g} and {model.sigma_max:.4g}"
        )
    sigma = min(sigma, model.sigma_max)
    if sampler != "annealed":
        levels = [level for level in levels_by_step(model, sampler, whole)[:-1] if level <= sigma]
        count = max(len(levels), min(FEWEST_LEVELS, whole.diffusion_steps))
        return replace(whole, start_sigma=sigma, sigma_max=max(sigma, low), diffusion_steps=count, corrector_steps=0)
    part = math.log(sigma / low) / max(math.log(whole.sigma_max / low), 1e-9)
    count = max(math.ceil(1 + (whole.levels - 1) * part), min(FEWEST_LEVELS, whole.levels))
    ratio = (sigma / low) ** (1 / max(count - 1, 1))
    epsilon = whole.epsilon if settings is not None else langevin_step(low, ratio, whole.steps)
    return replace(whole, levels=count, sigma_max=sigma, epsilon=epsilon)
