"""Finding commands by letters, running them from the keyboard, and the sheet of all keys."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QFontMetrics, QShortcut
from PySide6.QtWidgets import QLineEdit, QMainWindow, QWidget
from pytestqt.qtbot import QtBot

from explorer.actions import SPECS, ActionSpec, make_actions
from explorer.actions import VIEW_KEYS as VIEW_KEYS_OF_ALL
from explorer.panels.keysheet import KeySheet, key_groups, matching, starts
from explorer.panels.palette import CommandPalette, Entry, entries_of, plain
from explorer.search import ranked, score
from explorer.theme import CONTROL, DARK, font
from tests.explorer.hands import LEFT, Key

# --- searching ---


@pytest.mark.parametrize(
    ("query", "text"),
    [("exp", "Export film"), ("film", "Export film"), ("ef", "Export film"), ("xpf", "Export film"), ("", "Quit")],
)
def test_letters_are_found(query: str, text: str) -> None:
    assert score(query, text) > 0


@pytest.mark.parametrize(
    ("query", "text"), [("fe", "Export film"), ("exx", "Export film"), ("film zoo", "Export film")]
)
def test_what_is_not_there_is_not_found(query: str, text: str) -> None:
    assert score(query, text) == 0


def test_better_finds_come_first() -> None:
    texts = ["Copy picture", "Export picture", "Pictures of the run", "Spread of particles in culture", "Quit"]
    assert ranked("pic", texts, str) == ["Pictures of the run", "Copy picture", "Export picture", *texts[3:4]]
    assert ranked("", texts, str, recent=[texts[4], texts[1]]) == [texts[4], texts[1], *texts[:1], *texts[2:4]]
    assert ranked("picture", texts[:2], str, recent=[texts[1]]) == [texts[1], texts[0]]


def test_what_is_called_so_leads_in_the_order_given() -> None:
    """However short the others are and however lately they were used."""
    items = [("Race", "Train > Objectives of all kinds"), ("Race", "View"), ("Race curves", "View"), ("Trace", "View")]
    found = ranked("race", items, " ".join, recent=[items[3], items[2], items[1]], title=lambda item: item[0])
    assert found[:2] == items[:2]
    assert set(found) == set(items)
    assert ranked("  RACE ", items, " ".join, title=lambda item: item[0])[:2] == items[:2]
    assert ranked("race curves", items, " ".join, title=lambda item: item[0]) == [items[2]]


def test_what_it_means_is_found_by_whole_beginnings_only() -> None:
    assert score("noise", "Particles", "their starting noise") > 0
    assert score("oise", "Particles", "their starting noise") == 0


def test_menu_texts_without_marks() -> None:
    assert plain("Save &as…") == "Save as"
    assert plain("&Fish && chips") == "Fish & chips"


# --- the palette ---


@pytest.fixture
def window(qtbot: QtBot) -> QMainWindow:
    main = QMainWindow()
    qtbot.addWidget(main)
    main.setCentralWidget(QLineEdit())
    main.resize(1000, 700)
    with qtbot.waitActive(main):
        main.show()
    return main


def test_every_action_of_the_menus_is_in_the_palette(window: QMainWindow) -> None:
    actions = make_actions(window)
    entries = entries_of(SPECS, actions)
    assert {entry.name for entry in entries} == set(actions)
    by_name = {entry.name: entry for entry in entries}
    assert by_name["train"].checked is False
    assert by_name["save"].checked is None
    assert by_name["save"].key == "Ctrl+S"


def test_an_action_leads_the_view_of_its_name(qtbot: QtBot, window: QMainWindow) -> None:
    actions = make_actions(window)

    def entries() -> list[Entry]:
        views = [Entry("View: painting", "Painting", "View", list), Entry("View: surface", "Surface", "View", list)]
        return [*entries_of(SPECS, actions), *views]

    palette = CommandPalette(window, entries)
    palette.used = ["View: painting"]
    palette.open()
    qtbot.keyClicks(palette.field, "painting")
    assert [entry.name for entry in palette.found[:2]] == ["export_painting", "View: painting"]


def test_what_needs_a_past_field_or_a_lesson_is_disabled_at_first(window: QMainWindow) -> None:
    disabled = {name for name, action in make_actions(window).items() if not action.isEnabled()}
    assert disabled == {"release_past", "lesson_next", "lesson_back", "lesson_end"}


def test_return_does_what_is_chosen_and_it_leads_the_next_time(qtbot: QtBot, window: QMainWindow) -> None:
    done: list[str] = []
    names = ("Export film", "Export picture", "Train", "Quit")
    entries = [Entry(name, name, "File", lambda n=name: done.append(n)) for name in names]
    palette = CommandPalette(window, lambda: entries)
    window.centralWidget().setFocus()
    palette.open()
    assert palette.field.hasFocus()
    qtbot.keyClicks(palette.field, "expo")
    assert [entry.name for entry in palette.found] == ["Export film", "Export picture"]
    qtbot.keyClick(palette.field, Key.Key_Down)
    qtbot.keyClick(palette.field, Key.Key_Return)
    assert done == ["Export picture"]
    assert not palette.isVisible()
    assert window.centralWidget().hasFocus()
    palette.open()
    assert [entry.name for entry in palette.found] == ["Export picture", "Export film", "Train", "Quit"]
    qtbot.keyClick(palette.field, Key.Key_Up)
    assert palette.list.currentRow() == 3
    item = palette.list.visualItemRect(palette.list.item(2)).center()
    qtbot.mouseClick(palette.list.viewport(), LEFT, pos=item)
    assert done == ["Export picture", "Train"]


def test_escape_and_a_click_beside_leave(qtbot: QtBot, window: QMainWindow) -> None:
    pressed: list[int] = []
    shortcut = QShortcut("Esc", window)
    shortcut.activated.connect(lambda: pressed.append(1))
    palette = CommandPalette(window, list)
    palette.open()
    qtbot.keyClick(palette.field, Key.Key_Escape)
    assert not palette.isVisible()
    palette.open()
    qtbot.mouseClick(palette, LEFT, pos=QPoint(5, 600))
    assert not palette.isVisible()
    assert pressed == []
    window.centralWidget().hide()
    palette.open()
    qtbot.keyClick(palette.field, Key.Key_Escape)
    qtbot.keyClick(window, Key.Key_Escape)  # the closed palette keeps no key to itself
    assert not palette.field.hasFocus()
    assert pressed == [1]


def test_what_cannot_be_done_now_is_not_done(qtbot: QtBot, window: QMainWindow) -> None:
    action = QAction("&Redo", window)
    action.setEnabled(False)
    action.triggered.connect(lambda: pytest.fail("done"))
    spec = ActionSpec("redo", "Edit", "&Redo", ("Ctrl+Y",), "Do it again")
    palette = CommandPalette(window, lambda: entries_of((spec,), {"redo": action}))
    palette.open()
    qtbot.keyClick(palette.field, Key.Key_Return)
    assert palette.isVisible()
    assert palette.list.item(0).text() == "Redo"


def test_nothing_found_and_too_large_a_window_are_drawn(qtbot: QtBot, window: QMainWindow) -> None:
    palette = CommandPalette(window, lambda: entries_of(SPECS, make_actions(window)))
    palette.set_theme(DARK)
    palette.set_scale(1.6)
    palette.open()
    assert palette.sheet().bottom() < window.height()
    window.resize(500, 300)
    assert palette.size() == window.size()
    assert palette.rect().contains(palette.sheet())
    qtbot.keyClicks(palette.field, "zzzz")
    assert palette.found == ()
    qtbot.keyClick(palette.field, Key.Key_Return)
    assert palette.isVisible()


# --- the sheet ---

VIEW_KEYS = [("Canvas", "B, E", "Brush or eraser"), ("Squares", "Return", "Large, and small again")]


def test_every_key_is_on_the_sheet_once() -> None:
    groups = key_groups(SPECS, VIEW_KEYS)
    wanted = sum(bool(spec.name and spec.keys) for spec in SPECS) + len(VIEW_KEYS)
    assert sum(len(group.rows) for group in groups) == wanted
    assert [group.title for group in groups][-2:] == ["Canvas", "Squares"]
    edit = next(group for group in groups if group.title == "Edit")
    assert ("Ctrl+Shift+Z, Ctrl+Y", "Redo") in edit.rows


def test_the_filter_looks_at_keys_words_and_places() -> None:
    groups = key_groups((), VIEW_KEYS)
    assert matching(groups, "eraser") == (groups[0],)
    assert matching(groups, "squares return") == (groups[1],)
    assert matching(groups, "eraser return") == ()
    assert matching(groups, "") == groups


def test_the_sheet_filters_fits_and_leaves(qtbot: QtBot, window: QMainWindow) -> None:
    sheet = KeySheet(window, SPECS, VIEW_KEYS_OF_ALL)
    window.resize(1280, 720)
    sheet.open()
    assert sheet.body.height() <= sheet.area.height()  # all keys without scrolling at the design's size
    assert sheet.body.width() <= sheet.area.width()
    usual = QFontMetrics(font(CONTROL))
    for group in key_groups(SPECS, VIEW_KEYS_OF_ALL):
        ends = starts(group, sheet.body.column_width, 1.0)
        widths = [start + usual.horizontalAdvance(what) for start, (_, what) in zip(ends, group.rows, strict=True)]
        assert max(widths) <= sheet.body.column_width, group  # no word is cut off
    qtbot.keyClicks(sheet.field, "inspector choose")
    assert [group.title for group in sheet.shown] == ["Some squares"]
    assert len(sheet.shown[0].rows) == 1
    assert "unpin" in sheet.body.accessibleDescription()
    qtbot.keyClicks(sheet.field, "zzz")
    assert sheet.shown == ()
    qtbot.keyClick(sheet.field, Key.Key_F1)
    assert not sheet.isVisible()
    sheet.open()
    assert len(sheet.shown) > 5
    window.resize(700, 400)
    sheet.set_scale(1.6)
    assert sheet.body.height() > sheet.area.height()
    bar = sheet.area.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0)
    qtbot.keyClick(sheet.field, Key.Key_PageDown)
    assert bar.value() > 0
    qtbot.keyClick(sheet.field, Key.Key_Escape)
    assert not sheet.isVisible()


def test_signs_between_words_do_not_matter_and_nothing_found_is_said(qtbot: QtBot) -> None:
    host = QWidget()
    host.resize(900, 600)
    qtbot.addWidget(host)
    entries = [Entry("race", "Race", "Settings", lambda: None), Entry("line", "Line", "Edit > Tool", lambda: None)]
    palette = CommandPalette(host, lambda: entries)
    host.show()
    palette.open()
    qtbot.keyClicks(palette.field, "Settings: race")
    assert [entry.name for entry in palette.found] == ["race"]
    palette.field.clear()
    qtbot.keyClicks(palette.field, "qqqq")
    assert palette.found == ()
    assert palette.list.item(0).text().startswith("Nothing is called that")
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert palette.isVisible()
