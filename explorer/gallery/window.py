"""The pictures' window: an image model, what it makes of noise, and one picture's way.

It stands beside the main window and shares nothing with it but the painting's particles, which the same sampler can
move beside the pictures, and the look. What is computed is computed in a process of its own
(`explorer.engine.gallery`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QShowEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QMainWindow, QVBoxLayout, QWidget

from explorer.actions import make_actions
from explorer.engine.gallery.frames import GalleryFrame
from explorer.engine.gallery.orders import FollowPicture, Job, ModelOpened, Play, Show, Steps
from explorer.files import dropped_files
from explorer.gallery.actions import EXCLUSIVE, MODES, SPECS
from explorer.gallery.bar import GalleryBar
from explorer.gallery.desk import GalleryDesk
from explorer.gallery.folders import SHIPPED, image_folder, is_run, shipped
from explorer.gallery.making import Making, MakingPanel
from explorer.gallery.moderow import ModeRow
from explorer.gallery.saving import Saver
from explorer.gallery.stage import FIRST, GalleryStage
from explorer.menubar import StateLine, build_menus
from explorer.panels.dropveil import DropVeil
from explorer.panels.menus import RecentMenu
from explorer.panels.style import sheet
from explorer.panels.toasts import ToastStack
from explorer.recent import RecentFiles
from explorer.theme import LIGHT, Theme
from explorer.views.tile import tell
from explorer.wording import in_words
from trainer.errors import InputError

FIRST_SIZE = (1280, 720)
_SOON = 250
"""Milliseconds from the last change of a setting to the job that it begins."""


class GalleryWindow(QMainWindow):
    """One image model and what it makes.

    Args:
        device: what computes.
        recent: the files opened last, shared with the main window.
    """

    closed = Signal()
    """The window is closed."""
    told = Signal(str, str, str)
    """Level, line and details of what the person is told."""

    def __init__(self, device: str = "auto", recent: RecentFiles | None = None) -> None:
        super().__init__()
        self.setWindowTitle("Pictures")
        self.desk = GalleryDesk(device, self)
        self.recent = recent or RecentFiles()
        self.mode = "samples"
        self.theme, self.scale, self._ended = LIGHT, 1.0, False
        self.actions_by_name = make_actions(self, SPECS)
        self.menus = build_menus(self, self.actions_by_name, SPECS, EXCLUSIVE)
        self.stage = GalleryStage()
        self.panel = MakingPanel()
        self._sampler = self.panel.making.sampler
        self.bar = GalleryBar(self.actions_by_name)
        self.modes = ModeRow(self.actions_by_name)
        self._build()
        self.saver = Saver(self)
        self.state = StateLine(self)
        self._say_state()
        self.veil = DropVeil(self, dropped_files, lambda data: self.drop(dropped_files(data)))
        self._soon = QTimer(self, singleShot=True, interval=_SOON)
        self._soon.timeout.connect(self.begin)
        self._connect()
        self.set_mode("samples")
        self.stage.grid.setFocus()
        self.resize(*FIRST_SIZE)

    # --- building -----------------------------------------------------------------------------------------

    def _build(self) -> None:
        centre = QWidget()
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.stage, 1)
        row.addWidget(self.panel)
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.modes)
        column.addLayout(row, 1)
        column.addWidget(self.bar)
        self.setCentralWidget(centre)
        self.toasts = ToastStack(centre)
        file, before = self.menus["File"], self.actions_by_name["training_pictures"]
        for folder, title in SHIPPED:
            action = file.addAction(title)
            file.insertAction(before, action)
            action.setToolTip("The model that the program brings")
            action.triggered.connect(partial(self.open, shipped(folder)))
        self.stage.inpaint.masks.setMenu(self.menus["Sample/Mask"])
        self.recent_menu = RecentMenu(self._recent_models, self)
        self.recent_menu.chosen.connect(lambda path: self.open(Path(path)))
        file.insertMenu(before, self.recent_menu)

    def _connect(self) -> None:
        desk, actions = self.desk, self.actions_by_name
        desk.framed.connect(self._show_frame)
        desk.opened.connect(self._opened)
        desk.refused.connect(self._refused)
        desk.died.connect(lambda given_up: self.bar.say("nothing is running" if given_up else "starting again"))
        desk.wrote.connect(self._say_state)
        desk.exported.connect(lambda done: self.tell("error" if done.failed else "info", in_words(done.line)))
        desk.noticed.connect(lambda level, text, details: self.tell(level, in_words(text), details=details))
        self.panel.edited.connect(self._edited)
        self.bar.sought.connect(lambda step: desk.send(Show(step)))
        stage = self.stage
        stage.grid.chosen.connect(lambda index: desk.send(FollowPicture(index)))
        stage.step_wanted.connect(lambda step: desk.send(Show(step)))
        stage.denoise.changed.connect(self._soon.start)
        stage.inpaint.changed.connect(self._soon.start)
        for chooser in (stage.denoise.chooser, stage.inpaint.chooser):
            chooser.refused.connect(lambda line: self.tell("warning", line))
            chooser.sample_wanted.connect(self._take_sample)
        stage.training.open_wanted.connect(self.open)
        stage.training.newest.connect(self.open)
        for name, do in self._doings().items():
            actions[name].triggered.connect(do)
        actions["settings"].setChecked(True)
        actions["strip"].setChecked(True)

    def _doings(self) -> dict[str, Callable[..., object]]:
        desk, board = self.desk, self.stage.inpaint.board
        modes = {f"mode_{name}": partial(self.set_mode, name) for name, _, _ in MODES}
        halves = {f"mask_{side}": partial(board.fill_half, side) for side in ("left", "right", "top", "bottom")}
        return {
            **modes,
            **halves,
            "open_model": lambda: self.choose(),
            "training_pictures": lambda: self._choose_training(),
            "save_grid": lambda: self.saver.ask("grid"),
            "save_samples": lambda: self.saver.ask("samples"),
            "save_film": lambda: self.saver.ask("film"),
            "stop_writing": desk.stop_writing,
            "copy_grid": lambda: self.saver.copy(),
            "close": lambda: self.close(),
            "play": lambda on: self._play(on),
            "back": self.bar.back,
            "step": lambda: desk.send(Steps(1)),
            "again": lambda: self.begin(),
            "next_seed": lambda: self.panel.next_seed(),
            "recommend": lambda: self.panel.recommend(),
            "dots": lambda on: self._show_dots(on),
            "mask_clear": lambda: board.clear(),
            "mask_invert": lambda: board.invert(),
            "mask_undo": lambda: board.undo(),
            "mask_redo": lambda: board.redo(),
            "settings": lambda on: self.panel.setVisible(on),
            "strip": self.stage.show_strip,
            "full_screen": lambda on: self.showFullScreen() if on else self.showNormal(),
        }

    # --- life ---------------------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        """Start the process."""
        super().showEvent(event)
        self.desk.start()

    def closeEvent(self, event: QCloseEvent) -> None:
        """End the process; what it made is made again from the same seed, but a film that is being written is lost."""
        if not (self._ended or self.saver.may_leave()):
            event.ignore()
            return
        self.shut_down()
        self.closed.emit()
        event.accept()

    def shut_down(self) -> None:
        """End everything, without a question; may be called twice."""
        self._ended = True
        self._soon.stop()
        self.stage.training.stop()
        self.desk.close()

    # --- models -------------------------------------------------------------------------------------------

    def open(self, folder: Path | str, _: bool = False) -> None:
        """Open the model in this folder; a line tells what came of it."""
        path = Path(folder)
        found = image_folder(path)
        if found is None:
            self.tell("error", f"{path}: holds no image model. Choose a folder that images train or diffusers wrote.")
            return
        self.bar.say(f"opening {found.name}")
        self.stage.say(f"Opening {found.name}")
        self.desk.open(found)

    def choose(self) -> None:
        """Ask for a folder and open it."""
        folder = QFileDialog.getExistingDirectory(self, "Open image model", str(Path.home()))
        if folder:
            self.open(folder)

    def drop(self, paths: list[Path]) -> None:
        """Open a model that was dropped, or restore a picture."""
        if not paths:
            return
        if image_folder(paths[0]) is not None or paths[0].is_dir():
            self.open(paths[0])
        elif self.mode in ("denoise", "inpaint"):
            self.stage.subject(self.mode).chooser.take_file(paths[0])
        else:
            self.tell("info", f"{paths[0].name}: choose Denoise or Inpaint first, then drop a picture there.")

    def _choose_training(self) -> None:
        if self.desk.model is None:
            self.tell("info", "Open an image model first.")
            return
        folder = QFileDialog.getExistingDirectory(self, "Training pictures", str(Path.home()))
        if folder:
            self.desk.open(Path(self.desk.model.path), folder)

    def _recent_models(self) -> tuple[Path, ...]:
        return tuple(path for path in self.recent.paths() if path.is_dir() and image_folder(path) is not None)

    def _opened(self, model: ModelOpened) -> None:
        self.setWindowTitle(f"Pictures: {model.name}")
        anew = self.panel.model is None or not model.like(self.panel.model)
        self.panel.open(model, anew=anew)
        self._say_state()
        self.stage.open(model, anew=anew)
        shipped_here = Path(model.path).parent == shipped(SHIPPED[0][0]).parent
        if not shipped_here:
            try:
                self.recent.add(model.path)
            except InputError as error:
                self.tell("warning", f"The list of recent files was not kept. {error}")
        if is_run(Path(model.path)):
            self.stage.training.watch(Path(model.path))
        self._show_dots(self.actions_by_name["dots"].isChecked())
        self.begin()

    def _refused(self, path: str, line: str) -> None:
        self.stage.say("" if self.desk.model is not None else FIRST)
        self.bar.show_frame(self.desk.frame or GalleryFrame())
        self.tell("error", line if line.startswith(path) else f"{path}: {line}")

    # --- jobs ---------------------------------------------------------------------------------------------

    def set_mode(self, mode: str, _: bool = False) -> None:
        """Show samples, denoising, inpainting, interpolation, or a run in training."""
        self.mode = mode
        self.actions_by_name[f"mode_{mode}"].setChecked(True)
        making = mode != "training"
        if not making:  # room is made before it is taken: the window does not grow
            self.bar.hide()
            self.panel.hide()
        held = self.focusWidget()
        self.stage.set_mode(mode)
        self.panel.set_mode(mode)
        if making:
            self.bar.show()
            self.panel.setVisible(self.actions_by_name["settings"].isChecked())
        if held is not None and not held.isVisibleTo(self):
            self.stage.take_focus()
        self.begin()

    def begin(self) -> None:
        """Begin the job that the mode and the settings ask for, if it can be."""
        self._soon.stop()
        job = self._job()
        if job is not None:
            self.stage.say("")
            self.desk.begin(job)
        elif self.mode != "training":
            if self.desk.model is not None:  # the job before is not this mode's
                self.desk.rest()
            self.stage.show_nothing()
            self.bar.show_frame(GalleryFrame())
            self.actions_by_name["play"].setChecked(False)

    def _job(self) -> Job | None:
        """What is to be made; None while something is missing, which the stage says."""
        if self.desk.model is None or self.mode == "training":
            return None
        making = self.panel.making
        job = Job(
            0,
            sampler=making.sampler,
            settings=self.panel.own_settings,
            seed=making.seed,
            second_seed=making.second_seed,
            count=making.count,
        )
        if self.mode == "interpolate":
            self.stage.pictures.set_title(f"Between seeds {making.seed} and {making.second_seed}")
            return replace(job, kind="interpolate")
        if self.mode == "denoise":
            subject = self.stage.denoise
            if subject.picture is None:
                self.stage.say("Choose a picture at the left")
                return None
            return replace(job, kind="denoise", picture=subject.picture, sigma=subject.slider.value())
        if self.mode == "inpaint":
            inpaint = self.stage.inpaint
            if inpaint.picture is None or not inpaint.board.unknown.any():
                missing = inpaint.picture is None
                self.stage.say("Choose a picture at the left" if missing else "Paint on the picture what is unknown")
                return None
            return replace(job, kind="inpaint", picture=inpaint.picture, mask=inpaint.board.unknown.astype("float32"))
        return job

    def _edited(self, making: Making) -> None:
        """Begin anew with these settings, in a moment; dots follow the sampler."""
        if making.sampler != self._sampler:
            self._sampler = making.sampler
            self._show_dots(self.actions_by_name["dots"].isChecked())
        self._soon.start()

    def _play(self, on: bool) -> None:
        """Run on, or hold; a job that is done begins anew."""
        frame = self.desk.frame
        if on and (frame is None or frame.step >= frame.steps):
            self.begin()
        else:
            self.desk.send(Play(on))

    def _take_sample(self) -> None:
        """Restore the sample that is chosen."""
        picture = self.stage.sample
        if picture is None:
            self.tell("info", "Choose a picture under Samples first, when it is done.")
        else:
            self.stage.subject(self.mode).take(picture)

    dots_wanted = Signal(bool)
    """Whether the painting's particles are to run beside the pictures; the answer comes by `give_dots`."""

    def _show_dots(self, on: bool) -> None:
        self.stage.show_dots(on)
        self.dots_wanted.emit(on)

    # --- what is shown ------------------------------------------------------------------------------------

    def _show_frame(self, frame: GalleryFrame) -> None:
        self.bar.show_frame(frame)
        self.stage.show_frame(frame)
        self.panel.show_frame(frame)

    def _say_state(self) -> None:
        """What is being written, and what computes."""
        device = self.desk.model.device if self.desk.model is not None else ""
        writing = f"writing {self.desk.writing}" if self.desk.writing else ""
        self.actions_by_name["stop_writing"].setEnabled(bool(writing))
        self.state.say("  ·  ".join(filter(None, (writing, device))))

    def tell(self, level: str, text: str, details: str = "") -> None:
        """Show one line at the bottom right."""
        self.toasts.show_message(level, text, details)
        self.told.emit(level, text, details)

    # --- files dragged ------------------------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files."""
        self.veil.enter(event)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """Take them no more."""
        self.veil.leave(event)

    def dropEvent(self, event: QDropEvent) -> None:
        """Open what was dropped."""
        self.veil.drop(event)

    # --- colours and sizes --------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self.theme = theme
        self.setStyleSheet(sheet(theme, self.scale))
        for part in (self.stage, self.panel, self.bar, self.toasts, self.veil):
            tell(part, "set_theme", theme)

    def set_scale(self, factor: float) -> None:
        """Type everywhere so many times its usual size."""
        self.scale = factor
        self.setStyleSheet(sheet(self.theme, factor))
        for part in (self.stage, self.panel, self.bar, self.toasts, self.veil, self.state, self.modes):
            tell(part, "set_scale", factor)
