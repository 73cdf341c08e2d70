"""The table of ATen operators that are understood."""

from __future__ import annotations

from bnas_deploy.converters.from_program.aten.elementwise import ELEMENTWISE
from bnas_deploy.converters.from_program.aten.layers import LAYERS
from bnas_deploy.converters.from_program.aten.views import VIEWS
from bnas_deploy.converters.from_program.call import Rule

__all__ = ["ATEN"]

ATEN: dict[str, Rule] = {**ELEMENTWISE, **LAYERS, **VIEWS}
"""By the operator's name, all its overloads together."""
