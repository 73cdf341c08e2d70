"""Checkpoints as the authors' release saves them, written out by hand: names, shapes, numbers."""

from __future__ import annotations

import torch

# Kernel sizes of the edges that are convolutions, by edge, for the normal and the reduction cell.
ZEROISE = {1: 3, 2: 3}, {}
FULL = dict.fromkeys(range(8), 3), {3: 3, 5: 3, 7: 3}


def batch_norm(prefix, channels, *, affine=True):
    names = (*(("weight", "bias") if affine else ()), "running_mean", "running_var")
    entries = {f"{prefix}.{name}": torch.rand(channels) for name in names}
    return {**entries, f"{prefix}.num_batches_tracked": torch.tensor(7)}


def unit(prefix, inputs, outputs, size, *, affine=True):
    norm = batch_norm(f"{prefix}.bn", inputs, affine=affine)
    return {**norm, f"{prefix}.op.0.weight": torch.randn(outputs, inputs, size, size)}


def cifar_stem(c):
    return unit("stem", 3, 3 * c, 3)


def imagenet_stem(c):
    return {
        "stem0.0.weight": torch.randn(c // 2, 3, 3, 3),
        **batch_norm("stem0.1", c // 2),
        "stem0.3.weight": torch.randn(c, c // 2, 3, 3),
        **batch_norm("stem0.4", c),
        "stem1.1.weight": torch.randn(c, c, 3, 3),
        **batch_norm("stem1.2", c),
    }


def release(layers, c, edges, classes, *, imagenet):
    """Make the entries of a checkpoint from the release's naming alone."""
    values = imagenet_stem(c) if imagenet else cifar_stem(c)
    before = last = c if imagenet else 3 * c
    halved = imagenet
    for i in range(layers):
        reduction = i in (layers // 3, 2 * layers // 3)
        c = 2 * c if reduction else c
        cell, red = f"cells.{i}", "_red" if imagenet and reduction else ""
        affine = imagenet or not halved
        values |= unit(f"{cell}.preprocess0{red}", before, c, 3 if halved else 1, affine=affine)
        values |= unit(f"{cell}.preprocess1{red}", last, c, 1)
        for j, size in edges[reduction].items():
            values |= unit(f"{cell}._ops.{j}", c, c, size)
        if reduction:
            values |= batch_norm(f"{cell}.preprocess_res.0", last)
            values[f"{cell}.preprocess_res.1.weight"] = torch.randn(4 * c, last, 2, 2)
            values[f"{cell}.preprocess_res.1.bias"] = torch.randn(4 * c)
        before, last, halved = last, 4 * c, reduction
    values["classifier.weight"] = torch.randn(classes, last)
    values["classifier.bias"] = torch.randn(classes)
    return values


def trained(layers, c, edges, classes, *, imagenet, seed=0):
    """Make a checkpoint with weights and statistics as after training.

    Weights are small, and BatchNorms centre what they get. In CIFAR-10 networks the BatchNorm
    behind the first reduction, which has no shift, has seen nothing but zeros in a channel that
    could live (0) and, with Zeroise, in all that cannot; another one has weight and shift 0.
    """
    torch.manual_seed(seed)
    values = release(layers, c, edges, classes, imagenet=imagenet)
    for name, value in values.items():
        if value.dim() == 4:
            value.mul_((2 / value[0].numel()) ** 0.5)
        elif name.endswith(("bn.bias", ".0.bias")):
            value.sub_(0.5)
        elif name.endswith("running_mean"):
            value.mul_(0.5)
    first = layers // 3
    if not imagenet:
        norm = f"cells.{first + 1}.preprocess0.bn"
        dead = [0, *range(2 * c, 4 * c)] if edges == ZEROISE else [0]
        values[f"{norm}.running_mean"][dead] = 0
        values[f"{norm}.running_var"][dead] = 0
    norm = f"cells.{layers - 1}.preprocess1.bn"
    values[f"{norm}.weight"][1] = values[f"{norm}.bias"][1] = 0
    return values
