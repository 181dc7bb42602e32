"""How good are samples? One table, with real pictures and noise judged by the same rules beside them.

Three sets are judged, each against the held-out pictures:

    samples    what the model made
    floor      pictures of the training set, as if they had been sampled: what no model can be better than
    noise      values drawn uniformly from all levels: what anything is better than

**Equal numbers.** Every figure here depends on how many pictures it is taken from, most of all the Frechet distance. So
N = the smallest of the three counts, samples, training and held-out pictures, and each figure compares N with N. The
first N samples count. Training and held-out pictures are drawn, keyed by the seed, `REPEATS` times, and the floor is
the mean over the draws. The halves are the same figure from N / 2 and N / 2: a training half against a held-out half,
and, since a classifier knows the pictures that it was trained on, one held-out half against the other.

Classifier and judgement see whole numbers only: samples are quantised to the data's levels first, and everything is
put at the middle of its level.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from trainer.errors import InputError
from trainer.images.classifier import Classifier, accuracy
from trainer.images.frechet import frechet_distance
from trainer.images.manifolds import NEIGHBOURS, Shares, shares
from trainer.images.neighbours import memorised_share, nearest
from trainer.images.pictures import Pictures, quantised, scaled
from trainer.noise import Noise, mix

REPEATS = 8
_NOISE = 0x6E6F697365
_DRAWS = 0x6472617773


@dataclass(frozen=True)
class Judgement:
    """What is found of one set of pictures.

    Attributes:
        count: how many of them were compared with as many held-out ones.
        frechet, frechet_halves: squared Frechet distance to held-out pictures, N with N and N / 2 with N / 2.
        shares: precision, recall, density and coverage.
        histogram: the share of each class that the classifier sees; empty where there are no labels.
        nearest: the distance to the nearest training picture: its 1 % quantile, median and mean.
        memorised: the share that is nearer to a training picture than all but 1 % of the held-out ones.
        channels: the mean of each channel, in [-1, 1].
    """

    count: int
    frechet: float
    frechet_halves: float
    shares: Shares
    histogram: tuple[float, ...]
    nearest: tuple[float, float, float] | None
    memorised: float | None
    channels: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        """The figures by name."""
        low, median, mean = self.nearest or (None, None, None)
        return {
            "count": self.count,
            "frechet": self.frechet,
            "frechet_halves": self.frechet_halves,
            **self.shares.to_json(),
            "histogram": list(self.histogram),
            "nearest_1_percent": low,
            "nearest_median": median,
            "nearest_mean": mean,
            "memorised": self.memorised,
            "channels": list(self.channels),
        }


@dataclass(frozen=True)
class Evaluation:
    """Samples beside real pictures and noise.

    Attributes:
        accuracy: of the classifier on all held-out pictures.
        counts: samples, training and held-out pictures that there are.
        samples, floor, noise: what is found of each set.
        frechet_within: of one half of N held-out pictures to the other: the floor without what a classifier knows of
            the pictures that it was trained on.
        held_out_nearest: quantile, median and mean of the held-out pictures' distances to the training pictures.
        held_out_histogram, held_out_channels: of the held-out pictures.
    """

    accuracy: float
    counts: tuple[int, int, int]
    samples: Judgement
    floor: Judgement
    noise: Judgement
    frechet_within: float
    held_out_nearest: tuple[float, float, float]
    held_out_histogram: tuple[float, ...]
    held_out_channels: tuple[float, ...]

    @property
    def frechet(self) -> float:
        """The samples' squared Frechet distance."""
        return self.samples.frechet

    @property
    def frechet_floor(self) -> float:
        """That of training pictures, as many."""
        return self.floor.frechet

    @property
    def frechet_noise(self) -> float:
        """That of noise."""
        return self.noise.frechet

    def to_json(self) -> dict[str, Any]:
        """The figures by name: those of the samples first, then the rows beside them."""
        return {
            "accuracy": self.accuracy,
            "counts": dict(zip(("samples", "train", "held_out"), self.counts, strict=True)),
            "neighbours": NEIGHBOURS,
            "repeats": REPEATS,
            **self.samples.to_json(),
            "frechet_floor": self.frechet_floor,
            "frechet_noise": self.frechet_noise,
            "frechet_floor_halves": self.floor.frechet_halves,
            "frechet_within": self.frechet_within,
            "floor": self.floor.to_json(),
            "noise": self.noise.to_json(),
            "held_out": {
                "histogram": list(self.held_out_histogram),
                "nearest_1_percent": self.held_out_nearest[0],
                "nearest_median": self.held_out_nearest[1],
                "nearest_mean": self.held_out_nearest[2],
                "channels": list(self.held_out_channels),
            },
        }


