"""A picture out of a request: as the body, in a form, or as base64 in JSON; and opening it."""

from __future__ import annotations

import binascii
import json
from typing import TYPE_CHECKING

from python_multipart.multipart import Field, File, FormParser, parse_options_header

from bnas_deploy.errors import ImageError
from bnas_deploy.runtime.images import FORMATS, open_picture
from bnas_deploy.serving.answers import BadRequest

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage

__all__ = ["opened", "picture_of"]

MOST_PARTS = 16
"""Fields of a form beside the picture."""


def picture_of(kind: str, body: bytes) -> bytes:
    """Return the bytes of the picture that a request holds; takes its time, so call it in a thread.

    Args:
        kind: The Content-Type: multipart/form-data with one file, application/json with base64 in
            "image", else the body is the picture.
        body: Of the request.

    Raises:
        BadRequest: There is no picture, or several.
    """
    media_type = kind.partition(";")[0].strip().lower()
    if media_type == "multipart/form-data":
        content = _from_form(kind, body)
    elif media_type == "application/json":
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
    try:
        return open_picture(content, "the picture", limit)
    except ImageError as error:
        raise BadRequest(str(error)) from None
    except Exception:
        msg = f"expected a picture in one of the formats {', '.join(FORMATS)}"
        raise BadRequest(msg) from None


def _from_form(kind: str, body: bytes) -> bytes:
    found: list[File] = []
    parts = 0

    def count(_: Field) -> None:
        nonlocal parts
        parts += 1
        if parts > MOST_PARTS:
            raise BadRequest(f"expected a form with one file, got over {MOST_PARTS} parts")  # noqa: EM102

    def keep(file: File) -> None:
        if found:
            msg = "expected a form with one file, got several"
            raise BadRequest(msg)
        found.append(file)

    # Nothing is spooled to the disk: a file in it is no larger than the body.
    sizes = {"MAX_MEMORY_FILE_SIZE": len(body) + 1}
    _, options = parse_options_header(kind)
    boundary = options.get(b"boundary")
    try:
        parser = FormParser("multipart/form-data", count, keep, boundary=boundary, config=sizes)
        parser.write(body)
        parser.finalize()
    except ValueError:
        found.clear()
    if not found:
        msg = "expected multipart/form-data with one file; there is none, or it cannot be parsed"
        raise BadRequest(msg)
    found[0].file_object.seek(0)
    return found[0].file_object.read()


def _from_json(body: bytes) -> bytes:
    try:
        text = json.loads(body)["image"]
        return binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        msg = 'expected {"image": "…"} with the picture in base64'
        raise BadRequest(msg) from None
