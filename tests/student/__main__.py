"""An hour with a student who clicks everything, on the real window, and the verdict.

    python -m tests.student [--minutes 60] [--seed 0] [--json]

Starts a virtual display unless there is one already (`--display` uses the one there is), the program on it, and a
seeded student at its mouse and keyboard; every ten minutes the engine or the mover is killed, in turns. Settings,
autosaves and files lie in a folder of their own. What counts: exceptions, Qt's messages and lines on standard error;
what is left when the program has ended (processes, threads, shared memory); and how resident memory grows.

What a process holds while somebody works depends on what is open and how large it is. So before each kill, and at the
end, the student **rests** (`resting.py`): all is put away, a fresh document learns for a minute, and then window,
engine and mover are looked at. Growth is that from the first rest, after ten minutes, to the last one. What they hold
at work is told beside it, as medians of five samples then and at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from PIL import Image

from tests.student.processes import MARK, Holding, marked, shared_memory
from trainer.paintings import preset_weights
from trainer.projects import Project, Setup, write_project

GROWTH = 0.05
"""The most that resident memory may grow after the first ten minutes."""

_JUDGED = ("window", "engine", "mover")
_PROCESSES = (*_JUDGED, "pictures")
"""That of the pictures comes and goes, and holds what it is asked to make."""
_SETTLED = 600.0
_SAMPLES = 5
_PATIENCE = 120.0

_QUIET = ("propagateSizeHints", "XDG_RUNTIME_DIR")
"""Lines on standard error that say nothing about the program."""


def main(argv: list[str] | None = None) -> int:
    """Run it; 0 if nothing was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.student", description="A student who clicks everything.")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kill-every", type=float, default=600.0, metavar="S", help="seconds (default: 600)")
    parser.add_argument("--display", action="store_true", help="use the display that there is")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the record and all files here")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    folder = options.keep or Path(tempfile.mkdtemp(prefix="student-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        verdict = run(folder, 60 * options.minutes, options.seed, options.kill_every, options.display)
    finally:
        if options.keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(verdict, indent=1) if options.json else _words(verdict))
    return 0 if verdict["passed"] else 1


def run(folder: Path, seconds: float, seed: int, kill_every: float, display: bool) -> dict[str, Any]:
    """Let the student work for so long; what came of it."""
    _lay_out(folder / "files")
    mark = secrets.token_hex(8)
    environment = os.environ | {MARK: mark, "HOME": str(folder / "home"), "OMP_NUM_THREADS": "1"}
    for name in ("CONFIG", "DATA", "STATE", "CACHE", "RUNTIME"):
        place = folder / "home" / name.lower()
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        environment[f"XDG_{name}_{'DIR' if name == 'RUNTIME' else 'HOME'}"] = str(place)
    environment.pop("QT_QPA_PLATFORM", None)
    screen = None if display and os.environ.get("DISPLAY") else _Screen()
    if screen is not None:
        environment["DISPLAY"] = screen.name
    environment["QT_QPA_PLATFORM"] = "xcb"
    samples: list[dict[str, float]] = []
    try:
        with (folder / "stdout.txt").open("wb") as out, (folder / "stderr.txt").open("wb") as err:
            command = [sys.executable, "-X", "faulthandler", "-m", "tests.student.inside"]
            words = [str(folder), str(seconds), str(seed), str(kill_every)]
            process = subprocess.Popen([*command, *words], env=environment, stdout=out, stderr=err)
            ended = _watch(process, mark, seconds, samples, folder / "record.jsonl")
        time.sleep(1.0)
        left = marked(mark)
        for each in left:
            os.kill(each.pid, 9)
    finally:
        if screen is not None:
            screen.close()
    return _judge(folder, process.returncode, ended, left, samples)


def _watch(
    process: subprocess.Popen[bytes], mark: str, seconds: float, samples: list[dict[str, float]], record: Path
) -> bool:
    """Note what the program holds four times a minute; whether it ended by itself."""
    began = time.monotonic()
    while process.poll() is None:
        now = time.monotonic() - began
        if now > seconds + _PATIENCE:
            process.kill()
            process.wait()
            return False
        if now > 15 * (len(samples) + 1):
            holdings = marked(mark)
            samples.append(_sample(now, process.pid, _workers(record), holdings))
        time.sleep(0.2)
    return True


