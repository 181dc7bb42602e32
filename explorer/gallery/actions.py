"""Every action of the pictures' window, declared once: menus, buttons, keys and tooltips come from here."""

from __future__ import annotations

from explorer.actions import ActionSpec

MODES = (
    ("samples", "Samples", "Pictures out of noise alone"),
    ("denoise", "Denoise", "Add noise to a picture and watch it come back"),
    ("inpaint", "Inpaint", "Paint what is unknown; the rest of the picture stays"),
    ("interpolate", "Interpolate", "From the picture of one seed to that of another"),
    ("training", "Training", "Watch a run of score-trainer images train"),
)
"""What the window can show: name, title, and what it is for."""

_FILE = (
    ActionSpec("open_model", "File", "&Open image model…", ("Ctrl+O",), "Open the folder of a network"),
    ActionSpec("", "File", ""),
    ActionSpec("training_pictures", "File", "&Training pictures…", (), "Say where the training pictures lie"),
    ActionSpec("", "File", ""),
    ActionSpec("save_grid", "File", "Save &grid…", ("Ctrl+Shift+S",), "Save the pictures shown as one PNG"),
    ActionSpec("save_samples", "File", "Save &pictures…", ("Ctrl+S",), "Save all pictures as numbers (NPZ)"),
    ActionSpec("save_film", "File", "Save &film…", ("Ctrl+E",), "Save how they come out of noise (MP4 or GIF)"),
    ActionSpec(
        "stop_writing", "File", "Stop &writing", (), "Leave nothing of the film that is being written", enabled=False
    ),
    ActionSpec("copy_grid", "File", "&Copy grid", ("Ctrl+Shift+C",), "Copy the pictures shown"),
    ActionSpec("", "File", ""),
    ActionSpec("close", "File", "Clos&e", ("Ctrl+W",), "Close this window"),
)

_SAMPLE = (
    ActionSpec("play", "Sample", "&Run", ("Space", "P"), "Run the sampler, or hold it", checkable=True),
    ActionSpec("back", "Sample", "Step &back", ("Shift+P",), "Show the kept moment before"),
    ActionSpec("step", "Sample", "One &step", ("S",), "Take one step"),
    ActionSpec("again", "Sample", "Begin &anew", ("R", "Shift+R"), "Begin with the same seed"),
    ActionSpec("next_seed", "Sample", "Another s&eed", ("N",), "Begin with the next seed"),
    ActionSpec("", "Sample", ""),
    ActionSpec("recommend", "Sample", "Recommended se&ttings", (), "Take the settings that suit model and sampler"),
    ActionSpec("dots", "Sample", "&Dots beside", ("D",), "The same sampler moves the painting's particles, too", True),
    ActionSpec("", "Sample", ""),
    ActionSpec("mask_clear", "Sample/Mask", "&Nothing unknown", (), "Take all of the mask away"),
    ActionSpec("mask_invert", "Sample/Mask", "&Invert", (), "What was unknown is known, and the other way round"),
    *(
        ActionSpec(f"mask_{side}", "Sample/Mask", f"&{side.capitalize()} half", (), f"The {side} half is unknown")
        for side in ("left", "right", "top", "bottom")
    ),
    ActionSpec("mask_undo", "Sample/Mask", "&Undo stroke", ("Ctrl+Z",), "Undo the last stroke of the mask"),
    ActionSpec("mask_redo", "Sample/Mask", "&Redo stroke", ("Ctrl+Shift+Z", "Ctrl+Y"), "Do it again"),
)

_VIEW = (
    *(
        ActionSpec(f"mode_{name}", "View", f"&{title}", (f"Ctrl+{k}",), tip, checkable=True)
        for k, (name, title, tip) in enumerate(MODES, 1)
    ),
    ActionSpec("", "View", ""),
    ActionSpec("settings", "View", "S&ettings", ("Shift+D",), "Show or hide the settings", checkable=True),
    ActionSpec("strip", "View", "&Way of one picture", ("W",), "Show the chosen picture's way", checkable=True),
    ActionSpec("full_screen", "View", "&Full screen", ("F11",), "Use the whole screen", checkable=True),
)

SPECS = (*_FILE, *_SAMPLE, *_VIEW)

EXCLUSIVE = (tuple(f"mode_{name}" for name, _, _ in MODES),)
"""Groups of which one action is checked at a time."""
