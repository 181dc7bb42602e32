"""Where pictures come from: one function that tells the sources apart and reads any of them.

| source                                       | recognised by                              | read by     |
|----------------------------------------------|--------------------------------------------|-------------|
| `digits`, 1,797 of 8 x 8 with 17 grey levels | the word                                   | `arrays`    |
| a folder of pictures                         | being a folder, and none of those below    | `folders`   |
| MNIST's IDX, plain or .gz; its folder        | its name, its first bytes                  | `idx`       |
| CIFAR-10's binary version, a file or folder  | data_batch_*.bin, test_batch.bin, any .bin | `cifar`     |
| numpy's .npy and .npz                        | their first bytes                          | `arrays`    |
| a Hugging Face dataset on this machine       | dataset_info.json, *.parquet               | `hub`       |

A folder that has a training set and a test set stands for its training set; the test set is read by naming its file.
The digits ship with the program: nothing is fetched, ever. What is done to a picture that is not of the wanted colour
or size is said in `trainer.images.fitting`, and what a file's numbers mean in the reader's own file.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from trainer.assets import assets
from trainer.errors import InputError
from trainer.images import arrays, cifar, hub, idx
from trainer.images.fitting import Colour, check_room, check_wishes, coloured, resized
from trainer.images.folders import read_folder
from trainer.images.pictures import Pictures

DIGITS = "digits"

_KINDS = "digits, a folder of pictures, an IDX file, CIFAR-10's binary files, a .npy or .npz, or a Hugging Face dataset"


def read_pictures(
    source: str | Path, *, size: int | None = None, colour: Colour | None = None, limit: int | None = None
) -> Pictures:
    """The pictures of a source.

    Args:
        source: the word "digits", or the path of a file or folder.
        size: the side of the squares to make of them, in pixels; None: as they are.
        colour: "grey" or "rgb"; None: as they are.
        limit: how many at most, evenly spaced over the source; None: all.

    Raises:
        InputError: one line that names the file, what is wrong with it and what would be right.
    """
    check_wishes(size, colour, limit)
    if str(source) == DIGITS:
        digits = arrays.read_npz(assets() / "images" / "digits.npz", limit)
        return _fitted(digits, size, colour)
    path = Path(source)
    try:
        if path.is_dir():
            return _from_folder(path, size, colour, limit)
        return _fitted(_from_file(path, limit), size, colour)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}); check its permissions") from None


def _from_folder(path: Path, size: int | None, colour: Colour | None, limit: int | None) -> Pictures:
    if next(path.iterdir(), None) is None:
        raise InputError(f"{path}: an empty folder; give one that holds pictures, {DIGITS}, or a file of pictures")
    if hub.is_hub_folder(path):
        return hub.read_hub(path, size, colour, limit)
    name = path.resolve().name
    batches = cifar.batch_files(path)
    if batches:
        return _fitted(cifar.read_cifar(batches, name, limit), size, colour)
    file = idx.picture_file(path)
    if file is not None:
        return _fitted(replace(idx.read_idx(file, limit), name=name), size, colour)
    return read_folder(path, size, colour, limit)


def _from_file(path: Path, limit: int | None) -> Pictures:
    if not path.exists():
        raise InputError(f"{path}: no such file or folder; give {_KINDS}")
    if not path.is_file():
        raise InputError(f"{path}: not a regular file; give {_KINDS}")
    with path.open("rb") as file:
        head = file.read(6)
    if not head:
        raise InputError(f"{path}: the file is empty; give {_KINDS}")
    if head == arrays.NPY:
        return arrays.read_npy(path, limit)
    if head.startswith(b"PK\x03\x04"):
        return arrays.read_npz(path, limit)
    if path.suffix.lower() == ".bin":
        return cifar.read_cifar([path], path.stem, limit)
    if head.startswith(idx.GZIP) or idx.is_idx(path):
        return idx.read_idx(path, limit)
    raise InputError(f"{path}: cannot tell what this is; give {_KINDS}")


def _fitted(pictures: Pictures, size: int | None, colour: Colour | None) -> Pictures:
    """The pictures in the colour and size that are asked for."""
    channels, height, width = pictures.shape
    channels = channels if colour is None else 1 if colour == "grey" else 3
    shape = (channels, size or height, size or width)
    check_room(pictures.name, len(pictures), shape, pictures.values.itemsize)
    if shape == pictures.shape:
        return pictures
    if channels == 1:
        values = resized(coloured(pictures.values, colour), size, pictures.levels)
    else:
        values = coloured(resized(pictures.values, size, pictures.levels), colour)
    return replace(pictures, values=values)
