"""Questions that several desks put."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from PySide6.QtWidgets import QMessageBox, QWidget


def may_replace(parent: QWidget, title: str, path: Path, more: str = "") -> bool:
    """Ask whether a file that is there may be replaced, where no file dialog has asked; `more` is a second line."""
    question = QMessageBox(parent)
    question.setWindowTitle(title)
    question.setText(f"{path.name} is there already.")
    question.setInformativeText(more)
    replace = question.addButton("Replace", QMessageBox.ButtonRole.AcceptRole)
    question.addButton(QMessageBox.StandardButton.Cancel)
    question.exec()
    return question.clickedButton() is replace


def ask_unsaved(parent: QWidget, kind: str, name: str, lost: str) -> Literal["save", "discard", "keep"]:
    """Ask what becomes of changes that lie in no file; "keep" lets everything stay as it is.

    `kind` is what is unsaved (the title), `name` what it is called, `lost` what goes without saving.
    """
    question = QMessageBox(parent)
    question.setIcon(QMessageBox.Icon.Question)
    question.setWindowTitle(f"Unsaved {kind}")
    question.setText(f"Save the changes to {name}?")
    question.setInformativeText(f"Without saving, {lost} since the last save is lost.")
    buttons = QMessageBox.StandardButton
    question.setStandardButtons(buttons.Save | buttons.Discard | buttons.Cancel)
    question.setDefaultButton(buttons.Save)
    answer = question.exec()
    question.deleteLater()
    if answer == buttons.Save:
        return "save"
    return "discard" if answer == buttons.Discard else "keep"
