"""Tests of reading pictures: every mode, rotation, alpha, and files that are none."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bnas_deploy.errors import ImageError
from bnas_deploy.runtime.images import open_rgb

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype(np.uint8)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def read(image: Image.Image, kind: str, **options: object) -> np.ndarray:
    return np.asarray(open_rgb(encoded(image, kind, **options)))


def test_path_bytes_image_and_array_are_the_same(tmp_path: Path) -> None:
    image = Image.fromarray(PIXELS)
    file = tmp_path / "a.png"
    image.save(file)
    for picture in (file, str(file), file.read_bytes(), image, PIXELS):
        result = open_rgb(picture)
        assert result.mode == "RGB"
        assert np.array_equal(np.asarray(result), PIXELS)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "PA", "CMYK", "YCbCr", "HSV",
                                  "RGBX", "I", "F", "I;16", "LAB", "La", "RGBa"])  # fmt: skip
@pytest.mark.parametrize("size", [(7, 5), (1, 1)])
def test_every_mode_becomes_rgb(mode: str, size: tuple[int, int]) -> None:
    result = open_rgb(Image.new(mode, size))
    assert result.mode == "RGB"
    assert result.size == size


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
def test_16_bit_grey_is_scaled_not_clipped(kind: str) -> None:
    grey = np.array([[0, 128, 257, 32768], [40000, 65278, 65407, 65535]], np.uint16)
    expected = np.rint(grey.astype(np.float64) / 257).astype(np.uint8)
    result = read(Image.fromarray(grey), kind)
    for channel in range(3):
        assert np.array_equal(result[..., channel], expected)


def test_big_endian_16_bit_tiff() -> None:
    grey = np.array([[0, 1000, 65535]], np.uint16)
    raw = Image.frombytes("I;16B", (3, 1), grey.astype(">u2").tobytes())
    assert np.asarray(open_rgb(raw))[0, :, 0].tolist() == [0, 4, 255]


def test_float_pictures_are_clipped_and_their_nan_is_black() -> None:
    values = np.array([[-5.0, 0.4, 100.6, 300.0, np.nan]], np.float32)
    assert np.asarray(open_rgb(Image.fromarray(values)))[0, :, 1].tolist() == [0, 0, 101, 255, 0]


def test_alpha_is_composed_over_white() -> None:
    image = Image.new("RGBA", (3, 1), (0, 100, 200, 255))
    image.putpixel((1, 0), (0, 100, 200, 0))
    image.putpixel((2, 0), (0, 100, 200, 51))
    assert read(image, "PNG").tolist() == [[[0, 100, 200], [255, 255, 255], [204, 224, 244]]]


def test_grey_with_alpha_over_white() -> None:
    assert read(Image.new("LA", (1, 1), (0, 0)), "PNG").tolist() == [[[255, 255, 255]]]


def test_palette_with_a_transparent_colour() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((1, 0), 1)
    expected = [[[255, 255, 255], [40, 50, 60]]]
    assert read(image, "PNG", transparency=0).tolist() == expected
    assert read(image, "PNG", transparency=b"\x00\xff").tolist() == expected


@pytest.mark.parametrize(("mode", "colour"), [("L", 7), ("RGB", (7, 8, 9)), ("1", 0)])
def test_a_transparent_colour_without_palette(mode: str, colour: object) -> None:
    data = encoded(Image.new(mode, (1, 1), colour), "PNG", transparency=colour)
    assert np.asarray(open_rgb(data)).tolist() == [[[255, 255, 255]]]


def test_cmyk_ink_is_darkness() -> None:
    data = encoded(Image.new("CMYK", (8, 8), (255, 0, 0, 0)), "TIFF")
    assert np.asarray(open_rgb(data))[0, 0].tolist() == [0, 255, 255]


def test_lab_keeps_white_white() -> None:
    # In memory Pillow holds a* and b* with 128 for zero.
    white = read(Image.new("LAB", (1, 1), (255, 128, 128)), "TIFF")
    assert white.min() > 240


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_exif_rotation(orientation: int, kind: str) -> None:
    stored = {  # how an upright picture lies in the file, by the EXIF specification
        1: PIXELS, 2: PIXELS[:, ::-1], 3: PIXELS[::-1, ::-1], 4: PIXELS[::-1],
        5: PIXELS.swapaxes(0, 1), 6: np.rot90(PIXELS), 7: np.rot90(PIXELS, 2).swapaxes(0, 1),
        8: np.rot90(PIXELS, -1),
    }[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {}
    image = Image.fromarray(np.ascontiguousarray(stored))
    assert np.array_equal(read(image, kind, exif=exif, **options), PIXELS)


@pytest.mark.parametrize("orientation", [0, 9, 60000])
def test_impossible_rotation_is_none(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert np.array_equal(read(Image.fromarray(PIXELS), "PNG", exif=exif), PIXELS)


def test_garbled_exif_does_not_spoil_a_picture() -> None:
    data = encoded(Image.fromarray(PIXELS), "PNG", exif=b"Exif\x00\x00nothing of that kind")
    assert np.array_equal(np.asarray(open_rgb(data)), PIXELS)


def test_first_frame_of_an_animation() -> None:
    red, blue = Image.new("RGB", (4, 4), "red"), Image.new("RGB", (4, 4), "blue")
    data = encoded(red, "GIF", save_all=True, append_images=[blue], duration=10)
    assert np.asarray(open_rgb(data))[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("keep", [0, 1, 10, 0.5, -1])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF"])
def test_truncated_file_is_named(tmp_path: Path, kind: str, keep: float) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    whole = encoded(Image.fromarray(noise), kind)
    # One byte less than a PNG or GIF does no harm to pixels, so the last case takes more.
    length = (
        int(len(whole) * 0.9) if keep == -1 else int(keep * len(whole)) if keep == 0.5 else keep
    )
    file = tmp_path / "broken.img"
    file.write_bytes(whole[:length])
    with pytest.raises(ImageError, match=r"broken\.img"):
        open_rgb(file)


def test_not_a_picture(tmp_path: Path) -> None:
    file = tmp_path / "text.jpg"
    file.write_text("hello")
    with pytest.raises(ImageError, match=r"text\.jpg: not a picture"):
        open_rgb(file)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"nix\.jpg: No such file"):
        open_rgb(tmp_path / "nix.jpg")
    with pytest.raises(ImageError, match=str(tmp_path)):
        open_rgb(tmp_path)


def huge_png(width: int, height: int) -> bytes:
    data = encoded(Image.new("L", (1, 1)), "PNG")
    header = struct.pack(">II", width, height) + data[24:29]
    check = struct.pack(">I", zlib.crc32(b"IHDR" + header))
    return data[:16] + header + check + data[33:]


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [10_000, 14_000, 60_000])
def test_decompression_bomb(side: int) -> None:
    with pytest.raises(ImageError, match=r"bomb\.png: .*pixels"):
        open_rgb(huge_png(side, side), "bomb.png")


def test_decompression_bomb_where_warnings_are_errors() -> None:
    with pytest.raises(ImageError, match=r"bomb\.png: .*pixels"):
        open_rgb(huge_png(10_000, 10_000), "bomb.png")


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((2, 4, 4, 3), np.uint8),
    ],
)
def test_wrong_array(array: np.ndarray) -> None:
    with pytest.raises(ImageError, match=r"uint8 of shape \(height, width, 3\)"):
        open_rgb(array)


def test_something_else() -> None:
    with pytest.raises(ImageError, match="expected a path"):
        open_rgb(3)


def test_a_lazy_pillow_image_that_is_truncated() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    data = encoded(Image.fromarray(noise), "JPEG")
    with pytest.raises(ImageError, match="truncated"):
        open_rgb(Image.open(BytesIO(data[: len(data) // 2])))
