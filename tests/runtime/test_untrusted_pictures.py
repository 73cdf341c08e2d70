"""Pictures from strangers: which formats are read, and files that cost more than they look."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import EpsImagePlugin, Image

from bnas_deploy.errors import ImageError
from bnas_deploy.runtime.images import FORMATS, SCANS, open_rgb

PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8))
OTHERS = ["EPS", "ICNS", "MSP", "PDF", "QOI", "SGI", "SPIDER", "XBM"]
"""What Pillow writes and, save PDF, reads."""


def encoded(kind: str, **options: object) -> bytes:
    out = BytesIO()
    mode = {"MSP": "1", "XBM": "1", "SPIDER": "F"}.get(kind, "RGB")
    PICTURE.convert(mode).save(out, kind, **options)
    return out.getvalue()


def need_to_write(kind: str) -> None:
    Image.init()
    if kind not in Image.SAVE:
        pytest.skip(f"this Pillow writes no {kind}")


@pytest.mark.parametrize("kind", FORMATS)
def test_formats_that_are_read(kind: str) -> None:
    need_to_write(kind)
    assert open_rgb(encoded(kind)).size == PICTURE.size


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("name", ["a.jpg", "a"])
def test_formats_that_are_not(
    kind: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need_to_write(kind)

    def started(*_: object, **__: object) -> None:
        pytest.fail("Ghostscript would be started")

    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", started)
    path = tmp_path / name
    path.write_bytes(encoded(kind))
    for picture in (path, path.read_bytes()):
        with pytest.raises(ImageError, match=r"not a picture in a format that is read here \(JPEG"):
            open_rgb(picture)


def scanned(times: int) -> bytes:
    """A progressive JPEG whose last scan comes so many times."""
    content = encoded("JPEG", progressive=True)
    last = content.rindex(b"\xff\xda")
    return content[:last] + content[last:-2] * times + content[-2:]


def test_a_jpeg_of_many_scans() -> None:
    few = scanned(1).count(b"\xff\xda")
    assert open_rgb(scanned(SCANS - few + 1)).size == PICTURE.size
    with pytest.raises(ImageError, match=rf"a JPEG of {SCANS + 1} scans; at most {SCANS} are"):
        open_rgb(scanned(SCANS - few + 2))


def test_a_picture_inside_an_icon_is_limited_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 32 * 32)
    icon = encoded("ICO", sizes=[(64, 64)])
    with pytest.raises(ImageError, match="pixels"):
        open_rgb(icon)
