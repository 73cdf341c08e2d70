"""PyTorch evaluation of a checkpoint in the semantics of the authors' release.

It shares no code with the front end or the networks of `nn`, so that the two can be compared. A
function of tensors, written from the facts about the release: sign(0) is 0 for weights and
activations, padding is 0, and the last two binary convolutions use their weights as stored.

Beta multiplies the sum of signs, which is exact. The release sums products with beta, so that where
the signs cancel its result is a rounding error of either sign in place of 0; in the rare channel
whose BatchNorm has no shift, that noise decides a sign behind it.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from bnas_deploy.nn.genotype import Genotype

__all__ = ["release_logits"]

EPS = 1e-5
FLOAT_WEIGHTS = 2


@torch.no_grad()
def release_logits(
    weights: Mapping[str, Tensor],
    genotype: Genotype,
    images: Tensor,
    seen: dict[str, Tensor] | None = None,
) -> Tensor:
    """Return the logits (N, classes) of images (N, 3, H, W).

    Args:
        weights: The state_dict without prefix, latent weights; any one float dtype.
        genotype: The cells.
        images: Preprocessed, in that dtype.
        seen: Takes what BatchNorms and binary units make, by their names in the state_dict.
    """
    return _Release(weights, genotype, {} if seen is None else seen).logits(images)


class _Release:
    """A network of the release; the methods are its modules."""

    def __init__(
        self, weights: Mapping[str, Tensor], genotype: Genotype, seen: dict[str, Tensor]
    ) -> None:
        self.weights = weights
        self.seen = seen
        self.genotype = genotype
        self.imagenet = "stem0.0.weight" in weights
        self.layers = 1 + max(int(n.split(".")[1]) for n in weights if n.startswith("cells."))
        units = [name for index in range(self.layers) for name in self.units(index)]
        self.as_stored = set(units[-FLOAT_WEIGHTS:])

    def reduction(self, index: int) -> bool:
        return index in (self.layers // 3, 2 * self.layers // 3)

    def edges(self, index: int) -> tuple[tuple[str, int], ...]:
        return self.genotype.reduce if self.reduction(index) else self.genotype.normal

    def inputs(self, index: int) -> tuple[str, str]:
        red = "_red" if self.imagenet and self.reduction(index) else ""
        return f"cells.{index}.preprocess0{red}", f"cells.{index}.preprocess1{red}"

    def units(self, index: int) -> list[str]:
        """Names of a cell's binary units in module order."""
        convs = [j for j, (name, _) in enumerate(self.edges(index)) if "conv" in name]
        return [*self.inputs(index), *(f"cells.{index}._ops.{j}" for j in convs)]

    def logits(self, images: Tensor) -> Tensor:
        s0, s1 = self.stem(images)
        for index in range(self.layers):
            s0, s1 = s1, self.cell(index, s0, s1)
        pooled = s1.mean(dim=(2, 3))
        weight, bias = self.weights["classifier.weight"], self.weights["classifier.bias"]
        return functional.linear(pooled, weight, bias)

    def stem(self, x: Tensor) -> tuple[Tensor, Tensor]:
        if not self.imagenet:
            x = functional.conv2d(
                self.norm("stem.bn", x), self.weights["stem.op.0.weight"], padding=1
            )
            return x.relu(), x.relu()
        x = self.norm("stem0.1", self.halve("stem0.0", x)).relu()
        s0 = self.norm("stem0.4", self.halve("stem0.3", x))
        return s0, self.norm("stem1.2", self.halve("stem1.1", s0.relu()))

    def halve(self, name: str, x: Tensor) -> Tensor:
        return functional.conv2d(x, self.weights[f"{name}.weight"], stride=2, padding=1)

    def norm(self, name: str, x: Tensor) -> Tensor:
        mean, var = self.weights[f"{name}.running_mean"], self.weights[f"{name}.running_var"]
        weight, bias = self.weights.get(f"{name}.weight"), self.weights.get(f"{name}.bias")
        y = functional.batch_norm(x, mean, var, weight, bias, training=False, eps=EPS)
        self.seen[name] = y
        return y

    def unit(self, name: str, x: Tensor, stride: int, padding: int, dilation: int = 1) -> Tensor:
        y = self.convolved(name, x, stride, padding, dilation).relu()
        self.seen[name] = y
        return y

    def convolved(self, name: str, x: Tensor, stride: int, padding: int, dilation: int) -> Tensor:
        weight = self.weights[f"{name}.op.0.weight"]
        signs = self.norm(f"{name}.bn", x).sign()
        if name in self.as_stored:
            return functional.conv2d(signs, weight, None, stride, padding, dilation)
        centred = (weight - weight.mean(1, keepdim=True)).clamp(-1, 1)
        dot = functional.conv2d(signs, centred.sign(), None, stride, padding, dilation)
        return dot * centred.abs().mean((1, 2, 3))[:, None, None]

    def cell(self, index: int, s0: Tensor, s1: Tensor) -> Tensor:
        first, second = self.inputs(index)
        halved = self.imagenet if index == 0 else self.reduction(index - 1)
        states = [
            self.unit(first, s0, 2 if halved else 1, 1 if halved else 0),
            self.unit(second, s1, 1, 0),
        ]
        for node in range(4):
            ends = [self.edge(index, j, states) for j in (2 * node, 2 * node + 1)]
            states.append(ends[0] + ends[1])
        joined = torch.cat(states[2:], dim=1)
        if index == 0:
            return joined
        return joined + (self.shortcut(index, s1) if self.reduction(index) else s1)

    def edge(self, index: int, j: int, states: list[Tensor]) -> Tensor:
        name, source = self.edges(index)[j]
        x, stride = states[source], 2 if self.reduction(index) and source < 2 else 1
        if name == "none":
            return x[:, :, ::stride, ::stride] * 0
        if name == "max_pool_3x3":
            return functional.max_pool2d(x, 3, stride, 1)
        if name == "avg_pool_3x3":
            return functional.avg_pool2d(x, 3, stride, 1, count_include_pad=False)
        size, dilation = int(name[-1]), 2 if "dil" in name else 1
        padding = dilation * (size - 1) // 2
        return self.unit(f"cells.{index}._ops.{j}", x, stride, padding, dilation)

    def shortcut(self, index: int, x: Tensor) -> Tensor:
        name = f"cells.{index}.preprocess_res"
        weight, bias = self.weights[f"{name}.1.weight"], self.weights[f"{name}.1.bias"]
        return functional.conv2d(self.norm(f"{name}.0", x), weight, bias, stride=2)
