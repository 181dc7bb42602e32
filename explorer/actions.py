"""Every action of the window, declared once: menus, buttons, keys, tooltips and the palette all come from here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence

from explorer.tools.kit import TOOLS


@dataclass(frozen=True)
class ActionSpec:
    """One action.

    Attributes:
        name: how code calls it; "" makes a separator.
        menu: the menu that holds it, "Edit/Symmetry" for one inside another.
        text: what it is called there.
        keys: its shortcuts.
        tip: one line that explains it.
        checkable: whether it is a state that is on or off.
        enabled: whether it can be done in a window that has just opened.
    """

    name: str
    menu: str
    text: str
    keys: tuple[str, ...] = ()
    tip: str = ""
    checkable: bool = False
    enabled: bool = True


def _line(menu: str) -> ActionSpec:
    return ActionSpec("", menu, "")


_FILE = (
    ActionSpec("new", "File", "&New", ("Ctrl+N",), "Start with a fresh document"),
    ActionSpec("open", "File", "&Open…", ("Ctrl+O",), "Open a project, a picture, a table or a score's folder"),
    ActionSpec("import", "File", "&Import…", ("Ctrl+I",), "Import a picture or points with a preview"),
    _line("File"),
    ActionSpec(
        "open_model", "File", "Open image &model…", ("Ctrl+Shift+O",), "Open a network that makes pictures: its folder"
    ),
    ActionSpec("pictures", "File", "&Digits out of noise", ("Ctrl+D",), "Open the image model that the program brings"),
    _line("File"),
    ActionSpec("save", "File", "&Save", ("Ctrl+S",), "Save the project"),
    ActionSpec("save_as", "File", "Save &as…", ("Ctrl+Alt+S",), "Save the project under another name"),
    _line("File"),
    ActionSpec("export_film", "File", "Export &film…", ("Ctrl+E",), "Make a film (MP4 or GIF) of the run"),
    ActionSpec(
        "export_picture",
        "File",
        "Export &picture…",
        ("Ctrl+Shift+S", "Ctrl+Shift+E"),
        "Save what the window shows as a PNG",
    ),
    ActionSpec("export_panel", "File/Export more", "Pa&nel…", (), "Save the square touched last as PNG or SVG"),
    ActionSpec("export_curve", "File/Export more", "C&urve…", (), "Save the numbers of the square touched last as CSV"),
    ActionSpec("export_painting", "File/Export more", "Paint&ing…", (), "Save the painting as PNG, CSV or NPY"),
    ActionSpec("export_score", "File/Export more", "Net&work…", (), "Save the network as a folder for load_score"),
    ActionSpec("export_script", "File/Export more", "Sc&ript…", (), "Save the session as a Python script"),
    ActionSpec("copy_picture", "File", "&Copy picture", ("Ctrl+Shift+C",), "Copy what the window shows"),
    _line("File"),
    ActionSpec("quit", "File", "&Quit", ("Ctrl+Q",), "Close Score Explorer"),
)

_EDIT = (
    ActionSpec("undo", "Edit", "&Undo", ("Ctrl+Z",), "Undo the last stroke, preset or setting"),
    ActionSpec("redo", "Edit", "&Redo", ("Ctrl+Shift+Z", "Ctrl+Y"), "Do again what was undone"),
    _line("Edit"),
    *(ActionSpec(f"tool_{t.name}", "Edit/Tool", t.title, (t.key,), t.tip, checkable=True) for t in TOOLS),
    ActionSpec(
        "by_mass",
        "Edit/Tool",
        "Strength is a share of the &mass",
        ("%",),
        "A stroke adds that part of all mass, however long it is; the rest keeps its proportions",
        checkable=True,
    ),
    ActionSpec("select_all", "Edit", "Select &all", ("Ctrl+A",), "Select the whole painting"),
    ActionSpec("delete", "Edit", "&Delete", (), "Take away what is selected; Delete does it on the canvas"),
    ActionSpec("clear", "Edit", "&Clear painting", ("Ctrl+Backspace",), "Remove all paint; undo brings it back"),
    ActionSpec("mirror_left_right", "Edit/Symmetry", "&Left and right", (), "Paint both halves alike", checkable=True),
    ActionSpec("mirror_up_down", "Edit/Symmetry", "&Up and down", (), "Paint above and below alike", checkable=True),
    ActionSpec("turns", "Edit/Symmetry", "&Turns…", (), "Paint the same several times round the middle"),
    _line("Edit"),
    ActionSpec("preferences", "Edit", "Pre&ferences…", ("Ctrl+,",), "Colours, type, speed, memory"),
)

_TRAIN = (
    ActionSpec("train", "Train", "&Train", ("Space",), "Start or pause training", checkable=True),
    ActionSpec("train_step", "Train", "One &step", ("S",), "Take one training step"),
    ActionSpec("train_reset", "Train", "&Reset", ("R",), "Start training again from a fresh network"),
    _line("Train"),
    ActionSpec(
        "train_back", "Train", "&Earlier kept step", ("Shift+,",), "Show the field of the kept training step before"
    ),
    ActionSpec(
        "train_forward", "Train", "&Later kept step", ("Shift+.",), "Show the field of the kept training step after"
    ),
    ActionSpec("train_first", "Train", "&First kept step", ("Shift+Home",), "Show the field before training"),
    ActionSpec("train_live", "Train", "L&ive field", ("Shift+End",), "Show the present weights"),
    _line("Train"),
    ActionSpec("race", "Train", "Run r&ace", ("Ctrl+Shift+R",), "Let objectives race, or hold them", checkable=True),
    _line("Train"),
    ActionSpec("restart_engine", "Train", "Restart en&gine", (), "End the computing process and start it again"),
)

_SAMPLE = (
    ActionSpec("particles_play", "Sample", "&Move particles", ("P",), "Move particles, or hold them", checkable=True),
    ActionSpec("particles_step", "Sample", "One particle &step", ("Shift+S",), "Take one step in all panes"),
    ActionSpec(
        "particles_back", "Sample", "Particle step &back", ("Shift+P",), "Show the particles at the kept moment before"
    ),
    ActionSpec("particles_release", "Sample", "&Release anew", ("Shift+R",), "Release all particles from the start"),
    ActionSpec(
        "release_past",
        "Sample",
        "Release into the &past field",
        (),
        "Release particles into the past field that is shown",
        enabled=False,
    ),
    _line("Sample"),
    ActionSpec("source_learned", "Sample", "&Learned score", (), "Move particles by the learned score", checkable=True),
    ActionSpec("source_true", "Sample", "&True score", (), "Move particles by the exact score", checkable=True),
    _line("Sample"),
    ActionSpec("pane_add", "Sample", "&Add a pane", (), "One more pane of particles, up to four"),
    ActionSpec("pane_remove", "Sample", "Remove the last pane", (), "One pane of particles less"),
    ActionSpec("trails", "Sample", "Tra&ils", ("Shift+T",), "Let particles leave trails", checkable=True),
    ActionSpec("follow_none", "Sample", "Follow &no particle", (), "Stop following a particle"),
)

_VIEW = (
    ActionSpec("drawer", "View", "&Settings", ("D",), "Show or hide the settings", checkable=True),
    ActionSpec("swap", "View", "S&how here…", ("W",), "Choose what the square touched last shows"),
    ActionSpec("zoom_reset", "View", "&Whole plane", ("0",), "Show the whole plane in every square"),
    ActionSpec("sigma_down", "View", "&Less noise", (",",), "Lower the noise level that the fields show"),
    ActionSpec("sigma_up", "View", "&More noise", (".",), "Raise the noise level that the fields show"),
    ActionSpec("time_axis", "View", "Curves against s&econds", ("T",), "Steps or seconds on the axis", checkable=True),
    ActionSpec("loop_tool", "View", "Draw a l&oop", (), "Draw a loop to integrate the scores round"),
    _line("View"),
    ActionSpec("save_layout", "View", "Save this la&yout…", (), "Keep the present arrangement under a name"),
    ActionSpec("theme_system", "View/Colours", "As the &system", (), "Light or dark as the desktop is", checkable=True),
    ActionSpec("theme_light", "View/Colours", "&Light", (), "Light colours", checkable=True),
    ActionSpec("theme_dark", "View/Colours", "&Dark", (), "Dark colours", checkable=True),
    _line("View"),
    ActionSpec("present", "View", "&Presentation", ("F5",), "Chosen squares large, whole screen", checkable=True),
    ActionSpec("full_screen", "View", "&Full screen", ("F11",), "Use the whole screen", checkable=True),
)

_LESSON = (
    ActionSpec("lesson_next", "Lesson", "&Next step", ("PgDown",), "Go on in the lesson", enabled=False),
    ActionSpec("lesson_back", "Lesson", "Step &back", ("PgUp",), "Go back in the lesson", enabled=False),
    ActionSpec(
        "lesson_end", "Lesson", "&End lesson", (), "Leave the lesson; what was open before comes back", enabled=False
    ),
    _line("Lesson"),
    ActionSpec("lesson_open", "Lesson", "&Open lesson…", (), "Play a lesson from a file"),
    ActionSpec("lesson_write", "Lesson", "&Write a lesson…", (), "Make a lesson of your own in one file"),
)

_HELP = (
    ActionSpec("explain", "Help", "&Explain this", ("Shift+F1", "?"), "Explain the quantities of the square touched"),
    ActionSpec("palette", "Help", "Command &palette…", ("Ctrl+Shift+P",), "Find anything by a few letters"),
    ActionSpec("keys", "Help", "&Keys", ("F1",), "Every key on one sheet"),
    ActionSpec("notices", "Help", "What &happened", ("Ctrl+Shift+L",), "Messages so far, and a report to copy"),
    ActionSpec("about", "Help", "&About Score Explorer", (), "Version, versions of libraries, and the device"),
)

SPECS = (*_FILE, *_EDIT, *_TRAIN, *_SAMPLE, *_VIEW, *_LESSON, *_HELP)

EXCLUSIVE = (
    ("source_learned", "source_true"),
    ("theme_system", "theme_light", "theme_dark"),
    tuple(f"tool_{tool.name}" for tool in TOOLS),
)
"""Groups of which one action is checked at a time."""

VIEW_KEYS = (
    ("Every plane", "Arrows", "Move the cross-hair; with Shift finely"),
    ("Every plane", "Ctrl+arrows", "Pan"),
    ("Every plane", "+ and −, Home", "Zoom, show the whole plane"),
    ("Every plane", "Insert", "Pin the point under the cross-hair"),
    ("Every square", "Return, Esc", "Make it large, make it small again"),
    ("Every square", "Menu", "Choose what it shows"),
    ("Painting", "Return", "Paint or place with the tool in hand"),
    ("Painting", "[ and ], { and }", "Size and strength of the brush"),
    ("Painting", "N, Delete", "Next Gaussian, take it away"),
    ("Some squares", "L", "Is it a gradient?: loop, circles, neither"),
    ("Some squares", "0 to 6, Delete, Ctrl+C", "Inspector: choose, unpin, copy"),
    ("Some squares", "Arrows, + and −, Home", "Surface: turn, zoom, first view"),
    ("Some squares", "1 to 8", "Presentation: show or hide a square"),
)
"""Keys that live in views: (where, key, what)."""


def make_actions(parent: QObject, specs: Iterable[ActionSpec] = SPECS) -> dict[str, QAction]:
    """A QAction for every spec, by name."""
    actions: dict[str, QAction] = {}
    for spec in specs:
        if not spec.name:
            continue
        action = QAction(spec.text, parent)
        action.setObjectName(spec.name)
        action.setShortcuts([QKeySequence(key) for key in spec.keys])
        keys = f"  ({spec.keys[0]})" if spec.keys else ""
        action.setToolTip(spec.tip + keys)
        action.setStatusTip(spec.tip)
        action.setCheckable(spec.checkable)
        action.setEnabled(spec.enabled)
        actions[spec.name] = action
    return actions
