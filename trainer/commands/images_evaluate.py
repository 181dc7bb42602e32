"""`score-trainer images evaluate`: judge a model's samples, or a file of them, beside real pictures and noise."""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainer.commands import images_options as shared
from trainer.commands.console import Summary, in_range, say, table
from trainer.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from trainer.images.classifier import Classifier
    from trainer.images.evaluation import Evaluation, Judgement
    from trainer.images.pictures import Pictures

_OF_A_MODEL = ("trainer.json", "model_index.json", "config.json", "unet", "metrics.jsonl")


def add(commands: Any) -> None:  # noqa: ANN401 - argparse's own class is private
    """Add the command to the parser's."""
    parser = commands.add_parser(
        "evaluate",
        help="judge a model's samples",
        description="Judge samples by the held-out pictures of a source, beside real pictures and noise.",
    )
    parser.add_argument("what", metavar="FOLDER|samples.npz", type=Path, help="a model, or pictures that one has drawn")
    parser.add_argument("--data", metavar="SOURCE", required=True, help="the pictures that it was trained on")
    parser.add_argument("-n", type=int, metavar="N", help="samples to draw; else as many as pictures are held out")
    parser.add_argument(
        "--classifier", metavar="FOLDER", type=Path, help="use the classifier saved there; if there is none, save it"
    )
    parser.add_argument("--fid", action="store_true", help="also the full FID; needs torch-fidelity")
    shared.add_pictures(parser)
    shared.add_samplers(parser)
    shared.add_run(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> Summary:
    """Draw or read the samples, train the classifier, judge."""
    if args.n is not None:
        in_range("-n", args.n, 12, 10_000_000)
    in_range("--batch", args.batch, 1, 1_000_000)
    in_range("--held-out", args.held_out, 0, 1)
    if args.held_out == 0:
        raise InputError("--held-out: 0 leaves nothing to judge by; give the share that training held out")
    shared.check_run(args)
    if not args.what.exists():
        raise InputError(f"{args.what}: does not exist; give the folder of an image model, or a file of samples")

    shared.begin(args)
    from trainer.images.evaluation import evaluate
    from trainer.images.inception import inception_distance, require_fidelity

    if args.fid:
        require_fidelity()
    pictures = shared.read(args.data, args)
    train, held_out = shared.divided(pictures, args.held_out)
    assert held_out is not None  # the share is not 0
    samples, facts = _samples(args, train, held_out)
    classifier = _classifier(args, train)
    with shared.bar("judging", 1.0) as move:
        found = evaluate(
            samples, train, held_out, classifier, seed=args.seed, watch=lambda done, total: move(done / total)
        )
    values = {
        "samples_of": str(args.what),
        **facts,
        "data": args.data,
        "seed": args.seed,
        "classifier_steps": classifier.card.steps,
        **found.to_json(),
    }
    text = _text(args, found)
    if args.fid:
        values["fid"] = inception_distance(samples, held_out, next(classifier.parameters()).device)
        text += f"\nfull FID against the held-out pictures: {values['fid']:.4g}"
    return Summary(text, values)


def _samples(args: argparse.Namespace, train: Pictures, held_out: Pictures) -> tuple[Tensor, dict[str, Any]]:
    """The pictures to judge, in [-1, 1], and how they came about."""
    if not args.what.is_dir() or not any((args.what / name).exists() for name in _OF_A_MODEL):
        return _from_file(args, train), {"sampler": None}
    import numpy as np

    from trainer.images.checkpoints import load_image_model
    from trainer.images.sampling import sample_pictures
    from trainer.samplers import SAMPLERS

    model = load_image_model(args.what, args.device)
    card = model.card
    if card.shape != train.shape:
        raise InputError(
            f"{args.what}: makes pictures of {card.shape}, but those of {args.data} are {train.shape}; "
            "give the source, --size and --colour that it was trained with"
        )
    digest = hashlib.sha256(np.ascontiguousarray(train.values).data).hexdigest()
    same = card.data.digest == digest
    if not same:
        say(
            f"{args.what}: was not trained on just these pictures ({card.data.count:,} of "
            f"{card.data.source or card.data.name or 'an unknown source'}); held-out pictures may be among them"
        )
    settings = shared.particle_settings(args, model)
    n = args.n or len(held_out)
    with shared.by_option(), shared.bar(f"{args.sampler}, {n:,} pictures", 1.0) as move:
        samples = sample_pictures(
            model,
            n,
            sampler=args.sampler,
            settings=settings,
            seed=args.seed,
            batch=args.batch,
            watch=lambda done, total: move(done / total),
        )
    return samples, {
        "sampler": args.sampler,
        "evaluations": SAMPLERS[args.sampler].evaluations(settings, model),
        "settings": {name: value for name, value in settings.to_json().items() if name not in ("source", "number")},
        "step": card.step,
        "same_training_pictures": same,
    }


def _from_file(args: argparse.Namespace, train: Pictures) -> Tensor:
    import torch

    from trainer.images.pictures import scaled
    from trainer.images.sources import read_pictures

    if args.n is not None:
        raise InputError("-n: has no effect on samples that are there already; leave it out")
    samples = read_pictures(args.what)
    if samples.shape != train.shape:
        raise InputError(
            f"{args.what}: pictures of {samples.shape}, but those of {args.data} are {train.shape}; give equal ones"
        )
    return torch.from_numpy(scaled(samples.values, samples.levels))


def _classifier(args: argparse.Namespace, train: Pictures) -> Classifier:
    """The one that is saved, or one that is trained and, if it was asked for, saved."""
    from trainer.devices import choose_device
    from trainer.images.classifier import DESCRIPTION, load_classifier, save_classifier, train_classifier

    device = choose_device(args.device)
    if args.classifier is not None and (args.classifier / DESCRIPTION).exists():
        classifier = load_classifier(args.classifier, device)
        if classifier.card.shape != train.shape:
            raise InputError(
                f"{args.classifier}: is for pictures of {classifier.card.shape}, not {train.shape}; give another folder"
            )
        return classifier
    with shared.bar("training the classifier", 1.0) as move:
        classifier = train_classifier(train, device=device, watch=lambda done, total: move(done / total))
    if args.classifier is not None:
        save_classifier(args.classifier, classifier)
    return classifier


def _text(args: argparse.Namespace, found: Evaluation) -> str:
    counts, n = found.counts, found.samples.count
    heads = (
        "",
        "Frechet",
        "halves",
        "precision",
        "recall",
        "density",
        "coverage",
        "nearest 1 %",
        "median",
        "memorised",
    )
    rows = [
        _row(name, judgement)
        for name, judgement in (("samples", found.samples), ("floor", found.floor), ("noise", found.noise))
    ]
    low, median, _ = found.held_out_nearest
    rows.insert(
        2, ("held-out", "", f"{found.frechet_within:.3g}", "", "", "", "", f"{low:.3g}", f"{median:.3g}", "0.010")
    )
    lines = [
        f"{args.what}: {counts[0]:,} samples, {counts[1]:,} training and {counts[2]:,} held-out pictures, compared "
        f"{n:,} with {n:,} (halves {n // 2:,}); the classifier finds {100 * found.accuracy:.1f} % of the held-out",
        table(heads, rows),
    ]
    if found.samples.histogram:
        lines.append(
            table(
                ("class", *map(str, range(len(found.samples.histogram)))),
                [
                    (name, *(f"{share:.3f}" for share in shares))
                    for name, shares in (("samples", found.samples.histogram), ("held-out", found.held_out_histogram))
                ],
            )
        )
    means = [
        " ".join(f"{mean:+.3f}" for mean in channels) for channels in (found.samples.channels, found.held_out_channels)
    ]
    lines.append(f"mean of the channels {means[0]}, held-out {means[1]}")
    return "\n".join(lines)


def _row(name: str, found: Judgement) -> tuple[str, ...]:
    near = found.nearest
    return (
        name,
        f"{found.frechet:.3g}",
        f"{found.frechet_halves:.3g}",
        *(f"{share:.3f}" for share in found.shares.to_json().values()),
        "" if near is None else f"{near[0]:.3g}",
        "" if near is None else f"{near[1]:.3g}",
        "" if found.memorised is None else f"{found.memorised:.3f}",
    )
