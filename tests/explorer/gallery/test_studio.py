"""What makes pictures, without a process: jobs, kept moments, one picture's way, dots at the same fraction."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from explorer.engine.codec import pack, unpack
from explorer.engine.gallery import job as jobs
from explorer.engine.gallery.following import COLUMNS
from explorer.engine.gallery.frames import GalleryFrame
from explorer.engine.gallery.orders import Export, Exported, Job, ModelOpened, ModelRefused, OpenModel
from explorer.engine.gallery.process import CAPACITY
from explorer.engine.gallery.studio import Studio
from explorer.engine.messages import Notice, Release
from explorer.engine.orders import Order
from explorer.gallery.folders import SHIPPED, shipped
from tests.explorer.both import Both
from tests.trainer.images.small import small_checkpoint
from trainer.errors import InputError
from trainer.images.pictures import scaled
from trainer.images.sources import read_pictures
from trainer.paintings import preset_weights
from trainer.projects import Setup
from trainer.scenes import Pane, Scene
from trainer.settings import ParticleSettings

DIGIT = scaled(read_pictures("digits", limit=10).values, 17)[4]
SHORT = ParticleSettings(sigma_min=0.05, sigma_max=5.0, start_sigma=5.0, diffusion_steps=20)


def opened(path: Path, training: str = "") -> Studio:
    """A studio with this model open."""
    studio = Studio("cpu")
    studio.open(OpenModel(str(path), training))
    assert isinstance(studio.answers[-1], ModelOpened), studio.answers
    return studio


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return opened(small_checkpoint(tmp_path / "model"))


def finished(studio: Studio) -> GalleryFrame:
    """The frame when all is done."""
    while studio.left:
        studio.move(studio.left)
        studio.settle()
    while studio.settle():
        pass
    return studio.frame()


def test_a_model_is_described_and_every_sampler_has_settings(tmp_path: Path) -> None:
    studio = opened(small_checkpoint(tmp_path / "model"))
    told = studio.answers[-1]
    assert isinstance(told, ModelOpened)
    assert (told.name, told.objective, told.shape) == ("model", "ncsn", (1, 8, 8))
    assert list(told.recommended) == ["annealed", "pc", "sde", "ode", "ddpm", "ddim"]
    assert told.data is None


def test_what_cannot_be_opened_is_refused_and_the_model_before_stays(studio: Studio, tmp_path: Path) -> None:
    studio.begin(Job(1, settings=SHORT, sampler="ode", count=4))
    studio.open(OpenModel(str(tmp_path / "nothing")))
    refused = studio.answers[-1]
    assert isinstance(refused, ModelRefused)
    assert "does not exist" in refused.line
    assert finished(studio).pictures.shape == (4, 1, 8, 8)


@pytest.mark.parametrize("name", [name for name, _ in SHIPPED])
def test_a_shipped_model_makes_digits_and_knows_what_it_was_trained_on(name: str) -> None:
    studio = opened(shipped(name))
    told = studio.answers[-1]
    assert isinstance(told, ModelOpened)
    assert told.same_data
    assert told.data == ("digits", 1438)
    studio.begin(Job(1, sampler="ode", count=8))
    studio.follow(3)
    frame = finished(studio)
    assert not frame.diverged.any()
    assert frame.follow is not None
    assert len(frame.follow.steps) == COLUMNS
    assert frame.follow.neighbours.shape == (5, 1, 8, 8)
    # as near to a training picture as held-out ones are: 2.0 on average, where noise is 6 away
    assert 0.5 < frame.follow.distances[0] < 2 * frame.follow.typical[0]


def test_the_way_holds_the_picture_the_estimate_and_the_noise(studio: Studio) -> None:
    studio.begin(Job(1, sampler="sde", settings=SHORT, count=3))
    studio.follow(1)
    frame = finished(studio)
    follow = frame.follow
    assert follow is not None
    assert follow.sigmas[-1] == 0
    np.testing.assert_allclose(follow.noisy[-1], frame.pictures[1], atol=2e-3)  # kept in half precision
    inner = slice(0, -1)
    sigma = follow.sigmas[inner].reshape(-1, 1, 1, 1)
    np.testing.assert_allclose(
        follow.clean[inner] + sigma * follow.noise[inner], follow.noisy[inner], atol=1e-3, rtol=1e-3
    )


def test_scrubbing_shows_kept_moments_and_going_on_goes_on_from_the_newest(studio: Studio) -> None:
    studio.begin(Job(1, sampler="sde", settings=SHORT, count=2))
    studio.move(12)
    newest = studio.frame().pictures.copy()
    studio.show(5)
    frame = studio.frame()
    assert (frame.shown, frame.step) == (5, 12)
    assert frame.sigma == pytest.approx(frame.sigmas[5])
    studio.show(12)
    np.testing.assert_array_equal(studio.frame().pictures, newest)
    studio.show(3)
    studio.move(1)
    assert (studio.frame().shown, studio.frame().step) == (13, 13)


def test_kept_moments_stay_within_their_memory(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "KEPT_BYTES", 8 * 4 * 64 * 2)
    studio.begin(Job(1, sampler="sde", settings=SHORT, count=4))
    frame = finished(studio)
    assert len(frame.kept) <= 8
    assert (frame.kept[0], frame.kept[-1]) == (0, 20)
    for step in frame.kept:
        studio.show(int(step))
        assert studio.frame().shown == step


def test_the_same_job_makes_the_same_pictures_and_each_is_the_same_in_any_company(studio: Studio) -> None:
    job = Job(1, sampler="sde", settings=SHORT, count=6, seed=3)
    studio.begin(job)
    first = finished(studio).pictures
    studio.begin(replace(job, number=2, count=2))
    np.testing.assert_allclose(finished(studio).pictures, first[:2], atol=1e-4)


def test_denoising_reports_errors_to_the_picture(studio: Studio) -> None:
    studio.begin(Job(1, "denoise", "ode", count=5, picture=DIGIT, sigma=0.4))
    frame = finished(studio)
    assert frame.errors[0] == pytest.approx(0.4, rel=0.15)
    assert frame.noisy.shape == frame.estimate.shape == (1, 1, 8, 8)
    shown = np.clip(frame.pictures, -1, 1) - DIGIT
    assert frame.errors[2] == pytest.approx(np.sqrt(np.square(shown).mean()), rel=1e-4)


def test_a_trained_model_brings_a_picture_back() -> None:
    studio = opened(shipped(SHIPPED[0][0]))
    for sampler in ("ode", "annealed"):
        studio.begin(Job(1, "denoise", sampler, count=8, picture=DIGIT, sigma=0.4))
        noisy, estimate, drawn = finished(studio).errors
        assert estimate < 0.5 * noisy
        assert estimate < drawn < 0.7 * noisy


def test_inpainting_keeps_what_is_known_and_interpolation_ends_at_its_seeds(studio: Studio) -> None:
    mask = np.zeros((8, 8), np.float32)
    mask[4:] = 1
    studio.begin(Job(1, "inpaint", "sde", settings=SHORT, count=3, picture=DIGIT, mask=mask))
    pictures = finished(studio).pictures
    np.testing.assert_array_equal(pictures[:, :, :4], np.broadcast_to(DIGIT[:, :4], (3, 1, 4, 8)))
    studio.begin(Job(2, "interpolate", "ode", settings=SHORT, count=5, seed=1, second_seed=2))
    between = finished(studio).pictures
    for place, seed in ((0, 1), (4, 2)):
        studio.begin(Job(3, sampler="ode", settings=SHORT, count=1, seed=seed))
        np.testing.assert_allclose(between[place], finished(studio).pictures[0], atol=1e-4)


def test_jobs_that_do_not_fit_are_refused(studio: Studio) -> None:
    for job, word in (
        (Job(1, "denoise", picture=np.zeros((3, 8, 8), np.float32)), "picture"),
        (Job(1, "inpaint", picture=DIGIT, mask=np.zeros((8, 8), np.float32)), "mask"),
        (Job(1, "inpaint", picture=DIGIT, mask=np.ones((4, 4), np.float32)), "mask"),
        (Job(1, "denoise", picture=DIGIT, sigma=1e-4), "sigma"),
        (Job(1, count=10**6), "number"),
        (Job(1, sampler="ascent"), "sampler"),
    ):
        with pytest.raises(InputError, match=word):
            studio.begin(job)
    with pytest.raises(InputError, match="no image model"):
        Studio("cpu").begin(Job(1))


def test_dots_are_at_the_fraction_that_the_pictures_show(studio: Studio) -> None:
    both = Both(Setup(preset_weights("two-moons", 64), "two-moons"))
    both.train(3)

    both.apply(Release())
    order = next(event for event in both.simulation.events if isinstance(event, Order))
    scene = Scene((Pane("sde", ParticleSettings(number=50, diffusion_steps=60)),))
    studio.begin(Job(1, sampler="sde", settings=SHORT, count=2))
    studio.dots(replace(order, scene=scene))
    studio.move(10)
    while studio.settle():
        pass
    frame = studio.frame()
    assert frame.dots is not None
    assert frame.dots.panes.shape == (1, 50, 2)
    assert frame.dots.pane_states[0].step == 30
    studio.show(5)
    dots = studio.frame().dots
    assert dots is not None
    assert dots.pane_states[0].step == 15
    assert dots.particle_step == dots.particle_shown  # they are where the pictures are, not behind
    frame = finished(studio)
    assert frame.dots is not None
    assert frame.dots.pane_states[0].step == 60
    studio.dots(None)
    assert studio.frame().dots is None


def test_a_frame_travels_and_none_is_too_large_for_its_place(studio: Studio) -> None:
    studio.begin(Job(1, "denoise", "ode", count=4, picture=DIGIT, sigma=0.4))
    studio.follow(0)
    frame = finished(studio)
    buffer = bytearray(CAPACITY)
    size = pack(frame, memoryview(buffer))
    back = unpack(bytes(buffer[:size]), GalleryFrame)
    np.testing.assert_array_equal(back.pictures, frame.pictures)
    assert back.follow is not None
    assert back.follow.index == 0
    most = 4 * jobs.FRAME_VALUES * (1 + 3 * COLUMNS / 12)
    assert most < CAPACITY


def test_files_of_what_was_made(studio: Studio, tmp_path: Path) -> None:
    studio.begin(Job(1, sampler="ode", settings=SHORT, count=4))
    finished(studio)
    for name in ("grid.png", "all.npz", "film.gif", "film.mp4"):
        studio.export(Export(str(tmp_path / name), size=(320, 240), fps=10, seconds=1))
        told = []
        while studio.films:
            told.append(studio.frame().writing)
            studio.films.write(0.0)
        assert told[:1] == ([f"{name}: 0%"] if name.startswith("film") else [])
        assert (len(told) > 20) == name.startswith("film")
        assert not studio.frame().writing
        answer = studio.answers[-1]
        assert isinstance(answer, Exported)
        assert not answer.failed, answer.line
    assert read_pictures(tmp_path / "all.npz").shape == (1, 8, 8)
    with Image.open(tmp_path / "film.gif") as film:
        assert film.size == (320, 240)
        assert getattr(film, "n_frames", 1) > 3
    for name, word in (("x.txt", "ends in"), ("nowhere/x.mp4", "nowhere")):
        studio.export(Export(str(tmp_path / name)))
        studio.films.write(0.0)
        answer = studio.answers[-1]
        assert isinstance(answer, Exported)
        assert answer.failed
        assert word in answer.line
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.npz", "film.gif", "film.mp4", "grid.png", "model"]


def test_a_film_goes_on_beside_other_pictures_and_can_be_stopped(studio: Studio, tmp_path: Path) -> None:
    studio.begin(Job(1, sampler="ode", settings=SHORT, count=4))
    finished(studio)
    alone, beside = tmp_path / "alone.mp4", tmp_path / "beside.mp4"
    film = Export(str(alone), size=(320, 240), fps=10, seconds=1)
    studio.export(film)
    while studio.films:
        studio.films.write(0.0)
    studio.export(replace(film, path=str(beside)))
    studio.export(replace(film, path=str(tmp_path / "never.mp4")))
    studio.films.write(0.0)
    studio.begin(Job(2, sampler="ode", settings=SHORT, seed=9, count=2))
    while studio.films.words.startswith("beside"):
        studio.move(1)
        studio.films.write(0.0)
    studio.films.write(0.0)
    assert studio.films.words.startswith("never")
    studio.films.stop()
    assert beside.read_bytes() == alone.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["alone.mp4", "beside.mp4", "model"]
    last = studio.answers[-1]
    assert isinstance(last, Exported)
    assert not last.failed
    assert "Stopped" in last.line


def test_pictures_that_diverge_are_told_once(studio: Studio) -> None:
    wild = ParticleSettings(levels=5, steps=4, fine_steps=4, epsilon=50.0, sigma_min=0.05, sigma_max=5.0)
    studio.begin(Job(7, sampler="annealed", settings=wild, count=2))
    frame = finished(studio)
    assert frame.diverged.all()
    assert np.isfinite(frame.pictures).all()
    told = [answer for answer in studio.answers if isinstance(answer, Notice)]
    assert len(told) == 1
    assert "left every bound" in told[0].text
