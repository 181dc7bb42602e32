"""Saved scores: what is loaded is what was saved, and every damage is said in one line that names the file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from trainer.checkpoints import CARD, NUMBERS, load_score, save_score
from trainer.densities import GaussianMixture, PaintedDensity, load_density
from trainer.errors import InputError
from trainer.fit import Fit
from trainer.settings import FitSettings, LadderSettings, NetworkSettings

SMALL = FitSettings(batch=64, network=NetworkSettings(width=16, features=8), ladder=LadderSettings(sigma_min=0.1))


@pytest.fixture(scope="module")
def fit() -> Fit:
    made = Fit(load_density("two-moons"), SMALL, device="cpu", seed=6)
    for _ in made.run(steps=20):
        pass
    return made


@pytest.fixture
def folder(fit: Fit, tmp_path: Path) -> Path:
    save_score(tmp_path / "moons", fit)
    return tmp_path / "moons"


def test_what_is_loaded_is_what_was_saved(fit: Fit, folder: Path) -> None:
    model = load_score(folder)
    x = torch.randn(100, 2)
    assert torch.equal(model.score(x, 0.3), fit.score(x, 0.3))
    assert (model.settings, model.seed, model.step) == (SMALL, 6, 20)
    assert (model.sigma_min, model.sigma_max, model.kernel) == (fit.sigma_min, fit.sigma_max, fit.kernel)
    assert isinstance(model.density, PaintedDensity)
    assert isinstance(fit.density, PaintedDensity)
    torch.testing.assert_close(model.density.score(x, 0.1), fit.density.score(x, 0.1))


def test_a_mixture_comes_back_too(tmp_path: Path) -> None:
    mixture = GaussianMixture([0.4, 0.6], [[0.5, 0], [-0.5, 0]], [[[0.04, 0.01], [0.01, 0.02]]] * 2)
    save_score(tmp_path / "mix", Fit(mixture, SMALL, device="cpu"))
    x = torch.randn(20, 2)
    density = load_score(tmp_path / "mix").density
    assert isinstance(density, GaussianMixture)
    torch.testing.assert_close(density.score(x, 0.2), mixture.score(x, 0.2))


def test_a_loaded_score_can_be_saved_again(folder: Path) -> None:
    save_score(folder.parent / "again", load_score(folder))
    for name in (CARD, NUMBERS):
        assert (folder / name).read_bytes() == (folder.parent / "again" / name).read_bytes()


def test_saving_replaces_a_score_and_nothing_else(fit: Fit, folder: Path) -> None:
    save_score(folder, fit)
    assert sorted(p.name for p in folder.parent.iterdir()) == ["moons"]
    other = folder.parent / "thesis"
    other.mkdir()
    (other / "chapter.txt").write_text("irreplaceable")
    for place in (other, other / "chapter.txt"):
        with pytest.raises(InputError, match="holds something other than a saved score"):
            save_score(place, fit)
    assert (other / "chapter.txt").read_text() == "irreplaceable"


def test_a_failed_write_leaves_what_was_there(fit: Fit, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (folder / NUMBERS).read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(InputError, match="No space left on device"):
        save_score(folder, fit)
    monkeypatch.undo()
    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(InputError, match="No space left on device"):
        save_score(folder, fit)
    monkeypatch.undo()
    assert (folder / NUMBERS).read_bytes() == before
    assert [p.name for p in folder.parent.iterdir()] == ["moons"]


def _card(change: Callable[[dict], object]) -> Callable[[Path], object]:
    def damage(folder: Path) -> None:
        card = json.loads((folder / CARD).read_text())
        change(card)
        (folder / CARD).write_text(json.dumps(card))

    return damage


def _tensors(change: Callable[[dict], object]) -> Callable[[Path], object]:
    def damage(folder: Path) -> None:
        tensors = load_file(folder / NUMBERS)
        change(tensors)
        save_file(tensors, folder / NUMBERS)

    return damage


DAMAGES = {
    "no card": (CARD, lambda f: (f / CARD).unlink()),
    "no numbers": (NUMBERS, lambda f: (f / NUMBERS).unlink()),
    "card is not JSON": (CARD, lambda f: (f / CARD).write_text("{")),
    "card is binary": (CARD, lambda f: (f / CARD).write_bytes(b"\xff\xfe\x00")),
    "card is a list": (CARD, lambda f: (f / CARD).write_text("[]")),
    "card is nested deep": (CARD, lambda f: (f / CARD).write_text("[" * 100_000)),
    "card is huge": (CARD, lambda f: (f / CARD).write_text(" " * (1 << 21))),
    "another format": (CARD, _card(lambda c: c.update(format="recipe"))),
    "a later version": (CARD, _card(lambda c: c.update(version=2))),
    "a field missing": (CARD, _card(lambda c: c.pop("scale"))),
    "an unknown setting": (CARD, _card(lambda c: c["settings"].update(speed=9))),
    "a setting out of range": (CARD, _card(lambda c: c["settings"]["network"].update(width=10**9))),
    "an unknown kernel": (CARD, _card(lambda c: c.update(kernel="pepper"))),
    "a kernel that is a list": (CARD, _card(lambda c: c.update(kernel=[]))),
    "a mean of three": (CARD, _card(lambda c: c.update(mean=[0, 0, 0]))),
    "a scale that is NaN": (CARD, _card(lambda c: c.update(scale=float("nan")))),
    "a ladder upside down": (CARD, _card(lambda c: c.update(sigma_min=9.0))),
    "a step that is text": (CARD, _card(lambda c: c.update(step="many"))),
    "a seed that is infinite": (CARD, _card(lambda c: c.update(seed=float("inf")))),
    "numbers cut short": (NUMBERS, lambda f: (f / NUMBERS).write_bytes((f / NUMBERS).read_bytes()[:-9])),
    "numbers are text": (NUMBERS, lambda f: (f / NUMBERS).write_text("weights")),
    "numbers are empty": (NUMBERS, lambda f: (f / NUMBERS).write_bytes(b"")),
    "weights missing": (NUMBERS, _tensors(lambda t: t.pop("average"))),
    "weights too few": (NUMBERS, _tensors(lambda t: t.update(average=t["average"][:-1].clone()))),
    "weights of another type": (NUMBERS, _tensors(lambda t: t.update(average=t["average"].double()))),
    "weights with NaN": (NUMBERS, _tensors(lambda t: t["average"].fill_(float("nan")))),
    "density missing": (NUMBERS, _tensors(lambda t: t.pop("density.weights"))),
    "density negative": (NUMBERS, _tensors(lambda t: t["density.weights"].neg_())),
    "density of another kind": (NUMBERS, _card(lambda c: c.update(density={"kind": "mixture"}))),
    "density not described": (NUMBERS, _card(lambda c: c.pop("density"))),
    "a bandwidth that is text": (NUMBERS, _card(lambda c: c["density"].update(bandwidth="wide"))),
    "something that does not belong": (NUMBERS, _tensors(lambda t: t.update(extra=torch.ones(1)))),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_one_line_that_names_the_file(folder: Path, name: str) -> None:
    file, damage = DAMAGES[name]
    damage(folder)
    with pytest.raises(InputError) as caught:
        load_score(folder)
    text = str(caught.value)
    assert text.startswith(str(folder / file))
    assert "\n" not in text


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("mean", [0, 0, 0], "a list of 3 stands where two finite numbers should"),
        ("mean", 0.5, "0.5 stands where two finite numbers should"),
        ("mean", [0, "y"], "'y' stands where a finite number should"),
        ("scale", [1.0] * 1000, "a list of 1000 stands where a finite number should"),
        ("scale", 10**400, "stands where a finite number should"),
        ("sigma_max", "x" * 1000, "stands where a finite number should"),
        ("step", 1.5, "1.5 stands where a whole number should"),
    ],
)
def test_a_wrong_number_is_named_with_what_would_be_right(folder: Path, field: str, value: object, said: str) -> None:
    _card(lambda card: card.update({field: value}))(folder)
    with pytest.raises(InputError) as caught:
        load_score(folder)
    text = str(caught.value)
    assert text.startswith(f"{folder / CARD}: {field}: ")
    assert text.endswith(f"{said}; use another copy")
    assert len(text) < len(str(folder)) + 150
