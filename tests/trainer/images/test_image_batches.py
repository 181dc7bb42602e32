"""Batches are a function of (seed, step, position): each picture once an epoch, the same however they are shared."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.trainer.images.small import grey_pictures
from trainer.images.batches import PictureBatches
from trainer.images.pictures import Pictures, quantised, scaled
from trainer.noise import Noise


def test_an_epoch_sees_each_picture_once() -> None:
    batches = PictureBatches(grey_pictures(50), (0, 0), 8, seed=3)
    drawn = torch.cat([batches.index(step) for step in range(1, 26)])  # 200 draws, 4 epochs
    for epoch in drawn.split(50):
        assert epoch.sort().values.tolist() == list(range(50))
    other = PictureBatches(grey_pictures(50), (0, 0), 8, seed=4)
    assert not torch.equal(drawn[:50], drawn[50:100])
    assert not torch.equal(drawn[:8], other.index(1))


def test_a_batch_larger_than_the_data() -> None:
    index = PictureBatches(grey_pictures(5), (0, 0), 12, seed=0).index(1)
    assert sorted(np.bincount(index.numpy())) == [2, 2, 2, 3, 3]


@pytest.mark.parametrize("parts", [2, 3])
def test_parts_of_a_batch_are_the_batch(parts: int) -> None:
    pictures = grey_pictures(50, (7, 6))
    whole = PictureBatches(pictures, (1, 2), 12, seed=3).batch(9)
    pieces = [PictureBatches(pictures, (1, 2), 12, 3, slice_of=(i, parts)).batch(9) for i in range(parts)]
    for name in ("clean", "noise", "level"):
        assert torch.equal(getattr(whole, name), torch.cat([getattr(piece, name) for piece in pieces]))


def test_pictures_are_dequantised_within_their_levels_and_padded() -> None:
    pictures = grey_pictures(50, (7, 6))
    batches = PictureBatches(pictures, (1, 2), 16, seed=1)
    clean = batches.batch(2).clean
    assert clean.shape == (16, 1, 8, 8)
    inside = clean[..., :7, :6]
    assert np.array_equal(quantised(inside.numpy(), 17), pictures.values[batches.index(2)])
    assert (clean[..., 7:, :] == -1).all()
    assert (clean[..., 6:] == -1).all()
    assert not torch.equal(inside, batches.batch(6).clean[..., :7, :6])
    plain = PictureBatches(pictures, (0, 0), 16, seed=1, dequantise=False)
    assert np.array_equal(plain.batch(2).clean.numpy(), scaled(pictures.values[plain.index(2)], 17))


def test_sixteen_bits() -> None:
    values = np.full((4, 1, 2, 2), 65_535, np.uint16)
    clean = PictureBatches(Pictures("white", values, 65_536), (0, 0), 4, seed=0, dequantise=False).batch(1).clean
    assert clean.numpy() == pytest.approx(1 - 1 / 65_536)


def test_training_shares_no_noise_with_sampling() -> None:
    noise = PictureBatches(grey_pictures(50), (0, 0), 8, seed=3).batch(2).noise
    assert not torch.equal(noise, Noise(3).normal(2, 0, 8, (1, 8, 8)))
    assert noise.std() == pytest.approx(1, abs=0.1)
