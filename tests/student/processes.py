"""What a program holds of the machine: processes, threads, resident memory and shared memory, read from /proc.

Processes are found by a mark in their environment, which children inherit, whoever has become their parent meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

MARK = "SCORE_EXPLORER_STUDENT"
"""The variable that marks the window and all that it starts."""

_SHARED = Path("/dev/shm")


@dataclass(frozen=True)
class Holding:
    """One process: its threads, and its resident memory in MiB."""

    pid: int
    parent: int
    command: str
    threads: int
    resident: float


def marked(mark: str) -> list[Holding]:
    """All processes that carry the mark, and are not dead."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.append(_holding(folder))
        except (OSError, ValueError, KeyError):
            continue  # it has ended meanwhile
    return sorted(found, key=lambda each: each.pid)


def _holding(folder: Path) -> Holding:
    lines = (line.partition(":") for line in (folder / "status").read_text().splitlines())
    values = {name: value.strip() for name, _, value in lines}
    if values["State"].startswith("Z"):
        raise ValueError("dead")
    command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    return Holding(
        int(folder.name),
        int(values["PPid"]),
        command,
        int(values["Threads"]),
        int(values["VmRSS"].split()[0]) / 1024,
    )


def resident(pid: int) -> float:
    """The resident memory of a process in MiB; 0 if there is none of this number."""
    try:
        return _holding(Path("/proc") / str(pid)).resident
    except (OSError, ValueError, KeyError):
        return 0.0


def shared_memory() -> set[str]:
    """The names of all shared memory segments."""
    return {path.name for path in _SHARED.iterdir()} if _SHARED.is_dir() else set()
