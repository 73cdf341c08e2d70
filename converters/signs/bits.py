"""Which signs of a value a packed layer reads, so that what is at exactly zero comes out right."""

from __future__ import annotations

import numpy as np

from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.converters.signs.flow import Flow
from bnas_deploy.converters.signs.importer import Importer
from bnas_deploy.converters.signs.obstacles import CannotConvert
from bnas_deploy.converters.signs.zeros import may_vanish, only_dots

__all__ = ["sign_bits", "turns"]


def turns(
    imports: Importer, flow: Flow, name: str, *, any_third: bool = False
) -> tuple[Array, Array, list[str]]:
    """What the signs must look at.

    Args:
        imports: The import.
        flow: With levels.
        name: For notes.
        any_third: Whether a level at zero may lie anywhere, not only in the middle.

    Returns:
        (C,) +1, -1 where x <= 0 is looked at, or 0 for both; (C,) what weights are multiplied by;
        what must be said about it.
    """
    assert flow.levels is not None
    low, mid, high = flow.levels.low, flow.levels.mid, flow.levels.high
    turned = np.where(mid == high, 1, np.where(mid == low, -1, 0))
    odd = turned == 0
    notes = []
    if odd.any():
        may = may_vanish(imports, flow.name) if imports.sign_zero == "auto" else odd
        may = may & (imports.sign_zero != "plus")
        if (odd & ~may).any() and not only_dots(imports, flow.name):
            count = int((odd & ~may).sum())
            notes.append(f"{name}: Sign(0) counts as +1 in {count} channels")
        if not any_third and (odd & may & (mid != (low + high) / 2)).any():
            msg = "its input has three levels"
            raise CannotConvert(msg, "use two levels")
        turned = np.where(odd & ~may, 1, turned)
        if (turned == 0).any():
            count = int((turned == 0).sum())
            notes.append(f"{name}: Sign(0) = 0 is kept in {count} channels, stored twice")
    # Turned bits say x <= 0, so that their sign is the other one; both levels may be swapped too.
    return turned, np.where(turned == 0, 1, turned) * np.where(high < low, -1, 1), notes


def sign_bits(imports: Importer, flow: Flow, index: Array, turned: Array, name: str) -> str:
    """Append the signs of some channels, in the order of `index`; (K,) turned as of `turns`."""
    source = imports.bare(flow.name)
    if not np.array_equal(index, np.arange(flow.channels)):
        source = imports.select(source, index, f"{name}.channels")
    if (turned < 0).any():
        ones = turned.astype(np.float64)
        source = imports.affine(source, ones, np.zeros_like(ones), f"{name}.turned")
    return imports.node("sign", f"{name}.bits", (source.name,), {"zero_sign": 1})
