"""A network with one logit becomes one with two: 0, and that one.

Its answer is a threshold: the second label where the logit is above 0. As softmax(0, z) is
(1 - sigmoid(z), sigmoid(z)), everything that ranks logits then gives the right answer with the
right probability: every backend, the C library, evaluation, and the self-check's count of answers.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt

from bnas_deploy.converters.graph.nodes import Node
from bnas_deploy.converters.packing.source import Logits, Source, numbered_labels

__all__ = ["with_two_logits"]

Floats = npt.NDArray[np.float32]


def with_two_logits(source: Source) -> Source:
    """Return the source of a network that tells two classes apart by one logit, with two.

    Other sources come back as they are, also one with a single label: that network's output is
    wanted as it is.
    """
    if source.classes != 1 or (source.labels is not None and len(source.labels) == 1):
        return source
    graph = source.graph
    name = next(n for n in ("answers", *map("answers{}".format, range(9))) if n not in graph.values)
    index = np.array([-1, 0], np.int32)  # a zero, and the logit
    node = Node("select_channels", name, (graph.output,), (name,), {}, {"index": index})
    labels = source.labels or numbered_labels(2)
    original = source.original
    return replace(
        source,
        graph=replace(graph, nodes=(*graph.nodes, node), output=name),
        labels=labels,
        original=replace(original, logits=partial(_two, original.logits)),
        notes=(*source.notes, _note(source, labels)),
    )


def _two(logits: Logits, images: Floats) -> Floats:
    one = logits(images)
    return np.concatenate([np.zeros_like(one), one], axis=1)


def _note(source: Source, labels: tuple[str, ...]) -> str:
    second = labels[1] if len(labels) > 1 else "the second label"
    named = "" if source.labels else "; name the two with --labels, the one below 0 first"
    return (
        f"one logit: {second!r} where it is above 0, else {labels[0]!r}; the packed network has the"
        f" logits 0 and that one{named} (a single name keeps the number alone)"
    )
