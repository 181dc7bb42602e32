"""What a film of pictures is asked for: its kind, its size, its frames a second, and how long it is."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QVBoxLayout, QWidget

from explorer.export.pictures import FIRST, LAST, LONGEST
from explorer.export.request import SIZES
from explorer.panels.fields import FieldRow, Spec
from explorer.theme import CONTROL, HEADING, UNIT, Theme, font
from trainer.errors import InputError

KINDS = ((".mp4", "film (MP4)"), (".gif", "film (GIF)"))
_SHORTEST = 0.5

_FIELDS = (
    Spec("kind", "kind", "MP4 for slides and video, GIF where nothing else plays", KINDS),
    Spec("size", "size", "Width and height in pixels", tuple((size, size) for size in SIZES)),
    Spec("fps", "pictures per second", "30 is smooth; GIF holds 50 at most", whole=True),
    Spec(
        "seconds",
        "seconds from noise to pictures",
        f"From {_SHORTEST:g} to {LONGEST:g}; before it the noise stands still for {FIRST:g} s, after it the pictures "
        f"for {LAST:g} s",
    ),
)


class FilmDialog(QDialog):
    """Asks how a film shall be; what was chosen stays for the next one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Save film")
        self.heading = QLabel("How the pictures come out of noise")
        self.rows = {spec.path: FieldRow(spec) for spec in _FIELDS}
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.go = self.buttons.addButton("Choose a file…", QDialogButtonBox.ButtonRole.AcceptRole)
        self.go.setDefault(True)
        self.buttons.accepted.connect(self._accept)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * UNIT, 2 * UNIT, 3 * UNIT, 2 * UNIT)
        layout.setSpacing(UNIT)
        layout.addWidget(self.heading)
        for row in self.rows.values():
            layout.addWidget(row)
        layout.addStretch(1)
        layout.addWidget(self.buttons)
        self.rows["kind"].edited.connect(self._kind_chosen)
        for name, value in (("kind", ".mp4"), ("size", SIZES[0]), ("fps", 30), ("seconds", 8.0)):
            self.rows[name].set_value(value)

    @property
    def suffix(self) -> str:
        """The file's ending."""
        return str(self.rows["kind"].value())

    @property
    def size_of_film(self) -> tuple[int, int]:
        """Width and height in pixels."""
        width, height = str(self.rows["size"].value()).split(" x ")
        return int(width), int(height)

    @property
    def fps(self) -> int:
        """Frames a second."""
        return int(self._number("fps"))

    @property
    def seconds(self) -> float:
        """Of the way itself."""
        return self._number("seconds")

    def dress(self, theme: Theme, factor: float) -> None:
        """Draw in these colours, and type this many times its size."""
        self.heading.setFont(font(HEADING, scale=factor))
        self.buttons.setFont(font(CONTROL, scale=factor))
        for row in self.rows.values():
            row.set_theme(theme)
            row.set_scale(factor)
        self.setMinimumWidth(round(400 * factor))

    def _number(self, name: str) -> float:
        value = self.rows[name].value()
        if isinstance(value, int | float):
            return value
        raise InputError(f"{name}: {value!r} is not a number; give one")

    def _kind_chosen(self) -> None:
        """A GIF is slower than a film."""
        self.rows["fps"].set_value(20 if self.suffix == ".gif" else 30)

    def _accept(self) -> None:
        """Go on if all of it can be; else say at the field what cannot."""
        # The encoder loads ffmpeg's and Pillow's modules: only when a film is wanted.
        from explorer.export.encode import check_format

        for row in self.rows.values():
            row.set_error("")
        try:
            check_format(self.suffix, self.size_of_film, self.fps)
            if not _SHORTEST <= self.seconds <= LONGEST:
                raise InputError(f"seconds: {self.seconds:g} is out of range; give {_SHORTEST:g} to {LONGEST:g}")
        except InputError as problem:
            name = str(problem).partition(":")[0]
            self.rows[name].set_error(str(problem))
            self.rows[name].editor.setFocus()
            return
        self.accept()
