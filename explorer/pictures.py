"""A panel as a picture file: PNG at two or four times its size on the screen, or SVG.

A panel is a tile with its title, its caption and the strip below. It draws itself once more, by the same code that
draws it on the screen, into a painter that is scaled: lines, marks and type are computed at the higher resolution, not
blown up. In an SVG they stay lines and text; what is made of pixels by nature (the density under a field, dots counted
per pixel) is embedded as an image of four times the panel's resolution.

Text becomes outlines: another machine may lack the typeface, and in another one words would run into each other.
"""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QPoint, QRect, QSize
from PySide6.QtGui import QColor, QImage, QImageWriter, QPainter, QPainterPath, QRegion
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QWidget

from explorer.capsules import embed
from explorer.theme import Theme, font
from trainer.archives import write_whole
from trainer.errors import InputError

FACTORS = (2, 4)
"""How many times larger than on the screen a PNG can be."""

SVG_DETAIL = 4
"""Pixels of an embedded image to a pixel of the screen, along each side."""

_LARGEST = 8192
"""No picture has a longer side than this."""


def panel_image(panel: QWidget, factor: float, theme: Theme) -> QImage:
    """The panel as it looks now, `factor` times its size, on the theme's ground.

    Raises:
        InputError: the picture would be larger than an image may be.
    """
    size = _size(panel, factor)
    image = QImage(size, QImage.Format.Format_RGB32)
    image.fill(QColor(theme.window))
    with QPainter(image) as painter:
        painter.scale(factor, factor)
        _draw(panel, painter)
    return image


def panel_svg(panel: QWidget, theme: Theme, title: str = "") -> bytes:
    """The panel as it looks now as an SVG document; `title` is what a reader of it hears."""
    size = _size(panel, SVG_DETAIL)
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    generator = QSvgGenerator(QSvgGenerator.SvgVersion.Svg11)
    generator.setOutputDevice(buffer)
    generator.setSize(panel.size())
    generator.setViewBox(QRect(QPoint(), size))
    generator.setTitle(title)
    generator.setDescription("Score Explorer")
    with QPainter(generator) as painter:
        painter.fillRect(QRect(QPoint(), size), QColor(theme.window))
        painter.scale(SVG_DETAIL, SVG_DETAIL)
        _draw(panel, painter)
    buffer.close()
    return _for_readers(bytes(data.data()).decode(), panel.size()).encode()


def write_panel(
    path: Path, panel: QWidget, theme: Theme, *, factor: float = 2, title: str = "", session: bytes = b""
) -> None:
    """Write the panel as the file's suffix says, .png or .svg; the file appears whole or not at all.

    `session` is the project that the file carries, as `trainer.projects.project_bytes` gives it.

    Raises:
        InputError: another suffix, a picture that is too large, or a file that cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix == ".svg":
        data = panel_svg(panel, theme, title)
    elif suffix == ".png":
        data = png_bytes(panel_image(panel, factor, theme), title)
    else:
        raise InputError(f"{path.name}: cannot write {suffix or 'a file without a suffix'}; give .png or .svg")
    write_whole(path, embed(data, session) if session else data)


def _size(panel: QWidget, factor: float) -> QSize:
    width, height = (max(1, round(side * factor)) for side in (panel.width(), panel.height()))
    if max(width, height) > _LARGEST:
        raise InputError(f"size: {width} x {height} pixels are too many; choose a smaller factor or SVG")
    return QSize(width, height)


def _draw(panel: QWidget, painter: QPainter) -> None:
    painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
    flags = QWidget.RenderFlag.DrawChildren | QWidget.RenderFlag.IgnoreMask
    panel.render(painter, QPoint(), QRegion(), flags)


def png_bytes(image: QImage, title: str) -> bytes:
    """The image as a PNG that says what made it."""
    image.setText("Software", "Score Explorer")
    if title:
        image.setText("Title", title)
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if not QImageWriter(buffer, QByteArray(b"png")).write(image):
        raise InputError("picture: it could not be encoded as a PNG; choose SVG")
    return bytes(data.data())


_COSMETIC = 'vector-effect="non-scaling-stroke"'
_WIDTH = re.compile(r'stroke-width="([0-9.e+-]+)"')
_TEXT = re.compile(r"<text ([^>]*)>([^<]*)</text>")


def _for_readers(svg: str, size: QSize) -> str:
    """Mend three things that Qt writes for its own reader.

    The size becomes the panel's in pixels: Qt states millimetres by a resolution that no browser has. Pens that count
    the device's pixels (`non-scaling-stroke`) were told of `SVG_DETAIL` times as many. Text becomes outlines.
    """
    head, mark, rest = svg.partition("viewBox=")
    start = head.rindex("<svg ")
    svg = f'{head[:start]}<svg width="{size.width()}" height="{size.height()}"\n {mark}{rest}'
    groups = re.split(r"(?=<g )", svg)
    groups = [_WIDTH.sub(_thinner, group, count=1) if _COSMETIC in group else group for group in groups]
    return _TEXT.sub(_outlined, "".join(groups))


def _thinner(match: re.Match[str]) -> str:
    return f'stroke-width="{float(match[1]) / SVG_DETAIL:g}"'


def _outlined(found: re.Match[str]) -> str:
    """A line of text as one path in the same place and colour."""
    values = dict(re.findall(r'([\w:-]+)="([^"]*)"', found[1]))
    pixels, bold = round(float(values["font-size"])), float(values["font-weight"]) > 500
    outline = QPainterPath()
    outline.addText(float(values["x"]), float(values["y"]), font(pixels, bold=bold), unescape(found[2]))
    parts: list[str] = []
    curve: list[str] = []
    for k in range(outline.elementCount()):
        element = outline.elementAt(k)
        at = f"{element.x:.3f},{element.y:.3f}"
        match element.type:
            case QPainterPath.ElementType.MoveToElement:
                parts.append(f"M{at}")
            case QPainterPath.ElementType.LineToElement:
                parts.append(f"L{at}")
            case _:  # the first of three points of a curve, or one of the two that follow it
                curve.append(at)
                if len(curve) == 3:
                    parts.append(f"C{' '.join(curve)}")
                    curve.clear()
    colour = f'fill="{values["fill"]}" fill-opacity="{values["fill-opacity"]}"'
    return f'<path {colour} fill-rule="nonzero" stroke="none" d="{"".join(parts)}"/>'
