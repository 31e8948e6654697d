"""Pictures in a folder for each class, as rows of pixels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_cli.components.sources import opening
from mlops_cli.errors import ConfigError, DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from PIL import Image

_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm"})


@dataclass(frozen=True)
class ImagesSource:
    """Pictures as a table: the columns ``px0``, ``px1`` …, ``target`` (the folder's name) and ``file``.

    Pixels are 0 to 255, row by row, and of a coloured picture the red, green and blue of each; all pictures are
    turned as their camera says and brought to one size, what is transparent is white. Of several pictures in one
    file the first is read. ``transforms`` with a reshape make tensors of them again.

    Parameters
    ----------
    path : str or Path
        A folder with a folder for each class, as an absolute path.
    size : (int, int)
        Height and width in pixels.
    grayscale : bool
        Whether colours are left out.
    max_bytes_in_memory : int
        More pictures are refused.
    """

    path: str | Path
    size: Sequence[int] = (28, 28)
    grayscale: bool = True
    max_bytes_in_memory: int = 4 * 2**30

    def __post_init__(self) -> None:
        size = list(self.size) if isinstance(self.size, list | tuple) else []
        if len(size) != 2 or not all(isinstance(n, int) and 0 < n <= 10_000 for n in size):
            raise ConfigError(f"found {self.size!r}, must be [height, width]", key="data.size", hint="[28, 28]")

    def load(self) -> pd.DataFrame:
        """Return a row for each picture, by class and name.

        Raises
        ------
        DataError
            There are no folders or pictures, or a file is no picture, or one of more than 8 bits.
        """
        import pandas as pd

        files = self._files()
        pixels = np.empty((len(files), self._width), dtype="uint8")
        for row, (_, file) in enumerate(files):
            pixels[row] = self._pixels(file)
        table = pd.DataFrame(pixels, columns=[f"px{i}" for i in range(self._width)])
        named = [file.relative_to(self.path).as_posix() for _, file in files]
        return table.assign(target=[label for label, _ in files], file=named)

    @property
    def _width(self) -> int:
        return self.size[0] * self.size[1] * (1 if self.grayscale else 3)

    def _files(self) -> list[tuple[str, Path]]:
        root = Path(self.path)
        opening.check_file(root, directory_ok=True)
        folders = (
            sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith(".")) if root.is_dir() else []
        )
        if not folders:
            raise DataError(f"{root}: holds no folders", hint="a folder for each class, with its pictures in it")
        found = [(f.name, p) for f in folders for p in sorted(f.rglob("*")) if p.suffix.lower() in _SUFFIXES]
        empty = sorted({f.name for f in folders} - {label for label, _ in found})
        if empty:
            raise DataError(f"{root / empty[0]}: holds no pictures", hint=f"read are {', '.join(sorted(_SUFFIXES))}")
        if len(found) * self._width > self.max_bytes_in_memory:
            size = len(found) * self._width / 2**30
            raise DataError(f"{root}: {len(found):,} pictures are {size:.1f} GiB", hint="a smaller data.size")
        return found

    def _pixels(self, file: Path) -> Any:
        from PIL import Image, ImageOps, UnidentifiedImageError  # matplotlib brings it

        try:
            with Image.open(file) as picture:
                _check_depth(file, picture.mode)
                upright = ImageOps.exif_transpose(picture)
                plain = _on_white(upright).convert("L" if self.grayscale else "RGB")
                return np.asarray(plain.resize((self.size[1], self.size[0]))).reshape(-1)
        except UnidentifiedImageError:
            raise DataError(f"{file}: is no picture", hint="remove it, or save it again") from None
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise DataError(f"{file}: cannot be read as a picture: {error}", hint="save it again") from error


def _check_depth(file: Path, mode: str) -> None:
    """Refuse pixels that Pillow would cut off at 255 instead of scaling them."""
    if mode == "F" or mode.startswith("I"):
        bits = "16" if ";16" in mode else "32"
        hint = "save it with 8 bits, scaled by what its values mean"
        raise DataError(f"{file}: has pixels of {bits} bits (mode {mode}), and 8 are read", hint=hint)


def _on_white(picture: Image.Image) -> Image.Image:
    """Return a picture without transparency: what is hidden has any colour, often black all over."""
    from PIL import Image

    if not picture.has_transparency_data:
        return picture
    above = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", above.size, "white"), above)
