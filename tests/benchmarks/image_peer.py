"""Beside a peer: `python -m tests.benchmarks.image_peer --python PEER_PYTHON [--minutes M] [--samples FILE.npz]`.

smalldiffusion (github.com/yuanchenyang/smalldiffusion) trains its own U-Net on the digits that ours is trained on, with
its own loop, DDPM schedule and averaging as in its example on FashionMNIST, and draws with its own sampler; both are
judged by the same table. PEER_PYTHON is the interpreter of an environment that holds smalldiffusion; it runs this file,
which imports nothing of ours there. Minutes are those of the processor, so that a busy machine favours nobody. Sizes:
64 channels there become 32, and pictures are not mirrored, which digits do not bear.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
import types
from pathlib import Path

BATCH, RATE, DECAY = 128, 7e-4, 0.999
SAMPLING = {"20 steps, gam 1.6": (20, 1.6, 0.0), "DDIM, 100 steps": (100, 1.0, 0.0), "DDPM, 250 steps": (250, 1.0, 0.5)}
"""Its accelerated sampler with its example's numbers, and the two classical ones that it calls special cases."""


def train(data: Path, out: Path, minutes: float, count: int, threads: int) -> None:
    """What the peer's interpreter does: train, draw `count` pictures with each sampler, save."""
    import numpy as np
    import torch

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    _without_torchvision()
    from smalldiffusion import Scaled, ScheduleDDPM, Unet, samples, training_loop
    from torch.utils.data import DataLoader

    pictures = torch.from_numpy(np.load(data)["pictures"])
    loader = DataLoader(pictures, batch_size=BATCH, shuffle=True, drop_last=True)
    schedule = ScheduleDDPM(beta_start=1e-4, beta_end=0.02, N=1000)
    model = Scaled(Unet)(8, 1, 1, ch=32, ch_mult=(1, 2), attn_resolutions=(4,))
    average = {name: value.clone() for name, value in model.state_dict().items()}
    began, steps = time.process_time(), 0
    for _ in training_loop(loader, model, schedule, epochs=10**6, lr=RATE):
        with torch.no_grad():  # of the step before, as its example does
            for name, value in model.state_dict().items():
                average[name].lerp_(value, 1 - min(DECAY, (1 + steps) / (10 + steps)))
        steps += 1
        if time.process_time() - began > 60 * minutes:
            break
    model.load_state_dict(average)
    drawn = {}
    for name, (number, gam, mu) in SAMPLING.items():
        *_, last = samples(model, schedule.sample_sigmas(number), gam=gam, mu=mu, batchsize=count)
        drawn[name] = last.numpy()
    parameters = sum(p.numel() for p in model.parameters())
    np.savez(out, steps=steps, parameters=parameters, seconds=time.process_time() - began, **drawn)


def _without_torchvision() -> None:
    """Its package asks for torchvision's transforms of photographs when it is imported; nothing here uses them."""
    try:
        import torchvision  # noqa: F401
    except ImportError:
        transforms = types.ModuleType("torchvision.transforms")
        for name in ("Compose", "RandomHorizontalFlip", "ToTensor", "Lambda"):
            setattr(transforms, name, lambda *_: None)
        package = types.ModuleType("torchvision")
        package.transforms = transforms  # type: ignore[attr-defined]
        sys.modules |= {"torchvision": package, "torchvision.transforms": transforms}


def judge(python: str, minutes: float, threads: int, samples: Path | None) -> None:
    """Have the peer train, then judge what it drew."""
    import numpy as np
    import torch

    from tests.benchmarks.image_tables import row
    from trainer.images.classifier import train_classifier
    from trainer.images.evaluation import evaluate
    from trainer.images.pictures import scaled
    from trainer.images.settings import HELD_OUT, SPLIT_SEED
    from trainer.images.sources import read_pictures

    torch.set_num_threads(threads)
    ours, held_out = read_pictures("digits").split(HELD_OUT, SPLIT_SEED)
    with tempfile.TemporaryDirectory() as folder:
        data, out = Path(folder) / "digits.npz", samples or Path(folder) / "drawn.npz"
        if not out.exists():
            np.savez(data, pictures=scaled(ours.values, ours.levels))
            words = ["--train", str(data), str(out), "--minutes", str(minutes), "--count", str(len(held_out))]
            subprocess.run([python, __file__, *words, "--threads", str(threads)], check=True)
        drawn = dict(np.load(out))
    print(
        f"{int(drawn['parameters']):,} parameters, {int(drawn['steps']):,} steps of {BATCH} pictures in "
        f"{float(drawn['seconds']) / 60:.1f} minutes of the processor"
    )
    classifier = train_classifier(ours, device=torch.device("cpu"))
    for name in SAMPLING:
        pictures = torch.from_numpy(drawn[name]).clamp(-1, 1)
        figures = row(evaluate(pictures, ours, held_out, classifier))
        words = "  ".join(f"{key} {value:.3g}" for key, value in figures.items() if value is not None)
        print(f"{name:20} {words}", flush=True)


def main() -> None:
    """Either side of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.image_peer")
    parser.add_argument("--python", help="the interpreter of an environment with smalldiffusion")
    parser.add_argument("--minutes", type=float, default=20.0, help="of the processor (default: 20)")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--samples", type=Path, metavar="FILE", help="keep what it drew here, or judge what lies there")
    parser.add_argument("--train", nargs=2, type=Path, metavar=("DATA", "OUT"), help=argparse.SUPPRESS)
    parser.add_argument("--count", type=int, default=359, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.train:
        train(*options.train, options.minutes, options.count, options.threads)
    elif options.python:
        judge(options.python, options.minutes, options.threads, options.samples)
    else:
        parser.error("--python: name the peer's interpreter")


if __name__ == "__main__":
    main()