def _workers(record: Path) -> dict[int, str]:
    """The processes beside the window by their number, as the window last told; one that died since is not there."""
    told: dict[int, str] = {}
    lines = record.read_text().splitlines() if record.exists() else []
    for line in reversed(lines):
        values = json.loads(line)
        if values["kind"] == "holding":
            told = dict(zip(values["engine"], ("engine", "mover"), strict=False))
            told.update(dict.fromkeys(values["pictures"], "pictures"))
            break
    return told


def _sample(now: float, pid: int, workers: dict[int, str], holdings: list[Holding]) -> dict[str, float]:
    found = {workers.get(each.pid, "window" if each.pid == pid else ""): each for each in holdings}
    values = {"at": round(now, 1), "processes": len(holdings)}
    for name in _PROCESSES:
        one = found.get(name)
        values |= {f"{name}_mib": one.resident if one else 0.0, f"{name}_threads": one.threads if one else 0}
    return values


def growth(samples: list[dict[str, float]], name: str) -> float | None:
    """By which share a figure has grown from the end of the first ten minutes to the end; None with too few samples.

    A run of less than twenty minutes is judged from its middle on.
    """
    values = [(s["at"], s[name]) for s in samples if s[name] > 0]
    if len(values) < 2 * _SAMPLES:
        return None
    settled = _SETTLED if values[-1][0] > 2 * _SETTLED else values[-1][0] / 2
    later = [value for at, value in values if at >= settled]
    if len(later) < 2 * _SAMPLES:
        return None
    return median(later[-_SAMPLES:]) / median(later[:_SAMPLES]) - 1


def at_rest(rests: list[dict[str, Any]], name: str) -> float | None:
    """By which share a process has grown from the first rest to the last; None with fewer than two of them."""
    sizes = [rest[name] for rest in rests if rest.get(name)]
    return sizes[-1] / sizes[0] - 1 if len(sizes) > 1 else None


def _judge(
    folder: Path,
    status: int | None,
    ended: bool,
    left: list[Holding],
    samples: list[dict[str, float]],
) -> dict[str, Any]:
    record = folder / "record.jsonl"
    lines = [json.loads(line) for line in record.read_text().splitlines()] if record.exists() else []
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        by_kind.setdefault(line["kind"], []).append(line)
    complaints = [
        line
        for line in (folder / "stderr.txt").read_text(errors="replace").splitlines()
        if line.strip() and not any(word in line for word in _QUIET)
    ]
    end = (by_kind.get("ended") or [{}])[-1]
    holdings = by_kind.get("holding", [])
    working = {name: growth(samples, f"{name}_mib") for name in _PROCESSES}
    rests = by_kind.get("rest", [])
    grown = {name: at_rest(rests, name) for name in _JUDGED}
    verdict: dict[str, Any] = {
        "status": status,
        "ended_by_itself": ended and bool(end),
        "exceptions": _counted(by_kind.get("exception", [])),
        "qt_messages": _counted(by_kind.get("qt", [])),
        "warnings": _counted(by_kind.get("warning", [])),
        "stderr": complaints[:60],
        "left_processes": [f"{each.pid} {each.command[:80]}" for each in left],
        "left_segments": sorted(shared_memory() & set(end.get("segments", []))),
        "left_threads": end.get("threads", []),
        "left_children": end.get("children", []),
        "timers": [line["timers"] for line in (holdings[1:2] + holdings[-1:])],
        "widgets": [line["widgets"] for line in (holdings[1:2] + holdings[-1:])],
        "threads": [line["threads"] for line in holdings[-1:]],
        "growth": grown,
        "growth_at_work": working,
        "rests": [{name: rest[name] for name in ("at", *_JUDGED) if name in rest} for rest in rests],
        "samples": samples,
        "killed": len(by_kind.get("killed", [])),
        "acts": sum(line["acts"] for line in by_kind.get("reached", [])),
        "actions_reached": sum(len(line["actions"]) for line in by_kind.get("reached", [])),
        "actions_missed": [name for line in by_kind.get("missed", []) for name in line["actions"]],
        "met": (by_kind.get("met") or [{}])[-1].get("met", {}),
        "notices": _counted(by_kind.get("notice", [])),
        "last": lines[-1]["doing"] if lines else "",
    }
    clean = not any(verdict[k] for k in ("exceptions", "qt_messages", "warnings", "stderr"))
    nothing = not any(verdict[k] for k in ("left_processes", "left_segments", "left_threads", "left_children"))
    flat = all(grown[name] is None or grown[name] <= GROWTH for name in _JUDGED)
    verdict["passed"] = clean and nothing and flat and status == 0 and verdict["ended_by_itself"]
    return verdict


