"""Curves as CSV: headers with units, every digit, and nothing for what is not known."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from explorer.tables import csv_text, training_table, write_table
from explorer.views.distances import DistancesView
from explorer.views.ledger import LedgerView
from tests.explorer.scenes import scene_frame, scene_of
from trainer.errors import InputError

FRAME = scene_frame(scene_of("langevin", "annealed"))


def read(text: str) -> tuple[list[str], list[list[str]]]:
    header, *rows = csv.reader(io.StringIO(text))
    return header, rows


def test_numbers_read_back_as_the_same_numbers() -> None:
    values = np.array([0.1, 1 / 3, 1e-7, 123456.789, 3.0, 16777217, 1e30], np.float32)
    _, rows = read(csv_text((["value"], [[value] for value in values])))
    assert np.array_equal(np.array([row[0] for row in rows], np.float32), values)
    assert rows[0] == ["0.1"]
    _, rows = read(csv_text((["value"], [[0.1 + 0.2], [None], [float("nan")], [7], ["word"]])))
    assert [row[0] if row else "" for row in rows] == ["0.30000000000000004", "", "", "7", "word"]


def test_training_curves_hold_every_loss_and_every_error() -> None:
    header, rows = read(csv_text(training_table(FRAME)))
    assert header[:4] == ["step", "seconds", "loss", "relative Fisher error at sigma 0.02"]
    assert len(header) == 8
    steps = np.array([int(row[0]) for row in rows])
    assert (np.diff(steps) > 0).all()
    losses = {int(row[0]): np.float32(row[2]) for row in rows if row[2]}
    assert losses == dict(zip(FRAME.curve_steps.astype(int).tolist(), FRAME.curve_loss, strict=True))
    errors = {int(row[0]): [np.float32(cell) for cell in row[3:]] for row in rows if row[3]}
    at = int(FRAME.error_steps[5])
    assert errors[at] == FRAME.errors[5].tolist()
    assert len(errors) == len(FRAME.error_steps)


def test_what_has_not_been_measured_is_left_empty() -> None:
    errors = FRAME.errors.copy()
    errors[3, 1] = 0
    rows = {row[0]: row for row in training_table(replace(FRAME, errors=errors))[1]}
    assert rows[int(FRAME.error_steps[3])][4] is None


def test_views_hand_over_their_own_tables(qtbot: object) -> None:
    ledger, distances = LedgerView(), DistancesView()
    for view in (ledger, distances):
        view.show_frame(FRAME)
    header, rows = read(csv_text(ledger.table()))
    assert header[:4] == ["mode", "x", "y", "true mass"]
    assert [row[0] for row in rows] == ["1", "2", "elsewhere"]
    assert np.float32(rows[0][4]) == np.float32(0.55)
    header, rows = read(csv_text(distances.table()))
    assert len(header) == 3
    assert [np.float32(row[2]) for row in rows] == [np.float32(v) for v in FRAME.pane_states[1].distances]
    ledger.deleteLater()
    distances.deleteLater()


def test_a_table_without_rows_and_a_place_that_is_not_there_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there are no values yet"):
        write_table(tmp_path / "a.csv", (["step"], []))
    with pytest.raises(InputError, match="nothing was changed, choose another place"):
        write_table(tmp_path / "no" / "a.csv", (["step"], [[1]]))
    assert list(tmp_path.iterdir()) == []
