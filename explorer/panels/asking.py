"""Questions that several desks put."""

from __future__ import annotations

from pathlib import Path

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
