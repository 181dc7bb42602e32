"""Arrangements of the window that have a name: which view stands in which of the eight places, and how it is drawn.

Some are shipped, others are saved by the person, and the one in use is there again at the next start. The file is JSON
with a version; a layout in it that is damaged is left out and told, the others hold. No widget is known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from explorer.places import config_folder, read_record, write_record
from explorer.viewing import ViewOptions
from trainer.errors import InputError
from trainer.settings import known

VERSION = 1

VIEWS = (
    "painting",
    "learned",
    "true",
    "difference",
    "error_map",
    "curl",
    "surface",
    "curves",
    "shares",
    "pane1",
    "pane2",
    "pane3",
    "pane4",
    "distances",
    "race",
    "race_curves",
    "inspector",
)
"""What can stand in a place."""

PAGES = ("training", "race", "particles", "view", "painting")
"""The pages of the drawer."""

PLACES = 8

LONGEST_NAME = 40

Rect = tuple[int, int, int, int]
"""A window's (x, y, width, height) in pixels of the desktop."""


@dataclass(frozen=True)
class Layout:
    """One arrangement.

    Attributes:
        name: for a person.
        places: the views in reading order, upper row first, all different.
        doubled: those that are shown large, at most one in each half of the block.
        drawer: the page that is open, None if the drawer is closed.
        options: how things are drawn.
    """

    name: str
    places: tuple[str, ...]
    doubled: tuple[str, ...] = ()
    drawer: str | None = None
    options: ViewOptions = field(default_factory=ViewOptions)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not 1 <= len(self.name.strip()) <= LONGEST_NAME:
            raise InputError(f"layout.name: {self.name!r:.60}; give 1 to {LONGEST_NAME} characters")
        if not isinstance(self.places, tuple) or len(self.places) != PLACES or len(set(self.places)) != PLACES:
            raise InputError(f"layout.places: give {PLACES} different views")
        for view in self.places:
            if view not in VIEWS:
                raise InputError(f"layout.places: {view!r:.40} is no view; known are {', '.join(VIEWS)}")
        halves = [self.places.index(view) % 4 // 2 for view in self.doubled if view in self.places]
        if not isinstance(self.doubled, tuple) or len(halves) != len(self.doubled) or len(set(halves)) != len(halves):
            raise InputError("layout.doubled: give views of this layout, at most one in each half")
        if self.drawer is not None and self.drawer not in PAGES:
            raise InputError(f"layout.drawer: {self.drawer!r:.40} is no page; known are {', '.join(PAGES)}")

    def to_json(self) -> dict[str, Any]:
        """The layout as plain JSON values."""
        return {
            "name": self.name,
            "places": list(self.places),
            "doubled": list(self.doubled),
            "drawer": self.drawer,
            "options": self.options.to_json(),
        }

    @classmethod
    def from_json(cls, values: object) -> Layout:
        """Rebuild a layout from `to_json`'s values; `InputError` names a field that is missing, unknown or wrong."""
        fields = known(cls, values, "layout.")
        for name in ("places", "doubled"):
            if not isinstance(fields.setdefault(name, []), list) or not all(isinstance(v, str) for v in fields[name]):
                raise InputError(f"layout.{name}: expected a list of views")
            fields[name] = tuple(fields[name])
        fields["options"] = ViewOptions.from_json(fields.get("options", {}))
        return cls(fields.pop("name", ""), **fields)


def story_places(panes: int) -> tuple[str, ...]:
    """The eight views that tell the story of so many panes."""
    return {
        1: ("painting", "learned", "true", "curves", "shares", "pane1", "distances", "difference"),
        2: ("painting", "learned", "true", "curves", "shares", "pane1", "pane2", "distances"),
        3: ("painting", "learned", "true", "curves", "shares", "pane1", "pane2", "pane3"),
        4: ("painting", "learned", "true", "shares", "pane1", "pane2", "pane3", "pane4"),
    }[panes]


RACE = Layout(
    "Race",
    ("painting", "true", "race", "race_curves", "learned", "error_map", "curves", "shares"),
    drawer="race",
)

BUILT_IN = (
    Layout("Story", story_places(3)),
    Layout("Errors", ("painting", "learned", "true", "curves", "difference", "error_map", "inspector", "shares")),
    RACE,
    Layout("Four samplers", ("painting", "learned", "distances", "shares", "pane1", "pane2", "pane3", "pane4")),
    Layout(
        "Is it a gradient?", ("painting", "learned", "true", "curl", "difference", "error_map", "surface", "curves")
    ),
)
"""The shipped ones; the first is that of the first start."""


@dataclass(frozen=True)
class Arrangement:
    """What the file holds.

    Attributes:
        current: the layout in use when the window was closed.
        window: where the window was; None if it has never been closed.
        maximised: whether it filled the screen.
        saved: the person's own layouts, in the order of saving.
    """

    current: Layout = BUILT_IN[0]
    window: Rect | None = None
    maximised: bool = False
    saved: tuple[Layout, ...] = ()

    @property
    def layouts(self) -> tuple[Layout, ...]:
        """All that can be chosen: the shipped ones, then the person's."""
        return (*BUILT_IN, *self.saved)

    def with_saved(self, layout: Layout) -> Arrangement:
        """The same with this layout among the person's; one of the same name is replaced.

        Raises:
            InputError: a shipped one has the name.
        """
        if layout.name in {shipped.name for shipped in BUILT_IN}:
            raise InputError(f"layout.name: {layout.name} is a shipped layout; choose another name")
        others = tuple(other for other in self.saved if other.name != layout.name)
        return replace(self, saved=(*others, layout))

    def without(self, name: str) -> Arrangement:
        """The same without the person's layout of this name."""
        return replace(self, saved=tuple(layout for layout in self.saved if layout.name != name))


def layouts_file() -> Path:
    """Where they are kept."""
    return config_folder() / "layouts.json"


def read_arrangement(path: Path | None = None) -> tuple[Arrangement, tuple[str, ...]]:
    """What the file holds, and one line for each thing that was wrong with it."""
    values, problem = read_record(path or layouts_file(), "layouts", VERSION)
    problems = [problem] if problem else []
    saved: list[Layout] = []
    records = values.get("saved", [])
    for record in records if isinstance(records, list) else []:
        try:
            layout = Layout.from_json(record)
            if layout.name not in {other.name for other in (*BUILT_IN, *saved)}:
                saved.append(layout)
        except InputError as error:
            problems.append(f"layouts.json: {_name(record)} was left out ({error}).")
    current = BUILT_IN[0]
    if "current" in values:
        try:
            current = Layout.from_json(values["current"])
        except InputError as error:
            problems.append(f"layouts.json: the last arrangement was left out ({error}).")
    return Arrangement(current, _rect(values.get("window")), values.get("maximised") is True, tuple(saved)), tuple(
        problems
    )


def write_arrangement(arrangement: Arrangement, path: Path | None = None) -> None:
    """Keep it for the next start.

    Raises:
        InputError: the file cannot be written; what was there before is unchanged.
    """
    values = {
        "current": arrangement.current.to_json(),
        "window": None if arrangement.window is None else list(arrangement.window),
        "maximised": arrangement.maximised,
        "saved": [layout.to_json() for layout in arrangement.saved],
    }
    write_record(path or layouts_file(), "layouts", VERSION, values)


def on_screen(window: Rect, screens: Iterable[Rect], least: tuple[int, int] = (640, 480)) -> Rect:
    """Where a window is to stand: there, if its title can be reached; otherwise centred on the first screen.

    It is never larger than the screen that it stands on, nor smaller than `least`.
    """
    screens = tuple(screens)
    if not screens:
        return window
    x, y, wide, high = window
    for left, top, across, down in screens:
        seen = min(x + wide, left + across) - max(x, left)
        if seen >= min(wide, 200) and top <= y <= top + down - 100:
            wide, high = max(least[0], min(wide, across)), max(least[1], min(high, down))
            x = min(max(x, left), max(left, left + across - wide)) if wide >= across else x
            return x, min(y, max(top, top + down - high)), wide, high
    left, top, across, down = screens[0]
    wide, high = max(least[0], min(wide, across)), max(least[1], min(high, down))
    return left + max(0, (across - wide) // 2), top + max(0, (down - high) // 2), wide, high


def _rect(value: object) -> Rect | None:
    if isinstance(value, list) and len(value) == 4 and all(type(n) is int and abs(n) < 100_000 for n in value):
        x, y, wide, high = value
        if wide > 0 and high > 0:
            return x, y, wide, high
    return None


def _name(record: object) -> str:
    name = record.get("name") if isinstance(record, Mapping) else None
    return f"the layout {name!r:.40}" if isinstance(name, str) else "a layout"
