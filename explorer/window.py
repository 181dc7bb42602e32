"""The main window: it puts the stage, the bar and the drawer together and hands every part what it works with.

Edits go to the document, looking and running go to the session, frames come back to the stage. Nothing is computed.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QGuiApplication,
    QShowEvent,
)
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QVBoxLayout, QWidget

from explorer.actions import VIEW_KEYS, make_actions
from explorer.composition import PANE_VIEWS, TITLES, Composition
from explorer.desks import CLOSED, DRESSED, Desks
from explorer.document import Document
from explorer.dressing import dress
from explorer.edits import Change, Command, LoadPainting
from explorer.engine.messages import SetLimits, Want
from explorer.files import SUFFIX, FileDesk
from explorer.household import Household, command_entries
from explorer.late import AfterPaint, made
from explorer.layouts import story_places
from explorer.lessons.menu import lesson_entries
from explorer.menubar import StateLine, build_menus
from explorer.pages import late_pages
from explorer.panels import drawer
from explorer.panels.brushes import BrushStrip
from explorer.panels.drawer import Drawer, page_of
from explorer.panels.dropveil import leave_files
from explorer.panels.sigma import NoiseSlider
from explorer.panels.style import sheet
from explorer.panels.timeline import AxisPair, TrainingTimeline
from explorer.panels.toasts import ToastStack
from explorer.panels.transport import TransportBar
from explorer.preferences import Preferences
from explorer.recipe import Recipe
from explorer.session import Session
from explorer.showing import Showing
from explorer.squares import Squares
from explorer.theme import DARK, LIGHT, Theme, system_theme
from explorer.tools.kit import ToolKit
from explorer.viewing import Viewing
from explorer.views.plane import PlaneRange
from explorer.views.tile import tell
from explorer.wiring import connect_actions
from explorer.wording import in_words
from trainer.errors import InputError
from trainer.paintings import preset_names, preset_title, preset_weights
from trainer.projects import Project

FIRST_SIZE = (1280, 720)

EVERYTHING = Change(opened=True, size=True, components=True)

STILL = 4  # frames a second where motion is to be reduced


class MainWindow(Desks, QMainWindow):
    """One document and everything that is seen of it."""

    def __init__(
        self, preferences: Preferences | None = None, *, theme: str | None = None, device: str | None = None
    ) -> None:
        super().__init__()
        preferences = preferences or Preferences()
        self._theme_choice = theme or preferences.theme
        self._maps = (preferences.ground_map, preferences.error_map)
        self.document = Document()
        self.session = Session(self.document, device or preferences.device, self)
        self.plane = PlaneRange(parent=self)
        self.viewing = Viewing(parent=self)
        self.kit = ToolKit(self)
        self.scale = 1.0
        self._started = self._ended = False
        self.actions_by_name = make_actions(self)
        self._style()  # before there are widgets: each is then styled once
        self._build()
        self.showing = Showing(self)
        self.household: Household = Household(
            self,
            self,
            preferences,
            view_keys=VIEW_KEYS,
            more=lambda: [
                *command_entries("Settings", drawer.TITLES, self.show_page),
                *command_entries("View", TITLES, self.show_view),
                *command_entries("Preset", {n: preset_title(n) for n in preset_names()}, self._load_preset),
                *lesson_entries(self),
            ],
            above=[self.menuBar()],
            below=[self.transport],
            beside=[self.drawer],
        )
        self.files = FileDesk(
            self,
            self.document,
            self._opened,
            self._snapshot,
            self.household.tell,
            import_picture=self.import_from,
            open_model=lambda folder: self.gallery.open(folder),
            open_lesson=lambda path: self.lessons.open(path),
        )
        self.squares.tabled = lambda name: self.exports.can_export_curve(self.stage.tile(name), name)
        self._connect()
        self.prefer(preferences)
        self.showing.document(EVERYTHING)
        self.resize(*FIRST_SIZE)
        self.setAcceptDrops(True)
        if preferences.scale != 1.0:
            self.set_scale(preferences.scale)
            self.household.set_scale(preferences.scale)

    # --- building -----------------------------------------------------------------------------------------

    def _build(self) -> None:
        actions = self.actions_by_name
        self.squares = Squares(self.session, self)
        self.strip = BrushStrip(actions, self.kit)
        self.slider, self.timeline = NoiseSlider(), TrainingTimeline()
        self.axes = AxisPair(self.timeline, self.slider)
        self.parts = Composition(
            self.document,
            self.plane,
            viewing=self.viewing,
            kit=self.kit,
            strip=self.strip,
            between=self.axes,
            made=self._made,
        )
        self.stage = self.parts.stage
        self.transport = TransportBar(actions)
        self.pages = late_pages(self)
        self.drawer = Drawer(self.pages)
        self.pages.each(self._page_made)
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
        self.centre, self._row = centre, row
        self.toasts = ToastStack(centre)
        self.squares.begin(self.parts, lambda: self.card)
        self.menus = build_menus(self, actions)
        self.state = StateLine(self)
        self.later = AfterPaint(
            self.stage,
            [
                self.session.start,  # which must not be waited for
                *(partial(self.pages.__getitem__, name) for name in self.pages),
            ],
        )

    def put_aside(self, panel: QWidget) -> None:
        """Give a panel its place left of the squares."""
        self._row.insertWidget(0, panel)

    def _page_made(self, name: str, page: QWidget) -> None:
        """Say to a page that has just been made what the others have been told."""
        if hasattr(page, "show_document"):
            page.show_document(self.document, EVERYTHING)
        leave_files(page)

    def _made(self, name: str, view: QWidget) -> None:
        """Give a view that has just been made what the others have."""
        self.squares.made(name, view)
        if hasattr(view, "show_document"):
            view.show_document(self.document, EVERYTHING)
        if self._started and self.session.frame is not None:
            self.stage.tile(name).show_frame(self.session.frame)

    def _connect(self) -> None:
        self.menus["File"].insertMenu(self.actions_by_name["import"], self.household.recent_menu)
        self.menus["View"].insertMenu(self.actions_by_name["save_layout"], self.household.layout_menu)
        connect_actions(self)
        household, session = self.household, self.session
        household.preferred.connect(self.prefer)
        self.document.subscribe(self.showing.document)
        session.framed.connect(self.showing.frame)
        session.noticed.connect(household.heard)
        session.readied.connect(lambda device: setattr(household, "device", device))
        self.strip.preset_chosen.connect(self._load_preset)
        self.slider.changed.connect(lambda sigma: self.squares.set_look(sigma=sigma))
        self.plane.changed.connect(
            lambda: self.squares.set_look(centre=self.plane.centre, half_width=self.plane.half_width)
        )
        self.viewing.changed.connect(lambda _: self.squares.tell_wants())
        self.squares.turned.connect(self._turn_page)
        self.drawer.turned.connect(self._page_turned)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self.apply_theme)

    # --- life ---------------------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        """Start the engine once the window has been painted, and make then what is not seen yet."""
        super().showEvent(event)
        if not self._started:
            self._started = True
            self.squares.tell_wants()
            self.later.start()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask about unsaved changes, then end everything."""
        if self._ended or (self.files.may_leave() and (not made(self, "gallery") or self.gallery.may_leave())):
            self.shut_down(keep=False)
            event.accept()
        else:
            event.ignore()

    def shut_down(self, *, keep: bool = True) -> None:
        """End the engine and an export that runs; `keep` leaves the autosave. May be called twice."""
        if not self._ended:
            self._ended = True
            self.later.stop()
            if made(self, "lessons"):
                self.lessons.close(keep=keep)
            self.household.close(keep=keep)
            for name in CLOSED:
                if made(self, name):
                    getattr(self, name).close()
            self.session.close()

    def restart_engine(self) -> None:
        """End the engine and start it again, on the preferred device."""
        self.session.engine.device = self.session.device
        self.session.restart_engine()

    # --- edits --------------------------------------------------------------------------------------------

    def edit(self, command: Command) -> None:
        """Do a command of the document; a bad value is told, not done."""
        try:
            self.document.do(command)
        except InputError as error:
            self.household.tell("warning", in_words(str(error)))

    def adopt(self, project: Project, source: str = "") -> None:
        """Show what `source` holds as the document; a project is saved there again."""
        path = Path(source)
        self.files.adopt(project, path if path.suffix.lower() == SUFFIX else None)

    def import_from(self, path: Path) -> bool:
        """Ask how a picture or a table becomes the painting, and paint it."""
        from explorer.panels.importing import ask_import

        command = ask_import(self, str(path), self.document.size, self.theme)
        if command is not None:
            self.edit(command)
            self.files.remember(str(path))
        return True

    def _load_preset(self, name: str) -> None:
        self.edit(LoadPainting(preset_weights(name, self.document.size), name))

    def _opened(self, project: Project, recipe: Recipe) -> None:
        self.session.open(project, recipe)
        self.timeline.set_step(None)
        self.squares.set_look(step=None)
        places = story_places(len(self.document.scene.panes))
        if not set(PANE_VIEWS[: len(self.document.scene.panes)]) <= set(self.stage.places):
            self.stage.arrange(places)
        if project.journal or project.network is not None:
            self.slider.set_value(project.sigma)
            self.squares.set_look(sigma=self.slider.value())

    def _snapshot(self) -> Project:
        return self.session.project(self.slider.value())

    def carried(self) -> Project | None:
        """What an exported picture carries."""
        return self._snapshot() if self.household.preferences.session_inside else None

    def quick_snapshot(self) -> Project:
        """The project as it is now, without waiting for the engine."""
        return self.session.project(self.slider.value(), fresh=False)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files."""
        self.household.veil.enter(event)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """Take them no more."""
        self.household.veil.leave(event)

    def dropEvent(self, event: QDropEvent) -> None:
        """Open what was dropped."""
        self.household.veil.drop(event)

    # --- looking ------------------------------------------------------------------------------------------

    def drawer_page(self) -> str | None:
        """The page of settings that is open."""
        return self.drawer.page if self.drawer.isVisibleTo(self) else None

    def show_page(self, page: str | None) -> None:
        """Open this page of settings, or close the drawer."""
        if page is not None:
            self.drawer.turn(page)
        self.drawer.setVisible(page is not None)
        self.actions_by_name["drawer"].setChecked(page is not None)
        self._page_turned()

    def show_view(self, name: str) -> None:
        """Bring a view to the stage, in place of one that can be missed, and let the keyboard have it."""
        if name not in self.stage.places:
            needed = {"painting", "learned", "true", self.squares.touched, *PANE_VIEWS}
            places = self.stage.places
            self.stage.exchange(next((n for n in places if n not in needed), places[3]), name)
        self.stage.tile(name).content.setFocus()

    def _turn_page(self, view: str) -> None:
        if self.drawer.isVisible():
            self.drawer.turn(page_of(view))

    def _page_turned(self, _: str = "") -> None:
        """Ask for what the page that is open shows, and hand it the moment."""
        self.squares.also_wants = frozenset[Want](("race",) if self.drawer_page() == "race" else ())
        self.squares.tell_wants()
        self.showing.page()

    # --- colours and sizes --------------------------------------------------------------------------------

    @property
    def theme(self) -> Theme:
        """The colours in use."""
        theme = {"light": LIGHT, "dark": DARK}.get(self._theme_choice) or system_theme()
        return theme.with_maps(*self._maps)

    def prefer(self, preferences: Preferences) -> None:
        """Put preferences into effect; the scale of type comes by `set_scale`."""
        if self._started:
            self._theme_choice = preferences.theme
        self._maps = (preferences.ground_map, preferences.error_map)
        self.session.set_rate(min(preferences.fps, STILL) if preferences.reduced_motion else preferences.fps)
        self.session.device = preferences.device if self._started else self.session.device
        self.session.send(SetLimits(preferences.keyframes_mb * 2**20))
        self.document.history_limit = preferences.history_mb * 2**20
        self.apply_theme()

    def apply_theme(self) -> None:
        """Put the chosen or the desktop's colours on everything."""
        theme = self.theme
        self.actions_by_name[f"theme_{self._theme_choice}"].setChecked(True)
        self._style()
        self.state.set_scale(self.scale)
        parts = (self.stage, self.transport, self.drawer, self.toasts, self.strip, self.axes, self.household)
        for part in (*parts, *made(self, *DRESSED)):
            tell(part, "set_theme", theme)

    def _style(self) -> None:
        """Give ordinary controls their colours and their sheet; a change of it costs a look at every widget."""
        wanted = sheet(self.theme, self.scale)
        if wanted != self.styleSheet():
            dress(self.theme)
            self.setStyleSheet(wanted)

    def set_scale(self, factor: float) -> None:
        """Type everywhere so many times its usual size."""
        self.scale = factor
        self._style()
        for part in (self.stage, self.transport, self.drawer, self.toasts, self.state, *made(self, *DRESSED)):
            tell(part, "set_scale", factor)
