"""A theme put on Qt's own widgets: the application's palette."""

from __future__ import annotations

from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication

from explorer.theme import Theme


def dress(theme: Theme) -> None:
    """Give all ordinary widgets this theme's colours."""
    palette = QPalette()
    roles = QPalette.ColorRole
    for role, colour in (
        (roles.Window, theme.window),
        (roles.Base, theme.surface),
        (roles.AlternateBase, theme.window),
        (roles.Button, theme.surface),
        (roles.ToolTipBase, theme.surface),
        (roles.WindowText, theme.ink),
        (roles.Text, theme.ink),
        (roles.ButtonText, theme.ink),
        (roles.ToolTipText, theme.ink),
        (roles.PlaceholderText, theme.quiet),
        (roles.Highlight, theme.selection),
        (roles.HighlightedText, theme.ink),
    ):
        palette.setColor(role, colour)
    QApplication.setPalette(palette)
