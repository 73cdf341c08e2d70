"""What an operator and a browser ask: health, metrics, and a page to drop a picture on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fastapi import APIRouter
from starlette.responses import Response

from bnas_deploy.serving.answers import json_answer
from bnas_deploy.serving.service import Service

__all__ = ["operation_routes"]

PAGE = Path(__file__).parent / "page"
POLICY = "default-src 'none'; connect-src 'self'; script-src 'self'; style-src 'self'"


def operation_routes(service: Service) -> APIRouter:
    """Return the routes that are about the server itself."""
    router = APIRouter(tags=["operation"])

    @router.get("/health")
    def health() -> Response:
        """Whether the server answers."""
        return json_answer({"status": "ok"})

    @router.get("/ready")
    def ready() -> Response:
        """Whether the models are loaded, which they are before the server listens."""
        return json_answer({"models": service.shelf.names})

    @router.get("/metrics")
    def metrics() -> Response:
        """Numbers for Prometheus."""
        service.metrics.inside.set(service.gate.inside)
        service.metrics.held.set(service.gate.held)
        return service.metrics.answer()

    for path, name, kind in (
        ("/", "index.html", "text/html"),
        ("/page.js", "page.js", "text/javascript"),
        ("/page.css", "page.css", "text/css"),
        ("/docs", "docs.html", "text/html"),
        ("/docs.js", "docs.js", "text/javascript"),
    ):
        router.add_api_route(path, _file(name, kind), include_in_schema=False)
    return router


def _file(name: str, kind: str) -> Callable[[], Response]:
    content = (PAGE / name).read_bytes()

    def page() -> Response:
        return Response(content, headers={"Content-Security-Policy": POLICY}, media_type=kind)

    return page
