"""Runs the module that a program was made from, as the self-check needs it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import fx
from torch.export.graph_signature import InputKind
from torch.utils._pytree import tree_leaves

from bnas_deploy.converters.from_program.call import Given
from bnas_deploy.converters.from_program.export import Program, evaluating, first_line
from bnas_deploy.converters.from_program.inputs import placeholders
from bnas_deploy.errors import ConversionError

__all__ = ["PYTORCH", "module_logits", "program_values"]

PYTORCH = "PyTorch"

Floats = npt.NDArray[np.float32]

Place = tuple[fx.Node, int]
"""A node of a program, and which of its results is meant."""


def module_logits(program: Program, inputs: Floats) -> Floats:
    """Return the logits (N, classes) that the module computes.

    Args:
        program: With the module.
        inputs: (N, ...) as the module takes them; it gets as many at a time as in its example, the
            last ones repeated where too few are left.

    Raises:
        ConversionError: The module does not run.
    """
    with evaluating(program.module):
        (logits,) = _in_batches(program, inputs, lambda x: [_only(program.module(x))])
    return logits


def program_values(
    program: Program, inputs: Floats, wanted: Mapping[str, Place]
) -> dict[str, Floats]:
    """Return what nodes of the program give, (N, elements), by the names of the places.

    Args:
        program: With core operators.
        inputs: As for `module_logits`.
        wanted: The nodes.

    Raises:
        ConversionError: The program does not run.
    """
    given = [
        (spec.kind == InputKind.USER_INPUT, tensor)
        for _, spec, tensor in placeholders(program.exported)
    ]

    def run(x: torch.Tensor) -> list[torch.Tensor]:
        steps = _Steps(program.exported.graph_module, {node for node, _ in wanted.values()})
        steps.run(*(x if own else tensor for own, tensor in given))
        found = ((steps.found[node], place) for node, place in wanted.values())
        return [x if isinstance(x, torch.Tensor) else x[place] for x, place in found]

    return dict(zip(wanted, _in_batches(program, inputs, run), strict=True))


def _in_batches(
    program: Program, inputs: Floats, run: Callable[[torch.Tensor], list[torch.Tensor]]
) -> list[Floats]:
    size, found = program.batch, []
    for start in range(0, len(inputs), size):
        part = inputs[start : start + size]
        whole = np.concatenate([part, np.repeat(part[-1:], size - len(part), axis=0)])
        try:
            with torch.no_grad():
                results = run(torch.from_numpy(whole).to(program.device))
        except Exception as error:  # a module may raise anything
            msg = f"{program.name} does not run: {type(error).__name__}: {first_line(error)}"
            raise ConversionError(msg) from error
        arrays = (x.detach().float().cpu().numpy().reshape(size, -1) for x in results)
        found.append([array[: len(part)].copy() for array in arrays])
    return [np.concatenate(parts) for parts in zip(*found, strict=True)]


def _only(results: Given) -> torch.Tensor:
    (logits,) = (x for x in tree_leaves(results) if isinstance(x, torch.Tensor))
    return logits


class _Steps(fx.Interpreter):
    """Keeps the values of some nodes."""

    def __init__(self, module: fx.GraphModule, wanted: Collection[fx.Node]) -> None:
        super().__init__(module)
        self._wanted = wanted
        self.found: dict[fx.Node, Given] = {}

    def run_node(self, n: fx.Node) -> Given:
        """Run a node."""
        result = super().run_node(n)
        if n in self._wanted:
            self.found[n] = result
        return result
