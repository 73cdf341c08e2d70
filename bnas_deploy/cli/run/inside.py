"""What `bnas-run --explain` and `--dump-layers` show of a network at work."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bnas_deploy.cli.common.text import safe
from bnas_deploy.cli.run.explain import explanation_record, write_explanation
from bnas_deploy.errors import ImageError, UsageError
from bnas_deploy.runtime.dump import dump
from bnas_deploy.runtime.explain import explain, random_input
from bnas_deploy.runtime.model import Model
from bnas_deploy.runtime.sources import Item
from bnas_deploy.runtime.stream import answers

__all__ = ["show_inside"]


def show_inside(
    model: Model, items: Sequence[Item], report: dict[str, Any], args: argparse.Namespace
) -> None:
    """Do what the two options ask for; with --json, the explanation goes into `report`."""
    if args.explain:
        _explain(model, items, report, args)
    if args.dump_layers:
        _dump(model, items, args)


def _first_input(model: Model, items: Sequence[Item]) -> npt.NDArray[np.float32]:
    """The first picture that can be read, or noise where none is given."""
    readable = next((a for a in answers(model, items, batch=1) if a.logits is not None), None)
    return model.preprocess(readable.item.taken()) if readable else random_input(model)


def _explain(
    model: Model, items: Sequence[Item], report: dict[str, Any], args: argparse.Namespace
) -> None:
    explanation = explain(model, _first_input(model, items))
    if args.json:
        report |= explanation_record(explanation)
    else:
        write_explanation(model, explanation)


def _dump(model: Model, items: Sequence[Item], args: argparse.Namespace) -> None:
    inputs, names = [random_input(model)] if not items else [], ["noise"] if not items else []
    for item in items:
        try:
            inputs.append(model.preprocess(item.taken()))
        except ImageError:  # reported already, with the answers
            continue
        names.append(item.name)
    if not inputs:
        msg = f"{args.dump_layers}: not written, as no picture could be read"
        raise UsageError(msg)
    images = np.concatenate(inputs)
    dump(model, images, args.dump_layers, names=names, force=args.force)
    if not args.json:
        count = len(model.packed.program.values)
        print(f"{safe(args.dump_layers)}: {count} values of {len(inputs)} images")
