"""Questions that several desks put."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QAbstractButton, QMessageBox, QWidget


def plain(buttons: Iterable[QAbstractButton]) -> None:
    """Take the icons away that a desktop gives to some buttons of a dialog and not to others."""
    for button in buttons:
        button.setIcon(QIcon())


def may_replace(parent: QWidget, title: str, path: Path, more: str = "") -> bool:
    """Ask whether a file that is there may be replaced, where no file dialog has asked; `more` is a second line."""
    question = QMessageBox(parent)
    question.setWindowTitle(title)
    question.setText(f"{path.name} is there already.")
    question.setInformativeText(more)
    replace = question.addButton("Replace", QMessageBox.ButtonRole.AcceptRole)
    question.addButton(QMessageBox.StandardButton.Cancel)
    plain(question.buttons())
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
    plain(question.buttons())
    answer = question.exec()
    question.deleteLater()
    if answer == buttons.Save:
        return "save"
    return "discard" if answer == buttons.Discard else "keep"
