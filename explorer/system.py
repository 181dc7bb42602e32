"""What this machine offers: a display, Qt's system libraries, versions. Imports neither Qt nor torch."""

from __future__ import annotations

import ctypes
import os
import platform
import sys

from explorer import __version__
from explorer.places import config_folder, state_folder
from trainer.errors import InputError

_LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libfontconfig.so.1": "libfontconfig1",
    "libdbus-1.so.3": "libdbus-1-3",
}
"""What Qt itself needs on Linux, and the Debian package of each."""

_X11_LIBRARIES = {
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
}
"""What a window on an X display needs besides; Qt would abort without a word about the package."""


def missing_packages(*, window: bool) -> list[str]:
    """The Debian packages whose libraries Qt would miss here; empty on other systems."""
    if not sys.platform.startswith("linux"):
        return []
    wanted = _LIBRARIES | (_X11_LIBRARIES if window and not os.environ.get("WAYLAND_DISPLAY") else {})
    missing = []
    for library, package in wanted.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            missing.append(package)
    return missing


def check_qt(*, window: bool) -> None:
    """Raise `InputError` with one line that names the packages, if Qt would not load."""
    missing = missing_packages(window=window)
    if missing:
        raise InputError(f"system libraries are missing; install them: apt-get install {' '.join(missing)}")


def check_display() -> None:
    """Raise `InputError` if no window can be shown here, naming what can be done instead."""
    platform_name = os.environ.get("QT_QPA_PLATFORM", "")
    shown = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or platform_name
    if sys.platform.startswith("linux") and not shown:
        raise InputError(
            "no display: neither DISPLAY nor WAYLAND_DISPLAY is set; "
            "without one, use: score-explorer export PROJECT-or-PRESET OUT.mp4"
        )
    check_qt(window=platform_name in ("", "xcb"))


def facts(device: str = "") -> dict[str, str]:
    """Versions of the program and of what it stands on, where it keeps its files, and the device if it is known."""
    from importlib.metadata import PackageNotFoundError, version  # imports the readers of e-mail

    found = {"Score Explorer": __version__, "Python": platform.python_version(), "system": platform.platform()}
    for package in ("torch", "numpy", "PySide6-Essentials", "pyqtgraph", "safetensors", "imageio-ffmpeg"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    if device:
        found["device"] = device
    found["preferences"] = str(config_folder())
    found["autosaves and logs"] = str(state_folder())
    return found
