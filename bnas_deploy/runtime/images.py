"""Any picture as upright RGB pixels: files, bytes, Pillow images and arrays.

Training, calibration, evaluation and prediction all decode pictures here.

Pillow is imported when the first picture is read, not before. Every failure is an `ImageError` that
names the picture.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Union

import numpy as np
import numpy.typing as npt

from bnas_deploy.errors import ImageError

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage
    from PIL.ImageFile import ImageFile

__all__ = ["FORMATS", "Picture", "describe", "open_picture", "open_rgb"]

Picture = Union[str, "os.PathLike[str]", bytes, "PilImage", npt.NDArray[np.uint8]]
"""A path, the bytes of a file, a Pillow image, or a uint8 array (H, W, 3)."""

COMMON = ("JPEG", "PNG", "BMP", "GIF", "PPM")
RARER = ("AVIF", "DIB", "ICO", "JPEG2000", "MPO", "PCX", "TGA", "TIFF", "WEBP")
FORMATS = (*COMMON, *RARER)
"""Pillow's names of what is decoded, all of it in this process: for EPS it starts Ghostscript."""

SCANS = 100
"""Most scans of a JPEG; encoders write about ten, and each one is decoded over all pixels."""

ORIENTATION = 0x0112  # the EXIF tag
UPRIGHT = 1
ALPHA_MODES = ("RGBA", "RGBa", "LA", "La", "PA")
GREY_16 = 65535


def open_rgb(picture: Picture, name: str | None = None) -> PilImage:
    """Read and decode a picture to a Pillow image of mode RGB.

    EXIF rotation is applied, alpha is composed over white, 16-bit grey is scaled to 8 bits, an
    animation gives its first frame.

    Args:
        picture: What to read.
        name: What to call it in errors (default: its path, or its kind).

    Raises:
        ImageError: It cannot be read or decoded, is in none of `FORMATS`, or would take too much
            to decode: more pixels than Pillow's limit against decompression bombs
            (`PIL.Image.MAX_IMAGE_PIXELS`), or more than `SCANS` scans of a JPEG.
    """
    name = name or describe(picture)
    if isinstance(picture, np.ndarray):
        return _from_array(picture, name)
    with _decoding(name):
        if isinstance(picture, (str, os.PathLike, bytes)):
            return _from_file(picture, name)
        if not hasattr(picture, "getexif"):
            msg = f"{name}: expected a path, bytes, a Pillow image or an array"
            raise ImageError(msg)
        picture.load()
        return _to_rgb(_upright(picture))


def describe(picture: Picture) -> str:
    """What to call a picture in errors: its path, or its kind."""
    if isinstance(picture, (str, os.PathLike)):
        return os.fspath(picture)
    return f"<{type(picture).__name__}>"


def _from_array(pixels: npt.NDArray[np.generic], name: str) -> PilImage:
    from PIL import Image  # noqa: PLC0415

    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        msg = (
            f"{name}: an array must be uint8 of shape (height, width, 3);"
            f" got {pixels.dtype} of shape {pixels.shape}"
        )
        raise ImageError(msg)
    return Image.fromarray(np.ascontiguousarray(pixels))


def open_picture(
    source: str | os.PathLike[str] | bytes, name: str, most: int | None = None
) -> ImageFile:
    """Open a picture file, whose pixels are not decoded yet, if it is one that may be.

    Args:
        source: The file or its bytes.
        name: What to call it in errors.
        most: Number of pixels (default: Pillow's limit).

    Raises:
        ImageError: It would take too much to decode.
        UnidentifiedImageError: It is in none of `FORMATS`.
        OSError: It cannot be read; Pillow may raise anything else for a broken file.
    """
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415

    def opened(formats: tuple[str, ...]) -> ImageFile:
        return Image.open(BytesIO(source) if isinstance(source, bytes) else source, "r", formats)

    try:
        try:
            image = opened(COMMON)
        except UnidentifiedImageError:
            Image.init()  # takes a while: it imports all that Pillow knows
            image = opened(tuple(kind for kind in RARER if kind in Image.OPEN))  # it may lack some
    except Image.DecompressionBombError as error:
        msg = f"{name}: too many pixels ({error})"
        raise ImageError(msg) from error
    try:
        _check_effort(image, name, most or Image.MAX_IMAGE_PIXELS)
    except BaseException:
        image.close()
        raise
    return image


