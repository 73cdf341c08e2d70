"""Answers in JSON, and errors as one sentence with a status."""

from __future__ import annotations

import json
import sys
import traceback
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bnas_deploy.shown import safe

__all__ = ["BadRequest", "add_error_handlers", "encoded", "json_answer"]

LONGEST = 500


class BadRequest(HTTPException):
    """An answer of status 400."""

    def __init__(self, sentence: str) -> None:
        super().__init__(400, sentence)


def encoded(record: Any) -> bytes:  # noqa: ANN401
    """JSON in ASCII: an echoed text may hold what UTF-8 cannot.

    Raises:
        BadRequest: There is a number in it that JSON lacks.
    """
    try:
        return json.dumps(record, allow_nan=False).encode("ascii")
    except ValueError:
        msg = "the answer holds NaN or infinity, which JSON lacks; ask for binary data"
        raise BadRequest(msg) from None


def json_answer(record: Any, status: int = 200, headers: Any = None) -> Response:  # noqa: ANN401
    """Return a response with JSON in it."""
    return Response(encoded(record), status, headers, "application/json")


def add_error_handlers(app: FastAPI) -> None:
    """Answer every error as ``{"error": sentence}``."""

    async def refused(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return json_answer({"error": _short(error.detail)}, error.status_code, error.headers)

    async def invalid(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        return json_answer({"error": _short(f"{place}: {first['msg']}")}, 400)

    async def no_memory(_: Request, __: Exception) -> Response:
        return json_answer({"error": "out of memory; try again later"}, 503, {"Retry-After": "1"})

    async def fault(_: Request, error: Exception) -> Response:
        traceback.print_exception(type(error), error, error.__traceback__, file=sys.stderr)
        return json_answer({"error": "a fault of the server; its log says more"}, 500)

    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(MemoryError, no_memory)
    app.add_exception_handler(Exception, fault)


def _short(sentence: str) -> str:
    sentence = safe(sentence)
    return sentence if len(sentence) <= LONGEST else sentence[:LONGEST] + "…"
