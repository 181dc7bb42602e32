"""What every action does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, get_args

from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QMessageBox

from explorer.edits import ChangeRace, ChangeScene, Clear
from explorer.engine.messages import Move, MoveSteps, Release, Reset, RunRace, Seek, Train, TrainSteps
from explorer.layouts import RACE
from explorer.lessons.menu import fill_menu
from explorer.panes import one_more
from explorer.tools.kit import ToolOptions
from explorer.wording import in_words
from trainer.errors import InputError
from trainer.plans import RaceSettings, entrants
from trainer.settings import Source

if TYPE_CHECKING:
    from explorer.window import MainWindow


def connect_actions(window: MainWindow) -> None:
    """Tie the actions, buttons and pages of a window to what they do."""
    act = {name: action.triggered for name, action in window.actions_by_name.items()}
    for name, do in window.household.slots().items():
        act[name].connect(do)
    for table in (_files, _editing, _running, _looking, _teaching):
        for name, do in table(window).items():
            act[name].connect(do)
    window.timeline.step_chosen.connect(lambda step: window.squares.set_look(step=step))
    window.timeline.explain_wanted.connect(lambda word: window.squares.explain("learned", word))
    window.slider.explain_wanted.connect(lambda word: window.squares.explain("learned", word))
    window.transport.seek.connect(lambda step: window.session.send(Seek(step)))
    window.squares.exporting.connect(lambda kind, name: _export(window, kind, name))
    window.squares.pinned.connect(lambda: _tell_pinned(window))
    window.kit.changed.connect(lambda options: _mark_symmetry(window, options))


Doings = dict[str, Callable[..., object]]


def _files(window: MainWindow) -> Doings:
    return {
        "new": lambda: window.files.new(),
        "open": lambda: window.files.choose(),
        "import": lambda: _import(window),
        "open_model": lambda: window.gallery.choose(),
        "pictures": lambda: window.gallery.open_shipped(),
        "save": lambda: window.files.save(),
        "save_as": lambda: window.files.save_as(),
        "export_film": lambda: window.films.offer(".mp4", window.theme, window.slider.value()),
        "export_picture": lambda: window.films.offer(".png", window.theme, window.slider.value()),
        "export_panel": lambda: _export(window, "panel", window.squares.touched),
        "export_curve": lambda: _export(window, "curve", window.squares.touched),
        "export_painting": lambda: _export_painting(window),
        "export_score": lambda: window.exports.export_score(),
        "export_script": lambda: window.exports.export_script(),
        "copy_picture": lambda: window.exports.copy_picture(window.stage),
        "quit": window.close,
        "about": lambda: _show_about(window),
    }


def _editing(window: MainWindow) -> Doings:
    kit = window.kit

    def mirror(field: str, on: bool) -> None:
        kit.set(symmetry=replace(kit.options.symmetry, **{field: on}))

    return {
        "undo": window.document.undo,
        "redo": window.document.redo,
        "clear": lambda: window.edit(Clear()),
        "select_all": kit.select_all.emit,
        "delete": kit.delete_wanted.emit,
        "mirror_left_right": lambda on: mirror("left_right", on),
        "mirror_up_down": lambda on: mirror("up_down", on),
        "turns": lambda: window.show_page("painting"),
    }


def _running(window: MainWindow) -> Doings:
    session, timeline = window.session, window.timeline
    sources = {
        f"source_{source}": lambda _=False, s=source: window.edit(ChangeScene(window.document.scene.with_source(s)))
        for source in get_args(Source)
    }
    return sources | {
        "train": lambda on: session.send(Train(on)),
        "train_step": lambda: session.send(TrainSteps()),
        "train_reset": lambda: session.send(Reset(window.document.seed)),
        "train_back": timeline.back,
        "train_forward": timeline.forward,
        "train_first": timeline.go_first,
        "train_live": timeline.go_live,
        "race": lambda on: _race(window, on),
        "restart_engine": window.restart_engine,
        "particles_play": lambda on: session.send(Move(on)),
        "particles_step": lambda: session.send(MoveSteps()),
        "particles_back": window.transport.back,
        "particles_release": lambda: session.send(Release()),
        "release_past": lambda: session.send(Release(window.squares.look.step)),
        "pane_add": lambda: _add_pane(window),
        "pane_remove": lambda: _remove_pane(window),
        "follow_none": lambda: window.squares.set_look(followed=-1),
    }


def _looking(window: MainWindow) -> Doings:
    viewing = window.viewing
    actions = window.actions_by_name
    viewing.changed.connect(lambda options: actions["trails"].setChecked(options.trails))
    viewing.changed.connect(lambda options: actions["time_axis"].setChecked(options.in_seconds))

    def theme(choice: str) -> None:
        window.household.change(theme=choice)

    return {
        "drawer": lambda on: window.show_page(window.drawer.page if on else None),
        "swap": window.squares.swap_touched,
        "zoom_reset": window.plane.reset,
        "sigma_down": lambda: window.slider.nudge(-2),
        "sigma_up": lambda: window.slider.nudge(2),
        "time_axis": lambda on: viewing.set(in_seconds=on),
        "trails": lambda on: viewing.set(trails=on),
        "loop_tool": lambda: _draw_loop(window),
        "theme_system": lambda: theme("system"),
        "theme_light": lambda: theme("light"),
        "theme_dark": lambda: theme("dark"),
        "full_screen": lambda on: window.showFullScreen() if on else window.showNormal(),
        "explain": lambda: window.squares.explain(window.squares.touched),
    }


def _teaching(window: MainWindow) -> Doings:
    menu = window.menus["Lesson"]
    menu.aboutToShow.connect(lambda: fill_menu(window), Qt.ConnectionType.SingleShotConnection)
    return {
        "lesson_next": lambda: window.lessons.player.next(),
        "lesson_back": lambda: window.lessons.player.back(),
        "lesson_end": lambda: window.lessons.player.end(),
        "lesson_open": lambda: window.lessons.choose(),
        "lesson_write": lambda: window.lessons.write(),
    }


def _tell_pinned(window: MainWindow) -> None:
    window.household.tell(
        "info",
        "Pinned. The inspector lists all that is known of the point.",
        action="Show inspector",
        on_action=lambda: window.show_view("inspector"),
    )


def _import(window: MainWindow) -> None:
    from explorer.panels.importing import choose_import

    command = choose_import(window, window.document.size, window.theme)
    if command is not None:
        window.edit(command)


def _export_painting(window: MainWindow) -> None:
    from explorer.panels.importing import choose_export

    try:
        path = choose_export(window, window.document.weights, window.document.name)
    except InputError as error:
        window.household.tell("error", in_words(str(error)))
        return
    if path is not None:
        window.household.tell("info", f"Saved {path.name}")


def _export(window: MainWindow, kind: str, name: str) -> None:
    stage = window.stage
    name = name if name in stage.seen else stage.seen[0]
    if kind == "panel":
        window.exports.export_panel(stage.tile(name))
    else:
        window.exports.export_curve(stage.tile(name), name)


def _race(window: MainWindow, on: bool) -> None:
    """Run the race or hold it; the first time there are three entrants to begin with."""
    if on and not window.document.race.entrants:
        window.edit(ChangeRace(RaceSettings(entrants())))
    if on and not {"race", "race_curves"} & set(window.stage.seen):
        window.household.arranger.show_layout(RACE)
    window.session.send(RunRace(on))


def _add_pane(window: MainWindow) -> None:
    window.edit(ChangeScene(one_more(window.document.scene)))


def _remove_pane(window: MainWindow) -> None:
    scene = window.document.scene
    if len(scene.panes) > 1:
        window.edit(ChangeScene(replace(scene, panes=scene.panes[:-1])))


def _draw_loop(window: MainWindow) -> None:
    window.show_view("curl")
    window.parts.view("curl").next_tool()  # type: ignore[attr-defined]  # the view of this name is a CurlView


def _mark_symmetry(window: MainWindow, options: ToolOptions) -> None:
    window.actions_by_name["mirror_left_right"].setChecked(options.symmetry.left_right)
    window.actions_by_name["mirror_up_down"].setChecked(options.symmetry.up_down)


def _show_about(window: MainWindow) -> None:
    from explorer.system import facts

    lines = "<br>".join(f"{name}: {value}" for name, value in facts(window.household.device).items())
    box = QMessageBox(window)
    box.setWindowTitle("About Score Explorer")
    box.setTextFormat(Qt.TextFormat.RichText)
    text = "Paint a density, watch a network learn its score, and release particles."
    box.setText(f"<p>{text}</p><p>{lines}</p>")
    box.setStandardButtons(QMessageBox.StandardButton.Close)
    box.button(QMessageBox.StandardButton.Close).setIcon(QIcon())
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.open()
