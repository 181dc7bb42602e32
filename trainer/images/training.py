"""The training loop on pictures: a generator that a window drives as easily as a script.

    for progress in train(read_pictures("digits"), ImageSettings(), "run"):
        print(progress.step, progress.loss)

The run's folder holds `metrics.jsonl` and the last checkpoints, each a folder that diffusers opens. The same call runs
on one processor, one GPU, or many under `accelerate launch` or `torchrun` (on machines that share the folder): the
batch of the settings is shared out over the processes. accelerate gives device, precision, gradient exchange and
clipping; randomness is the loop's own, keyed by (seed, step, position) (`trainer.images.batches`). So a run that was
killed and resumed has, on a CPU, to the last bit the weights of one that was not, and several processes follow the loss
curve of one.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from trainer.errors import TrainingError
from trainer.images.averages import Average
from trainer.images.batches import PictureBatches
from trainer.images.checkpoints import checkpoint_name, save_checkpoint
from trainer.images.interrupts import Interrupts
from trainer.images.journal import append_line
from trainer.images.models import ImageScore
from trainer.images.networks import build_unet
from trainer.images.objectives import NoisePrediction, Objective, ScoreMatching
from trainer.images.runs import described, find_resumed, make_accelerator, prepare_folder, prune, read_average
from trainer.images.settings import ImageSettings
from trainer.images.states import read_state, write_state
from trainer.noise import mix
from trainer.settings import whole

if TYPE_CHECKING:
    from trainer.images.card import ImageCard
    from trainer.images.pictures import Pictures

OnCheckpoint = Callable[[ImageScore, Path], Mapping[str, float] | None]
_WEIGHTS = 0x77656967
_MASK = (1 << 63) - 1


@dataclass(frozen=True)
class ImageProgress:
    """Where a run stands after a step.

    Attributes:
        step, steps: taken, and wanted in all.
        seconds: spent on this run, with what was spent before it was resumed.
        loss: the mean over the steps of the latest line of the journal; NaN before there is one.
        pictures_per_second: over the same steps, all processes together.
        checkpoint: the folder that was written after this step, if one was.
        stopped: whether the run ends here because a person asked for it.
    """

    step: int
    steps: int
    seconds: float
    loss: float = math.nan
    pictures_per_second: float = math.nan
    checkpoint: Path | None = None
    stopped: bool = False


def train(
    pictures: Pictures,
    settings: ImageSettings,
    out: str | Path,
    *,
    seed: int = 0,
    resume: bool = False,
    device: str = "auto",
    checkpoint_every: int = 500,
    keep: int = 3,
    log_every: int = 10,
    on_checkpoint: OnCheckpoint | None = None,
    source: str = "",
    command: str = "",
    tensorboard: bool = False,
) -> Iterator[ImageProgress]:
    """Train a network on pictures; yields after each step.

    Ctrl-C, or SIGTERM, lets the step finish, saves, and ends with a progress that says `stopped`; a second one ends at
    once. torch's global generator is seeded before each step.

    Args:
        pictures: what to learn.
        settings: what to minimise and how.
        out: the run's folder.
        seed: of all randomness of the run.
        resume: go on from the newest checkpoint in `out`, where there is one, with the same settings but for `steps`.
        device: "auto", "cpu", "cuda" or "mps".
        checkpoint_every: steps between checkpoints; the last step always has one.
        keep: how many of the latest are kept.
        log_every: steps between two lines of the journal.
        on_checkpoint: called with the averaged model and its folder when a checkpoint is in place; the figures that it
            returns go into the journal.
        source: for the card, where the pictures were read.
        command: for the card, how the run was started.
        tensorboard: also write the journal's figures for TensorBoard, in `out`/tensorboard.

    Raises:
        InputError: an argument, or what `out` holds, does not fit.
        TrainingError: the disk is full, or the loss is not finite; the last checkpoint is intact.
    """
    for name, value in (("checkpoint_every", checkpoint_every), ("keep", keep), ("log_every", log_every)):
        whole(name, value, 1, 10**8)
    whole("seed", seed, 0, (1 << 63) - 1)
    run = _Run(pictures, settings, Path(out), seed, resume, device, source, command, log_every, tensorboard)
    with closing(run), Interrupts() as interrupts:
        if run.start >= settings.steps:
            yield ImageProgress(run.start, settings.steps, run.seconds)
        for step in range(run.start + 1, settings.steps + 1):
            run.step(step)
            stopped = run.agreed(interrupts.asked, step)
            last = stopped or step == settings.steps
            due = last or step % checkpoint_every == 0
            if due or step % log_every == 0:
                run.log(step)
            saved = run.save(step, keep, on_checkpoint) if due else None
            yield ImageProgress(
                step, settings.steps, run.seconds, run.loss, run.rate, checkpoint=saved, stopped=stopped
            )
            if last:
                return


class _Run:
    """A run's parts, and one method for each thing that can happen after a step."""

    def __init__(
        self,
        pictures: Pictures,
        settings: ImageSettings,
        out: Path,
        seed: int,
        resume: bool,
        device: str,
        source: str,
        command: str,
        log_every: int,
        tensorboard: bool,
    ) -> None:
        self.settings, self.out, self.seed, self._log_every = settings, out, seed, log_every
        self.card: ImageCard = described(pictures, settings, seed, source, command)
        self._accelerator = make_accelerator(settings, device)
        self._leads = self._accelerator.is_main_process
        found = find_resumed(out, resume, self.card)
        self.start = found.card.step if found else 0
        where = self._accelerator.device
        torch.manual_seed(mix(mix(0, _WEIGHTS), seed) & _MASK)
        unet = build_unet(settings, self.card.padded_shape).to(where)
        average = Average(
            unet, build_unet(settings, self.card.padded_shape).to(where), settings.ema, settings.ema_warmup
        )
        self._trained = [p for p in unet.parameters() if p.requires_grad]
        optimiser = torch.optim.Adam(self._trained, lr=settings.learning_rate, fused=where.type in ("cpu", "cuda"))
        self._raw, self._raw_optimiser, self._average = unet, optimiser, average
        scaler: dict[str, Any] = {}
        if found:
            scaler = read_state(found.folder, found.card.digests, unet, optimiser)
            read_average(found, average.network)
        # the average follows the same tensors: accelerate wraps the network, and does not move it again
        self._unet, self._optimiser = self._accelerator.prepare(unet, optimiser)
        if scaler and self._accelerator.scaler is not None:
            self._accelerator.scaler.load_state_dict(scaler)
        self._batches = PictureBatches(
            pictures,
            self.card.padding,
            settings.batch,
            seed,
            where,
            dequantise=settings.dequantise,
            slice_of=(self._accelerator.process_index, self._accelerator.num_processes),
        )
        self._objective: Objective = (
            ScoreMatching(self.card.sigmas, where) if settings.objective == "ncsn" else NoisePrediction(where)
        )
        self._board = prepare_folder(out, self.start, tensorboard) if self._leads else None
        self._deterministic = torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark
        torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False
        self._before = float(found.card.metrics.get("seconds", 0.0)) if found else 0.0
        self._began = self._lined = time.perf_counter()
        self._unet.train()
        self._losses: list[Tensor] = []
        self._gradients: list[Tensor] = []
        self._stopping = False
        self.loss = self.rate = math.nan

    @property
    def seconds(self) -> float:
        """Spent on the run."""
        return self._before + time.perf_counter() - self._began

    def step(self, step: int) -> None:
        """One step of the optimiser and of the average."""
        settings, accelerator = self.settings, self._accelerator
        torch.manual_seed(mix(mix(self.seed, step), accelerator.process_index))  # for dropout
        batch = self._batches.batch(step)
        for group in self._optimiser.param_groups:
            group["lr"] = settings.learning_rate * min(1.0, step / max(settings.warmup, 1))
        self._optimiser.zero_grad()
        loss = self._objective.loss(self._unet, batch.clean, batch.noise, batch.level)
        accelerator.backward(loss)
        gradient = accelerator.clip_grad_norm_(self._trained, settings.clip or math.inf)
        self._optimiser.step()
        self._average.update(step)
        self._losses.append(loss.detach())
        self._gradients.append(gradient)

    def agreed(self, asked: bool, step: int) -> bool:
        """Whether to stop here: several processes ask one another, with each line of the journal."""
        if self._accelerator.num_processes == 1:
            return asked
        if step % self._log_every:
            return False
        flag = torch.tensor(float(asked), device=self._accelerator.device)
        return bool(self._accelerator.reduce(flag, "sum") > 0)

    def log(self, step: int) -> None:
        """Write a line of the journal; waits for the device."""
        if not self._losses:
            return
        means = torch.stack([torch.stack(part).float().mean() for part in (self._losses, self._gradients)])
        loss, gradient = self._accelerator.reduce(means, "mean").tolist()
        count, now = len(self._losses), time.perf_counter()
        self._losses, self._gradients = [], []
        self.rate = count * self.settings.batch / max(now - self._lined, 1e-9)
        self._lined, self.loss = now, loss
        if not math.isfinite(loss) or (not math.isfinite(gradient) and self._accelerator.scaler is None):
            raise TrainingError(
                f"{self.out}: the loss is not finite at step {step}; the last checkpoint is intact, "
                "start again with a smaller learning rate"
            )
        line = {
            "step": step,
            "loss": loss,
            "gradient": gradient if math.isfinite(gradient) else None,
            "learning_rate": self._optimiser.param_groups[0]["lr"],
            "pictures_per_second": round(self.rate, 1),
            "seconds": round(self.seconds, 2),
        }
        if not self._leads:
            return
        self._write(lambda: append_line(self.out, line), step)
        if self._board is not None:
            for name in ("loss", "gradient", "learning_rate", "pictures_per_second"):
                self._board.add_scalar(name, line[name], step)

    def save(self, step: int, keep: int, on_checkpoint: OnCheckpoint | None) -> Path:
        """Write a checkpoint, tell the caller, and drop the oldest."""
        folder = self.out / checkpoint_name(step)
        if self._leads:
            card = self.card.at(step, {"loss": self.loss, "seconds": self.seconds})
            scaler = self._accelerator.scaler
            facts = scaler.state_dict() if scaler is not None else None

            def state(part: Path) -> dict[str, str]:
                return write_state(part, self._raw, self._raw_optimiser, facts)

            self._write(lambda: save_checkpoint(folder, self._average.network, card, state), step)
            self._write(lambda: prune(self.out, keep), step)
            line: dict[str, Any] = {"step": step, "checkpoint": folder.name}
            if on_checkpoint is not None:
                model = ImageScore(self._average.network, card)
                self._write(lambda: line.update(on_checkpoint(model, folder) or {}), step)
            self._write(lambda: append_line(self.out, line), step)
        self._accelerator.wait_for_everyone()
        self._lined = time.perf_counter()
        return folder

    def close(self) -> None:
        """Leave torch and accelerate as they were found."""
        torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = self._deterministic
        if self._board is not None:
            self._board.close()

    def _write(self, write: Callable[[], object], step: int) -> None:
        """Do what writes to the disk; if it cannot, end the run with one line."""
        try:
            write()
        except OSError as error:
            raise TrainingError(
                f"{self.out}: cannot be written: {error.strerror or error}; training stopped after step {step}, the "
                "last checkpoint is intact; make room and resume"
            ) from error
