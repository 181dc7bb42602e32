"""The parts around a document, together in a window that has nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QLabel, QLineEdit, QMainWindow, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from explorer.actions import make_actions
from explorer.autosave import Autosave
from explorer.document import Document
from explorer.edits import ChangeSeed
from explorer.files import FileDesk
from explorer.household import Household, command_entries
from explorer.layouts import BUILT_IN, layouts_file, read_arrangement
from explorer.panels.toasts import ToastStack
from explorer.places import autosave_folder, config_folder
from explorer.preferences import Preferences, preferences_file, read_preferences
from explorer.recipe import Recipe
from explorer.theme import DARK
from explorer.viewing import Viewing
from tests.explorer.hands import LEFT, Key
from tests.explorer.test_processes import loaded_after
from trainer.projects import Project, read_project


class Stage(QWidget):
    """Eight names and which of them are large."""

    def __init__(self) -> None:
        super().__init__()
        self.places = BUILT_IN[0].places
        self.doubled: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return self.places

    def arrange(self, names: tuple[str, ...]) -> None:
        self.places = names

    def double(self, name: str) -> None:
        self.doubled = (*self.doubled, name)

    def halve(self) -> None:
        self.doubled = ()

    def present(self, names: tuple[str, ...]) -> None:
        pass


class Window(QMainWindow):
    """What `Home` asks for, and no more."""

    def __init__(self) -> None:
        super().__init__()
        self.document, self.stage, self.viewing = Document(), Stage(), Viewing()
        self.actions_by_name = make_actions(self)
        self.setCentralWidget(self.stage)
        self.toasts = ToastStack(self.stage)
        self.page: str | None = None
        self.scales: list[float] = []
        self.restarts = 0
        self.bar = QLabel("bar", self.stage)
        self.household: Household
        self.files = FileDesk(
            self,
            self.document,
            lambda project, recipe: None,
            self.quick_snapshot,
            lambda *args, **more: self.household.tell(*args, **more),
        )
        more = lambda: command_entries("Settings", {"race": "Race"}, self.show_page)  # noqa: E731
        self.household = Household(self, self, read_preferences()[0], more=more, below=[self.bar])

    def quick_snapshot(self) -> Project:
        return Recipe(self.document.setup).to_project(self.document.setup)

    def restart_engine(self) -> None:
        self.restarts += 1

    def set_scale(self, factor: float) -> None:
        self.scales.append(factor)

    def drawer_page(self) -> str | None:
        return self.page

    def show_page(self, page: str | None) -> None:
        self.page = page


Make = Callable[[], Window]


@pytest.fixture
def make(qtbot: QtBot) -> Iterator[Make]:
    made: list[Window] = []

    def one() -> Window:
        window = Window()
        made.append(window)
        qtbot.addWidget(window)
        window.resize(1000, 700)
        with qtbot.waitActive(window):
            window.show()
        return window

    yield one
    for window in made:
        window.household.close()


def lines(window: Window) -> list[str]:
    return [toast.text for toast in window.toasts.toasts]


def leave_behind(seed: int, source: Path | None = None) -> None:
    """An autosave as a process leaves it that is ended from outside."""
    document = Document()
    document.path = source
    kept = Autosave(document, lambda: Recipe(document.setup).to_project(document.setup))
    document.do(ChangeSeed(seed))
    assert kept.flush()
    kept.close(keep=True)


def answer(window: Window, words: str) -> None:
    """Press the button of the one question."""
    (question,) = window.findChildren(QMessageBox)
    assert "or start fresh?" in question.text()
    next(button for button in question.buttons() if button.text().replace("&", "") == words).click()


def test_all_of_it_loads_neither_torch_nor_pyqtgraph() -> None:
    assert not loaded_after("import explorer.household, explorer.guard") & {"torch", "pyqtgraph"}


def test_what_was_open_is_restored_after_one_question(qtbot: QtBot, make: Make, tmp_path: Path) -> None:
    leave_behind(31, tmp_path / "moons.scorex")
    window = make()
    window.household.start(ask=True)
    answer(window, "Restore")
    assert window.document.seed == 31
    assert window.document.changed
    assert window.document.path == tmp_path / "moons.scorex"
    assert lines(window)[-1].startswith("Restored moons.scorex at ")
    (file,) = autosave_folder().glob("*.scorex")  # it is kept again before the old one goes
    assert file == window.household.autosave.file
    assert read_project(file).setup.seed == 31
    window.household.close()
    assert list(autosave_folder().iterdir()) == []


def test_starting_fresh_keeps_what_was_open(make: Make) -> None:
    leave_behind(32)
    leave_behind(33)
    window = make()
    window.household.start(ask=True)
    answer(window, "Start fresh")
    assert window.document.seed == 0
    kept = sorted(window.household.restorer.recovery.kept.glob("*.scorex"))
    assert {read_project(path).setup.seed for path in kept} == {32, 33}
    assert lines(window) == ["2 documents that were open are kept in the folder of autosaves"]
    again = make()
    again.household.start(ask=True)
    assert again.findChildren(QMessageBox) == []


def test_with_a_file_named_there_is_no_question(qtbot: QtBot, make: Make) -> None:
    leave_behind(34)
    window = make()
    window.household.start(ask=False)
    assert window.findChildren(QMessageBox) == []
    (toast,) = window.toasts.toasts
    qtbot.mouseClick(toast.action, LEFT)
    assert window.document.seed == 34


def test_what_goes_wrong_with_files_is_told_and_kept(make: Make) -> None:
    config_folder().mkdir(parents=True)
    layouts_file().write_text("damaged")
    window = make()
    window.household.start(["preferences.json: fps: 9 is out of range."], [(datetime.now(), "Fatal")], ask=True)
    texts = [notice.text for notice in window.household.log.notices]
    assert len(texts) == 3
    assert "fps" in texts[0]
    assert ".damaged" in texts[1]
    assert "ended by a fault" in texts[2]
    assert window.household.log.notices[2].details == "Fatal"


def test_an_exception_in_a_slot_is_a_message_with_details(qtbot: QtBot, make: Make) -> None:
    window = make()
    window.household.start(ask=True)
    QTimer.singleShot(0, lambda: {}["lost"])
    qtbot.waitUntil(lambda: bool(window.toasts.toasts))
    (toast,) = window.toasts.toasts
    assert toast.level == "error"
    assert "KeyError" in toast.text
    assert "Traceback" in toast.details
    assert "Traceback" in window.household.board.report()


def test_preferences_hold_at_once_and_at_the_next_start(qtbot: QtBot, make: Make) -> None:
    window = make()
    held: list[Preferences] = []
    window.household.preferred.connect(held.append)
    dialog = window.household.dialog
    window.household.show_preferences()

    def type_in(name: str, text: str) -> None:
        editor = dialog.rows[name].editor
        assert isinstance(editor, QLineEdit)
        editor.selectAll()
        qtbot.keyClicks(editor, text)
        qtbot.keyClick(editor, Key.Key_Return)

    type_in("font_size", "150")
    assert window.scales == [1.5]
    type_in("fps", "500")
    assert dialog.rows["fps"].error() == "frames per second: 500 is out of range; give a number between 10 and 120"
    type_in("fps", "30")
    dialog.switches["autosave"].click()
    window.household.change(theme="dark")
    assert dialog.rows["theme"].value() == "dark"
    wanted = Preferences(theme="dark", font_size=150, fps=30, autosave=False)
    assert held[-1] == window.household.preferences == wanted
    qtbot.waitUntil(preferences_file().exists)
    assert read_preferences() == (wanted, ())
    window.document.do(ChangeSeed(1))
    assert window.household.autosave.flush()
    assert not list(autosave_folder().glob("*.scorex"))
    qtbot.mouseClick(dialog.defaults, LEFT)
    assert held[-1] == Preferences()
    assert window.scales[-1] == 1.0
    window.household.close()
    assert read_preferences() == (Preferences(), ())


def test_layouts_are_chosen_saved_removed_and_restored(make: Make) -> None:
    window = make()
    errors = BUILT_IN[1]
    window.household.arranger.show_layout(errors)
    assert window.stage.places == errors.places
    window.stage.double("true")
    window.viewing.set(style="texture")
    window.show_page("particles")
    window.household.arranger.save("Mine")
    window.household.arranger.save("Story")
    assert "shipped" in lines(window)[-1]
    menu = window.household.layout_menu
    menu.fill()
    words = [action.text() for action in menu.actions()]
    assert words[:6] == [f"&{i + 1}  {name}" for i, name in enumerate([*(each.name for each in BUILT_IN), "Mine"])]
    window.household.arranger.show_layout(BUILT_IN[0])
    assert (window.stage.doubled, window.page, window.viewing.options.style) == ((), None, "arrows")
    menu.actions()[5].trigger()
    assert (window.stage.doubled, window.page, window.viewing.options.style) == (("true",), "particles", "texture")
    window.setGeometry(60, 70, 700, 500)
    window.household.close()
    again = make()
    again.household.arranger.restore()
    assert again.stage.places == errors.places
    assert again.stage.doubled == ("true",)
    assert again.page == "particles"
    assert again.size() == window.size()
    menu = again.household.layout_menu
    menu.fill()
    menu.removed.emit("Mine")
    assert read_arrangement()[0].saved == ()


def test_the_palette_knows_actions_pages_layouts_and_recent_files(make: Make, tmp_path: Path) -> None:
    window = make()
    path = tmp_path / "moons.scorex"
    path.touch()
    window.files.remember(path)
    window.household.palette.open()
    found = {entry.name: entry for entry in window.household.palette.found}
    assert {"train", "Settings: race", "layout: Errors", f"recent: {path}"} <= set(found)
    found["Settings: race"].run()
    assert window.page == "race"


def test_recent_files_open_from_the_menu(make: Make, tmp_path: Path) -> None:
    window = make()
    window.document.path = tmp_path / "a & b.scorex"
    window.document.do(ChangeSeed(8))
    assert window.files.save()
    window.document.do(ChangeSeed(9))
    window.document.mark_saved(window.document.path)
    menu = window.household.recent_menu
    menu.fill()
    assert menu.actions()[0].text() == "&1  a && b.scorex"
    menu.actions()[0].trigger()
    assert window.document.seed == 8
    menu.actions()[-1].trigger()
    menu.fill()
    assert [action.isEnabled() for action in menu.actions()] == [False]


def test_an_engine_that_gave_up_and_another_device_offer_a_restart(qtbot: QtBot, make: Make) -> None:
    window = make()
    window.household.heard("warning", "The engine stopped and was started again.", "")
    assert window.toasts.toasts[-1].action.isHidden()
    window.household.heard("error", "The engine stopped again and again.", "exit code -9")
    qtbot.mouseClick(window.toasts.toasts[-1].action, LEFT)
    window.household.change(device="cpu")
    assert "cpu" in lines(window)[-1]
    qtbot.mouseClick(window.toasts.toasts[-1].action, LEFT)
    assert window.restarts == 2


def test_files_dragged_anywhere_are_named_and_opened(make: Make, tmp_path: Path) -> None:
    window = make()
    path = tmp_path / "points.csv"
    path.write_text("".join(f"{0.1 * i},0.5,1\n" for i in range(9)))
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    where = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    veil = window.household.veil
    enter = QDragEnterEvent(QPoint(5, 5), Qt.DropAction.CopyAction, data, *where)
    veil.enter(enter)
    assert enter.isAccepted()
    assert veil.isVisible()
    veil.leave(QDragLeaveEvent())
    assert not veil.isVisible()
    veil.drop(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, *where))
    assert window.document.name == "points"
    text = QMimeData()
    text.setText("words")
    refused = QDragEnterEvent(QPoint(5, 5), Qt.DropAction.CopyAction, text, *where)
    refused.ignore()
    veil.enter(refused)
    assert not refused.isAccepted()
    assert not veil.isVisible()
    assert not any(field.acceptDrops() for field in window.household.dialog.findChildren(QLineEdit))


def test_themes_and_scales_reach_every_part(make: Make) -> None:
    window = make()
    household = window.household
    household.set_theme(DARK)
    household.set_scale(1.6)
    assert household.palette.theme is household.sheet.theme is DARK
    assert household.palette.factor == household.sheet.factor == 1.6
    assert household.board.heading.font().pixelSize() == round(22 * 1.6)
