"""Makes the files that engines run, and right answers to check them against, once for a network.

Weights are random, pictures are noise. A folder holds `entry.json` (what it is of), `check.npz`
(pictures and right logits), and `packed.bnn` or the files of the rivals.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bnas_deploy import __version__, atomic
from bnas_deploy.experiments.frontier.entries import COUNTERPARTS, Entry
from bnas_deploy.extras import is_installed

__all__ = ["CHECK", "ENTRY", "PACKED", "make_files"]

ENTRY, CHECK, PACKED = "entry.json", "check.npz", "packed.bnn"
PICTURES = 4
"""On which answers are compared."""


def make_files(entry: Entry, folder: Path) -> bool:
    """Make what is not there yet.

    Args:
        entry: The network.
        folder: Of this network.

    Returns:
        Whether something was made.
    """
    facts = {**entry.facts(), "version": __version__, "litert": _has_litert()}
    text = json.dumps(facts, indent=1) + "\n"
    path = folder / ENTRY
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    folder.mkdir(parents=True, exist_ok=True)
    right = _packed(entry, folder) if entry.binary else _float(entry, folder)
    np.savez(folder / CHECK, pictures=_pictures(entry), right=right)
    atomic.write_text(path, text)  # the last of them: its presence says that the others are whole
    return True


def _has_litert() -> bool:
    return all(is_installed(p) for p in ("litert_torch", "ai_edge_quantizer"))


def _pictures(entry: Entry) -> npt.NDArray[np.float32]:
    # The rivals and the converter need torch, and a page is rendered without.
    from bnas_deploy.rivals.random_weights import noise  # noqa: PLC0415

    return noise(entry.config.image_size, PICTURES)


def _packed(entry: Entry, folder: Path) -> npt.NDArray[np.float32]:
    """The packed program with everything in 8 bits that can be; logits by the reference backend."""
    from bnas_deploy.converters.eight_bit.facts import KINDS, EightBitOptions  # noqa: PLC0415
    from bnas_deploy.converters.from_torch.convert import convert_network  # noqa: PLC0415
    from bnas_deploy.engine.reference.backend import ReferenceRunner  # noqa: PLC0415
    from bnas_deploy.format import write  # noqa: PLC0415
    from bnas_deploy.rivals.random_weights import (  # noqa: PLC0415
        CALIBRATION_IMAGES,
        noise,
        random_network,
    )

    batch = noise(entry.config.image_size, CALIBRATION_IMAGES)
    network = random_network(entry.config, binary=True)
    model, _ = convert_network(network, eight_bit=EightBitOptions(KINDS, batch))
    write(model, folder / PACKED)
    return ReferenceRunner(model).run(_pictures(entry))


def _float(entry: Entry, folder: Path) -> npt.NDArray[np.float32]:
    """Files in float32 and int8; logits by PyTorch."""
    from bnas_deploy.rivals import onnx_export, torch_float  # noqa: PLC0415 - as above
    from bnas_deploy.rivals.random_weights import (  # noqa: PLC0415
        CALIBRATION_IMAGES,
        noise,
        random_network,
    )

    batch = noise(entry.config.image_size, CALIBRATION_IMAGES)
    network = random_network(entry.config, binary=False)
    for name, int8 in (("float.onnx", False), ("int8.onnx", True)):
        atomic.write_bytes(folder / name, onnx_export.export(network, batch, int8=int8))
    if _has_litert() and not entry.key.startswith(COUNTERPARTS):
        from bnas_deploy.rivals import litert  # noqa: PLC0415 - it is not always installed

        model = litert.export(network, batch[:1])
        atomic.write_bytes(folder / "float.tflite", model)
        atomic.write_bytes(folder / "int8.tflite", litert.quantize(model, batch))
    return torch_float.runner(network)(_pictures(entry))
