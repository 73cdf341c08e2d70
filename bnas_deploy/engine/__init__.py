"""What runs a packed program: three backends, and the choice of one.

Importing this package is cheap: a backend is imported when it is chosen.
"""

from __future__ import annotations

from bnas_deploy.engine.choose import available, create, describe
from bnas_deploy.engine.runner import Runner

__all__ = ["Runner", "available", "create", "describe"]
