"""bnas-serve as an application of Ray Serve, with all its endpoints.

serve run --app-dir deploy/serving ray_serve:application packed=/models/cats.bnn replicas=4
"""

from __future__ import annotations

from fastapi import FastAPI
from ray import serve

from bnas_deploy.serving.app import make_app
from bnas_deploy.serving.service import make_service


def application(arguments: dict[str, str]) -> serve.Application:
    """Deploy a .bnn file, or a folder of them, which is at the same place on every machine."""

    def build() -> FastAPI:  # runs in each replica, which loads the files itself
        return make_app(make_service([arguments["packed"]]), reload_seconds=2)

    replicas = int(arguments.get("replicas", "1"))

    @serve.deployment(num_replicas=replicas, max_ongoing_requests=65)  # one computed, 64 waiting
    @serve.ingress(build)
    class Networks:
        """One replica, of one CPU."""

    return Networks.bind()
