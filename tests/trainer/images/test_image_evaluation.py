"""The judges: closed forms, brute-force definitions and other libraries; and a judgement of sets that are known."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from sklearn.neighbors import NearestNeighbors
from torch.utils.data import Dataset

from trainer.errors import InputError
from trainer.images.classifier import (
    DESCRIPTION,
    WEIGHTS,
    Classifier,
    accuracy,
    load_classifier,
    save_classifier,
    train_classifier,
)
from trainer.images.evaluation import evaluate, noise_pictures
from trainer.images.frechet import frechet_distance
from trainer.images.inception import inception_distance
from trainer.images.manifolds import radii, shares
from trainer.images.neighbours import memorised_share, nearest
from trainer.images.pictures import Pictures, scaled
from trainer.images.sources import read_pictures


def _points(n: int, d: int, seed: int, shift: float = 0.0) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + shift)


# --- Frechet distance ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "m", "d"), [(400, 300, 8), (500, 500, 40), (30, 20, 24)])
def test_frechet_against_scipys_matrix_root(n: int, m: int, d: int) -> None:
    x, y = _points(n, d, 0), _points(m, d, 1, 0.3)
    c, k = np.cov(x.numpy().T), np.cov(y.numpy().T)
    root = sqrtm(c @ k).real
    expected = float((x.mean(0) - y.mean(0)).square().sum()) + np.trace(c + k - 2 * root)
    # where there are fewer points than dimensions the product is singular, and sqrtm is right to eight digits only
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-9 if n > d and m > d else 1e-5)


def test_frechet_of_known_gaussians() -> None:
    x = _points(200, 5, 0)
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(x, x + 2) == pytest.approx(5 * 4)
    spread = torch.cov(x.T).trace()
    assert frechet_distance(x, 3 * x) == pytest.approx(float(4 * spread + 4 * x.mean(0).square().sum()))
    with pytest.raises(InputError, match=r"shapes \(200, 5\) and \(1, 5\)"):
        frechet_distance(x, x[:1])


# --- precision, recall, density, coverage -------------------------------------------------------------------------


def _by_definition(x: np.ndarray, y: np.ndarray, k: int) -> tuple[float, float, float, float]:
    """Kynkaanniemi et al. 2019, eqs. 1 and 2; Naeem et al. 2020, eqs. 4 and 5: point by point."""

    def distance(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.sqrt(((a - b) ** 2).sum()))

    def reach(points: np.ndarray, i: int) -> float:
        return sorted(distance(points[i], q) for j, q in enumerate(points) if j != i)[k - 1]

    rx, ry = [reach(x, i) for i in range(len(x))], [reach(y, i) for i in range(len(y))]
    inside = np.array([[distance(p, q) < r for q in y] for p, r in zip(x, rx, strict=True)])
    back = np.array([[distance(p, q) < r for q, r in zip(y, ry, strict=True)] for p in x])
    return inside.any(0).mean(), back.any(1).mean(), inside.sum() / (k * len(y)), inside.any(1).mean()


@pytest.mark.parametrize("k", [1, 5])
def test_shares_are_those_of_their_definitions(k: int) -> None:
    x, y = _points(40, 3, 0), _points(30, 3, 1, 0.5)
    found = shares(x, y, k)
    expected = _by_definition(x.numpy(), y.numpy(), k)
    assert (found.precision, found.recall, found.density, found.coverage) == pytest.approx(expected)


def test_radii_against_scikit_learn() -> None:
    x = _points(300, 6, 2)
    distances, _ = NearestNeighbors(n_neighbors=6).fit(x.numpy()).kneighbors()
    np.testing.assert_allclose(radii(x, 6).numpy(), distances[:, -1], rtol=1e-12)


def test_shares_of_sets_that_are_known() -> None:
    x = torch.from_numpy(np.random.default_rng(0).normal(size=(3000, 2)))
    same = shares(x[:1500], x[1500:])
    assert same.coverage == pytest.approx(1 - 2**-5, abs=0.02)  # Naeem et al. 2020, lemma 2
    assert same.density == pytest.approx(1, abs=0.05)
    away = shares(x[:1500], x[1500:] + 100)
    assert (away.precision, away.recall, away.density, away.coverage) == (0, 0, 0, 0)
    narrow = shares(x[:1500], 0.1 * x[1500:])
    assert narrow.precision == 1
    assert narrow.recall < 0.1
    assert narrow.coverage < 0.1
    with pytest.raises(InputError, match="k: 5 neighbours among 5 pictures"):
        shares(x[:5], x)


# --- neighbours ---------------------------------------------------------------------------------------------------


def test_nearest_against_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    train, some = rng.normal(size=(700, 1, 4, 5)), rng.normal(size=(600, 1, 4, 5))
    some[5] = train[17]
    some[6] = train[40] + 1e-6
    found = nearest(torch.from_numpy(some).float(), torch.from_numpy(train).float())
    distances, places = NearestNeighbors(n_neighbors=1).fit(train.reshape(700, -1)).kneighbors(some.reshape(600, -1))
    assert (found.places.numpy() == places[:, 0]).all()
    np.testing.assert_allclose(found.distances.numpy(), distances[:, 0], atol=1e-6)
    assert found.distances[5] == 0


def test_copies_are_found_out() -> None:
    rng = np.random.default_rng(1)
    train, fresh, held = (torch.from_numpy(rng.normal(size=(400, 1, 4, 4))).float() for _ in range(3))
    usual = nearest(held, train).distances
    assert memorised_share(nearest(fresh, train).distances, usual) < 0.04
    assert memorised_share(nearest(train + 0.01 * fresh, train).distances, usual) == 1


# --- classifier ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def digits() -> tuple[Pictures, Pictures]:
    return read_pictures("digits").split(0.2, 0)


@pytest.fixture(scope="module")
def eyes(digits: tuple[Pictures, Pictures]) -> Classifier:
    return train_classifier(digits[0], steps=200)


def test_a_classifier_learns_the_digits(digits: tuple[Pictures, Pictures], eyes: Classifier) -> None:
    assert accuracy(eyes, digits[1]) > 0.94
    before = torch.get_rng_state()
    again, other = (train_classifier(digits[0], steps=3, seed=seed) for seed in (0, 1))
    assert torch.equal(torch.get_rng_state(), before)
    same = train_classifier(digits[0], steps=3, seed=0)
    assert torch.equal(again.last.weight, same.last.weight)
    assert not torch.equal(again.last.weight, other.last.weight)


def test_a_classifier_is_saved_without_pickle(
    tmp_path: Path, digits: tuple[Pictures, Pictures], eyes: Classifier
) -> None:
    save_classifier(tmp_path, eyes)
    back = load_classifier(tmp_path)
    x = torch.from_numpy(scaled(digits[1].values, 17))
    assert torch.equal(back.features(x), eyes.features(x))
    assert back.card == eyes.card
    data = bytearray((tmp_path / WEIGHTS).read_bytes())
    data[-1] ^= 1
    (tmp_path / WEIGHTS).write_bytes(data)
    with pytest.raises(InputError, match=f"is not the file that {DESCRIPTION} was written with"):
        load_classifier(tmp_path)
    values = json.loads((tmp_path / DESCRIPTION).read_text())
    (tmp_path / DESCRIPTION).write_text(json.dumps({**values, "classes": 11}))
    with pytest.raises(InputError, match="does not hold the weights"):
        load_classifier(tmp_path)
    (tmp_path / DESCRIPTION).write_text(json.dumps({**values, "shape": "large"}))
    with pytest.raises(InputError, match="shape: give three whole numbers"):
        load_classifier(tmp_path)


def test_pictures_without_labels_are_told_by_their_turns(digits: tuple[Pictures, Pictures]) -> None:
    bare = [Pictures("bare", part.values, 17) for part in digits]
    turned = train_classifier(bare[0], steps=150)
    assert turned.card.turned
    assert accuracy(turned, bare[1]) > 0.6  # 0.25 by chance
    wide = Pictures("wide", bare[0].values[:, :, :6], 17)
    assert train_classifier(wide, steps=2).card.classes == 4
    one = Pictures("one", digits[0].values, 17, np.zeros(len(digits[0]), np.int64))
    assert train_classifier(one, steps=2).card.turned


# --- the whole ----------------------------------------------------------------------------------------------------


def test_a_judgement_of_known_sets(digits: tuple[Pictures, Pictures], eyes: Classifier) -> None:
    train, held_out = digits
    third, rest = held_out.split(0.5, 1)
    fresh = torch.from_numpy(scaled(third.values, 17))
    real = evaluate(fresh, train, rest, eyes)
    assert real.counts == (len(third), len(train), len(rest))
    assert real.samples.count == real.floor.count == min(len(third), len(rest))
    assert real.frechet < 2 * real.frechet_floor
    assert real.frechet_noise > 10 * real.frechet_floor
    assert real.samples.shares.coverage > 0.85
    assert real.noise.shares.precision < 0.1
    assert real.samples.memorised is not None
    assert real.samples.memorised < 0.1
    assert sum(real.samples.histogram) == pytest.approx(1)
    assert max(real.samples.histogram) < 0.2
    assert real.samples.channels == pytest.approx((float(fresh.mean()),), abs=1e-5)

    copies = evaluate(torch.from_numpy(scaled(train.values[:150], 17)), train, rest, eyes)
    assert copies.samples.memorised == 1
    ones = evaluate(fresh[third.labels == 1][:1].repeat(150, 1, 1, 1), train, rest, eyes)
    assert max(ones.samples.histogram) == 1
    assert ones.samples.shares.coverage < 0.2
    assert ones.frechet > 3 * real.frechet


def test_a_judgement_is_plain_json_and_repeats(digits: tuple[Pictures, Pictures], eyes: Classifier) -> None:
    train, held_out = digits
    samples = noise_pictures(60, train, 3)
    steps: list[tuple[int, int]] = []
    first, second = (
        evaluate(samples, train, held_out, eyes, seed=1, watch=lambda *done: steps.append(done)).to_json()
        for _ in range(2)
    )
    assert json.loads(json.dumps(first, allow_nan=False)) == second
    assert steps == [(i, 5) for i in range(1, 6)] * 2
    assert first["frechet"] == pytest.approx(first["frechet_noise"], rel=0.5)
    assert first["count"] == 60


def test_sets_that_do_not_fit_are_refused(digits: tuple[Pictures, Pictures], eyes: Classifier) -> None:
    train, held_out = digits
    with pytest.raises(InputError, match=r"samples: of shape \(1, 4, 4\)"):
        evaluate(torch.zeros(50, 1, 4, 4), train, held_out, eyes)
    with pytest.raises(InputError, match="samples: 5 pictures; give at least 12"):
        evaluate(torch.zeros(5, 1, 8, 8), train, held_out, eyes)
    with pytest.raises(InputError, match="samples: hold NaN or infinity"):
        evaluate(torch.full((50, 1, 8, 8), torch.nan), train, held_out, eyes)


def test_the_full_fid_is_an_extra(monkeypatch: pytest.MonkeyPatch, digits: tuple[Pictures, Pictures]) -> None:
    samples = torch.rand(20, 1, 8, 8) * 2 - 1
    monkeypatch.setitem(sys.modules, "torch_fidelity", None)
    with pytest.raises(InputError, match=r"^torch-fidelity: is not installed; install score-explorer\[fidelity\]"):
        inception_distance(samples, digits[1])

    def calculate_metrics(
        input1: Dataset[torch.Tensor], input2: Dataset[torch.Tensor], fid: bool, cuda: bool, verbose: bool
    ) -> dict[str, float]:
        assert (input1[19].dtype, input1[19].shape) == (torch.uint8, (3, 8, 8))
        assert int(input2[0].max()) > 200
        assert (fid, cuda, verbose) == (True, False, False)
        return {"frechet_inception_distance": 12.5}

    monkeypatch.setitem(sys.modules, "torch_fidelity", SimpleNamespace(calculate_metrics=calculate_metrics))
    assert inception_distance(samples, digits[1]) == 12.5
