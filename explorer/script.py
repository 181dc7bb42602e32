"""The session as a short Python script: the same run, step by step, with the package `trainer` alone.

A recipe says what determines a run: painting, settings and seeds at its beginning, what was changed at which step, and
how many steps were taken. The script says the same in Python: it loads the paintings from an archive that lies beside
it, trains with each change at its step, and then releases particles in every pane and prints the ledger.

Weights agree to the last bit with those of the session, on the same processor with as many threads and the same
version of torch. Particles are paired and drawn as in the window, but moved all at once and through a table at every
noise level: their shares agree within their bands, not to the last bit.
"""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.engine.messages import Configure, Repaint, Reset
from explorer.recipe import Recipe
from trainer.archives import write_whole
from trainer.errors import InputError
from trainer.projects import Setup

Paintings = list[NDArray[np.float32]]

_TEMPLATE = '''"""{name}, {steps:,} training steps: a session of Score Explorer, repeated with the package trainer.

Usage: python {file} [FOLDER to save the network in]; {archive} must lie beside it. Weights come out
the same to the last bit with as many threads{versions}; shares of particles agree within their bands.
"""

import sys
from pathlib import Path

import numpy as np
import torch

from trainer.checkpoints import save_score
from trainer.densities import PaintedDensity
from trainer.fit import Fit
from trainer.metrics import mode_ledger, relative_fisher_error
from trainer.models import TrueScore
from trainer.noise import Noise
from trainer.samplers import SAMPLERS, within
from trainer.scenes import Pane, Scene, Start
from trainer.settings import FitSettings, LadderSettings, NetworkSettings, ParticleSettings, Rung
from trainer.starts import placed_points
from trainer.tables import TabulatedScore

torch.set_num_threads({threads})
with np.load(Path(__file__).with_name("{archive}")) as archive:
    paintings = [archive[f"painting{{k}}"] for k in range(len(archive.files))]
scene = {scene}

density = PaintedDensity(paintings[0])
fit = Fit(density, {fit}, device="{device}", seed={seed})
{training}
sigma = min(max(0.1, fit.sigma_min), fit.sigma_max)
print(f"step {{fit.step}}: relative Fisher error {{relative_fisher_error(fit, density, sigma):.3g}} at {{sigma:.3g}}")

noise = Noise({particle_seed}, fit.device)
for pane in scene.panes:
    model = {model}
    settings, sampler = within(pane.settings, model), SAMPLERS[pane.sampler]
    x = {start}
    for _, x in sampler({read}, x, settings, noise):
        pass
    print(f"{{pane.sampler}}, {{pane.settings.source}} score")
    ledger = mode_ledger(x, density)
    for mass, share, low, high in zip(ledger.mass, ledger.share, ledger.low, ledger.high, strict=True):
        print(f"    share {{share:.3f}} ({{low:.3f}} to {{high:.3f}}), truth {{mass:.3f}}")

if len(sys.argv) > 1:
    save_score(sys.argv[1], fit)
'''

_MODEL = 'TrueScore(density, fit.kernel, fit.device) if pane.settings.source == "true" else fit.snapshot()'
_OWN = "sampler.start(model, settings, settings.number, noise)"
_PLACED = "placed_points(scene.start, settings.number, noise)"
_READ = "model if sampler.needs_log_prob else TabulatedScore(model)"

_STRAIGHT = """for _ in fit.run(steps={steps}):
    pass"""

_CHANGED = """# (step, change): the painting, by number, or the settings that hold from then on.
changes = [{changes}]
for step, change in [*changes, ({steps}, None)]:
    for _ in fit.run(steps=step - fit.step):
        pass
    if isinstance(change, FitSettings):
        fit.change_settings(change)
    elif change is not None:
        density = PaintedDensity(paintings[change])
        fit.change_density(density)"""


