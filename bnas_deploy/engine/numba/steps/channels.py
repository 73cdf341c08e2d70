"""Prepares the steps that arrange or combine channels for the Numba kernels.

A prepared step is a function of a workspace.
"""

from __future__ import annotations

import numpy as np

from bnas_deploy.engine.numba.kernels import scale as scale_kernels
from bnas_deploy.engine.numba.plan import PREPARE, Prepared, Workspace
from bnas_deploy.engine.numba.steps.repack import copy
from bnas_deploy.format import steps as op
from bnas_deploy.format.program import PackedModel


@PREPARE.of(op.AddSlice)
def _add_slice(s: op.AddSlice, model: PackedModel) -> Prepared:
    part = slice(s.at, s.at + model.program.values[s.addend].shape[0])

    def run(ws: Workspace) -> None:
        x, y = ws[s.input], ws[s.output]
        if x is not y:
            np.copyto(y, x)
        with np.errstate(all="ignore"):
            np.add(y[part], ws[s.addend], out=y[part])

    return run


@PREPARE.of(op.MeanMagnitude)
def _mean_magnitude(s: op.MeanMagnitude, model: PackedModel) -> Prepared:
    scale, shift, terms = copy(model, s.scale), copy(model, s.shift), copy(model, s.terms)
    return lambda ws: scale_kernels.mean_magnitude(
        ws[s.input], scale, shift, terms, ws[s.output][0]
    )


@PREPARE.of(op.Concat)
def _concat(s: op.Concat, model: PackedModel) -> Prepared:
    def run(ws: Workspace) -> None:
        np.concatenate([ws[name] for name in s.inputs], out=ws[s.output])

    return run


@PREPARE.of(op.SelectChannels)
def _select_channels(s: op.SelectChannels, model: PackedModel) -> Prepared:
    index = copy(model, s.index)
    empty = np.flatnonzero(index < 0)

    def run(ws: Workspace) -> None:
        y = ws[s.output]
        np.take(ws[s.input], index, axis=0, out=y, mode="wrap")
        y[empty] = 0

    return run