def _check_effort(image: ImageFile, name: str, limit: int | None) -> None:
    if limit is not None and image.width * image.height > limit:
        msg = f"{name}: {image.width} x {image.height} pixels are over the limit of {limit}"
        raise ImageError(msg)
    if image.format in ("JPEG", "MPO") and (scans := _scans(image)) > SCANS:
        msg = f"{name}: a JPEG of {scans:,} scans; at most {SCANS} are decoded"
        raise ImageError(msg)


def _scans(image: ImageFile) -> int:
    """Count the scans that a JPEG may have: in its data, these two bytes are nothing else."""
    assert image.fp is not None
    place = image.fp.tell()
    image.fp.seek(0)
    content = image.fp.read()
    image.fp.seek(place)
    return sum(1 for _ in re.finditer(b"\xff\xda", content))  # ten times as fast as bytes.count


def _from_file(source: str | os.PathLike[str] | bytes, name: str) -> PilImage:
    with open_picture(source, name) as image:
        image.load()
        return _to_rgb(_upright(image))


@contextmanager
def _decoding(name: str) -> Iterator[None]:
    """Turn whatever Pillow raises into an `ImageError`; a broken file may raise anything."""
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415

    try:
        yield
    except ImageError:
        raise
    except UnidentifiedImageError as error:
        msg = f"{name}: not a picture in a format that is read here ({', '.join(FORMATS)})"
        raise ImageError(msg) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        msg = f"{name}: too many pixels ({error})"
        raise ImageError(msg) from error
    except OSError as error:
        msg = f"{name}: {error.strerror or error}"
        raise ImageError(msg) from error
    except Exception as error:
        msg = f"{name}: cannot be decoded ({type(error).__name__}: {error})"
        raise ImageError(msg) from error


def _upright(image: PilImage) -> PilImage:
    # ImageOps.exif_transpose also rewrites the metadata and raises if some other tag is garbled.
    from PIL import Image  # noqa: PLC0415

    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
    turn = turns.get(_orientation(image))
    return image if turn is None else image.transpose(turn)


def _orientation(image: PilImage) -> int:
    try:
        value = image.getexif().get(ORIENTATION)
    except (SyntaxError, ValueError, TypeError, LookupError, OSError, struct.error):
        # Garbled metadata around sound pixels is common; viewers show such pictures as they lie.
        return UPRIGHT
    return value if isinstance(value, int) else UPRIGHT


def _to_rgb(image: PilImage) -> PilImage:
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        return _scaled_grey(image).convert("RGB")
    if image.mode in ALPHA_MODES or "transparency" in image.info:
        return _over_white(image)
    return _lab_to_rgb(image) if image.mode == "LAB" else image.convert("RGB")


def _scaled_grey(image: PilImage) -> PilImage:
    """Grey of more than 8 bits to 8; "F" has no range of its own and is taken as 0 to 255."""
    from PIL import Image  # noqa: PLC0415

    grey = np.nan_to_num(np.asarray(image).astype(np.float64))
    if image.mode != "F":
        grey *= 255 / GREY_16
    return Image.fromarray(np.rint(np.clip(grey, 0, 255)).astype(np.uint8))


def _over_white(image: PilImage) -> PilImage:
    from PIL import Image  # noqa: PLC0415

    # Pillow undoes premultiplied alpha only within a family: La to LA, RGBa to RGBA.
    colours = (image.convert("LA") if image.mode == "La" else image).convert("RGBA")
    white = Image.new("RGBA", colours.size, "white")
    return Image.alpha_composite(white, colours).convert("RGB")


def _lab_to_rgb(image: PilImage) -> PilImage:
    from PIL import ImageCms  # noqa: PLC0415

    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    result = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
    assert result is not None
    return result
