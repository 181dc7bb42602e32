"""Where the program keeps what it remembers between two starts, and how such files are written and read.

Preferences and layouts lie in the platform's folder for configuration; recent files, autosaves and logs in the one for
state. `SCORE_EXPLORER_HOME` puts all of it into one folder of the caller's choice.

Files are replaced whole or not at all. One that cannot be read is never deleted: it is renamed and named to the person,
and the program starts without it.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from platformdirs import user_config_path, user_state_path

from trainer.errors import InputError

HOME = "SCORE_EXPLORER_HOME"
"""The environment variable that names one folder for everything."""

_NAME = "score-explorer"
_MOST = 4 * 2**20


def config_folder() -> Path:
    """Where preferences and layouts lie; it need not exist yet."""
    home = os.environ.get(HOME)
    return Path(home) / "config" if home else user_config_path(_NAME, appauthor=False)


def state_folder() -> Path:
    """Where recent files, autosaves and logs lie; it need not exist yet."""
    home = os.environ.get(HOME)
    return Path(home) / "state" if home else user_state_path(_NAME, appauthor=False)


def autosave_folder() -> Path:
    """Where all instances keep what is open."""
    return state_folder() / "autosaves"


def kept_folder() -> Path:
    """Where autosaves lie that were not restored, or could not be read."""
    return autosave_folder() / "kept"


def write_record(path: Path, kind: str, version: int, values: Mapping[str, Any]) -> None:
    """Replace a file of JSON values, with its kind and format version beside them.

    Raises:
        InputError: it cannot be written; what was there before is unchanged.
    """
    text = json.dumps({"format": f"{_NAME} {kind}", "version": version, **values}, indent=1) + "\n"
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("x", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}; nothing was changed") from error


def read_record(path: Path, kind: str, version: int) -> tuple[dict[str, Any], str]:
    """The values in such a file, and one line about what was wrong with it ("" if nothing was).

    A file that is missing holds nothing. One that is damaged or of a later version is set aside.
    """
    try:
        if not path.is_file():
            return {}, ""
        if path.stat().st_size > _MOST:
            raise ValueError("it is too large")
        values = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(values, dict) or values.pop("format", None) != f"{_NAME} {kind}":
            raise ValueError(f"it holds no {kind}")
        found = values.pop("version", None)
        if not isinstance(found, int) or not 1 <= found <= version:
            raise ValueError(f"its format version is {found!r:.20}, and this program reads up to {version}")
    except (OSError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:120]
        return {}, f"{path.name} could not be read ({reason}). {set_aside(path)}"
    return values, ""


def set_aside(path: Path) -> str:
    """Rename a file that cannot be used, so that it is kept and in nobody's way; one sentence that says so."""
    kept = path.with_name(f"{path.name}.{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}.damaged")
    try:
        path.replace(kept)
    except OSError as error:
        return f"It stays where it is: {error.strerror or error}."
    return f"It was kept as {kept.name}."


def forget_everything() -> list[Path]:
    """Remove preferences, layouts and the list of recent files; the files that were removed. Autosaves stay."""
    names = (config_folder() / "preferences.json", config_folder() / "layouts.json", state_folder() / "recent.json")
    removed = []
    for path in names:
        if path.is_file():
            try:
                path.unlink()
            except OSError as error:
                raise InputError(f"{path}: cannot be removed: {error.strerror or error}; remove it by hand") from error
            removed.append(path)
    return removed
