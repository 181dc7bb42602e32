"""Which eight squares make the story, in reading order; the window and films are composed here, once.

What I painted, what was learned, what is true, how wrong; then, whose particles are right.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtWidgets import QWidget

from explorer.document import Document
from explorer.engine.messages import PANES
from explorer.views.canvas import Canvas
from explorer.views.curves import CurvesView
from explorer.views.field import FieldView
from explorer.views.ledger import LedgerView
from explorer.views.particles import ParticleView
from explorer.views.plane import PlaneRange
from explorer.views.sharebar import ShareBar
from explorer.views.stage import Stage

TITLES = {
    "painting": "Painting",
    "learned": "Learned score",
    "true": "True score",
    "error": "How wrong",
    "shares": "Shares",
    "ascent": "Ascent",
    "langevin": "Langevin",
    "annealed": "Annealed Langevin",
}


@dataclass(frozen=True)
class Composition:
    """The stage, and the views on it that somebody speaks to."""

    stage: Stage
    canvas: Canvas
    learned: FieldView
    true: FieldView
    curves: CurvesView
    ledger: LedgerView
    panes: tuple[ParticleView, ...]


def compose(
    document: Document, plane: PlaneRange, *, strip: QWidget | None = None, between: QWidget | None = None
) -> Composition:
    """The eight squares of the document, all on one range of the plane.

    `strip` goes below the canvas and `between` into the row between the two rows of squares.
    """
    stage = Stage()
    canvas = Canvas(document, plane)
    learned, true = FieldView("learned", plane), FieldView("true", plane)
    curves, ledger = CurvesView(), LedgerView()
    panes = tuple(ParticleView(pane, plane) for pane in range(len(PANES)))
    stage.put("painting", TITLES["painting"], canvas, strip)
    stage.put("learned", TITLES["learned"], learned)
    stage.put("true", TITLES["true"], true)
    stage.put("error", TITLES["error"], curves)
    if between is not None:
        stage.set_between(between)
    stage.put("shares", TITLES["shares"], ledger)
    for name, view in zip(PANES, panes, strict=True):
        stage.put(name, TITLES[name], view, ShareBar(name))
    return Composition(stage, canvas, learned, true, curves, ledger, panes)
