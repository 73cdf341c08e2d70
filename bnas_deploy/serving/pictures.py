"""A picture out of a request: as the body, in a form, or as base64 in JSON; and opening it."""

from __future__ import annotations

import binascii
import json
from collections.abc import AsyncIterator
from io import BytesIO
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from bnas_deploy.serving.answers import BadRequest

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage

__all__ = ["opened", "picture_of"]

FORMATS = (
    "AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "MPO", "PNG", "PPM", "TGA", "TIFF", "WEBP",
)  # fmt: skip
"""What is decoded in this process alone: Pillow starts Ghostscript for EPS."""


async def picture_of(headers: Headers, body: bytes) -> bytes:
    """Return the bytes of the picture that a request holds.

    Args:
        headers: Its Content-Type decides: multipart/form-data with one file, application/json with
            base64 in "image", else the body is the picture.
        body: Of the request.

    Raises:
        BadRequest: There is no picture, or several.
    """
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        content = await _from_form(headers, body)
    elif kind == "application/json":
        content = _from_json(body)
    else:
        content = body
    if not content:
        msg = "expected a picture, got no bytes"
        raise BadRequest(msg)
    return content


def opened(content: bytes, limit: int) -> PilImage:
    """Open a picture, whose pixels are decoded later.

    Args:
        content: Bytes of the file.
        limit: Largest number of pixels.

    Raises:
        BadRequest: It is in no format that the server takes, or too large.
    """
    from PIL import Image  # noqa: PLC0415

    Image.init()
    try:
        image = Image.open(BytesIO(content), formats=[f for f in FORMATS if f in Image.OPEN])
        pixels = image.width * image.height
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        msg = f"the picture has more than {limit} pixels"
        raise BadRequest(msg) from None
    except Exception:
        names = ", ".join(FORMATS)
        msg = f"expected a picture in one of the formats {names}"
        raise BadRequest(msg) from None
    if pixels > limit:
        msg = (
            f"{image.width} x {image.height} pixels are over the limit of {limit}; send a smaller"
            " picture"
        )
        raise BadRequest(msg)
    return image


async def _from_form(headers: Headers, body: bytes) -> bytes:
    async def stream() -> AsyncIterator[bytes]:
        yield body

    try:
        # Nothing is spooled to the disk: a file in it is no larger than the body.
        parser = MultiPartParser(headers, stream(), max_files=1, max_fields=8)  # type: ignore[arg-type]
        parser.spool_max_size = len(body) + 1
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError, LookupError) as error:
        message = getattr(error, "message", "") or "it cannot be parsed"
        msg = f"expected multipart/form-data with one file: {message}"
        raise BadRequest(msg) from None
    try:
        files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
        if len(files) != 1:
            msg = f"expected a form with one file, got {len(files)}"
            raise BadRequest(msg)
        return await files[0].read()
    finally:
        await form.close()


def _from_json(body: bytes) -> bytes:
    try:
        text = json.loads(body)["image"]
        return binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        msg = 'expected {"image": "…"} with the picture in base64'
        raise BadRequest(msg) from None
