"""Charts of any number of panes: the ledger with a line for each, and the distances to the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from explorer.document import Change, ChangeFit, Document
from explorer.theme import LIGHT
from explorer.views.chart import blend
from explorer.views.distances import DistancesView
from explorer.views.ledger import LedgerView
from tests.explorer.releases import ledger_of, pane_state, released_frame
from tests.explorer.test_charts import of_colour, picture
from trainer.compatibility import compatible


def test_ledger_has_a_line_for_each_pane(qtbot: QtBot) -> None:
    shares = [[0.5, 0.4], [0.6, 0.3], [0.7, 0.2], [0.8, 0.2]]
    states = (*(pane_state("langevin", label=f"Langevin, ε {k}e-4") for k in range(1, 4)), pane_state("ode"))
    frame = released_frame(np.zeros((4, 10, 2), np.float32), states, modes=ledger_of(shares))
    view = LedgerView()
    qtbot.addWidget(view)
    view.resize(236, 236)
    view.show_frame(frame)
    assert view.names == ("Langevin, ε 1e-4", "Langevin, ε 2e-4", "Langevin, ε 3e-4", "ODE")
    assert len(view.text().splitlines()[1].split()) == 2 + 1 + 4 * 4
    pixels = picture(view, QColor(LIGHT.surface))
    green = of_colour(pixels, blend(QColor(LIGHT.surface), QColor(LIGHT.particles), 0.85)).sum(1)[:108]
    lengths = [int(part.max()) for part in np.split(green, np.flatnonzero(green == 0)) if part.max(initial=0) > 20]
    assert len(lengths) == 4
    assert np.array(lengths) / lengths[-1] == pytest.approx([0.5 / 0.8, 0.6 / 0.8, 0.7 / 0.8, 1], abs=0.05)
    header, lines = view.table()
    assert header[4:7] == ["share Langevin, ε 1e-4", "low Langevin, ε 1e-4", "high Langevin, ε 1e-4"]
    table = list(lines)
    assert [row[0] for row in table] == [1, 2, "elsewhere"]
    assert [float(v) for v in table[0][4::3]] == pytest.approx([0.5, 0.6, 0.7, 0.8])


def test_distances_lie_where_their_values_say(qtbot: QtBot) -> None:
    at = np.array([0.0, 0.5, 1.0], np.float32)
    states = (
        pane_state("langevin", distance_times=at, distances=np.array([1.0, 1.0, 1.0], np.float32)),
        pane_state("annealed", distance_times=at, distances=np.array([1.0, 0.1, 0.01], np.float32)),
    )
    view = DistancesView()
    qtbot.addWidget(view)
    view.resize(400, 300)
    view.show_frame(released_frame(np.zeros((2, 10, 2), np.float32), states))
    assert view.text() == "Langevin: 1.00; annealed: 0.0100"
    area = view._area()
    dark = of_colour(picture(view, QColor(LIGHT.surface)), view.shade(1))
    rows_of, cols = np.nonzero(dark[:, : int(area.right())])
    inside = (rows_of > area.top()) & (rows_of < area.bottom())
    rows_of, cols = rows_of[inside], cols[inside]
    low, high = view._range(np.array([1.0, 0.01]))
    assert (low, high) == (-2, 0)
    # The axis ends half a decade lower: 0.01 in a frame's single precision lies below 0.01.
    down = (cols - area.left()) / area.width() * 2 / (2 + math.log10(10 / 3)) * area.height()
    on = np.abs(rows_of - area.top() - down) < 4
    assert on.mean() > 0.9
    assert np.ptp(cols[on]) > 0.9 * area.width()
    header, lines = view.table()
    assert header == ["fraction of the run", "W2 to the truth Langevin", "W2 to the truth annealed"]
    assert [[float(v) for v in row] for row in lines] == pytest.approx(
        [pytest.approx(row) for row in ([0, 1, 1], [0.5, 1, 0.1], [1, 1, 0.01])]
    )
    assert "50 % of the run" in view.hint(area.center().x())
    view.show_frame(released_frame(np.zeros((0, 0, 2), np.float32), (pane_state(note="no"),)))
    assert view.text() == ""
    assert list(view.table()[1]) == []


def test_without_gaussian_noise_there_is_no_curve_to_wait_for(qtbot: QtBot) -> None:
    view = DistancesView()
    qtbot.addWidget(view)
    view.show_frame(released_frame(np.zeros((2, 10, 2), np.float32), (pane_state("langevin"), pane_state("annealed"))))
    assert view.waiting() == view.hint(5) == "Measuring the distance to the truth"
    document = Document()
    document.do(ChangeFit(compatible(document.fit, "kernel", "laplace").settings))
    view.show_document(document, Change(fit=True))
    assert view.waiting() == "The distance to the truth is known for Gaussian noise, not for Laplace noise"
    view.show_document(Document(), Change())
    assert view.waiting() == "Measuring the distance to the truth"
