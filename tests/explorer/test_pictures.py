"""Panels as PNG and SVG: sizes, sharpness, what a reader of the SVG sees, and places that cannot be written to."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgRenderer
from pytestqt.qtbot import QtBot

from explorer.capsules import extract
from explorer.pictures import panel_image, panel_svg, write_panel
from explorer.theme import DARK, LIGHT, Theme
from explorer.views.curves import CurvesView
from explorer.views.field import FieldView
from explorer.views.ledger import LedgerView
from explorer.views.particles import ParticleView
from explorer.views.plane import PlaneRange
from explorer.views.tile import Tile
from tests.explorer.scenes import scene_frame, scene_of
from trainer.errors import InputError

SIZE = (240, 296)


def tile_of(qtbot: QtBot, kind: str, theme: Theme = LIGHT) -> Tile:
    plane = PlaneRange()
    views = {"field": FieldView, "curves": CurvesView, "particles": ParticleView, "shares": LedgerView}
    arguments = {"field": ("learned", plane), "particles": (0, plane)}.get(kind, ())
    tile = Tile(f"A {kind} panel", views[kind](*arguments))
    plane.setParent(tile)
    qtbot.addWidget(tile)
    tile.resize(*SIZE)
    tile.set_theme(theme)
    tile.show_frame(scene_frame(scene_of("langevin", "annealed")))
    return tile


def pixels(image: QImage) -> NDArray[np.int16]:
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 4 * image.width()].reshape(image.height(), image.width(), 4)[..., :3].astype(np.int16)


def drawn(svg: bytes, factor: int) -> QImage:
    renderer = QSvgRenderer(svg)
    assert renderer.isValid()
    image = QImage(SIZE[0] * factor, SIZE[1] * factor, QImage.Format.Format_RGB32)
    image.fill(0xFF00FF)
    with QPainter(image) as painter:
        renderer.render(painter, QRectF(image.rect()))
    return image


@pytest.mark.parametrize("factor", [2, 4])
@pytest.mark.parametrize("kind", ["field", "curves", "particles", "shares"])
def test_a_png_is_the_panel_computed_at_a_higher_resolution(qtbot: QtBot, kind: str, factor: int) -> None:
    tile = tile_of(qtbot, kind)
    small, large = pixels(panel_image(tile, 1, LIGHT)), pixels(panel_image(tile, factor, LIGHT))
    assert large.shape == (SIZE[1] * factor, SIZE[0] * factor, 3)
    # The same picture: averaged over blocks it is near the small one; but not the small one blown up.
    blocks = large.reshape(SIZE[1], factor, SIZE[0], factor, 3).mean(axis=(1, 3))
    assert np.abs(blocks - small).mean() < 6
    blown = small.repeat(factor, axis=0).repeat(factor, axis=1)
    assert np.abs(large - blown).max() > 60


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("kind", ["field", "curves", "particles", "shares"])
def test_a_reader_of_the_svg_sees_the_png(qtbot: QtBot, kind: str, theme: Theme) -> None:
    tile = tile_of(qtbot, kind, theme)
    seen, meant = pixels(drawn(panel_svg(tile, theme), 1)), pixels(panel_image(tile, 1, theme))
    # Lines differ in where their smoothing falls, so neighbours are averaged first.
    both = [p[: p.shape[0] // 4 * 4].reshape(-1, 4, p.shape[1] // 4, 4, 3).mean(axis=(1, 3)) for p in (seen, meant)]
    assert np.abs(both[0] - both[1]).mean() < 3
    assert (np.abs(both[0] - both[1]).max(axis=2) > 60).mean() < 0.02


def test_an_svg_has_the_panels_size_lines_and_no_text_that_needs_a_typeface(qtbot: QtBot) -> None:
    svg = panel_svg(tile_of(qtbot, "field"), LIGHT, "Learned score").decode()
    assert re.search(r'<svg width="240" height="296"\s+viewBox="0 0 960 1184"', svg)
    assert "<title>Learned score</title>" in svg
    assert "<text" not in svg
    assert svg.count("<image") == 1
    assert svg.count("<path") + svg.count("<polyline") > 100


def test_a_picture_says_what_it_is_and_repeats(qtbot: QtBot, tmp_path: Path) -> None:
    tile = tile_of(qtbot, "curves")
    for name in ("a.png", "b.png", "a.svg", "b.svg"):
        write_panel(tmp_path / name, tile, LIGHT, factor=2, title="How wrong")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    image = QImage(str(tmp_path / "a.png"))
    assert (image.width(), image.height(), image.text("Title")) == (480, 592, "How wrong")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "a.svg", "b.png", "b.svg"]


@pytest.mark.parametrize("kind", ["curves", "particles"])
def test_a_session_inside_changes_no_pixel(qtbot: QtBot, tmp_path: Path, kind: str) -> None:
    tile = tile_of(qtbot, kind)
    session = np.random.default_rng(0).bytes(1_500_000)
    for suffix in (".png", ".svg"):
        plain, carrier = tmp_path / f"plain{suffix}", tmp_path / f"carrier{suffix}"
        write_panel(plain, tile, LIGHT, title="How wrong")
        write_panel(carrier, tile, LIGHT, title="How wrong", session=session)
        assert (extract(plain), extract(carrier)) == (None, session)
        assert 1_500_000 < carrier.stat().st_size - plain.stat().st_size < 2_100_000
        if suffix == ".png":
            assert QImage(str(plain)) == QImage(str(carrier))
        else:
            assert np.array_equal(pixels(drawn(plain.read_bytes(), 2)), pixels(drawn(carrier.read_bytes(), 2)))


@pytest.mark.parametrize(
    ("name", "said"),
    [("a.bmp", "cannot write .bmp; give .png or .svg"), ("a", "cannot write a file without"), ("no/a.png", "No such")],
)
def test_a_target_that_cannot_be_is_one_line_and_leaves_nothing(
    qtbot: QtBot, tmp_path: Path, name: str, said: str
) -> None:
    with pytest.raises(InputError, match=said) as caught:
        write_panel(tmp_path / name, tile_of(qtbot, "shares"), LIGHT)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_picture_too_large_is_refused(qtbot: QtBot) -> None:
    with pytest.raises(InputError, match="too many; choose a smaller factor or SVG"):
        panel_image(tile_of(qtbot, "shares"), 60, LIGHT)
