import numpy as np
import pytest
import torch

from trainer.densities import GaussianMixture, PaintedDensity, load_density
from trainer.modes import count_modes, find_modes, wilson_band

TWO = GaussianMixture([0.8, 0.2], [[0.625, 0.625], [-0.625, -0.625]], [0.125**2 * np.eye(2)] * 2)


@pytest.mark.parametrize(
    ("preset", "modes"),
    [
        ("crescents", 2),
        ("far-modes", 2),
        ("two-moons", 2),
        ("ring", 8),
        ("checkerboard", 8),
        ("pinwheel", 5),
        ("spiral", 1),
        ("circle", 1),
        ("smile", 3),
        ("letters", 3),
    ],
)
def test_presets_have_the_modes_that_an_eye_sees(preset: str, modes: int) -> None:
    found = find_modes(load_density(preset))
    assert len(found.mass) == modes
    assert found.mass.sum() == pytest.approx(1)
    assert (np.diff(found.mass) <= 0).all()


@pytest.mark.parametrize("preset", ["crescents", "far-modes"])
def test_the_true_mass_is_the_weight_of_the_mode(preset: str) -> None:
    assert find_modes(load_density(preset)).mass == pytest.approx([0.8, 0.2], abs=0.001)


def test_summits_are_where_the_density_is_largest() -> None:
    assert find_modes(TWO).centres == pytest.approx(np.array([[0.625, 0.625], [-0.625, -0.625]]), abs=1e-3)


def test_hand_made_points_are_counted_where_they_are() -> None:
    points = np.array([[0.6, 0.6]] * 6 + [[-0.6, -0.6]] * 2 + [[0.0, 0.0], [5.0, 5.0]])
    ledger = count_modes(points, find_modes(TWO))
    assert ledger.share == pytest.approx([0.6, 0.2])
    assert ledger.elsewhere == pytest.approx(0.2)
    assert ledger.mass == pytest.approx([0.8, 0.2], abs=1e-4)
    assert ledger.holds


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1.5, -1.6, 1e30])
def test_points_off_the_map_are_elsewhere(bad: float) -> None:
    ledger = count_modes(np.array([[bad, 0.0], [0.6, 0.6]], dtype=np.float32), find_modes(TWO))
    assert ledger.elsewhere == 0.5


def test_the_density_s_own_draws_agree_with_the_ledger() -> None:
    points = TWO.sample(40_000, 0.02, generator=torch.Generator().manual_seed(0)).numpy()
    ledger = count_modes(points, find_modes(TWO))
    assert ledger.holds
    assert ledger.elsewhere == pytest.approx(0.001, abs=0.0007)


def test_a_saddle_decides_whether_two_blobs_are_two_modes() -> None:
    def blobs(distance: float) -> GaussianMixture:
        centres = [[-distance / 2, 0.0], [distance / 2, 0.0]]
        return GaussianMixture([0.5, 0.5], centres, [0.06**2 * np.eye(2)] * 2)

    # Smoothed, both have s = 0.1: at a distance of 2 s there is no saddle at all, at 4 s it is at 2 exp(-2) of the top.
    assert len(find_modes(blobs(0.2)).mass) == 1
    assert len(find_modes(blobs(0.4)).mass) == 2


def test_specks_are_no_modes() -> None:
    weights = np.zeros((128, 128))
    weights[30:40, 30:40] = 1
    weights[100, 100] = 0.4  # 0.4 % of the mass
    assert len(find_modes(PaintedDensity(weights)).mass) == 1
    weights[100, 100] = 2
    assert find_modes(PaintedDensity(weights)).mass == pytest.approx([100 / 102, 2 / 102], abs=1e-4)


@pytest.mark.parametrize("fill", ["one cell", "all cells"])
def test_extreme_paintings_have_one_mode(fill: str) -> None:
    weights = np.zeros((128, 128))
    weights[64, 64] = 1
    found = find_modes(PaintedDensity(weights if fill == "one cell" else weights + 1))
    assert found.mass == pytest.approx([1])


def test_modes_depend_on_the_density_alone_not_on_the_scale_of_the_weights() -> None:
    weights = np.random.default_rng(0).random((64, 64))
    a, b = find_modes(PaintedDensity(weights)), find_modes(PaintedDensity(1000 * weights))
    assert a.centres == pytest.approx(b.centres)
    assert a.mass == pytest.approx(b.mass)


def test_wilson_band_against_published_values() -> None:
    """Newcombe 1998, table I: 81 of 263 gives 0.2553 to 0.3662, 0 of 20 gives 0 to 0.1611."""
    low, high = wilson_band([81], 263)
    assert (low[0], high[0]) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    low, high = wilson_band([0], 20)
    assert (low[0], high[0]) == pytest.approx((0, 0.1611), abs=1e-4)
    low, high = wilson_band([0, 0], 0)
    assert (low.tolist(), high.tolist()) == ([0, 0], [1, 1])


@pytest.mark.parametrize("mass", [(0.8, 0.2), (0.7, 0.3), (0.125,) * 8, (0.98, 0.02)])
def test_bands_hold_together_in_95_of_100_runs(mass: tuple[float, ...]) -> None:
    truth, n, runs = np.array(mass), 10_000, 4_000
    counts = np.random.default_rng(1).multinomial(n, truth, size=runs)
    low, high = wilson_band(counts, n, len(truth))
    held = ((low <= truth) & (truth <= high)).all(axis=1).mean()
    assert 0.943 < held < 0.985
