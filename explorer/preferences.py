"""What a person prefers on this machine, whatever the document: colours, size of type, speed, device, memory.

The file is JSON with a version. What it gets wrong is dropped key by key, and the rest holds; a file that is no JSON at
all is set aside. Either way the program starts, and says in a line what happened. Neither Qt nor torch is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

from explorer.colours import ERROR_MAPS, GROUND_MAPS
from explorer.places import config_folder, read_record, write_record
from trainer.errors import InputError
from trainer.settings import choice, whole

ThemeChoice = Literal["system", "light", "dark"]
DeviceChoice = Literal["auto", "cpu", "cuda", "mps"]

VERSION = 1


@dataclass(frozen=True)
class Preferences:
    """Choices for this machine.

    Attributes:
        theme: light, dark, or as the desktop is.
        font_size: of all type, in per cent of its usual size.
        ground_map: colours of densities (`explorer.colours.GROUND_MAPS`).
        error_map: colours of the error map (`explorer.colours.ERROR_MAPS`).
        fps: the window is drawn at most so many times a second.
        device: what trains; holds from the next start.
        history_mb: memory that undo may take, in MiB.
        keyframes_mb: memory that weights of past steps may take, in MiB.
        autosave: whether every change is kept for the case of a crash.
        reduced_motion: whether nothing moves that need not.
        session_inside: whether an exported film or picture carries its session, to be opened again.
    """

    theme: ThemeChoice = "system"
    font_size: int = 100
    ground_map: str = "theme"
    error_map: str = "theme"
    fps: int = 60
    device: DeviceChoice = "auto"
    history_mb: int = 256
    keyframes_mb: int = 256
    autosave: bool = True
    reduced_motion: bool = False
    session_inside: bool = True

    def __post_init__(self) -> None:
        choice("theme", self.theme, get_args(ThemeChoice))
        whole("font_size", self.font_size, 80, 200)
        choice("ground_map", self.ground_map, tuple(GROUND_MAPS))
        choice("error_map", self.error_map, tuple(ERROR_MAPS))
        whole("fps", self.fps, 10, 120)
        choice("device", self.device, get_args(DeviceChoice))
        whole("history_mb", self.history_mb, 16, 4096)
        whole("keyframes_mb", self.keyframes_mb, 16, 8192)
        for name in ("autosave", "reduced_motion", "session_inside"):
            if not isinstance(getattr(self, name), bool):
                raise InputError(f"{name}: {getattr(self, name)!r:.40} is neither true nor false")

    @property
    def scale(self) -> float:
        """Type is so many times its usual size."""
        return self.font_size / 100


def preferences_file() -> Path:
    """Where they are kept."""
    return config_folder() / "preferences.json"


def read_preferences(path: Path | None = None) -> tuple[Preferences, tuple[str, ...]]:
    """The preferences in the file, and one line for each thing that was wrong with it."""
    values, problem = read_record(path or preferences_file(), "preferences", VERSION)
    chosen, problems = take_over(values.get("values", {}))
    return chosen, tuple(filter(None, (problem, *problems)))


def take_over(values: object) -> tuple[Preferences, tuple[str, ...]]:
    """Preferences from plain values: what is not allowed is left at its default and told in a line."""
    if not isinstance(values, Mapping):
        return Preferences(), ("preferences.json: its values are no object of named fields; the defaults hold.",)
    names = {field.name for field in fields(Preferences)}
    chosen, problems = Preferences(), []
    for name, value in values.items():
        if name not in names:
            problems.append(f"preferences.json: {str(name)[:40]} is not a preference; it was left out.")
            continue
        try:
            chosen = replace(chosen, **{name: value})
        except InputError as error:
            problems.append(f"preferences.json: {error}. Its default holds.")
    return chosen, tuple(problems)


def write_preferences(preferences: Preferences, path: Path | None = None) -> None:
    """Keep these preferences.

    Raises:
        InputError: the file cannot be written; what was there before is unchanged.
    """
    values: dict[str, Any] = asdict(preferences)
    write_record(path or preferences_file(), "preferences", VERSION, {"values": values})
