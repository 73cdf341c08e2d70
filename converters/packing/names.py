"""Which step of the format each operation of a lowered graph is."""

from __future__ import annotations

from bnas_deploy.format import steps

__all__ = ["IN_GROUPS", "NODE_OF", "STEP_OF"]

STEP_OF: dict[str, type[steps.Step]] = {
    **steps.STEPS,
    "avg_pool": steps.AvgPool2d,
    "binary_max_pool": steps.BinaryMaxPool2d,
    "conv": steps.Conv2d,
    "max_pool": steps.MaxPool2d,
    "packed_conv": steps.BinaryConv2d,
    "packed_depthwise": steps.BinaryDepthwiseConv2d,
}
"""By the operation's name, which is that of the step unless listed here."""

IN_GROUPS: dict[type[steps.Step], type[steps.Step]] = {
    steps.Conv2d: steps.GroupedConv2d,
    steps.BinaryConv2d: steps.BinaryGroupedConv2d,
}
"""Steps of convolutions in groups; in a graph the shape of the weight says so."""

NODE_OF: dict[type[steps.Step], str] = {
    **{cls: op for op, cls in STEP_OF.items()},
    **{grouped: op for op, cls in STEP_OF.items() if (grouped := IN_GROUPS.get(cls))},
}
"""The inverse of both."""
