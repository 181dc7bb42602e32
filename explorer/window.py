"""The main window: it puts the stage, the bar and the drawer together and ties every action to what it does.

Edits go to the document, looking and running go to the session, frames come back to the stage. Nothing is computed.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import (
    QActionGroup,
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QGuiApplication,
    QIcon,
    QPalette,
    QShowEvent,
)
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QMainWindow, QMessageBox, QVBoxLayout, QWidget

from explorer.actions import EXCLUSIVE, SPECS, make_actions
from explorer.composition import compose
from explorer.document import Document
from explorer.edits import (
    Change,
    ChangeFit,
    ChangeParticles,
    ChangeParticleSeed,
    ChangeSeed,
    Clear,
    Command,
    LoadPainting,
)
from explorer.engine.messages import (
    PANES,
    Frame,
    Look,
    Move,
    MoveSteps,
    Probe,
    Release,
    Reset,
    Train,
    TrainSteps,
)
from explorer.files import SUFFIX, FileDesk
from explorer.films import FilmDesk
from explorer.numbers import three
from explorer.panels.brushes import BrushStrip
from explorer.panels.drawer import SettingsDrawer
from explorer.panels.sigma import NoiseSlider
from explorer.panels.style import sheet
from explorer.panels.toasts import ToastStack
from explorer.panels.transport import TransportBar
from explorer.recipe import Recipe
from explorer.session import Session
from explorer.system import facts
from explorer.theme import CAPTION, DARK, LIGHT, UNIT, Theme, font, system_theme
from explorer.views.plane import PlaneRange
from trainer.errors import InputError
from trainer.paintings import preset_weights
from trainer.projects import Project
from trainer.settings import Source

FIRST_SIZE = (1280, 720)


class MainWindow(QMainWindow):
    """One document and everything that is seen of it."""

    def __init__(self, *, theme: str = "system", device: str = "auto") -> None:
        super().__init__()
        self.document = Document()
        self.session = Session(self.document, device, self)
        self.plane = PlaneRange(parent=self)
        self.look = Look()
        self._theme_choice = theme
        self._device = ""
        self._started = self._ended = False
        self.actions_by_name = make_actions(self)
        self._build()
        self._connect()
        self.files = FileDesk(self, self.document, self._opened, self._snapshot, self.tell)
        self.films = FilmDesk(self, self.session)
        self._show_document(Change(opened=True))
        self.apply_theme()
        self.resize(*FIRST_SIZE)
        self.setAcceptDrops(True)

    # --- building -----------------------------------------------------------------------------------------

    def _build(self) -> None:
        actions = self.actions_by_name
        self.strip = BrushStrip(actions)
        self.slider = NoiseSlider()
        self.parts = compose(self.document, self.plane, strip=self.strip, between=self.slider)
        self.stage = self.parts.stage
        self.transport = TransportBar(actions)
        self.drawer = SettingsDrawer()
        self.drawer.hide()
        centre = QWidget()
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.stage, 1)
        row.addWidget(self.drawer)
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row, 1)
        column.addWidget(self.transport)
        self.setCentralWidget(centre)
        self.toasts = ToastStack(centre)
        self._build_menus()

    def _build_menus(self) -> None:
        bar = self.menuBar()
        bar.setNativeMenuBar(QGuiApplication.platformName() == "cocoa")
        menus = {spec.menu: None for spec in SPECS}
        for name in menus:
            menu = bar.addMenu(f"&{name}")
            menu.setToolTipsVisible(True)
            for spec in SPECS:
                if spec.menu == name:
                    if spec.name:
                        menu.addAction(self.actions_by_name[spec.name])
                    else:
                        menu.addSeparator()
        for names in EXCLUSIVE:
            group = QActionGroup(self)
            for name in names:
                group.addAction(self.actions_by_name[name])
        self.state = QLabel("engine is loading")
        self.state.setAccessibleName("Device, speed and seed")
        self.state.setContentsMargins(UNIT, 0, 2 * UNIT, 0)
        self.state.setMinimumHeight(bar.sizeHint().height())
        bar.setCornerWidget(self.state, Qt.Corner.TopRightCorner)

    def _connect(self) -> None:
        act = {name: action.triggered for name, action in self.actions_by_name.items()}
        act["new"].connect(lambda: self.files.new())
        act["open"].connect(lambda: self.files.choose())
        act["save"].connect(lambda: self.files.save())
        act["save_as"].connect(lambda: self.files.save_as())
        act["export_film"].connect(lambda: self.films.offer(".mp4", self.theme, self.slider.value()))
        act["export_picture"].connect(lambda: self.films.offer(".png", self.theme, self.slider.value()))
        act["copy_picture"].connect(self._copy_picture)
        act["quit"].connect(self.close)
        act["undo"].connect(self.document.undo)
        act["redo"].connect(self.document.redo)
        act["clear"].connect(lambda: self.edit(Clear()))
        act["train"].connect(lambda on: self.session.send(Train(on)))
        act["train_step"].connect(lambda: self.session.send(TrainSteps()))
        act["train_reset"].connect(lambda: self.session.send(Reset(self.document.seed)))
        act["restart_engine"].connect(self.session.restart_engine)
        act["particles_play"].connect(lambda on: self.session.send(Move(on)))
        act["particles_step"].connect(lambda: self.session.send(MoveSteps()))
        act["particles_release"].connect(lambda: self.session.send(Release()))
        for source in get_args(Source):
            act[f"source_{source}"].connect(lambda _, s=source: self._choose_source(s))
        act["drawer"].connect(lambda on: self.drawer.setVisible(on))
        act["zoom_reset"].connect(self.plane.reset)
        act["sigma_down"].connect(lambda: self.slider.nudge(-2))
        act["sigma_up"].connect(lambda: self.slider.nudge(2))
        act["time_axis"].connect(self.parts.curves.set_in_seconds)
        for choice in ("system", "light", "dark"):
            act[f"theme_{choice}"].connect(lambda _, c=choice: self._choose_theme(c))
        act["full_screen"].connect(lambda on: self.showFullScreen() if on else self.showNormal())
        act["keys"].connect(self._show_keys)
        act["about"].connect(self._show_about)

        self.document.subscribe(self._show_document)
        self.session.framed.connect(self._show_frame)
        self.session.noticed.connect(self.tell)
        self.session.readied.connect(self._show_device)
        self.strip.changed.connect(lambda brush: setattr(self.parts.canvas, "brush", brush))
        self.parts.canvas.brush_changed.connect(self.strip.set_brush)
        self.strip.preset_chosen.connect(self._load_preset)
        self.slider.changed.connect(lambda sigma: self._look(sigma=sigma))
        self.plane.changed.connect(self._range_changed)
        self.stage.lattice_wanted.connect(lambda lattice: self._look(lattice=lattice))
        for view in (self.parts.learned, self.parts.true):
            view.hovered.connect(lambda x, y: self.session.send(Probe((x, y))))
            view.left.connect(lambda: self.session.send(Probe(None)))
        self.parts.curves.axis_changed.connect(self.actions_by_name["time_axis"].setChecked)
        self.drawer.fit_changed.connect(lambda settings: self.edit(ChangeFit(settings)))
        self.drawer.seed_changed.connect(lambda seed: self.edit(ChangeSeed(seed)))
        self.drawer.particles_changed.connect(lambda settings: self.edit(ChangeParticles(settings)))
        self.drawer.particle_seed_changed.connect(lambda seed: self.edit(ChangeParticleSeed(seed)))
        QGuiApplication.styleHints().colorSchemeChanged.connect(self.apply_theme)

    # --- life ---------------------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        """Start the engine once the window has been painted: it must not wait for torch."""
        super().showEvent(event)
        if not self._started:
            self._started = True
            QTimer.singleShot(0, self.session.start)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask about unsaved changes, then end everything."""
        if self._ended or self.files.may_leave():
            self.shut_down()
            event.accept()
        else:
            event.ignore()

    def shut_down(self) -> None:
        """End the engine and an export that runs; may be called twice."""
        if not self._ended:
            self._ended = True
            self.films.close()
            self.session.close()

    # --- edits --------------------------------------------------------------------------------------------

    def edit(self, command: Command) -> None:
        """Do a command of the document; a bad value is told, not done."""
        try:
            self.document.do(command)
        except InputError as error:
            self.tell("warning", str(error))

    def adopt(self, project: Project, source: str = "") -> None:
        """Show what `source` holds as the document; a project is saved there again."""
        path = Path(source)
        self.files.adopt(project, path if path.suffix.lower() == SUFFIX else None)

    def _load_preset(self, name: str) -> None:
        self.edit(LoadPainting(preset_weights(name), name))

    def _choose_source(self, source: Source) -> None:
        self.edit(ChangeParticles(replace(self.document.particles, source=source)))

    def _opened(self, project: Project, recipe: Recipe) -> None:
        self.session.open(project, recipe)
        if project.journal or project.network is not None:
            self.slider.set_value(project.sigma)
            self._look(sigma=self.slider.value())

    def _snapshot(self) -> Project:
        return self.session.project(self.slider.value())

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the first file dropped."""
        for url in event.mimeData().urls():
            if url.isLocalFile():
                self.files.open(url.toLocalFile())
                return

    # --- looking ------------------------------------------------------------------------------------------

    def _look(self, **values: Any) -> None:  # noqa: ANN401 - fields of Look
        self.look = replace(self.look, **values)
        self.session.send(self.look)

    def _range_changed(self) -> None:
        self._look(centre=self.plane.centre, half_width=self.plane.half_width)

    def _show_frame(self, frame: Frame) -> None:
        self.stage.show_frame(frame)
        self.transport.show_frame(frame)
        ladder = frame.training_ladder.tolist()
        self.slider.set_range(ladder[-1], ladder[0])
        self.slider.set_ladder(ladder)
        self.actions_by_name["train"].setChecked(frame.training)
        self.actions_by_name["particles_play"].setChecked(frame.moving)
        rate = f"{three(frame.steps_per_second)} steps/s" if frame.training else "paused"
        self._say_state(f"{frame.device}  ·  {rate}  ·  seed {frame.seed}")
        waiting = "" if frame.released else "Particles are released in a moment, or now with Shift+R"
        for name in PANES:
            self.stage.tile(name).set_empty(waiting)

    def _say_state(self, text: str) -> None:
        if text != self.state.text():
            self.state.setText(text)
            self.menuBar().setCornerWidget(self.state, Qt.Corner.TopRightCorner)

    def _show_device(self, device: str) -> None:
        self._device = device

    def _show_document(self, change: Change) -> None:
        document = self.document
        if change.live:
            return
        undo, redo = self.actions_by_name["undo"], self.actions_by_name["redo"]
        undo.setEnabled(document.can_undo)
        redo.setEnabled(document.can_redo)
        undo.setText(f"&{document.undo_text}")
        redo.setText(f"&{document.redo_text}")
        self.setWindowTitle(f"{document.path.name if document.path else document.name}[*] - Score Explorer")
        self.setWindowModified(document.changed)
        self.stage.tile("painting").set_empty("" if self.session.painted else "Paint something, or choose a preset")
        if change.opened or change.fit:
            self.drawer.set_fit(document.fit)
        if change.opened or change.particles:
            self.drawer.set_particles(document.particles)
            self.actions_by_name[f"source_{document.particles.source}"].setChecked(True)
        if change.opened or change.seed:
            self.drawer.set_seed(document.seed)
        if change.opened or change.particle_seed:
            self.drawer.set_particle_seed(document.particle_seed)

    def tell(self, level: str, text: str, details: str = "") -> None:
        """Show one line at the bottom right."""
        self.toasts.show_message(level, text, details)

    # --- colours ------------------------------------------------------------------------------------------

    @property
    def theme(self) -> Theme:
        """The colours in use."""
        return {"light": LIGHT, "dark": DARK}.get(self._theme_choice) or system_theme()

    def _choose_theme(self, choice: str) -> None:
        self._theme_choice = choice
        self.apply_theme()

    def apply_theme(self) -> None:
        """Put the chosen or the desktop's colours on everything."""
        theme = self.theme
        self.actions_by_name[f"theme_{self._theme_choice}"].setChecked(True)
        palette = QPalette()
        roles = QPalette.ColorRole
        for role, colour in (
            (roles.Window, theme.window),
            (roles.Base, theme.surface),
            (roles.AlternateBase, theme.window),
            (roles.Button, theme.surface),
            (roles.ToolTipBase, theme.surface),
            (roles.WindowText, theme.ink),
            (roles.Text, theme.ink),
            (roles.ButtonText, theme.ink),
            (roles.ToolTipText, theme.ink),
            (roles.PlaceholderText, theme.quiet),
            (roles.Highlight, theme.selection),
            (roles.HighlightedText, theme.ink),
        ):
            palette.setColor(role, colour)
        QApplication.setPalette(palette)
        self.setStyleSheet(sheet(theme))
        self.state.setFont(font(CAPTION))
        for part in (self.stage, self.transport, self.drawer, self.toasts, self.strip, self.slider):
            part.set_theme(theme)

    # --- small things -------------------------------------------------------------------------------------

    def _copy_picture(self) -> None:
        QGuiApplication.clipboard().setPixmap(self.stage.grab())
        self.tell("info", "Copied the squares as a picture")

    def _show_keys(self) -> None:
        rows = [(spec.keys[0], spec.text.replace("&", "").rstrip("…")) for spec in SPECS if spec.keys]
        rows += [
            ("Return, Esc", "Square large, and small again"),
            ("B, E", "Brush or eraser"),
            ("[ ], { }", "Size and strength of the brush"),
            ("+ −", "Zoom the square with the keyboard"),
        ]
        lines = [f"<tr><td><b>{keys}</b>&nbsp;&nbsp;&nbsp;</td><td>{what}</td></tr>" for keys, what in rows]
        half = (len(lines) + 1) // 2
        columns = [f"<td><table>{''.join(part)}</table></td>" for part in (lines[:half], lines[half:])]
        table = f"<table cellspacing=12><tr>{''.join(columns)}</tr></table>"
        self._box("Keys", f"<div style='white-space:nowrap'>{table}</div>")

    def _show_about(self) -> None:
        lines = "<br>".join(f"{name}: {value}" for name, value in facts().items())
        device = f"<br>device: {self._device}" if self._device else ""
        text = "Paint a density, watch a network learn its score, and release particles."
        self._box("About Score Explorer", f"<p>{text}</p><p>{lines}{device}</p>")

    def _box(self, title: str, text: str) -> None:
        box = QMessageBox(self)
        box.setWindowTitle(title)
        box.setTextFormat(Qt.TextFormat.RichText)
        box.setText(text)
        box.setStandardButtons(QMessageBox.StandardButton.Close)
        box.button(QMessageBox.StandardButton.Close).setIcon(QIcon())
        box.open()