def _counted(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each text once, with how often it came, what was being done the first time, and its traceback."""
    found: dict[str, dict[str, Any]] = {}
    for line in lines:
        first = found.setdefault(line["text"], {"text": line["text"], "count": 0, "doing": line["doing"]})
        first["count"] += 1
        if line.get("trace"):
            first.setdefault("trace", line["trace"])
    return sorted(found.values(), key=lambda each: -each["count"])


def _lay_out(files: Path) -> None:
    """What the student can open: pictures, tables, a project, and files that cannot be read."""
    files.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    Image.fromarray((255 * preset_weights("spiral")).astype(np.uint8)).save(files / "spiral.png")
    np.savetxt(files / "points.csv", rng.normal(0, 0.4, (300, 2)), delimiter=",")
    np.save(files / "weights.npy", preset_weights("two-moons"))
    setup = Setup(preset_weights("pinwheel"), "pinwheel")
    write_project(files / "pinwheel.scorex", Project(setup, setup))
    (files / "broken.png").write_bytes(b"not a picture")
    (files / "broken.scorex").write_bytes(b"PK not a project")


class _Screen:
    """A virtual display of its own."""

    def __init__(self) -> None:
        read, write = os.pipe()
        command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1600x1000x24", "-nolisten", "tcp"]
        self._process = subprocess.Popen(
            command, pass_fds=(write,), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(write)
        with os.fdopen(read) as pipe:
            number = pipe.readline().strip()
        if not number:
            raise SystemExit("tests.student: Xvfb did not start; install xvfb or give --display")
        self.name = f":{number}"

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(10)


def _words(verdict: dict[str, Any]) -> str:
    lines = [
        f"{'passed' if verdict['passed'] else 'FAILED'}: {verdict['acts']:,} acts, exit status {verdict['status']}"
    ]
    lines.append(
        f"actions reached {verdict['actions_reached']}, missed {len(verdict['actions_missed'])}: "
        f"{', '.join(verdict['actions_missed'])}"
    )
    lines += [f"{kind}: {', '.join(names)}" for kind, names in verdict["met"].items()]
    lines.append(f"engine or mover killed {verdict['killed']} times")
    for where, grown in (("at rest", verdict["growth"]), ("at work", verdict["growth_at_work"])):
        told = (f"{name} {'?' if value is None else f'{100 * value:+.1f} %'}" for name, value in grown.items())
        lines.append(f"memory {where}: {', '.join(told)}")
    for rest in verdict["rests"]:
        lines.append(
            f"  rest at {rest['at']:6.0f} s  " + "  ".join(f"{k} {v:.0f} MiB" for k, v in rest.items() if k != "at")
        )
    some = verdict["samples"][:: max(1, len(verdict["samples"]) // 12)]
    for s in some:
        sizes = (f"{name} {s[f'{name}_mib']:5.0f} MiB" for name in _PROCESSES)
        lines.append(f"  {s['at']:6.0f} s  {'  '.join(sizes)}")
    lines += [f"{name} at the start and at the end: {verdict[name]}" for name in ("timers", "widgets")]
    for name in ("left_processes", "left_segments", "left_threads", "left_children", "stderr"):
        if verdict[name]:
            lines += [f"{name}:", *(f"  {each}" for each in verdict[name])]
    for name in ("exceptions", "qt_messages", "warnings", "notices"):
        for each in verdict[name]:
            lines.append(f"{name}: {each['count']} x {each['text']}  [{each['doing']}]")
            if name != "notices":
                lines += [f"    {line}" for line in each.get("trace", "").splitlines()]
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