def script_text(recipe: Recipe, setup: Setup, file: str = "session.py") -> tuple[str, Paintings]:
    """The script of a run, and the paintings that it loads, each (rows, cols) float32.

    Args:
        recipe: the run.
        setup: the document as it is: its panes and their seed are released at the end.
        file: what the script will be called.

    Raises:
        InputError: a journal that cannot be followed.
    """
    changes, paintings, initial = _changes(recipe)
    facts: Mapping[str, str] = recipe.facts
    device = facts.get("device", "cpu").partition(",")[0].partition(":")[0]
    versions = f" and torch {facts['torch']}" if "torch" in facts else ""
    panes = setup.scene.panes
    true = any(pane.settings.source == "true" for pane in panes)
    training = _CHANGED.format(changes=_filled(changes), steps=recipe.steps) if changes else ""
    text = _TEMPLATE.format(
        name=_plain(setup.name),
        steps=recipe.steps,
        file=_plain(file),
        archive=_plain(archive_name(file)),
        versions=versions,
        threads=_threads(facts),
        scene=_broken(setup.scene),
        fit=source(initial.fit),
        device=device if device in ("cpu", "cuda", "mps") else "auto",
        seed=initial.seed,
        training=training or _STRAIGHT.format(steps=recipe.steps),
        particle_seed=setup.particle_seed,
        model=_MODEL if true else "fit.snapshot()",
        start=_OWN if setup.scene.start.kind == "own" else _PLACED,
        read=_READ if any(pane.sampler == "mala" for pane in panes) else "TabulatedScore(model)",
    )
    used = text.partition("torch.set_num_threads")[2]
    return "\n".join(_imports(text, used)) + "\n", paintings


def archive_name(file: str) -> str:
    """What the archive of paintings beside a script is called."""
    return f"{Path(file).stem}.npz"


def write_script(path: Path, recipe: Recipe, setup: Setup) -> None:
    """Write the script and, beside it, its paintings.

    Raises:
        InputError: a journal that cannot be followed, or a place that cannot be written to.
    """
    text, paintings = script_text(recipe, setup, path.name)
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {f"painting{k}": painting for k, painting in enumerate(paintings)}
    np.savez_compressed(buffer, **arrays)
    write_whole(path.with_name(archive_name(path.name)), buffer.getvalue())
    write_whole(path, text.encode())


def source(value: object) -> str:
    """The Python that makes a value of frozen dataclasses, fields that have their default left out."""
    if isinstance(value, tuple):
        inner = ", ".join(source(each) for each in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if not is_dataclass(value):
        return repr(value)
    given = []
    for f in fields(value):
        default = f.default_factory() if f.default_factory is not MISSING else f.default
        now = getattr(value, f.name)
        if default is MISSING or now != default:
            given.append(f"{f.name}={source(now)}")
    return f"{type(value).__name__}({', '.join(given)})"


def _changes(recipe: Recipe) -> tuple[list[str], Paintings, Setup]:
    """The journal as Python tuples, the paintings that it names, and the setup that it begins with."""
    setup = recipe.initial
    paintings = [np.asarray(setup.weights, np.float32)]
    changes: list[str] = []
    for step, command in recipe.commands():
        match command:
            case Repaint(_, weights, _):
                changes.append(f"({step}, {len(paintings)})")
                paintings.append(np.asarray(weights, np.float32))
            case Configure(settings):
                changes.append(f"({step}, {source(settings)})")
            case Reset():
                raise InputError("journal: a run begins with its network; reset training and export again")
    return changes, paintings, setup


def _threads(facts: Mapping[str, str]) -> int:
    words = facts.get("threads", "1")
    return int(words) if words.isdigit() and words != "0" else 1


def _plain(text: str) -> str:
    """A name inside a docstring or a string: without what would end it."""
    return "".join(c if c.isprintable() and c not in '"\\' else "_" for c in text)


def _filled(items: list[str]) -> str:
    """The items of a list, as many on a line as fit."""
    if not items:
        return ""
    text, indent = ", ".join(items), "    "
    lines = textwrap.fill(text, 110, initial_indent=indent, subsequent_indent=indent, break_long_words=False)
    return f"\n{lines},\n"


def _broken(scene: object) -> str:
    """A scene as Python, one pane a line where one line is too short for all."""
    text = source(scene)
    if len(text) < 100:
        return text
    return text.replace(", Pane(", ",\n    Pane(").replace("(Pane(", "(\n    Pane(")


def _imports(text: str, used: str) -> Iterator[str]:
    """The lines of a script whose imports hold only what it uses."""
    for line in text.splitlines():
        start, mark, names = line.partition(" import ")
        if mark and start.startswith("from trainer"):
            kept = [name for name in names.split(", ") if re.search(rf"\b{name}\b", used)]
            if kept:
                yield f"{start}{mark}{', '.join(kept)}"
        else:
            yield line
