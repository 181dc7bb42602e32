"""A Hugging Face dataset that lies on this machine: a folder that `save_to_disk` wrote, or one of Parquet files.

Of several splits "train" is read, or else the first; another one is read by naming its folder. Pictures are the first
column of pictures, labels the first column of class labels. Each picture is taken as the bytes of its file and read as
those of a folder are (`trainer.images.folders`), so that damaged ones are counted and large ones refused; a row that
only has a path instead of bytes is passed over, because the path may lead anywhere. Nothing is fetched.

The package `datasets` reads the files. It is an optional extra, imported when it is needed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from trainer.errors import InputError
from trainer.images.decoding import Unreadable
from trainer.images.fitting import MOST_BYTES, Colour
from trainer.images.folders import Opener, gather
from trainer.images.pictures import Pictures


def is_hub_folder(path: Path) -> bool:
    """Whether the folder is one that this file reads."""
    saved = (path / "dataset_info.json").is_file() and (path / "state.json").is_file()
    return saved or (path / "dataset_dict.json").is_file() or bool(_parquet(path))


def read_hub(path: Path, size: int | None, colour: Colour | None, limit: int | None) -> Pictures:
    """The pictures of the dataset.

    Raises:
        InputError: `datasets` is not installed, the dataset cannot be opened or has no pictures; otherwise as
            `trainer.images.folders.read_folder`.
    """
    try:
        import datasets
    except ImportError:
        raise InputError(
            f"{path}: a Hugging Face dataset needs the package datasets: pip install 'score-explorer[datasets]'"
        ) from None
    with _faults(path):
        table = _parquet_table(path) if _parquet(path) else datasets.load_from_disk(str(path))
        if isinstance(table, datasets.DatasetDict):
            table = table["train" if "train" in table else next(iter(table))]
        pictures = [name for name, feature in table.features.items() if isinstance(feature, datasets.Image)]
        if not pictures:
            raise InputError(f"{path}: no column of pictures among {', '.join(table.features) or 'none'}; give another")
        column = pictures[0]
        labels, classes = _labels(table)
        files = table.select_columns([column]).cast_column(column, datasets.Image(decode=False))
    openers = [_opener(files, column, row) for row in range(len(files))]
    names = [f"row {row}" for row in range(len(files))]
    if not names:
        raise InputError(f"{path}: the dataset has no rows; give one that holds pictures")
    return gather(path, names, openers, labels, classes, size, colour, limit)


def _parquet(path: Path) -> list[Path]:
    """The Parquet files of the split to train on, or of all where none is called so."""
    found = sorted(file for folder in (path, path / "data") for file in folder.glob("*.parquet"))
    return [file for file in found if file.name.startswith("train")] or found


def _parquet_table(path: Path) -> Any:  # noqa: ANN401 - a datasets.Dataset
    import datasets
    import pyarrow.parquet

    files = _parquet(path)
    size = sum(file.stat().st_size for file in files)
    if size > MOST_BYTES:
        raise InputError(
            f"{path}: {size / 2**30:.1f} GB of Parquet; give a folder of fewer files, {MOST_BYTES >> 30} GB"
        )
    return datasets.Dataset(datasets.table.InMemoryTable(pyarrow.parquet.read_table([str(file) for file in files])))


def _labels(table: Any) -> tuple[list[int] | None, tuple[str, ...]]:  # noqa: ANN401 - a datasets.Dataset
    """The first column of class labels and their names; None and no names if there is none or a row has none."""
    import datasets

    for name, feature in table.features.items():
        if isinstance(feature, datasets.ClassLabel):
            labels = list(table[name])
            known = all(label is not None and label >= 0 for label in labels)
            return (labels, tuple(feature.names or ())) if known else (None, ())
    return None, ()


def _opener(files: Any, column: str, row: int) -> Opener:  # noqa: ANN401 - a datasets.Dataset
    def opened() -> BytesIO:
        try:
            cell = files[row][column]
        except Exception as error:  # what pyarrow makes of a damaged file
            raise Unreadable(_line(error)) from None
        if not cell or not cell.get("bytes"):
            raise Unreadable("holds no bytes of a picture")
        return BytesIO(cell["bytes"])

    return opened


@contextlib.contextmanager
def _faults(path: Path) -> Iterator[None]:
    """Whatever `datasets` and pyarrow make of a damaged dataset as one line."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{path}: cannot be opened as a dataset ({_line(error)}); save it again") from None


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
