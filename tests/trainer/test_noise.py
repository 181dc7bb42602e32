import pytest
import torch
from scipy import stats

from trainer.noise import Noise


def test_a_particle_s_numbers_do_not_depend_on_how_many_there_are() -> None:
    many = Noise(5).normal(3, 0, 10_000)
    for count in (1, 7, 2048, 2049, 9_999):
        assert torch.equal(Noise(5).normal(3, 0, count), many[:count])


def test_ids_pick_the_particles_own_numbers() -> None:
    many = Noise(5).normal(3, 0, 10_000)
    ids = torch.tensor([9_000, 2, 2047, 2048, 2])
    noise = Noise(5)
    assert torch.equal(noise.normal(3, 0, ids), many[ids])
    assert torch.equal(noise.normal(3, 0, torch.arange(5_000, 6_000)), many[5_000:6_000])
    assert noise.normal(3, 0, torch.tensor([], dtype=torch.long)).shape == (0, 2)


def test_what_was_kept_is_not_taken_for_something_else() -> None:
    noise = Noise(5)
    asked = [
        ("normal", 1, 0, 10),
        ("normal", 1, 0, 5_000),
        ("uniform", 1, 0, 10),
        ("normal", 2, 0, 10),
        ("normal", 1, 1, 10),
    ]
    for kind, step, draw, count in asked:
        assert torch.equal(getattr(noise, kind)(step, draw, count), getattr(Noise(5), kind)(step, draw, count))


@pytest.mark.parametrize("other", [(6, 1, 0), (5, 2, 0), (5, 1, 1), (5, 0, 1)])
def test_seed_step_and_draw_each_give_other_numbers(other: tuple[int, int, int]) -> None:
    seed, step, draw = other
    a, b = Noise(5).normal(1, 0, 4_000), Noise(seed).normal(step, draw, 4_000)
    assert abs(float((a * b).mean())) < 4 / 8_000**0.5


def test_blocks_are_independent() -> None:
    numbers = Noise(0).normal(1, 0, 4_096)
    assert abs(float((numbers[:2_048] * numbers[2_048:]).mean())) < 4 / 4_096**0.5


def test_distributions() -> None:
    normal, uniform = Noise(1).normal(1, 0, 50_000), Noise(1).uniform(1, 0, 50_000)
    for axis in (0, 1):
        assert stats.kstest(normal[:, axis].numpy(), "norm").pvalue > 0.01
        assert stats.kstest(uniform[:, axis].numpy(), "uniform").pvalue > 0.01
    assert float(uniform.min()) >= 0
    assert float(uniform.max()) < 1


def test_pictures_have_their_own_numbers_too() -> None:
    shape = (3, 8, 8)
    many = Noise(2).normal(1, 0, 50, shape)
    assert many.shape == (50, *shape)
    assert torch.equal(Noise(2).normal(1, 0, torch.tensor([40]), shape)[0], many[40])
    assert abs(float(many.mean())) < 4 / many.numel() ** 0.5


def test_several_draws_of_a_step_are_drawn_once_for_all_panes() -> None:
    """As mala and pc ask, and the bits are those of a generator that keeps nothing."""
    noise = Noise(5)
    asked = [("uniform", 1, 0, ()), ("normal", 1, 0, (2,)), ("normal", 1, 2, (2,)), ("normal", 1, 3, (2,))]
    first = [getattr(noise, kind)(step, draw, 5_000, shape) for kind, step, draw, shape in asked]
    for (kind, step, draw, shape), kept in zip(asked, first, strict=True):
        again = getattr(noise, kind)(step, draw, 5_000, shape)
        assert again.data_ptr() == kept.data_ptr()
        assert torch.equal(again, getattr(Noise(5), kind)(step, draw, 5_000, shape))


def test_what_is_kept_is_bounded_in_number_and_in_memory() -> None:
    noise = Noise(5)
    for step in range(50):
        noise.normal(step, 0, 10)
        assert len(noise._kept) <= 8
    assert len(noise._kept) == 8
    picture = (3, 64, 64)
    for step in range(50, 54):
        noise.normal(step, 0, 300, picture)  # 3.7 million numbers
        assert sum(kept.numel() for kept in noise._kept.values()) <= 1 << 23
    assert len(noise._kept) == 2
    whole = noise.normal(54, 0, 700, picture)  # more than is kept otherwise: the last is kept in any case
    assert len(noise._kept) == 1
    assert noise.normal(54, 0, 700, picture).data_ptr() == whole.data_ptr()
