"""Text can be read: its contrast with every ground that it stands on, in both themes, with every map of colours."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QListWidget, QPushButton, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from explorer.colours import ERROR_MAPS, GROUND_MAPS, contrast, luminance, rgb
from explorer.panels.style import sheet
from explorer.theme import DARK, LIGHT, Theme

THEMES = [LIGHT, DARK]
READABLE, SEEN = 4.5, 3.0
"""WCAG 2.2: text (1.4.3), and what marks the focus or a control (1.4.11)."""

TEXT = [
    ("ink", "window"),
    ("ink", "surface"),
    ("ink", "selection"),
    ("ink", "rule"),  # a button under the mouse
    ("quiet", "window"),
    ("quiet", "surface"),
    ("quiet", "selection"),
    ("surface", "true"),  # what is selected in a field
]
"""Every role of text on every ground that it stands on."""


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
@pytest.mark.parametrize(("text", "ground"), TEXT)
def test_text_can_be_read(theme: Theme, text: str, ground: str) -> None:
    assert contrast(rgb(getattr(theme, text)), rgb(getattr(theme, ground))) >= READABLE


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
@pytest.mark.parametrize(("ground_map", "error_map"), list(product(GROUND_MAPS, ERROR_MAPS)))
def test_text_on_a_plate_over_any_map_can_be_read(theme: Theme, ground_map: str, error_map: str) -> None:
    """Words over a picture stand on plates of nine parts surface and one part picture."""
    chosen = theme.with_maps(ground_map, error_map)
    for table in (chosen.density_table(), chosen.error_table()):
        plates = 0.9 * rgb(theme.surface) + 0.1 * table[:, :3].astype(float)
        assert contrast(rgb(theme.ink), plates).min() >= READABLE


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
@pytest.mark.parametrize("role", ["true", "quiet", "ink"])
def test_marks_of_focus_and_controls_can_be_seen(theme: Theme, role: str) -> None:
    for ground in ("window", "surface"):
        assert contrast(rgb(getattr(theme, role)), rgb(getattr(theme, ground))) >= SEEN


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
@pytest.mark.parametrize("name", sorted({*GROUND_MAPS, *ERROR_MAPS}))
def test_maps_start_at_the_ground_and_lead_away_from_it(theme: Theme, name: str) -> None:
    chosen = theme.with_maps(name if name in GROUND_MAPS else "theme", name)
    for table in (chosen.density_table(), chosen.error_table()):
        assert table.shape == (256, 4)
        assert table[0, :3].tolist() == rgb(theme.ground_low).tolist()
        away = np.abs(luminance(table[:, :3].astype(float)) - luminance(rgb(theme.ground_low)))
        assert (np.diff(away) > -0.012).all()  # in order for every eye; a step of the table is coarser than its slope
        assert away[-1] == away.max()
        assert len(np.unique(table[:, :3], axis=0)) > 100


@pytest.mark.parametrize("name", sorted(GROUND_MAPS))
def test_the_map_of_densities_leaves_room_for_marks(name: str) -> None:
    for theme in THEMES:
        last = luminance(theme.with_maps(name, "theme").density_table()[-1, :3].astype(float))
        assert 0.15 < last < 0.42


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
@pytest.mark.parametrize("make", [QPushButton, QToolButton, QLineEdit, QComboBox, QCheckBox, QListWidget])
def test_what_has_the_keyboard_looks_different(qtbot: QtBot, theme: Theme, make: type[QWidget]) -> None:
    host = QWidget()
    qtbot.addWidget(host)
    host.setStyleSheet(sheet(theme) + f"QWidget {{ background: {theme.window}; }}")
    host.resize(300, 100)
    other = QLineEdit(host)
    widget = make(host)
    widget.setGeometry(10, 40, 200, 40)
    with qtbot.waitActive(host):
        host.show()
    other.setFocus()
    before = _pixels(widget)
    widget.setFocus()
    qtbot.waitUntil(widget.hasFocus)
    after = _pixels(widget)
    changed = (before != after).any(axis=-1)
    assert changed.sum() >= 40
    strong = contrast(after[changed].astype(float), np.broadcast_to(rgb(theme.window), after[changed].shape))
    assert (strong >= SEEN).sum() >= 40


def _pixels(widget: QWidget) -> np.ndarray:
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    flat = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return flat[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def test_contrast_is_that_of_the_standard() -> None:
    white, black, grey = (rgb(QColor(name).name()) for name in ("#ffffff", "#000000", "#777777"))
    assert contrast(white, black) == pytest.approx(21.0)
    assert contrast(white, grey) == pytest.approx(4.48, abs=0.005)
