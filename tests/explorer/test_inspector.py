"""The inspector by hand, and the curves' floor, past and table."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage
from pytestqt.qtbot import QtBot

from explorer.viewing import Viewing
from explorer.views.curves import CurvesView
from explorer.views.inspector import InspectorView
from explorer.views.readings import HEADER, read
from tests.explorer.hands import LEFT, Key
from tests.explorer.moments import PINS, f32, moment


@pytest.fixture
def view(qtbot: QtBot) -> InspectorView:
    made = InspectorView()
    qtbot.addWidget(made)
    made.resize(230, 230)
    made.set_pins(PINS)
    made.show_frame(moment())
    with qtbot.waitExposed(made):
        made.show()
    drawn(made)
    return made


def drawn(view: InspectorView | CurvesView) -> np.ndarray:
    image = QImage(view.size(), QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.white)
    view.render(image)
    return np.asarray(image.constBits()).reshape(image.height(), image.width(), 4)[..., :3].copy()


def test_a_reading_is_arithmetic() -> None:
    found = read(f32(0.5, -0.5, 3, 4, 0, 5, -1, -7, -6, 0.25, 12), 0.5)
    assert found is not None
    assert found.size == (5, 5)
    assert found.gap == pytest.approx(10**0.5)
    assert found.relative == pytest.approx(10**0.5 / 5)
    assert found.angle == pytest.approx(36.8699)
    assert found.denoised_x == (1.25, 0.5)
    assert found.denoised_y == (0.5, 0.75)
    assert (found.divergence, found.curl, found.expected) == ((-7, -6), (0.25, 0), 12)
    still = read(f32(0, 0, 1, 0, 0, 0, -1), 0.5)
    assert still is not None
    assert (still.relative, still.angle, still.expected) == (None, None, None)
    assert read(f32(), 0.5) is None


def test_pins_by_key_and_mouse(qtbot: QtBot, view: InspectorView) -> None:
    seen: list[tuple[tuple[float, float], ...]] = []
    view.pins_changed.connect(seen.append)
    qtbot.keyClick(view, Key.Key_Delete)
    assert not seen, "the hovered point is no pin"
    qtbot.keyClick(view, Key.Key_2)
    qtbot.keyClick(view, Key.Key_Delete)
    assert seen == [(PINS[0], PINS[2])]
    drawn(view)
    qtbot.mouseClick(view, LEFT, pos=view._chips[1].center().toPoint())
    drawn(view)
    qtbot.mouseClick(view, LEFT, pos=view._cross.center().toPoint())
    assert seen[1] == (PINS[2],)
    for index in range(7):
        assert view.pin(index / 10, 0.0) == (index < 5)
    assert len(view.pins) == 6
    view.clear()
    assert seen[-1] == ()


def test_copies_as_text_and_csv(qtbot: QtBot, view: InspectorView) -> None:
    qtbot.keyClick(view, Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    text = QGuiApplication.clipboard().text()
    assert "pin 3: x = 0.900, y = −0.900, sigma = 0.120" in text
    rows = list(csv.DictReader(view.csv().splitlines()))
    assert [row["point"] for row in rows] == ["hover", "pin 1", "pin 2", "pin 3"]
    assert float(rows[2]["learned_score_x"]) == pytest.approx(float(moment().pins[1, 2]), rel=1e-6)
    assert rows[0]["expected"] == ""
    assert tuple(rows[0]) == HEADER
    actions = {action.text(): action for action in view.menu().actions()}
    actions["Copy as CSV"].trigger()
    assert QGuiApplication.clipboard().text() == view.csv()


def test_a_name_explains_itself(qtbot: QtBot, view: InspectorView) -> None:
    box = next(box for box, name in view._words if name == "curl")
    with qtbot.waitSignal(view.explain_wanted) as seen:
        qtbot.mouseClick(view, LEFT, pos=box.center().toPoint())
    assert seen.args == ["curl"]


def test_a_wide_square_shows_all_points(view: InspectorView) -> None:
    small = drawn(view)
    view.resize(640, 640)
    drawn(view)
    assert view._chips[3].right() > 550
    assert len(view._words) == 12
    view.set_pins(())
    view.show_frame(moment(probe=np.zeros(0, np.float32)))
    drawn(view)
    assert not view._words
    assert small.std() > 5


def test_the_curves_show_the_floor_and_the_past(qtbot: QtBot) -> None:
    viewing = Viewing()
    view = CurvesView(viewing=viewing)
    qtbot.addWidget(view)
    view.resize(300, 280)
    pictures = []
    for changes in ({"floor": f32()}, {}, {"shown_step": 64}):
        view.show_frame(moment(**changes))
        drawn(view)
        pictures.append(drawn(view))
    upper, lower = view._areas()
    plain, floor, past = pictures
    rows = np.flatnonzero((plain != floor).any(axis=(1, 2)))
    assert rows.min() > upper.bottom() - 2
    columns = (floor != past).any(axis=2)
    x = int(np.argmax(columns.sum(0)))
    low, high = view._span
    assert x == pytest.approx(upper.left() + (np.log10(64) - low) / (high - low) * upper.width(), abs=2)
    assert columns[int(upper.top()) + 2 : int(lower.bottom()) - 2, x].mean() > 0.7
    assert view.past() == 64
    viewing.set(in_seconds=True)
    assert view.in_seconds
    assert view.past() == pytest.approx(64 / 412, rel=0.05)
    qtbot.keyClick(view, Key.Key_T)
    assert not viewing.options.in_seconds


def test_curves_as_a_table_and_names_that_explain(qtbot: QtBot) -> None:
    view = CurvesView()
    qtbot.addWidget(view)
    assert list(view.table()[1]) == []
    frame = moment()
    view.resize(300, 280)
    view.show_frame(frame)
    drawn(view)
    header, found = view.table()
    rows = list(found)
    assert len(rows) == frame.curve_steps.size + frame.error_steps.size
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    errors = [row for row in rows if row[2] is None]
    assert errors[-1][header.index("relative_fisher_error_at_0.1")] == float(frame.errors[-1, 2])
    asked = []
    view.explain_wanted.connect(asked.append)
    for box, _ in view._words:
        qtbot.mouseClick(view, LEFT, pos=box.center().toPoint())
    assert asked == ["fisher", "loss", "floor"]
