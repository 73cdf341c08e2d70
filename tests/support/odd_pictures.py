"""Picture files of every kind that is easily misread, with the RGB pixels that they mean."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image

__all__ = ["UPRIGHT", "odd_pictures", "turned_file"]

UPRIGHT = np.random.default_rng(7).integers(0, 256, (14, 10, 3), dtype=np.uint8)
"""A portrait picture (H, W, 3)."""

ORIENTATION = 0x0112


def odd_pictures() -> dict[str, tuple[bytes, np.ndarray]]:
    """Name, content and meaning (H, W, 3) of each file."""
    turned = {f"exif{i}.png": (turned_file(UPRIGHT, i), UPRIGHT) for i in range(1, 9)}
    return {**turned, **_grey(), **_colour(), **_transparent()}


def turned_file(pixels: np.ndarray, orientation: int, kind: str = "PNG") -> bytes:
    """A file whose EXIF orientation makes viewers show `pixels` (H, W, 3)."""
    stored = {  # how an upright picture lies in the file, by the EXIF specification
        1: pixels, 2: pixels[:, ::-1], 3: pixels[::-1, ::-1], 4: pixels[::-1],
        5: pixels.swapaxes(0, 1), 6: np.rot90(pixels), 7: np.rot90(pixels, 2).swapaxes(0, 1),
        8: np.rot90(pixels, -1),
    }[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return _encoded(Image.fromarray(np.ascontiguousarray(stored)), kind, exif=exif)


def _grey() -> dict[str, tuple[bytes, np.ndarray]]:
    grey = UPRIGHT[..., 0]
    bits = np.where(grey > 127, 255, 0).astype(np.uint8)
    fine = (grey.astype(np.uint16) * 257)[..., None]
    return {
        "grey.png": (_encoded(Image.fromarray(grey), "PNG"), _rgb(grey)),
        "grey16.png": (_encoded(Image.fromarray(fine[..., 0]), "PNG"), _rgb(grey)),
        "grey16.tif": (_encoded(Image.fromarray(fine[..., 0]), "TIFF"), _rgb(grey)),
        "bits.png": (_encoded(Image.fromarray(bits).convert("1"), "PNG"), _rgb(bits)),
    }


def _colour() -> dict[str, tuple[bytes, np.ndarray]]:
    inks = np.concatenate([255 - UPRIGHT, np.zeros((14, 10, 1), np.uint8)], axis=2)
    return {
        "cmyk.tif": (_encoded(Image.fromarray(inks, "CMYK"), "TIFF"), UPRIGHT),
        "palette.png": (_encoded(_palette(), "PNG"), np.asarray(_palette().convert("RGB"))),
        "palette.gif": (_encoded(_palette(), "GIF"), np.asarray(_palette().convert("RGB"))),
    }


def _transparent() -> dict[str, tuple[bytes, np.ndarray]]:
    alpha = np.zeros((14, 10), np.uint8)
    alpha[:7] = 255
    over_white = np.where(alpha[..., None] == 255, UPRIGHT, 255).astype(np.uint8)
    grey_over_white = _rgb(np.where(alpha == 255, UPRIGHT[..., 0], 255).astype(np.uint8))
    indices, colours = np.asarray(_palette()), np.asarray(_palette().convert("RGB"))
    see_through = np.where(indices[..., None] == 2, 255, colours).astype(np.uint8)
    rgba = Image.fromarray(np.dstack([UPRIGHT, alpha]))
    la = Image.fromarray(np.dstack([UPRIGHT[..., 0], alpha]), "LA")
    return {
        "alpha.png": (_encoded(rgba, "PNG"), over_white),
        "alpha.webp": (_encoded(rgba, "WEBP", lossless=True), over_white),
        "grey_alpha.png": (_encoded(la, "PNG"), grey_over_white),
        "palette_alpha.png": (_encoded(_palette(), "PNG", transparency=2), see_through),
        "palette_alpha.gif": (_encoded(_palette(), "GIF", transparency=2), see_through),
    }


def _palette() -> Image.Image:
    image = Image.fromarray((UPRIGHT[..., 1] // 64).astype(np.uint8), "P")
    image.putpalette([10, 20, 30, 90, 80, 70, 120, 250, 130, 200, 210, 190])
    return image


def _rgb(grey: np.ndarray) -> np.ndarray:
    return np.repeat(grey[..., None], 3, axis=2)


def _encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()
