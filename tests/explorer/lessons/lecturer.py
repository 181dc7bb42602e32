"""What tests of writing share: a small draft, and the hands of whoever writes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtWidgets import QPlainTextEdit, QWidget
from pytestqt.qtbot import QtBot

from explorer.lessons.draft import Draft, DraftChoice, DraftQuestion, DraftStep
from explorer.lessons.writer import LessonWriter
from tests.explorer.hands import LEFT, type_into
from trainer.plans import RaceSettings, entrants
from trainer.projects import Project, Setup, project_bytes

SETUP = Setup(np.eye(32, dtype=np.float32), "diagonal", race=RaceSettings(entrants()))
PROJECT = Project(SETUP, SETUP, steps=412, sigma=0.3)
ASKED = DraftQuestion("How many?", (DraftChoice("few", None, 0.5), DraftChoice("many", 0.5, None)))
GOOD = Draft("L", "", (DraftStep("One", "first", begin=PROJECT), DraftStep("Two", "then", question=ASKED)))


def told(draft: Draft) -> Draft:
    """The draft with each project as the bytes of its file: projects themselves are equal to none but themselves."""
    plain = [replace(s, begin=project_bytes(s.begin) if isinstance(s.begin, Project) else s.begin) for s in draft.steps]  # type: ignore[arg-type]
    return replace(draft, steps=tuple(plain))


def press(qtbot: QtBot, writer: LessonWriter, name: str) -> None:
    qtbot.mouseClick(writer.buttons[name], LEFT)


def prose(qtbot: QtBot, editor: QWidget, text: str) -> None:
    assert isinstance(editor, QPlainTextEdit)
    editor.setFocus()
    editor.selectAll()
    qtbot.keyClicks(editor, text)


def one_step(qtbot: QtBot, writer: LessonWriter) -> None:
    type_into(qtbot, writer.title.editor, "My lesson")
    qtbot.mouseClick(writer.steps.add, LEFT)
    type_into(qtbot, writer.form.title.editor, "First")
    prose(qtbot, writer.form.text.editor, "Some **words**.")
