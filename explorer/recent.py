"""The files opened and saved last, newest first; one that is gone drops out. Neither Qt nor torch is loaded."""

from __future__ import annotations

from pathlib import Path

from explorer.places import read_record, state_folder, write_record

VERSION = 1

MOST = 10
"""As many are remembered."""


class RecentFiles:
    """The list and its file, read at every look: windows and instances share it."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file or state_folder() / "recent.json"
        self.problem = ""
        """What was wrong with the file when it was last read, in one line, or nothing."""

    def paths(self) -> tuple[Path, ...]:
        """The files that are still there."""
        return tuple(path for path in self._read() if path.exists())

    def add(self, path: str | Path) -> None:
        """Put a file at the head.

        Raises:
            InputError: the list cannot be written.
        """
        path = Path(path).absolute()
        self._write([path, *(other for other in self._read() if other != path)])

    def clear(self) -> None:
        """Forget all of them; the files themselves stay.

        Raises:
            InputError: the list cannot be written.
        """
        self._write([])

    def _read(self) -> list[Path]:
        values, self.problem = read_record(self._file, "recent files", VERSION)
        found = values.get("paths", [])
        names = found if isinstance(found, list) else []
        return [Path(name) for name in names if isinstance(name, str) and name and "\0" not in name][:MOST]

    def _write(self, paths: list[Path]) -> None:
        write_record(self._file, "recent files", VERSION, {"paths": [str(path) for path in paths[:MOST]]})


def labels(paths: tuple[Path, ...]) -> tuple[str, ...]:
    """Short names for a menu: the file's own, with its folder where two are called the same."""
    names = [path.name for path in paths]
    return tuple(path.name if names.count(path.name) == 1 else f"{path.name} in {path.parent}" for path in paths)
