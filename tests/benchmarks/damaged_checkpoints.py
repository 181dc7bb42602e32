"""2,000 damaged image checkpoints: `python -m tests.benchmarks.damaged_checkpoints [--cases N]`.

Half are folders that training has written, half the same as diffusers alone would have written them, with no digests;
each has the weights of the preset tiny, 2.8 MB. Prints how many ended in one line and how many opened all the same, and
the longest time and the most memory that one took above what torch and diffusers take by themselves.

What opens of ours must be what was saved: damage that changes nothing, a space in a JSON file or a file that is not
read. Exit status 1 if anything else happens, if a load takes more than 2 s, or if it takes more than 500 MB.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import torch

from tests.trainer.images.damages import damage
from trainer.errors import InputError
from trainer.images.card import ImageCard
from trainer.images.checkpoints import load_image_model, save_checkpoint
from trainer.images.networks import build_unet
from trainer.images.settings import ImageSettings

MOST_SECONDS, MOST_MEGABYTES = 2.0, 500.0


def memory(what: str) -> float:
    """The process's resident memory in MB, now ("VmRSS") or at most since `forget_peak` ("VmHWM")."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1]) / 1024
    raise OSError(f"no {what} in /proc/self/status")


def forget_peak() -> None:
    """Let the largest memory be counted from now on."""
    Path("/proc/self/clear_refs").write_text("5")


def written_folders(place: Path) -> tuple[Path, Path]:
    """A checkpoint of ours, and the same without what only we write."""
    torch.manual_seed(0)
    settings = ImageSettings(preset="tiny")
    ours, foreign = place / "ours", place / "foreign"
    ladder = tuple(torch.logspace(1, -1.3, 60, dtype=torch.float64).tolist())
    save_checkpoint(ours, build_unet(settings, (1, 8, 8)), ImageCard("ncsn", ladder, (1, 8, 8), settings=settings))
    shutil.copytree(ours, foreign)
    (foreign / "trainer.json").unlink()
    index = json.loads((foreign / "model_index.json").read_text())
    (foreign / "model_index.json").write_text(json.dumps({k: v for k, v in index.items() if k != "_trained_by"}))
    return ours, foreign


def main() -> int:
    """Damage, load, and say what happened."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=2000)
    cases = parser.parse_args().cases
    ends: Counter[str] = Counter()
    wrong: list[str] = []
    slowest, largest = (0.0, ""), (0.0, "")
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        folders = written_folders(place)
        x = torch.randn(2, 1, 8, 8)
        expected = load_image_model(folders[0]).score(x, 0.7)
        own = memory("VmRSS")
        for number in range(cases):
            kind = number % 2
            damaged = place / "damaged"
            shutil.copytree(folders[kind], damaged)
            what = f"{number}: {damage(damaged, number // 2)}, {('ours', 'foreign')[kind]}"
            before = memory("VmRSS")
            forget_peak()
            began = time.perf_counter()
            try:
                model = load_image_model(damaged)
            except InputError as error:
                end = "one line"
                if "\n" in str(error) or len(str(error)) > 800:
                    wrong.append(f"{what}: {error}")
            except Exception as error:
                end = "another error"
                wrong.append(f"{what}: {type(error).__name__} {error}")
            else:
                end = f"opened, {('ours', 'foreign')[kind]}"
                if not kind and not torch.equal(model.score(x, 0.7), expected):
                    wrong.append(f"{what}: opened as something else")
            slowest = max(slowest, (time.perf_counter() - began, what))
            largest = max(largest, (memory("VmHWM") - before, what))
            ends[end] += 1
            shutil.rmtree(damaged)
    print(f"{cases} damaged checkpoints: " + ", ".join(f"{count} {end}" for end, count in sorted(ends.items())))
    print(f"longest {slowest[0]:.2f} s ({slowest[1]})")
    print(f"most memory {largest[0]:.0f} MB ({largest[1]}), beside {own:.0f} MB of torch and diffusers")
    print(*wrong[:20], sep="\n", end="\n" if wrong else "")
    return int(bool(wrong) or slowest[0] > MOST_SECONDS or largest[0] > MOST_MEGABYTES)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
