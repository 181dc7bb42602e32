"""Where the shipped files are: inside the wheel when installed, at the top of the checkout when developed."""

from __future__ import annotations

from pathlib import Path


def assets() -> Path:
    """The folder of presets, fonts, icons and pictures.

    Wheels hold it as `trainer/_assets`; an editable install finds it beside the packages.
    """
    here = Path(__file__).resolve().parent
    for folder in (here / "_assets", here.parent / "assets"):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"{here / '_assets'}: the program's own files are missing; install it again")
