"""How ordinary controls look: one style sheet made from the theme, so that buttons and fields are alike everywhere.

Flat on the ground they stand on, a thin rule around what can be typed into, and a visible mark on whatever has the
keyboard. Sizes follow the scale of type.
"""

from __future__ import annotations

from functools import lru_cache

from explorer.theme import Theme

_SHEET = """
QToolTip {{ color: {ink}; background: {surface}; border: 1px solid {rule}; padding: 4px; }}
QLabel, QCheckBox {{ color: {ink}; background: transparent; }}
QCheckBox {{ spacing: 8px; }}
QCheckBox::indicator {{ width: {i}px; height: {i}px; border: 1px solid {quiet}; border-radius: 3px;
    background: {surface}; }}
QCheckBox::indicator:checked {{ border-color: {true}; background: {true}; }}
QCheckBox::indicator:focus {{ border: 2px solid {ink}; }}
QCheckBox::indicator:disabled {{ border-color: {rule}; }}
QLabel[quiet="true"] {{ color: {quiet}; }}
QToolButton {{ color: {ink}; background: transparent; border: 1px solid transparent; border-radius: {r}px;
    padding: {h}px; }}
BrushStrip QToolButton {{ padding: 2px; }}
QToolButton:hover {{ background: {rule}; }}
QToolButton:pressed, QToolButton:checked {{ background: {selection}; border-color: {rule}; }}
QToolButton:focus, QPushButton:focus {{ border-color: {true}; }}
QToolButton:disabled, QPushButton:disabled {{ color: {quiet}; }}
QToolButton::menu-indicator {{ image: none; width: 0; }}
QPushButton {{ color: {ink}; background: {surface}; border: 1px solid {rule}; border-radius: {r}px;
    padding: {h}px {w}px; min-height: {m}px; }}
QPushButton:hover {{ background: {selection}; }}
QPushButton:default {{ border-color: {quiet}; }}
QPushButton:default:focus {{ border-color: {true}; }}
#fold, #fold:checked {{ padding: 2px 0; text-align: left; background: transparent; border: 1px solid transparent; }}
#fold:hover {{ background: {rule}; }}
#fold:focus {{ border-color: {true}; }}
QLineEdit, QComboBox, QAbstractSpinBox {{ color: {ink}; background: {surface}; border: 1px solid {rule};
    border-radius: {r}px; padding: 1px {h}px; min-height: {m}px; selection-background-color: {true};
    selection-color: {surface}; }}
QLineEdit:focus, QComboBox:focus, QAbstractSpinBox:focus {{ border-color: {true}; }}
QLineEdit[wrong="true"] {{ border-color: {warning}; }}
QLineEdit:disabled, QComboBox:disabled {{ color: {quiet}; }}
QComboBox QAbstractItemView, QMenu {{ color: {ink}; background: {surface}; border: 1px solid {rule};
    selection-background-color: {selection}; selection-color: {ink}; }}
QComboBox::drop-down {{ border: none; width: {m}px; }}
QComboBox::down-arrow {{ image: none; }}
QListWidget {{ color: {ink}; background: {surface}; border: 1px solid transparent; outline: none; }}
QListWidget:focus {{ border-color: {true}; }}
QListWidget::item {{ padding: {h}px; }}
QListWidget::item:hover, QListWidget::item:selected {{ color: {ink}; background: {selection}; }}
QMenu::item {{ padding: {h}px {w}px; }}
QMenu::item:selected {{ background: {selection}; }}
QMenu::item:disabled {{ color: {quiet}; }}
QMenu::separator {{ height: 1px; background: {rule}; margin: {h}px 0; }}
QProgressBar {{ color: {ink}; background: {rule}; border: none; border-radius: 3px; max-height: 6px; min-height: 6px; }}
QProgressBar::chunk {{ background: {quiet}; border-radius: 3px; }}
QDialog {{ background: {window}; }}
#rule {{ background: {rule}; border: none; }}
#toast {{ background: {surface}; border: 1px solid {rule}; }}
#news {{ background: {quiet}; border: none; }}
#alarm {{ background: {warning}; border: none; }}
QPlainTextEdit {{ color: {quiet}; background: {window}; border: none; }}
QScrollArea {{ background: transparent; border: none; }}
QScrollBar:vertical {{ background: transparent; width: 8px; margin: 0; }}
QScrollBar::handle:vertical {{ background: {rule}; border-radius: 4px; min-height: 24px; }}
QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; }}
"""


@lru_cache(maxsize=8)
def sheet(theme: Theme, scale: float = 1.0) -> str:
    """The style sheet of all ordinary controls: set it on the window, whose panels and dialogs follow it."""
    sizes = {
        "r": round(4 * scale),
        "h": round(4 * scale),
        "w": round(16 * scale),
        "m": round(20 * scale),
        "i": round(12 * scale),
    }
    roles = ("ink", "quiet", "window", "surface", "rule", "selection", "true", "warning")
    return _SHEET.format(**sizes, **{role: getattr(theme, role) for role in roles})