def evaluate(
    samples: Tensor,
    train: Pictures,
    held_out: Pictures,
    classifier: Classifier,
    *,
    seed: int = 0,
    watch: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Judge samples (N, C, H, W) in [-1, 1] of the distribution of which both sets of pictures are.

    Args:
        samples: without padding, finite.
        train: what the model learned.
        held_out: what it did not.
        classifier: trained on `train`.
        seed: of the draws of real pictures, and of the noise.
        watch: called with the parts done and those to do.

    Raises:
        InputError: the shapes differ, or there are too few pictures of a kind.
    """
    _check(samples, train, held_out)
    parts = iter(range(1, 6))

    def done() -> None:
        if watch is not None:
            watch(next(parts), 5)

    judge = _Judge(train, held_out, classifier, len(samples), seed)
    done()
    found = judge.judge(_seen(samples, train.levels))
    done()
    floor = judge.floor()
    done()
    noise = judge.judge(noise_pictures(judge.count, train, seed))
    done()
    evaluation = Evaluation(
        accuracy=accuracy(classifier, held_out),
        counts=(len(samples), len(train), len(held_out)),
        samples=found,
        floor=floor,
        noise=noise,
        frechet_within=judge.within(),
        held_out_nearest=_quantiles(judge.held_out_distances),
        held_out_histogram=judge.histogram(judge.held_out),
        held_out_channels=_channels(judge.held_out),
    )
    done()
    return evaluation


def noise_pictures(count: int, like: Pictures, seed: int) -> Tensor:
    """Values drawn uniformly from all levels, at the levels' middles, (count, C, H, W)."""
    uniform = Noise(mix(_NOISE, seed)).uniform(0, 0, count, like.shape)
    return _seen(2 * uniform - 1, like.levels)


class _Judge:
    """The real pictures, as they are, as features and by their distances, and what is found of others beside them."""

    def __init__(self, train: Pictures, held_out: Pictures, classifier: Classifier, samples: int, seed: int) -> None:
        self.count = min(samples, len(train), len(held_out))
        self.classifier, self.seed = classifier, seed
        self.train, self.held_out = _pixels(train), _pixels(held_out)
        self.train_features, self.held_out_features = map(classifier.features, (self.train, self.held_out))
        self.held_out_distances = nearest(self.held_out, self.train).distances
        self._drawn = [self._draw(len(held_out), repeat, 0) for repeat in range(REPEATS)]  # (REPEATS, N)

    def judge(self, pictures: Tensor) -> Judgement:
        """Of pictures that are not among the real ones."""
        features = self.classifier.features(pictures)
        distances = nearest(pictures, self.train).distances
        return Judgement(
            self.count,
            *self._against_held_out([features[: self.count]] * REPEATS),
            histogram=self.histogram(pictures),
            nearest=_quantiles(distances),
            memorised=memorised_share(distances, self.held_out_distances),
            channels=_channels(pictures),
        )

    def floor(self) -> Judgement:
        """Of training pictures; their distance to the training set is 0 and says nothing."""
        drawn = [self.train_features[self._draw(len(self.train), repeat, 1)] for repeat in range(REPEATS)]
        return Judgement(
            self.count,
            *self._against_held_out(drawn),
            histogram=self.histogram(self.train),
            nearest=None,
            memorised=None,
            channels=_channels(self.train),
        )

    def within(self) -> float:
        """The mean distance of one half of the held-out pictures that are drawn to the other."""
        halves = [self.held_out_features[places] for places in self._drawn]
        half = self.count // 2
        return _mean([frechet_distance(points[:half], points[half : 2 * half]) for points in halves])

    def histogram(self, pictures: Tensor) -> tuple[float, ...]:
        """The share of each class; empty where the classifier tells turns apart."""
        if self.classifier.card.turned:
            return ()
        counts = torch.bincount(self.classifier.labels(pictures), minlength=self.classifier.card.classes)
        return tuple((counts.double() / len(pictures)).tolist())

    def _against_held_out(self, drawn: list[Tensor]) -> tuple[float, float, Shares]:
        """Means over the repeats, of features (N, d) against as many held-out ones."""
        half = self.count // 2
        real = [self.held_out_features[places] for places in self._drawn]
        pairs = list(zip(drawn, real, strict=True))
        every = [shares(data, points) for points, data in pairs]
        return (
            _mean([frechet_distance(points, data) for points, data in pairs]),
            _mean([frechet_distance(points[:half], data[:half]) for points, data in pairs]),
            Shares(*(_mean([getattr(one, name) for one in every]) for name in Shares.__dataclass_fields__)),
        )

    def _draw(self, of: int, repeat: int, which: int) -> Tensor:
        """N of so many places, none twice, in an order of their own."""
        keys = Noise(mix(_DRAWS, self.seed)).uniform(repeat, which, of, (1,))[:, 0]
        return keys.argsort()[: self.count]


def _check(samples: Tensor, train: Pictures, held_out: Pictures) -> None:
    for name, shape in (("samples", tuple(samples.shape[1:])), ("held-out pictures", held_out.shape)):
        if shape != train.shape:
            raise InputError(f"{name}: of shape {shape}, but those of {train.name} of {train.shape}; give equal ones")
    if held_out.levels != train.levels:
        raise InputError(f"{held_out.name}: {held_out.levels} levels, not {train.levels}; give pictures of one kind")
    least = 2 * NEIGHBOURS + 2
    for name, count in (("samples", len(samples)), ("training", len(train)), ("held-out", len(held_out))):
        if count < least:
            raise InputError(f"{name}: {count} pictures; give at least {least}")
    if not bool(torch.isfinite(samples).all()):
        raise InputError("samples: hold NaN or infinity; give finite values")


def _seen(x: Tensor, levels: int) -> Tensor:
    """Values at the middles of the data's levels, float32."""
    return torch.from_numpy(scaled(quantised(x.detach().float().cpu().numpy(), levels), levels))


def _pixels(pictures: Pictures) -> Tensor:
    return torch.from_numpy(scaled(pictures.values, pictures.levels))


def _quantiles(distances: Tensor) -> tuple[float, float, float]:
    return float(distances.quantile(0.01)), float(distances.median()), float(distances.mean())


def _channels(pictures: Tensor) -> tuple[float, ...]:
    return tuple(pictures.double().mean((0, 2, 3)).tolist())


def _mean(values: list[float]) -> float:
    return float(np.mean(values))
