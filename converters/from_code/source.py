"""What a function of the user's builds, with the weights of a checkpoint, as a `Source` to pack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from bnas_deploy.checkpoints.state import State, read_state
from bnas_deploy.converters.from_code.build import built
from bnas_deploy.converters.from_program.export import exported_module
from bnas_deploy.converters.from_program.source import program_source
from bnas_deploy.converters.packing.model_file import ModelFile
from bnas_deploy.converters.packing.source import Source
from bnas_deploy.errors import ConversionError, UsageError
from bnas_deploy.shown import some

__all__ = ["read"]

EXAMPLES = 2
"""Inputs of the example: an axis of one might be taken for another."""


def read(
    file: ModelFile,
    *,
    weights: str | None = None,
    entry: str | None = None,
    input_shape: tuple[int, ...] | None = None,
    allow_float: bool = False,
    sign_zero: str = "auto",
    labels: tuple[str, ...] | None = None,
    mean: tuple[float, ...] | None = None,
    std: tuple[float, ...] | None = None,
    resize: int | None = None,
) -> Source:
    """Build a module and convert it.

    Args:
        file: Whose `code` names the function or class.
        weights: A checkpoint for it (default: it has the weights that it was built with).
        entry: Of the checkpoint.
        input_shape: Of one input, (C, H, W) or (K,).
        allow_float: As for `program_source`.
        sign_zero: As for `program_source`.
        labels: As for `program_source`.
        mean: As for `Source.with_pixels`.
        std: As for `Source.with_pixels`.
        resize: As for `Source.with_pixels`.

    Raises:
        CheckpointError: The checkpoint cannot be read.
        ConversionError: The code fails, its weights are others, or the model has obstacles.
        UsageError: An argument is missing or wrong.
    """
    assert file.code is not None
    if input_shape is None:
        msg = f"{file.code}: say what one input is with --input-shape, such as 3,224,224"
        raise UsageError(msg)
    if entry is not None and weights is None:
        msg = "--entry is for a checkpoint; add --weights FILE"
        raise UsageError(msg)
    module = built(file.code)
    facts: dict[str, object] = {"code": file.code}
    notes: tuple[str, ...] = (f"no --weights: its weights are those that {file.code} gives",)
    size = sum(tensor.nbytes for tensor in module.state_dict().values())
    if weights is not None:
        checkpoint = ModelFile(Path(weights))
        state = read_state(checkpoint, entry, names=module.state_dict())
        _load(module, state.tensors, weights)
        facts["weights"], size = checkpoint.facts, checkpoint.size
        notes = _notes(state, module)
    program = exported_module(module, torch.zeros(EXAMPLES, *input_shape))
    source = program_source(
        program, allow_float=allow_float, sign_zero=sign_zero, labels=labels, facts=facts
    )
    source = replace(source, notes=(*notes, *source.notes), file_bytes=size)
    return source.with_pixels(mean=mean, std=std, resize=resize)


def _load(module: nn.Module, tensors: Mapping[str, Tensor], weights: str) -> None:
    own = module.state_dict()
    optional = {name for name in own if name.endswith("num_batches_tracked")}
    missing = [name for name in own if name not in tensors and name not in optional]
    if missing:
        msg = f"{weights}: {len(missing)} weights are missing: {some(missing)}"
        raise ConversionError(msg)
    for name, tensor in tensors.items():
        if name in own and tensor.shape != own[name].shape:
            got = f"{list(own[name].shape)} in the module, {list(tensor.shape)} in the file"
            msg = f"{weights}: {name} has another shape: {got}; is it the same network?"
            raise ConversionError(msg)
    module.load_state_dict(dict(tensors), strict=False)


def _notes(state: State, module: nn.Module) -> tuple[str, ...]:
    own = module.state_dict()
    strange = [name for name in state.tensors if name not in own]
    told = (f"left out: {some(strange)}, not part of the module",) if strange else ()
    left = tuple(f"left out: {part.name}, {part.reason}" for part in state.left_out)
    return (*state.notes, *told, *left)
