"""A module, or a file of torch.export.save, as a program of core ATen operators."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from typing import Any

import torch
from torch import fx, nn
from torch.export import ExportedProgram

from bnas_deploy.converters.from_program.assign import FollowsData
from bnas_deploy.converters.packing.model_file import ModelFile
from bnas_deploy.cut_off import is_cut_off, what_whole_file_is
from bnas_deploy.errors import ConversionError, UsageError

__all__ = ["Program", "evaluating", "exported_module", "first_line", "loaded_program"]

KEPT = (
    "adaptive_avg_pool2d.default", "elu.default", "hardsigmoid.default", "hardswish.default",
    "heaviside.default", "instance_norm.default", "linear.default", "mish.default",
    "prelu.default", "reflection_pad2d.default", "replication_pad2d.default", "silu.default",
    "softplus.default",
)  # fmt: skip
"""Operators of ATen that are not core, but have a translation: they are not taken apart."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """What torch.export made of a module.

    Attributes:
        exported: The program, of core ATen operators.
        module: What it was made from, or the program as a module; it takes `batch` inputs.
        batch: The number of inputs that it was exported for.
        dynamic: Whether it takes other numbers of inputs, too.
        name: Of the model.
        parameters: Their number.
        device: On which it runs.
    """

    exported: ExportedProgram
    module: nn.Module
    batch: int
    dynamic: bool = False
    name: str
    parameters: int
    device: torch.device


def exported_module(module: nn.Module, example: torch.Tensor) -> Program:
    """Export a module as it runs in evaluation mode; the module is not changed.

    Args:
        module: Any.
        example: (N, ...) what it reads; float32.

    Raises:
        ConversionError: The module does not run on the example, or torch.export cannot follow it.
        UsageError: The module or the example is something else.
    """
    check_example(module, example)
    name = type(module).__name__
    with evaluating(module), _quiet():
        _try_out(module, example)
        try:
            with torch.no_grad(), FollowsData():
                program = torch.export.export(module, (example,), strict=False)
            program = _of_core_operators(program)
        except Exception as error:  # what it raises has no common base
            msg = (
                f"{name}: torch.export cannot follow this module ({first_line(error)}); leave out"
                " what depends on the values of tensors (if, loops, .item()), or export it with"
                " torch.onnx.export(..., dynamo=False) and give the file to bnas-import"
            )
            raise ConversionError(msg) from error
    return Program(
        exported=program,
        module=module,
        batch=len(example),
        name=name,
        parameters=sum(p.numel() for p in module.parameters()),
        device=example.device,
    )


def check_example(module: object, example: object) -> None:
    """Check what a user gives.

    Raises:
        UsageError: The module is none, or the example no batch of inputs.
    """
    _check_version()
    if not isinstance(module, nn.Module):
        msg = f"expected a torch.nn.Module; got {type(module).__name__}"
        raise UsageError(msg)
    if not isinstance(example, torch.Tensor) or example.ndim not in (2, 4) or not len(example):
        got = list(example.shape) if isinstance(example, torch.Tensor) else type(example).__name__
        msg = f"expected an example input (N, C, H, W), (N, H, W, C) or (N, K); got {got}"
        raise UsageError(msg)
    halves = {str(p.dtype) for p in module.parameters() if p.dtype in (torch.half, torch.bfloat16)}
    if example.dtype != torch.float32 or halves:
        found = min(halves) if halves else str(example.dtype)
        remedy = "call module.float() and give an example in float32"
        msg = f"expected numbers in float32; got {found}; {remedy}"
        raise UsageError(msg)


def loaded_program(file: ModelFile) -> Program:
    """Read a file of torch.export.save.

    Raises:
        ConversionError: It is damaged, or of a version that this PyTorch does not read.
    """
    if is_cut_off(file.data):
        msg = f"{file.name}: this is {what_whole_file_is(file.data)}"
        raise ConversionError(msg)
    _check_version()
    with _quiet():
        try:
            program = torch.export.load(file.path)
            runs = program.module()
            core = _of_core_operators(program)
        except Exception as error:  # what it raises has no common base
            msg = (
                f"{file.name}: PyTorch {torch.__version__} cannot load it ({first_line(error)});"
                " save it again with torch.export.save"
            )
            raise ConversionError(msg) from error
    batch, dynamic = _batch(program)
    return Program(
        exported=core,
        module=runs,
        batch=batch,
        dynamic=dynamic,
        name=file.path.stem,
        parameters=sum(p.numel() for p in program.parameters()),
        device=next((t.device for t in program.state_dict.values()), torch.device("cpu")),
    )


def _check_version() -> None:
    if not hasattr(torch.export, "default_decompositions"):
        msg = (
            f"PyTorch {torch.__version__} has no torch.export.default_decompositions; this way"
            " needs a newer one (2.13 is tested), or write ONNX and call bnas-import"
        )
        raise UsageError(msg)


def _batch(program: ExportedProgram) -> tuple[int, bool]:
    """The first extent of the input, the example's where it is dynamic; and whether it is."""
    names = program.graph_signature.user_inputs
    for node in program.graph.nodes:
        if node.name in names and isinstance(node.meta.get("val"), torch.Tensor):
            extents = node.meta["val"].shape
            first = extents[0] if len(extents) else 1
            return (first, False) if isinstance(first, int) else (_hint(first), True)
    return 1, False


def _hint(extent: torch.SymInt) -> int:
    hint = extent.node.hint
    return 2 if hint is None else int(hint)


def _of_core_operators(program: ExportedProgram) -> ExportedProgram:
    table: Any = torch.export.default_decompositions()
    for name in KEPT:
        packet, overload = name.split(".")
        table.pop(getattr(getattr(torch.ops.aten, packet), overload), None)
    core: ExportedProgram = program.run_decompositions(table)
    return core


def _try_out(module: nn.Module, example: torch.Tensor) -> None:
    try:
        with torch.no_grad():
            module(example.clone())
    except Exception as error:  # a module may raise anything
        what = f"does not run on an input of shape {list(example.shape)}"
        msg = f"{type(module).__name__} {what}: {type(error).__name__}: {first_line(error)}"
        raise ConversionError(msg) from error


def first_line(error: Exception) -> str:
    """What went wrong, for a message of one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:300] if lines else type(error).__name__


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """A module in evaluation mode; afterwards every part is as it was."""
    if isinstance(module, fx.GraphModule):  # it has one mode, that of its export
        yield
        return
    training = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, was in training:
            part.training = was


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what PyTorch says about PyTorch; where it fails, it prints whole graphs."""
    disabled = logging.root.manager.disable
    with warnings.catch_warnings(), redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        warnings.simplefilter("ignore")
        logging.disable(logging.CRITICAL)
        try:
            yield
        finally:
            logging.disable(disabled)
