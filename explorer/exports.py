"""What a person takes away besides films: a panel as a picture, a curve as a table, the network, a script.

Each export asks where to, writes the whole file or nothing, and says in one line what came of it.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QFileDialog, QWidget

from explorer.capsules import embed
from explorer.engine.frames import Frame
from explorer.engine.messages import SaveScore
from explorer.packing import Packer
from explorer.panels.asking import may_replace
from explorer.pictures import png_bytes, write_panel
from explorer.script import archive_name, write_script
from explorer.session import Session
from explorer.tables import Table, Tabled, training_table, write_table
from explorer.views.tile import Tile
from trainer.errors import InputError
from trainer.projects import Project, project_bytes

PICTURES = {"PNG, twice as large (*.png)": 2.0, "PNG, four times as large (*.png)": 4.0, "SVG (*.svg)": 0.0}
"""The kinds of picture offered, and how many times its size on the screen a panel has in them."""

CURVES = "curves"
"""The view on the stage whose table is made here, of the frame."""

_PNG = "image/png"
_MARK = "application/x-score-explorer-copy"
"""Says which copy lies on the clipboard until its session has been packed."""

Tell = Callable[[str, str], object]


class ExportDesk:
    """Asks and writes on behalf of a window. `tell` shows one line at a level.

    `carried` is asked for the project that a picture is to carry; None for none.
    """

    def __init__(
        self, window: QWidget, session: Session, tell: Tell, carried: Callable[[], Project | None] = lambda: None
    ) -> None:
        self._window = window
        self._session = session
        self._tell = tell
        self._carried = carried
        self._packer = Packer(window)
        self._copies = 0
        self._folder: Path | None = None

    def close(self) -> None:
        """Export no more."""
        self._packer.close()

    def export_panel(self, tile: Tile) -> None:
        """Ask for a place and write the tile as PNG or SVG, as it looks now."""
        chosen = self._ask(f"Export {tile.title.lower()} as a picture", f"{_file_name(tile.title)}.png", [*PICTURES])
        if chosen is None:
            return
        path, kind = chosen
        factor = PICTURES.get(kind, 0.0) or 2.0

        def write() -> None:
            write_panel(path, tile, tile.theme, factor=factor, title=tile.title, session=self._session_bytes())

        if self._try(write):
            self._tell("info", f"Saved {path.name}")

    def copy_picture(self, squares: QWidget) -> None:
        """Put what these squares show on the clipboard; a moment later it is there as a PNG with the session inside."""
        image = squares.grab().toImage()
        self._copies += 1
        mark = str(self._copies).encode()
        _to_clipboard(image, {_MARK: mark})
        project = self._carried()
        if project is None:
            self._tell("info", "Copied the squares as a picture")
            return

        def packed(png: Future[bytes]) -> None:
            if QGuiApplication.clipboard().mimeData().data(_MARK).data() != mark:
                return  # something else has been copied since, here or elsewhere
            if self._try(lambda: _to_clipboard(image, {_PNG: png.result()})):
                self._tell("info", "Copied the squares as a picture, with the session inside")

        self._packer.begin(lambda: embed(png_bytes(image, ""), project_bytes(project)), packed)

    def can_export_curve(self, tile: Tile, name: str = "") -> bool:
        """Whether this tile shows a curve that can be had as numbers; `name` is its view's on the stage."""
        return isinstance(tile.content, Tabled) or name == CURVES

    def export_curve(self, tile: Tile, name: str = "") -> None:
        """Ask for a place and write the curve that the tile shows as CSV; `name` is its view's on the stage."""
        table = self._table(tile, name)
        if table is None:
            self._tell("warning", f"{tile.title} shows no curve. Choose How wrong, Shares, Distances or the race.")
            return
        chosen = self._ask(f"Export {tile.title.lower()} as a table", f"{_file_name(tile.title)}.csv", ["CSV (*.csv)"])
        if chosen is not None and self._try(lambda: write_table(chosen[0], table)):
            self._tell("info", f"Saved {chosen[0].name}")

    def export_score(self) -> None:
        """Ask for a folder; the engine writes the network there and says so by a notice."""
        if self._session.frame is None or not self._session.engine.ready:
            self._tell("warning", "There is no trained network yet. Wait until the engine is ready.")
            return
        chosen = self._ask("Save the network as a folder", f"{self._name()}-score", ["Score (*)"], replaces=False)
        if chosen is not None:
            self._session.send(SaveScore(str(chosen[0].absolute())))

    def export_script(self) -> None:
        """Ask for a place and write the session as a Python script, its paintings beside it."""
        chosen = self._ask("Export the session as a script", f"{self._name()}.py", ["Python (*.py)"])
        if chosen is None:
            return
        path = chosen[0]
        beside = path.with_name(archive_name(path.name))
        if beside.exists() and not may_replace(self._window, "Export", beside):
            return
        if self._try(lambda: write_script(path, self._session.recipe(), self._session.document.setup)):
            self._tell("info", f"Saved {path.name} and {beside.name}")

    # --- asking

    def _session_bytes(self) -> bytes:
        """What a picture is to carry; empty for nothing."""
        project = self._carried()
        return b"" if project is None else project_bytes(project)

    def _table(self, tile: Tile, name: str) -> Table | None:
        frame: Frame | None = self._session.frame
        if isinstance(tile.content, Tabled):
            return tile.content.table()
        return training_table(frame) if name == CURVES and frame is not None else None

    def _ask(self, title: str, name: str, kinds: list[str], *, replaces: bool = True) -> tuple[Path, str] | None:
        """The file chosen and its kind; None if the person thought better of it."""
        document = self._session.document
        folder = self._folder or (document.path.parent if document.path else Path.home())
        options = QFileDialog.Option(0) if replaces else QFileDialog.Option.DontConfirmOverwrite
        chosen, kind = QFileDialog.getSaveFileName(
            self._window, title, str(folder / name), ";;".join(kinds), options=options
        )
        if not chosen:
            return None
        path = Path(chosen)
        self._folder = path.parent
        suffix = kind.partition("(*")[2].rstrip(")")
        if suffix and path.suffix.lower() not in [each.partition("(*")[2].rstrip(")") for each in kinds]:
            path = path.with_name(path.name + suffix)
            if path.exists() and not may_replace(self._window, "Export", path):
                return None
        return path, kind

    def _try(self, write: Callable[[], None]) -> bool:
        try:
            write()
        except InputError as error:
            self._tell("error", str(error))
            return False
        return True

    def _name(self) -> str:
        document = self._session.document
        return document.path.stem if document.path else _file_name(document.name)


def _to_clipboard(image: QImage, more: dict[str, bytes]) -> None:
    """Put an image on the clipboard, and other forms of it beside."""
    data = QMimeData()
    data.setImageData(image)
    for kind, value in more.items():
        data.setData(kind, value)
    QGuiApplication.clipboard().setMimeData(data)


def _file_name(title: str) -> str:
    """A title as part of a file's name: "How wrong" becomes "how-wrong"."""
    kept = "".join(c.lower() if c.isalnum() else "-" for c in title)
    return "-".join(part for part in kept.split("-") if part) or "panel"
