"""Runs the module that a program was made from, as the self-check needs it."""

from __future__ import annotations

from collections.abc import Callable

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

__all__ = ["PYTORCH", "module_logits"]

PYTORCH = "PyTorch"

Floats = npt.NDArray[np.float32]


def module_logits(
    program: Program, inputs: Floats, *, up_to: tuple[fx.Node, int] | None = None
) -> Floats:
    """Return the logits (N, classes) that PyTorch computes.

    Args:
        program: With the module.
        inputs: (N, ...) as the module takes them; it gets as many at a time as in its example, the
            last ones repeated where too few are left.
        up_to: The node of the program whose value the logits are, and which of its results; None
            for what the module gives.

    Raises:
        ConversionError: The module does not run.
    """
    run = program.module if up_to is None else _until(program, up_to)
    size, found = program.batch, []
    with evaluating(program.module):
        for start in range(0, len(inputs), size):
            part = inputs[start : start + size]
            whole = np.concatenate([part, np.repeat(part[-1:], size - len(part), axis=0)])
            found.append(_logits(run, whole, program)[: len(part)])
    return np.concatenate(found)


def _logits(run: Callable[[torch.Tensor], Given], inputs: Floats, program: Program) -> Floats:
    given = torch.from_numpy(np.array(inputs)).to(program.device)
    try:
        with torch.no_grad():
            results = run(given)
    except Exception as error:  # a module may raise anything
        msg = f"{program.name} does not run: {type(error).__name__}: {first_line(error)}"
        raise ConversionError(msg) from error
    (logits,) = (x for x in tree_leaves(results) if isinstance(x, torch.Tensor))
    return np.asarray(logits.float().cpu().numpy().reshape(len(inputs), -1), np.float32)


def _until(program: Program, wanted: tuple[fx.Node, int]) -> Callable[[torch.Tensor], Given]:
    """A function that runs a program and gives what one of its nodes did."""
    node, place = wanted
    given = [
        (spec.kind == InputKind.USER_INPUT, tensor)
        for _, spec, tensor in placeholders(program.exported)
    ]

    def run(inputs: torch.Tensor) -> Given:
        steps = _Steps(program.exported.graph_module, node)
        steps.run(*(inputs if own else tensor for own, tensor in given))
        return steps.found if isinstance(steps.found, torch.Tensor) else steps.found[place]

    return run


class _Steps(fx.Interpreter):
    """Keeps the value of one node."""

    def __init__(self, module: fx.GraphModule, wanted: fx.Node) -> None:
        super().__init__(module)
        self._wanted = wanted
        self.found: Given = None

    def run_node(self, n: fx.Node) -> Given:
        """Run a node."""
        result = super().run_node(n)
        if n is self._wanted:
            self.found = result
        return result
