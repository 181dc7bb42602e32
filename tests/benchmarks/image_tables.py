"""How good the shipped digits are.

    python -m tests.benchmarks.image_tables [FOLDER ...] [--samplers S ..] [--budgets] [--json FILE]

Every model by every sampler with recommended settings, judged as `score-trainer images evaluate` judges: as many
samples as pictures were held out, beside training pictures in their place (the floor) and noise. `--budgets` asks
instead what fewer network evaluations cost: each sampler with about 10 to 400 of them.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from explorer.gallery.folders import SHIPPED, shipped
from trainer.errors import TrainingError
from trainer.images.checkpoints import load_image_model
from trainer.images.classifier import Classifier, train_classifier
from trainer.images.evaluation import Evaluation, evaluate
from trainer.images.models import ImageScore
from trainer.images.pictures import Pictures
from trainer.images.sampling import IMAGE_SAMPLERS, evaluations, recommended, sample_pictures
from trainer.images.settings import HELD_OUT, SPLIT_SEED
from trainer.images.sources import read_pictures
from trainer.settings import ParticleSettings

BUDGETS = (10, 20, 50, 100, 200, 400)


def within_budget(model: ImageScore, sampler: str, budget: int) -> ParticleSettings | None:
    """Settings that ask the network about so often; None where the sampler cannot."""
    settings = recommended(model, sampler)
    if sampler == "annealed":
        steps = max(1, round(budget / settings.levels))
        levels = max(2, min(settings.levels, budget // steps))
        return replace(settings, levels=levels, steps=steps, fine_steps=steps)
    each = {"ode": 2, "pc": 2}.get(sampler, 1)
    steps = math.ceil(budget / each)
    return replace(settings, diffusion_steps=steps) if 2 <= steps <= 1000 else None


def row(evaluation: Evaluation) -> dict[str, Any]:
    """What is printed of a judgement."""
    found = evaluation.samples
    return {
        "frechet": found.frechet,
        "over floor": found.frechet / evaluation.frechet_floor,
        "precision": found.shares.precision,
        "recall": found.shares.recall,
        "density": found.shares.density,
        "coverage": found.shares.coverage,
        "nearest": found.nearest[1] if found.nearest is not None else None,
        "memorised": found.memorised,
    }


def tables(
    folders: list[Path], samplers: list[str], data: tuple[Pictures, Pictures, Classifier], budgets: bool, n: int
) -> Iterator[tuple[str, dict[str, Any]]]:
    """(model and sampler, figures), one after the other; first the rows beside them."""
    train, held_out, classifier = data
    first = True
    for folder in folders:
        model = load_image_model(folder)
        for sampler in samplers:
            for budget in BUDGETS if budgets else (0,):
                settings = within_budget(model, sampler, budget) if budget else recommended(model, sampler)
                if settings is None:
                    continue
                began = time.perf_counter()
                try:
                    samples = sample_pictures(model, n, sampler=sampler, settings=settings)
                except TrainingError:
                    yield f"{folder.name} {sampler} {budget}", {"diverged": 1.0}
                    continue
                seconds = time.perf_counter() - began
                evaluation = evaluate(samples, train, held_out, classifier)
                if first:
                    first = False
                    for name, judged in (("training pictures", evaluation.floor), ("noise", evaluation.noise)):
                        beside = replace(evaluation, samples=judged)
                        yield name, {"accuracy": evaluation.accuracy, **row(beside)}
                    yield "held-out pictures", {"nearest": evaluation.held_out_nearest[1]}
                asked = evaluations(model, sampler, settings)
                yield f"{folder.name} {sampler}", {"evaluations": asked, "seconds": seconds, **row(evaluation)}


def main() -> None:
    """Print the tables as they come."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.image_tables")
    parser.add_argument("folders", nargs="*", type=Path, help="image models trained on digits (default: the shipped)")
    parser.add_argument("--samplers", nargs="+", choices=IMAGE_SAMPLERS, default=list(IMAGE_SAMPLERS))
    parser.add_argument("--budgets", action="store_true", help="error against network evaluations")
    parser.add_argument("-n", type=int, help="samples (default: as many as are held out)")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep all figures here")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    train, held_out = read_pictures("digits").split(HELD_OUT, SPLIT_SEED)
    classifier = train_classifier(train, device=torch.device("cpu"))
    folders = options.folders or [shipped(name) for name, _ in SHIPPED]
    kept: list[dict[str, Any]] = []
    data, n = (train, held_out, classifier), options.n or len(held_out)
    for name, figures in tables(folders, options.samplers, data, options.budgets, n):
        words = "  ".join(f"{key} {value:.3g}" if value is not None else f"{key} -" for key, value in figures.items())
        print(f"{name:24} {words}", flush=True)
        kept.append({"name": name, **figures})
        if options.json is not None:
            options.json.write_text(json.dumps(kept, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
