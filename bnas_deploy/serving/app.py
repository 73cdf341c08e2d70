"""The application: all routes, behind the limits, with the files watched."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from fastapi import FastAPI

from bnas_deploy import __version__
from bnas_deploy.serving.answers import add_error_handlers
from bnas_deploy.serving.classify import classify_routes
from bnas_deploy.serving.metrics import Counting
from bnas_deploy.serving.operations import operation_routes
from bnas_deploy.serving.service import Service
from bnas_deploy.serving.v2.routes import v2_routes

__all__ = ["make_app"]


def make_app(service: Service, *, reload_seconds: float) -> FastAPI:
    """Return the ASGI application, which looks after the models' files while it runs."""

    @asynccontextmanager
    async def watching(_: FastAPI) -> AsyncIterator[None]:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(service.shelf.watch, reload_seconds)
            yield
            tasks.cancel_scope.cancel()

    # FastAPI's own pages come from a CDN.
    app = FastAPI(
        title="bnas-serve",
        version=__version__,
        lifespan=watching,
        docs_url=None,
        redoc_url=None,
    )
    for routes in (operation_routes, classify_routes, v2_routes):
        app.include_router(routes(service))
    add_error_handlers(app)
    app.add_middleware(Counting, metrics=service.metrics)
    return app
