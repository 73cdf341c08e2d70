"""The part of the frontier's page that says how it was measured, and what cannot be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from bnas_deploy.experiments.frontier.machine_file import MachineResults
from bnas_deploy.experiments.page.markdown import wrapped
from bnas_deploy.rivals.files import FILE_ENGINES

__all__ = ["method_lines"]

TURNS = (
    "All engines and networks of a column are loaded in one process, pinned to one core, with one"
    " thread each, and take turns: a round gives each a block of 1 to 10 calls of one image, short"
    " calls after an untimed one. Times are medians ± interquartile ranges over all timed calls."
)
FILES = (
    "Float networks are exported from PyTorch: as ONNX, put into int8 by ONNX Runtime's static"
    " quantization (QDQ, uint8 activations, int8 weights, a scale a channel), which OpenVINO runs"
    " as well; and by litert-torch as `.tflite`, put into int8 by ai-edge-quantizer. Bytes are"
    " those of the files. LiteRT's int8 files take int8 pictures; making them int8 is not timed"
    " there, while the other engines, this one too, begin from float32."
)
OWN = (
    "This project's engine must give the bits of the NumPy reference on four pictures before it is"
    " timed. A rival's answers are compared with PyTorch's in float32: float32 ones may be off by"
    " 0.01% of the largest logit, int8 ones must correlate by 0.8, because with random weights what"
    " is rounded away grows from layer to layer, most of all in MobileNetV2."
)
FORCED = (
    "*Forced*: this engine is told which instruction set to use, and OpenVINO's oneDNN by"
    " `ONEDNN_MAX_CPU_ISA`; that it obeys is checked by the names of the kernels that run its"
    " layers with weights. ONNX Runtime and LiteRT choose by the processor and have no setting for"
    " it, so they are not in forced columns. None of the three has a setting to do without vector"
    " instructions, so the scalar column has this engine only, and its targets cannot be judged"
    " here. Without VNNI, int8 products are added in pairs in 16 bits and may saturate, which is"
    " the likely reason for worse answers in int8 in the AVX2 column."
)


def method_lines(machines: Sequence[MachineResults]) -> Iterator[str]:
    """Return a list of how it was measured, with the facts of these machines."""
    for text in (TURNS, FILES, OWN, FORCED):
        yield from wrapped(f"- {text}", "  ")
    for found in machines:
        yield from wrapped(f"- {found.label}: {'; '.join(_facts(found))}.", "  ")


def _facts(found: MachineResults) -> Iterator[str]:
    software = ", ".join(f"{name} {version}" for name, version in found.versions.items())
    yield f"{found.machine.get('cpu', 'unknown CPU')}, {software}"
    off = _extreme(found, "differences", max)
    if off:
        yield "answers off by at most " + ", ".join(f"{name} {x:.4%}" for name, x in off.items())
    near = _extreme(found, "correlations", min)
    if near:
        yield "answers correlate by at least " + ", ".join(f"{n} {x:.2f}" for n, x in near.items())
    for name, kernels in _kernels(found).items():
        yield f"kernels of {name}: " + ", ".join(f"{k} ({n})" for k, n in kernels.most_common(4))


def _extreme(
    found: MachineResults, kind: str, worse: Callable[[float, float], float]
) -> dict[str, float]:
    """The worst of all networks, by engine."""
    worst: dict[str, float] = {}
    for facts in found.networks.values():
        for name, value in facts[kind].items():
            worst[name] = worse(value, worst.get(name, value))
    return {FILE_ENGINES[name].label: value for name, value in worst.items()}


def _kernels(found: MachineResults) -> dict[str, Counter[str]]:
    """How many layers with weights ran on which kernels, over all networks, by engine."""
    kernels: dict[str, Counter[str]] = {}
    for facts in found.networks.values():
        for name, counts in facts["kernels"].items():
            if counts:
                label = FILE_ENGINES[name].label if name in FILE_ENGINES else "this engine"
                kernels.setdefault(label, Counter()).update(counts)
    return kernels
