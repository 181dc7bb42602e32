"""Words on strokes whose strength is a share of the mass: what one will add or take, and what it has."""

from __future__ import annotations

from explorer.brush import Brush
from explorer.document import Document
from explorer.edits import Weights
from explorer.numbers import three
from explorer.paint.weighing import change_of_share
from trainer.components import Component
from trainer.projects import Setup


def mass_words(share: float) -> str:
    """A change of the mass as it is read out: "+10.0 % of the mass", "−2.50 % of the mass"."""
    return f"{'−' if share < 0 else '+'}{three(100 * abs(share))} % of the mass"


def promised(brush: Brush) -> str:
    """What a stroke of this brush adds, or takes where there is as much."""
    return mass_words(-brush.strength if brush.eraser else brush.strength)


def done(document: Document, brush: Brush) -> str:
    """What the stroke that is being drawn with this brush has added or taken so far."""
    return mass_words(change_of_share(_layers(document.beneath), _layers(document.setup), brush))


def spelt(amount: str, drawing: bool) -> str:
    """The amount, and before a stroke that its length does not count; "" stays ""."""
    return amount if drawing or not amount else f"{amount}, however long the stroke"


def _layers(setup: Setup) -> tuple[Weights, tuple[Component, ...]]:
    return (setup.weights if setup.paint is None else setup.paint), setup.components
