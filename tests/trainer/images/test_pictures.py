"""Sets of pictures: levels to numbers and back, padding, and a split that depends on the seed and the places alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from trainer.errors import InputError
from trainer.images.pictures import Pictures, crop, kind, pad, padded_side, quantised, scaled

LEVELS = [2, 17, 256, 65_536]


def made(n: int, labels: list[int] | None = None) -> Pictures:
    values = np.arange(n * 6, dtype=np.int64).reshape(n, 1, 2, 3) % 256
    return Pictures("made", values.astype(np.uint8), 256, None if labels is None else np.array(labels, np.int64))


# --- levels to numbers and back -----------------------------------------------------------------------------------


@pytest.mark.parametrize("levels", LEVELS)
@pytest.mark.parametrize("within", [0.02, 0.5, 0.98])
def test_every_level_comes_back_from_anywhere_in_its_interval(levels: int, within: float) -> None:
    values = np.arange(levels).astype(kind(levels))
    x = scaled(values, levels, within)
    assert x.dtype == np.float32
    assert -1 <= x.min() < x.max() <= 1
    np.testing.assert_array_equal(quantised(x, levels), values)
    assert quantised(x, levels).dtype == values.dtype
    np.testing.assert_allclose(x, 2 * (np.arange(levels) + within) / levels - 1, rtol=0, atol=2**-22)


@pytest.mark.parametrize("levels", LEVELS)
def test_tensors_and_arrays_agree_to_the_last_bit(levels: int) -> None:
    generator = np.random.default_rng(0)
    values = generator.integers(0, levels, (50, 1, 8, 8)).astype(kind(levels))
    within = generator.random(values.shape, np.float32)
    x = scaled(values, levels, within)
    t = scaled(torch.from_numpy(values), levels, torch.from_numpy(within))
    assert t.dtype == torch.float32
    np.testing.assert_array_equal(t.numpy(), x)
    np.testing.assert_array_equal(quantised(t, levels).numpy(), quantised(x, levels))


def test_dequantised_numbers_are_uniform_on_their_level() -> None:
    within = np.random.default_rng(1).random(20_000)
    x = scaled(np.full(20_000, 5, np.uint8), 17, within)
    assert stats.kstest(x, stats.uniform(2 * 5 / 17 - 1, 2 / 17).cdf).pvalue > 0.01


def test_what_lies_outside_gets_the_nearest_level() -> None:
    x = np.array([-7.0, -1.0, 1.0, 9.0], np.float32)
    assert quantised(x, 17).tolist() == [0, 0, 16, 16]
    assert quantised(torch.from_numpy(x), 17).tolist() == [0, 0, 16, 16]


@pytest.mark.parametrize(("side", "halvings", "padded"), [(8, 2, 8), (28, 2, 28), (28, 3, 32), (1, 3, 8), (33, 0, 33)])
def test_padded_sides_are_the_next_multiples(side: int, halvings: int, padded: int) -> None:
    assert padded_side(side, halvings) == padded


def test_padding_is_the_smallest_value_and_crop_takes_it_off() -> None:
    x = np.random.default_rng(2).random((4, 3, 5, 7), np.float32)
    padded = pad(x, 3)
    assert padded.shape == (4, 3, 8, 8)
    assert padded.dtype == np.float32
    assert (padded[:, :, 5:] == -1).all()
    assert (padded[:, :, :, 7:] == -1).all()
    np.testing.assert_array_equal(crop(padded, (3, 5, 7)), x)
    np.testing.assert_array_equal(pad(torch.from_numpy(x), 3).numpy(), padded)


# --- sets ---------------------------------------------------------------------------------------------------------


def test_a_split_takes_the_same_share_of_each_label() -> None:
    labels = [0] * 50 + [1] * 30 + [7] * 17 + [9] * 3
    train, held = made(100, labels).split(0.25, seed=3)
    assert held.labels is not None
    assert train.labels is not None
    assert len(held) == 25
    assert len(train) == 75
    counts = dict(zip(*(part.tolist() for part in np.unique(held.labels, return_counts=True)), strict=True))
    # exact shares are 12.5, 7.5, 4.25 and 0.75: 23 whole ones, and two more for 0.75 and the first 0.5
    assert counts == {0: 13, 1: 7, 7: 4, 9: 1}
    joined = np.concatenate([train.values, held.values]).reshape(100, -1)
    assert sorted(map(tuple, joined.tolist())) == sorted(map(tuple, made(100).values.reshape(100, -1).tolist()))


def test_a_split_depends_on_the_seed_alone_and_keeps_the_order() -> None:
    whole = Pictures("n", np.arange(200, dtype=np.uint8).reshape(200, 1, 1, 1), 256)
    (_, first), (_, again), (_, other) = whole.split(0.2, 5), whole.split(0.2, 5), whole.split(0.2, 6)
    np.testing.assert_array_equal(first.values, again.values)
    assert (np.diff(first.values.reshape(-1).astype(int)) > 0).all()
    shared = len(set(first.values.reshape(-1).tolist()) & set(other.values.reshape(-1).tolist()))
    assert 2 <= shared <= 16  # 8 expected of two independent draws of 40 out of 200


def test_each_place_is_held_out_equally_often() -> None:
    whole = Pictures("n", np.arange(40, dtype=np.uint8).reshape(40, 1, 1, 1), 256)
    times = sum(np.bincount(whole.split(0.25, seed)[1].values.reshape(-1), minlength=40) for seed in range(400))
    # 400 draws of a quarter: variance 400 * 0.25 * 0.75, a little less as each split holds out exactly ten
    assert stats.chi2(39).sf(((times - 100) ** 2 / 75).sum() * 39 / 40) > 0.001


@pytest.mark.parametrize("share", [0.0, 1.0, -1.0, 0.01, 0.99, float("nan")])
def test_neither_side_of_a_split_is_empty(share: float) -> None:
    with pytest.raises(InputError, match=r"^held_out: .* of 10 pictures; give a share between 0 and 1"):
        made(10).split(share, 0)


def test_a_subset_keeps_its_labels() -> None:
    part = made(6, [0, 1, 2, 0, 1, 2]).subset(np.array([5, 1]))
    assert part.labels is not None
    assert part.labels.tolist() == [2, 1]
    assert part.shape == (1, 2, 3)
    np.testing.assert_array_equal(part.values, made(6).values[[5, 1]])


@pytest.mark.parametrize(
    ("values", "levels", "labels", "said"),
    [
        (np.zeros((0, 1, 2, 2), np.uint8), 256, None, "shape"),
        (np.zeros((3, 2, 2), np.uint8), 256, None, "shape"),
        (np.zeros((3, 2, 2, 2), np.uint8), 256, None, "C = 1 or 3"),
        (np.zeros((1, 1, 1025, 2), np.uint8), 256, None, "1025 x 2 pixels"),
        (np.zeros((1, 1, 2, 2), np.uint8), 1, None, "1 levels"),
        (np.zeros((1, 1, 2, 2), np.float32), 256, None, "float32 values"),
        (np.zeros((1, 1, 2, 2), np.uint8), 257, None, "257 levels are uint16"),
        (np.full((1, 1, 2, 2), 17, np.uint8), 17, None, "the value 17"),
        (np.zeros((2, 1, 2, 2), np.uint8), 256, np.zeros(3, np.int64), "labels of shape"),
        (np.zeros((2, 1, 2, 2), np.uint8), 256, np.array([0, -1]), "labels -1 .. 0"),
    ],
)
def test_what_does_not_fit_is_said(values: np.ndarray, levels: int, labels: np.ndarray | None, said: str) -> None:
    with pytest.raises(InputError, match=said) as error:
        Pictures("made", values, levels, labels)
    assert "\n" not in str(error.value)
    assert str(error.value).startswith("made: ")
