"""`POST /v1/models/NAME:classify`: a picture in, the answer of `bnas-run --json` out."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from bnas_deploy.errors import BnasError
from bnas_deploy.runtime.model import Model
from bnas_deploy.runtime.predictions import as_record
from bnas_deploy.serving.answers import BadRequest, json_answer
from bnas_deploy.serving.pictures import opened, picture_of
from bnas_deploy.serving.service import Service

__all__ = ["classify_routes"]

NAME = "<body>"
"""What the answer calls a picture, as bnas-run calls one `<stdin>`."""
BINARY = {"schema": {"type": "string", "format": "binary"}}
BODY = {
    "required": True,
    "content": {
        "application/octet-stream": BINARY,
        "image/*": BINARY,
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "properties": {"file": {"type": "string", "format": "binary"}},
            }
        },
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {"image": {"type": "string", "format": "byte"}},
                "required": ["image"],
            }
        },
    },
}


def classify_routes(service: Service) -> APIRouter:
    """Return the routes about pictures."""
    router = APIRouter(prefix="/v1/models", tags=["pictures"])

    @router.get("")
    def models() -> Response:
        """Names of the models."""
        return json_answer({"models": service.shelf.names})

    @router.post("/{name}:classify", openapi_extra={"requestBody": BODY})
    async def classify(
        request: Request, name: str, top_k: Annotated[int, Query(ge=1, le=1_000_000)] = 1
    ) -> Response:
        """Name what is in a picture: the body itself, a file in a form, or base64 in JSON."""
        model = service.shelf[name]
        kind = request.headers.get("content-type", "")
        limit = service.gate.limits.pixels
        async with service.gate.body(request) as body:
            return await service.gate.compute(
                request,
                lambda: json_answer(
                    _classified(model, name, picture_of(kind, body), top_k=top_k, limit=limit)
                ),
            )

    return router


def _classified(
    model: Model, name: str, picture: bytes, *, top_k: int, limit: int
) -> dict[str, Any]:
    try:
        pixels = model.pixels(opened(picture, limit), NAME)
    except BnasError as error:
        raise BadRequest(str(error)) from None
    (prediction,) = model.rank(model.run(model.normalise([pixels])), top_k=top_k)
    return {
        "model": name,
        "backend": model.backend,
        "isa": model.isa,
        "threads": model.threads,
        "results": [as_record(NAME, prediction)],
        "errors": [],
    }
