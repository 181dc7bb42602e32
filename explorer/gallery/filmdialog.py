"""What a film of pictures is asked for: its kind, its size, its frames a second, and how long it is."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QVBoxLayout, QWidget

from explorer.export.encode import check_format
from explorer.export.pictures import FIRST, LAST, LONGEST, SHORTEST
from explorer.export.request import FILM_FPS, FILM_SIZE, GIF_FPS, GIF_SIZE, SIZES
from explorer.panels.fields import FieldRow, Spec
from explorer.theme import CONTROL, HEADING, UNIT, Theme, font
from trainer.errors import InputError
from trainer.settings import number

_KINDS = ((".mp4", "film (MP4)"), (".gif", "film (GIF)"))
_USUAL = {
    ".mp4": {"size": "{} x {}".format(*FILM_SIZE), "fps": FILM_FPS},
    ".gif": {"size": "{} x {}".format(*GIF_SIZE), "fps": GIF_FPS},
}
"""What is offered first, by kind."""

_FIELDS = (
    Spec("kind", "kind", "MP4 for slides and video, GIF where nothing else plays", _KINDS),
    Spec("size", "size", "Width and height in pixels", tuple((size, size) for size in SIZES)),
    Spec("fps", "pictures per second", "30 is smooth; GIF holds 50 at most", whole=True),
    Spec(
        "seconds",
        "seconds from noise to pictures",
        f"From {SHORTEST:g} to {LONGEST:g}; before it the noise stands still for {FIRST:g} s, after it the pictures "
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
        self._kind = ".mp4"
        for name, value in {"kind": self._kind, "seconds": 8.0, **_USUAL[self._kind]}.items():
            self.rows[name].set_value(value)
        self.rows["kind"].edited.connect(self._kind_chosen)

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
        value = self.rows["fps"].value()
        if not isinstance(value, int):
            raise InputError(f"fps: {value} is not a whole number; give one")
        return value

    @property
    def seconds(self) -> float:
        """Of the way itself."""
        value = self.rows["seconds"].value()
        if not isinstance(value, int | float):
            raise InputError(f"seconds: {value} is not a number; give one between {SHORTEST:g} and {LONGEST:g}")
        return value

    def dress(self, theme: Theme, factor: float) -> None:
        """Draw in these colours, and type this many times its size."""
        self.heading.setFont(font(HEADING, scale=factor))
        for button in self.buttons.buttons():
            button.setFont(font(CONTROL, scale=factor))
        for row in self.rows.values():
            row.set_theme(theme)
            row.set_scale(factor)
        self.setMinimumWidth(round(400 * factor))

    def _kind_chosen(self) -> None:
        """A GIF is smaller and slower than a film, unless other numbers were chosen."""
        before, self._kind = self._kind, self.suffix
        for name, value in _USUAL[self._kind].items():
            if self.rows[name].value() == _USUAL[before][name]:
                self.rows[name].set_value(value)

    def _accept(self) -> None:
        """Go on if all of it can be; else say at the field what cannot."""
        for row in self.rows.values():
            row.set_error("")
        try:
            check_format(self.suffix, self.size_of_film, self.fps)
            number("seconds", self.seconds, SHORTEST, LONGEST)
        except InputError as problem:
            name, _, line = str(problem).partition(": ")
            self.rows[name].set_error(line[:1].upper() + line[1:])
            self.rows[name].editor.setFocus()
        else:
            self.accept()
