"""Everything a person can do by a menu or a key, written down once: menus, buttons and the help sheet read it."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence


@dataclass(frozen=True)
class ActionSpec:
    """One action: its place in the menus, its words and its key. An empty `text` is a separator."""

    name: str
    menu: str
    text: str
    keys: tuple[str, ...] = ()
    tip: str = ""
    checkable: bool = False


SPECS: tuple[ActionSpec, ...] = (
    ActionSpec("new", "File", "&New", ("Ctrl+N",), "Start again with the first painting"),
    ActionSpec("open", "File", "&Open…", ("Ctrl+O",), "Open a project, a picture, or a table of points or weights"),
    ActionSpec("save", "File", "&Save", ("Ctrl+S",), "Save painting, settings, journal and weights as a project"),
    ActionSpec("save_as", "File", "Save &as…", ("Ctrl+Shift+S",), "Save the project under another name"),
    ActionSpec("", "File", ""),
    ActionSpec("export_film", "File", "Export &film…", ("Ctrl+E",), "Make a film (MP4 or GIF) of the run"),
    ActionSpec("export_picture", "File", "Export &picture…", ("Ctrl+Shift+E",), "Save what the window shows as a PNG"),
    ActionSpec("copy_picture", "File", "&Copy picture", ("Ctrl+Shift+C",), "Copy what the window shows"),
    ActionSpec("", "File", ""),
    ActionSpec("quit", "File", "&Quit", ("Ctrl+Q",), "Close Score Explorer"),
    ActionSpec("undo", "Edit", "&Undo", ("Ctrl+Z",), "Undo the last stroke, preset or setting"),
    ActionSpec("redo", "Edit", "&Redo", ("Ctrl+Shift+Z", "Ctrl+Y"), "Do again what was undone"),
    ActionSpec("", "Edit", ""),
    ActionSpec("clear", "Edit", "&Clear painting", ("Ctrl+Backspace",), "Remove all paint; undo brings it back"),
    ActionSpec("train", "Train", "&Train", ("Space",), "Start or pause training", checkable=True),
    ActionSpec("train_step", "Train", "One &step", ("S",), "Take one training step"),
    ActionSpec("train_reset", "Train", "&Reset", ("R",), "Start training again from a fresh network"),
    ActionSpec("", "Train", ""),
    ActionSpec("restart_engine", "Train", "Restart &engine", (), "End the computing process and start it again"),
    ActionSpec("particles_play", "Sample", "&Move particles", ("P",), "Move particles, or hold them", checkable=True),
    ActionSpec("particles_step", "Sample", "One particle &step", ("Shift+S",), "Take one step in all three panes"),
    ActionSpec("particles_release", "Sample", "&Release anew", ("Shift+R",), "Release all particles from the start"),
    ActionSpec("", "Sample", ""),
    ActionSpec("source_learned", "Sample", "&Learned score", (), "Move particles by the learned score", checkable=True),
    ActionSpec("source_true", "Sample", "&True score", (), "Move particles by the exact score", checkable=True),
    ActionSpec("drawer", "View", "&Settings", ("D",), "Show or hide the settings", checkable=True),
    ActionSpec("zoom_reset", "View", "&Whole plane", ("0",), "Show the whole plane in every square"),
    ActionSpec("sigma_down", "View", "&Less noise", (",",), "Lower the noise level that the fields show"),
    ActionSpec("sigma_up", "View", "&More noise", (".",), "Raise the noise level that the fields show"),
    ActionSpec("time_axis", "View", "Curves against s&econds", ("T",), "Steps or seconds on the axis", checkable=True),
    ActionSpec("", "View", ""),
    ActionSpec("theme_system", "View", "Colours of the s&ystem", (), "Light or dark as the desktop is", checkable=True),
    ActionSpec("theme_light", "View", "L&ight", (), "Light colours", checkable=True),
    ActionSpec("theme_dark", "View", "&Dark", (), "Dark colours", checkable=True),
    ActionSpec("full_screen", "View", "&Full screen", ("F11",), "Use the whole screen", checkable=True),
    ActionSpec("keys", "Help", "&Keys", ("F1",), "Every key on one sheet"),
    ActionSpec("about", "Help", "&About Score Explorer", (), "Version, versions of libraries, and the device"),
)

EXCLUSIVE = (
    ("source_learned", "source_true"),
    ("theme_system", "theme_light", "theme_dark"),
)
"""Groups of which one action is checked at a time."""


def make_actions(parent: QObject) -> dict[str, QAction]:
    """A QAction for every spec, by name."""
    actions: dict[str, QAction] = {}
    for spec in SPECS:
        if not spec.name:
            continue
        action = QAction(spec.text, parent)
        action.setObjectName(spec.name)
        action.setShortcuts([QKeySequence(key) for key in spec.keys])
        keys = f"  ({spec.keys[0]})" if spec.keys else ""
        action.setToolTip(spec.tip + keys)
        action.setStatusTip(spec.tip)
        action.setCheckable(spec.checkable)
        actions[spec.name] = action
    return actions
