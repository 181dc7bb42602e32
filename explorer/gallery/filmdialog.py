"""What a film of pictures is asked for: its kind, its size, its frames a second, and how long it is."""

from __future__ import annotations

from typing import cast

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QWidget

from explorer.export.encode import MAX_FPS, MIN_FPS, check_format
from explorer.export.pictures import FIRST, LAST, LONGEST, SHORTEST
from explorer.export.request import FILM_FPS, FILM_SIZE, GIF_FPS, GIF_SIZE, SIZES
from explorer.panels.asking import plain
from explorer.panels.fields import FieldRow, Spec, dialog_column
from explorer.theme import CONTROL, HEADING, Theme, font
from trainer.errors import InputError
from trainer.settings import number, whole

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
        plain(self.buttons.buttons())
        self.buttons.accepted.connect(self._accept)
        self.buttons.rejected.connect(self.reject)
        layout = dialog_column(self, self.heading, self.rows.values())
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

    def asked(self) -> tuple[tuple[int, int], int, float]:
        """Width and height in pixels, frames a second, and seconds of the way itself.

        Raises:
            InputError: one of them cannot be; the line begins with the field's name.
        """
        fps, seconds = (self.rows[name].value() for name in ("fps", "seconds"))
        whole("fps", fps, MIN_FPS, MAX_FPS)
        number("seconds", seconds, SHORTEST, LONGEST)
        width, height = (int(side) for side in str(self.rows["size"].value()).split(" x "))
        check_format(self.suffix, (width, height), cast(int, fps))
        return (width, height), cast(int, fps), cast(float, seconds)

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
            self.asked()
        except InputError as problem:
            name, _, line = str(problem).partition(": ")
            self.rows[name].set_error(line[:1].upper() + line[1:])
            self.rows[name].editor.setFocus()
        else:
            self.accept()
