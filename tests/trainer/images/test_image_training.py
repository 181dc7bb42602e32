"""Training on pictures: exact to the last bit after a kill, the same on two processes, whole on a full disk."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.trainer.images.damages import WEIGHTS
from tests.trainer.images.small import DDPM, NCSN, grey_pictures
from tests.trainer.images.train_nothing import EVERY, SETTINGS
from trainer.errors import InputError, TrainingError
from trainer.images.checkpoints import load_image_model
from trainer.images.journal import read_journal
from trainer.images.models import ImageScore
from trainer.images.states import FACTS, TENSORS
from trainer.images.training import ImageProgress, train

ROOT = Path(__file__).parents[3]
SCRIPT = [sys.executable, "-m", "tests.trainer.images.train_nothing"]


def run(out: Path, steps: int, **more: object) -> list[ImageProgress]:
    options = {"seed": 4, "device": "cpu", "checkpoint_every": EVERY, "log_every": 1, **more}
    settings = replace(options.pop("settings", SETTINGS), steps=steps)  # type: ignore[type-var]
    return list(train(grey_pictures(), settings, out, **options))  # type: ignore[arg-type]


def losses(out: Path) -> dict[int, float]:
    return {line["step"]: line["loss"] for line in read_journal(out) if "loss" in line}


def bytes_of(out: Path, step: int) -> list[bytes]:
    return [(out / f"checkpoint-{step:06d}" / name).read_bytes() for name in (WEIGHTS, TENSORS, FACTS)]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "uninterrupted"
    run(out, 30)
    return out


# --- resuming -----------------------------------------------------------------------------------------------------


def test_a_killed_run_ends_with_the_same_bits(tmp_path: Path, uninterrupted: Path) -> None:
    out = tmp_path / "killed"
    kill_after = random.Random().randrange(EVERY + 1, 26)
    process = subprocess.Popen([*SCRIPT, str(out), "100000"], cwd=ROOT)
    try:
        deadline = time.monotonic() + 120
        while max(losses(out), default=0) < kill_after:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.002)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    reached = max(losses(out))
    for folder in out.glob("checkpoint-*"):  # the machine may have run on past the 30 steps compared
        if int(folder.name[-6:]) > 28:
            for part in sorted(folder.rglob("*"), reverse=True):
                part.unlink() if part.is_file() else part.rmdir()
            folder.rmdir()
    first, *_, last = run(out, 30, resume=True)
    assert first.step % EVERY == 1
    assert first.step <= reached + 1
    assert last.step == 30
    assert bytes_of(out, 30) == bytes_of(uninterrupted, 30), f"killed after step {reached}"
    assert losses(out) == losses(uninterrupted)
    assert not list(out.glob(".checkpoint*"))


@pytest.mark.parametrize("settings", [replace(DDPM, clip=0.0), replace(NCSN, precision="bf16")])
def test_stopping_and_resuming_changes_nothing(tmp_path: Path, settings: object) -> None:
    run(tmp_path / "whole", 9, settings=settings)
    run(tmp_path / "parts", 3, settings=settings)
    assert [p.step for p in run(tmp_path / "parts", 9, settings=settings, resume=True)] == list(range(4, 10))
    assert bytes_of(tmp_path / "parts", 9) == bytes_of(tmp_path / "whole", 9)


def test_what_was_written_after_the_checkpoint_is_cut(tmp_path: Path) -> None:
    run(tmp_path, 7)
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 8, "loss": 99}\n{"step": 9, "lo')
    run(tmp_path, 9, resume=True)
    assert list(losses(tmp_path)) == list(range(1, 10))
    assert 99 not in losses(tmp_path).values()


def test_a_run_is_resumed_only_as_what_it_was(tmp_path: Path) -> None:
    run(tmp_path, 7)
    for more, said in (
        ({}, "holds a run already; resume it"),
        ({"resume": True, "seed": 5}, "was trained with the seed 4, not 5"),
        ({"resume": True, "settings": replace(SETTINGS, batch=4)}, "was trained with other settings"),
    ):
        with pytest.raises(InputError, match=said):
            run(tmp_path, 9, **more)
    settings = replace(SETTINGS, steps=9)
    with pytest.raises(InputError, match="was trained on other pictures"):
        next(iter(train(grey_pictures(seed=1), settings, tmp_path, seed=4, device="cpu", resume=True)))
    assert [p.step for p in run(tmp_path, 7, resume=True)] == [7]
    state = tmp_path / "checkpoint-000007" / TENSORS
    state.write_bytes(state.read_bytes()[:-1] + b"x")
    with pytest.raises(InputError, match=r"state\.safetensors: is damaged"):
        run(tmp_path, 9, resume=True)


# --- several processes --------------------------------------------------------------------------------------------


def test_two_processes_follow_the_loss_curve_of_one(tmp_path: Path) -> None:
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"]
    quiet = ["--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0"]
    script = ["-m", "tests.trainer.images.two_processes"]
    outs = [tmp_path / "one", tmp_path / "two"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    both = subprocess.run(
        [*launch, *quiet, *script, str(outs[1])], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert both.returncode == 0, both.stderr[-2000:]
    assert "processes: 2" in both.stdout
    for _ in train(grey_pictures(), replace(NCSN, steps=50), outs[0], seed=4, device="cpu", log_every=1):
        pass
    one, two = (losses(out) for out in outs)
    assert list(one) == list(two) == list(range(1, 51))
    assert max(abs(one[step] - two[step]) for step in one) < 1e-5
    assert one[1] > 1.3 * one[50]  # a curve, not a line


# --- what is kept -------------------------------------------------------------------------------------------------


def test_the_last_checkpoints_are_kept(tmp_path: Path) -> None:
    yielded = run(tmp_path, 16, checkpoint_every=3, keep=2)
    assert [p.checkpoint.name[-2:] for p in yielded if p.checkpoint] == ["03", "06", "09", "12", "15", "16"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["checkpoint-000015", "checkpoint-000016", "metrics.jsonl"]


def test_what_is_saved_is_the_average(tmp_path: Path) -> None:
    seen: list[tuple[float, int]] = []

    def look(model: ImageScore, folder: Path) -> dict[str, float]:
        x = torch.randn(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))
        loaded = load_image_model(folder)
        assert torch.allclose(model.score(x, 0.7), loaded.score(x, 0.7), atol=1e-6)
        seen.append((loaded.card.metrics["loss"], loaded.card.step))
        torch.manual_seed(0)  # what is done here does not reach the training
        return {"colour": 0.5}

    run(tmp_path / "a", 9, on_checkpoint=look)
    run(tmp_path / "b", 9)
    assert bytes_of(tmp_path / "a", 9) == bytes_of(tmp_path / "b", 9)
    assert seen == [(losses(tmp_path / "a")[7], 7), (losses(tmp_path / "a")[9], 9)]
    noted = [line for line in read_journal(tmp_path / "a") if "checkpoint" in line]
    assert noted == [{"step": k, "checkpoint": f"checkpoint-{k:06d}", "colour": 0.5} for k in (7, 9)]


def test_pictures_are_padded_to_what_the_network_halves(tmp_path: Path) -> None:
    settings = replace(NCSN, steps=1)
    for _ in train(grey_pictures(side=(7, 5)), settings, tmp_path, device="cpu"):
        pass
    card = load_image_model(tmp_path).card
    assert (card.shape, card.padding, card.padded_shape) == ((1, 7, 5), (1, 1), (1, 8, 6))
    assert card.settings == settings


@pytest.mark.parametrize("where", ["trainer.images.weights._flush", "trainer.images.training.append_line"])
def test_a_full_disk_stops_training_with_the_last_checkpoint_intact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    steps = train(grey_pictures(), replace(SETTINGS, steps=20), tmp_path, seed=4, device="cpu", checkpoint_every=5)
    for progress in steps:
        if progress.step == 8:
            break

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(where, full)
    with pytest.raises(TrainingError, match="No space left on device; training stopped after step 10") as caught:
        list(steps)
    assert "\n" not in str(caught.value)
    monkeypatch.undo()
    names = {p.name for p in tmp_path.iterdir()}
    assert names - {"checkpoint-000010"} == {"checkpoint-000005", "metrics.jsonl"}
    assert load_image_model(tmp_path / "checkpoint-000005").card.step == 5


def test_a_file_that_may_not_grow(tmp_path: Path) -> None:
    """The same from the system itself: no file may be larger than a megabyte, and weights are."""
    limited = f'ulimit -f 1024; trap "" XFSZ; exec "{sys.executable}" -m tests.trainer.images.train_nothing "$0" 20'
    done = subprocess.run(
        ["bash", "-c", limited, str(tmp_path / "r")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "File too large; training stopped after step 7" in done.stderr
    assert [p.name for p in (tmp_path / "r").iterdir()] == ["metrics.jsonl"]


def test_ctrl_c_finishes_the_step_and_saves(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT)
    seen = []
    for progress in train(grey_pictures(), replace(SETTINGS, steps=50), tmp_path, seed=4, device="cpu"):
        seen.append(progress)
        if progress.step == 3:
            os.kill(os.getpid(), signal.SIGINT)
    assert [p.step for p in seen] == [1, 2, 3, 4]
    assert seen[-1].stopped
    assert load_image_model(tmp_path).card.step == 4
    assert signal.getsignal(signal.SIGINT) == before


def test_a_loss_that_is_not_finite_ends_the_run(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="the loss is not finite at step"):
        run(tmp_path, 60, settings=replace(NCSN, learning_rate=1.0, warmup=0, clip=0.0, ema=0.0), checkpoint_every=100)
    json.dumps(read_journal(tmp_path), allow_nan=False)


def test_what_is_heavy_is_imported_when_it_is_needed() -> None:
    modules = "training, checkpoints, card, models, ladder, settings, networks, runs"
    heavy = "{'diffusers', 'accelerate', 'tensorboard', 'sklearn', 'datasets'}"
    code = f"import sys; from trainer.images import {modules}; sys.exit(str({heavy} & set(sys.modules) or ''))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""


def test_arguments_that_do_not_fit(tmp_path: Path) -> None:
    for more, said in (
        ({"device": "cuda:1"}, "CUDA_VISIBLE_DEVICES"),
        ({"settings": replace(NCSN, precision="fp16")}, "fp16 needs a GPU"),
        ({"keep": 0}, "keep: 0 is out of range"),
        ({"settings": replace(NCSN, sigma_max=0.001)}, "sigma_max: 0.001 is not above"),
    ):
        with pytest.raises(InputError, match=said):
            run(tmp_path / "r", 3, **more)
    assert not (tmp_path / "r").exists()
