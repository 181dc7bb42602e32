"""A hand at the mouse and the keyboard of an X display: events that every program takes for real ones (XTEST).

The X server itself makes the events, so they go the whole way: grabs, focus, double clicks, and whatever window happens
to be on top. Coordinates are the screen's pixels.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import os

LEFT, MIDDLE, RIGHT, UP, DOWN = 1, 2, 3, 4, 5
"""Buttons; the last two are the wheel."""

_NAMES = {
    " ": "space", ".": "period", ",": "comma", "-": "minus", "+": "plus", "/": "slash", "_": "underscore",
    ":": "colon", ";": "semicolon", "(": "parenleft", ")": "parenright", "[": "bracketleft", "]": "bracketright",
    "{": "braceleft", "}": "braceright", "=": "equal", "*": "asterisk", "'": "apostrophe", '"': "quotedbl",
    "<": "less", ">": "greater", "?": "question", "\\": "backslash", "&": "ampersand", "%": "percent",
    "#": "numbersign", "@": "at", "!": "exclam", "|": "bar", "~": "asciitilde", "^": "asciicircum", "`": "grave",
    "$": "dollar",
}  # fmt: skip


class Hand:
    """One connection to the display named by `DISPLAY`; `close` it."""

    def __init__(self) -> None:
        names = ctypes.util.find_library("X11"), ctypes.util.find_library("Xtst")
        if None in names:
            raise RuntimeError("libX11 and libXtst are needed; install libxtst6")
        self._x, self._t = (ctypes.CDLL(name) for name in names)
        self._x.XOpenDisplay.restype = ctypes.c_void_p
        self._x.XStringToKeysym.restype = ctypes.c_ulong
        self._x.XkbKeycodeToKeysym.restype = ctypes.c_ulong
        opened = self._x.XOpenDisplay(os.environ.get("DISPLAY", "").encode() or None)
        if not opened:
            raise RuntimeError(f"no display {os.environ.get('DISPLAY')!r}")
        self._display = ctypes.c_void_p(opened)
        self._held: set[int] = set()

    def move(self, x: int, y: int) -> None:
        """Put the pointer there."""
        self._t.XTestFakeMotionEvent(self._display, -1, x, y, ctypes.c_ulong(0))
        self._x.XFlush(self._display)

    def button(self, number: int, down: bool) -> None:
        """Press or release a button."""
        self._t.XTestFakeButtonEvent(self._display, number, int(down), ctypes.c_ulong(0))
        self._x.XFlush(self._display)

    def click(self, x: int, y: int, number: int = LEFT, times: int = 1) -> None:
        """Click there, `times` times."""
        self.move(x, y)
        for _ in range(times):
            self.button(number, True)
            self.button(number, False)

    def key(self, combination: str) -> None:
        """Strike a key as X names it, with modifiers: "Return", "ctrl+shift+z", "a"."""
        *modifiers, name = combination.split("+") if combination != "+" else ["plus"]
        held = {"ctrl": "Control_L", "shift": "Shift_L", "alt": "Alt_L", "meta": "Super_L"}
        codes = [self._code(held[modifier])[0] for modifier in modifiers]
        code, shifted = self._code(_NAMES.get(name, name))
        if not code:
            return
        if shifted and "shift" not in modifiers:
            codes.append(self._code("Shift_L")[0])
        for each in [*codes, code]:
            self._strike(each, True)
        for each in [code, *reversed(codes)]:
            self._strike(each, False)
        self._x.XFlush(self._display)

    def write(self, text: str) -> None:
        """Type a text."""
        for letter in text:
            self.key(_NAMES.get(letter, letter))

    def hold(self, modifier: str, down: bool) -> None:
        """Hold a modifier ("shift", "ctrl", "alt") or let it go."""
        name = {"ctrl": "Control_L", "shift": "Shift_L", "alt": "Alt_L"}[modifier]
        self._strike(self._code(name)[0], down)
        self._x.XFlush(self._display)

    def let_go(self) -> None:
        """Release whatever is held, buttons and keys."""
        for code in tuple(self._held):
            self._strike(code, False)
        for number in (LEFT, MIDDLE, RIGHT):
            self._t.XTestFakeButtonEvent(self._display, number, 0, ctypes.c_ulong(0))
        self._x.XFlush(self._display)

    def resize(self, window: int, width: int, height: int) -> None:
        """Give a window this size, as a window manager would."""
        self._x.XResizeWindow(self._display, ctypes.c_ulong(window), width, height)
        self._x.XFlush(self._display)

    def close(self) -> None:
        """Let go of everything and end the connection; may be called twice."""
        if self._display:
            self.let_go()
            self._x.XCloseDisplay(self._display)
            self._display = ctypes.c_void_p(None)

    def _code(self, name: str) -> tuple[int, bool]:
        """The key that makes a symbol, and whether Shift must be held; 0 for none."""
        symbol = self._x.XStringToKeysym(name.encode())
        code = self._x.XKeysymToKeycode(self._display, ctypes.c_ulong(symbol)) & 0xFF
        if not code:
            return 0, False
        plain = self._x.XkbKeycodeToKeysym(self._display, ctypes.c_ubyte(code), 0, 0)
        return code, plain != symbol and len(name) <= 12 and not name.endswith("_L")

    def _strike(self, code: int, down: bool) -> None:
        self._t.XTestFakeKeyEvent(self._display, code, int(down), ctypes.c_ulong(0))
        (self._held.add if down else self._held.discard)(code)
