"""A lesson of four steps that uses everything: a run, a change, a question, and another run."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from explorer.lessons.files import FORMAT, VERSION, from_json
from explorer.lessons.lesson import Lesson

QUESTION: dict[str, Any] = {
    "ask": "Which share of the particles ends in the small crescent?",
    "choices": [
        {"text": "Too few", "to": 0.15},
        {"text": "0.2", "from": 0.15, "to": 0.25},
        {"text": "Too many", "from": 0.25},
    ],
    "measure": {"quantity": "share", "pane": 2, "mode": 2},
    "when": {"clock": "particles", "amount": 1.0},
    "covers": ["pane2", "shares"],
    "do": ["release"],
    "learned": 400,
    "reveal": "Nothing crosses the **gap**.",
}


def values() -> dict[str, Any]:
    steps = [
        {
            "title": "Look",
            "text": "Two **crescents**.\n\nNothing between them.",
            "begin": {"painting": "crescents", "seed": 3},
            "show": ["painting", "learned"],
            "controls": ["axes"],
            "sigma": 0.3,
        },
        {"title": "Predict", "text": "Langevin dynamics.", "formula": "x + s", "explain": ["langevin"]},
        {"title": "Change", "text": "The true score.", "change": {"scene": {"source": "true"}}},
        {"title": "Another", "text": "A ring.", "begin": {"painting": "ring"}, "options": {"style": "texture"}},
    ]
    steps[1]["predict"] = deepcopy(QUESTION)
    return {"format": FORMAT, "version": VERSION, "title": "Four steps", "about": "For tests", "steps": steps}


def lesson() -> Lesson:
    return from_json(values())
