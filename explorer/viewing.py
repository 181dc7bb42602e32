"""How things are shown: choices that change no run and no document, shared by all views, the drawer and the layouts.

The window owns one `Viewing`; views take it, listen to `changed` and draw by its `options`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

from PySide6.QtCore import QObject, Signal

from trainer.errors import InputError
from trainer.settings import choice, known

FieldStyle = Literal["arrows", "streamlines", "texture"]
Ground = Literal["density", "log", "energy", "none"]
ErrorKind = Literal["relative", "absolute", "angle"]
CurlKind = Literal["curl", "rotational"]


@dataclass(frozen=True)
class ViewOptions:
    """What is drawn, and how.

    Attributes:
        style: fields as arrows, streamlines, or a texture smeared along them (line-integral convolution).
        ground: what lies under fields and particles: p_sigma, its logarithm, or the energy -log p_sigma.
        error: |s - s*| over the field's rms, as it is, or the angle between the two.
        weighted: whether the error map counts every place by its p_sigma.
        hatched: whether the error map is hatched where fewer than one training point is expected in a cell.
        curl: the curl itself, or the rotational share of the Jacobian.
        trails: whether particles leave trails.
        in_seconds: whether curves stand against seconds instead of steps.
    """

    style: FieldStyle = "arrows"
    ground: Ground = "density"
    error: ErrorKind = "relative"
    weighted: bool = False
    hatched: bool = True
    curl: CurlKind = "curl"
    trails: bool = False
    in_seconds: bool = False

    def __post_init__(self) -> None:
        choice("view.style", self.style, get_args(FieldStyle))
        choice("view.ground", self.ground, get_args(Ground))
        choice("view.error", self.error, get_args(ErrorKind))
        choice("view.curl", self.curl, get_args(CurlKind))
        for name in ("weighted", "hatched", "trails", "in_seconds"):
            if not isinstance(getattr(self, name), bool):
                raise InputError(f"view.{name}: {getattr(self, name)!r:.40} is neither true nor false")

    def to_json(self) -> dict[str, Any]:
        """The options as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ViewOptions:
        """Rebuild options from `to_json`'s values; `InputError` names a field that is unknown or wrong."""
        return cls(**known(cls, values, "view."))


class Viewing(QObject):
    """The options in use."""

    changed = Signal(object)
    """The `ViewOptions` that hold from now on."""

    def __init__(self, options: ViewOptions | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._options = options or ViewOptions()

    @property
    def options(self) -> ViewOptions:
        """What holds now."""
        return self._options

    def set(self, **values: Any) -> None:  # noqa: ANN401 - fields of ViewOptions
        """Change some of the options.

        Raises:
            InputError: a value that the option does not have.
        """
        self.show(replace(self._options, **values))

    def show(self, options: ViewOptions) -> None:
        """Put these options in place of all."""
        if options != self._options:
            self._options = options
            self.changed.emit(options)
