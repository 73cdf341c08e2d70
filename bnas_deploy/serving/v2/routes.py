"""The endpoints of the Open Inference Protocol: health, metadata, inference."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from bnas_deploy import __version__
from bnas_deploy.errors import UsageError
from bnas_deploy.runtime.model import Model
from bnas_deploy.serving.answers import BadRequest, encoded, json_answer
from bnas_deploy.serving.service import Service
from bnas_deploy.serving.v2.tensors import DATATYPE, INPUT, OUTPUT, WIRE, Asked, asked

__all__ = ["v2_routes"]

LENGTH = "Inference-Header-Content-Length"
BODY = {
    "required": True,
    "content": {
        "application/json": {"schema": {"type": "object", "required": ["inputs"]}},
        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
    },
}


def v2_routes(service: Service) -> APIRouter:
    """Return the routes below /v2."""
    router = APIRouter(prefix="/v2", tags=["Open Inference Protocol"])
    shelf = service.shelf

    @router.get("")
    def server() -> Response:
        """Name, version and extensions of the server."""
        record = {
            "name": "bnas-serve",
            "version": __version__,
            "extensions": ["binary_tensor_data"],
        }
        return json_answer(record)

    @router.get("/health/live")
    def live() -> Response:
        """Whether the server answers."""
        return json_answer({"live": True})

    @router.get("/health/ready")
    def ready() -> Response:
        """Whether the models are loaded, which they are before the server listens."""
        return json_answer({"ready": True})

    @router.get("/models/{name}")
    def model(name: str) -> Response:
        """Inputs and outputs of a model."""
        return json_answer(_metadata(name, shelf[name]))

    @router.get("/models/{name}/ready")
    def model_ready(name: str) -> Response:
        """Whether a model is loaded."""
        _ = shelf[name]
        return json_answer({"name": name, "ready": True})

    @router.post("/models/{name}/infer", openapi_extra={"requestBody": BODY})
    async def infer(request: Request, name: str) -> Response:
        """Logits of inputs that are normalised already."""
        found = shelf[name]
        length = request.headers.get(LENGTH)
        async with service.gate.body(request) as body:
            return await service.gate.compute(request, lambda: _inferred(found, name, body, length))

    return router


def _metadata(name: str, model: Model) -> dict[str, Any]:
    classes = max(1, len(model.labels))
    return {
        "name": name,
        "platform": "bnas-deploy_bnn",
        "inputs": [{"name": INPUT, "datatype": DATATYPE, "shape": [-1, *model.input_shape]}],
        "outputs": [{"name": OUTPUT, "datatype": DATATYPE, "shape": [-1, classes]}],
    }


def _inferred(model: Model, name: str, body: bytes, length: str | None) -> Response:
    question = asked(body, length, model.input_shape)
    try:
        logits = model.run(question.images)
    except UsageError as error:
        raise BadRequest(str(error)) from None
    return _answer(name, question, logits)


def _answer(name: str, question: Asked, logits: Any) -> Response:  # noqa: ANN401
    output: dict[str, Any] = {"name": OUTPUT, "datatype": DATATYPE, "shape": list(logits.shape)}
    record: dict[str, Any] = {"model_name": name, "outputs": [output]}
    if question.id is not None:
        record["id"] = question.id
    if not question.binary:
        output["data"] = logits.ravel().tolist()
        return json_answer(record)
    data = logits.astype(WIRE).tobytes()
    output["parameters"] = {"binary_data_size": len(data)}
    text = encoded(record)
    headers = {LENGTH: str(len(text))}
    return Response(text + data, headers=headers, media_type="application/octet-stream")
