"""BatchNorm and sign once a value: what several units read is normalised once, for all of them.

In the paper's template every unit has a BatchNorm of its own, so the signs of a value are taken as
often as it is read: in other places each time. Here the first unit that reads a value owns the
BatchNorm, and the others refer to it; they have no parameters of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from torch import nn

from bnas_deploy.nn.cell import Cell
from bnas_deploy.nn.layers import ConvUnit

__all__ = ["share_norms"]


def share_norms(cells: Sequence[Cell], *, one_stem: bool) -> None:
    """Let all units that read the same value have the same BatchNorm.

    These are the input units of two neighbouring cells, which read the output of the cell before,
    and single convolutions on edges out of one state. Separable convolutions, factorized
    reductions and shortcuts keep theirs.

    Args:
        cells: Of a network, in order.
        one_stem: Whether both inputs of the first cell are the same value.
    """
    for index, cell in enumerate(cells):
        own = cell.inputs[1]
        readers = [own]
        if index == 0 and one_stem:
            readers.append(cell.inputs[0])
        if index + 1 < len(cells):
            readers.append(cells[index + 1].inputs[0])
        _share(f"cell{index}", readers)
        for state, units in _by_state(cell).items():
            _share(f"cell{index}.state{state}", units)


def _by_state(cell: Cell) -> dict[int, list[ConvUnit]]:
    found: dict[int, list[ConvUnit]] = {}
    for (_, state), op in zip(cell.edges, cell.ops, strict=True):
        if isinstance(op, ConvUnit):
            found.setdefault(state, []).append(op)
    return found


def _share(key: str, readers: Iterable[ConvUnit]) -> None:
    owner, *others = readers
    owner.shared = key
    for unit in others:
        unit.shared = key
        _refer(unit, owner.bn)


def _refer(unit: ConvUnit, norm: nn.BatchNorm2d) -> None:
    """Let a unit use a BatchNorm that belongs to another one: not a module of its own."""
    del unit.bn
    object.__setattr__(unit, "bn", norm)
