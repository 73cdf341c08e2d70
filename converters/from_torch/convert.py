"""From a network of PyTorch modules to a packed model with its report; the calls for Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bnas_deploy.converters.eight_bit.facts import EightBitOptions
from bnas_deploy.converters.from_torch.source import loaded_source, network_source
from bnas_deploy.converters.packing.check import CheckOptions
from bnas_deploy.converters.packing.convert import convert_source
from bnas_deploy.converters.packing.report import Report
from bnas_deploy.format import PackedModel, Preprocessing
from bnas_deploy.networks.build import AnyNetwork
from bnas_deploy.training.model.trained_model import TrainedModel

__all__ = ["convert_network", "convert_trained"]


def convert_trained(
    loaded: TrainedModel,
    *,
    provenance: Mapping[str, Any] | None = None,
    eight_bit: EightBitOptions | None = None,
    check: CheckOptions | None = None,
) -> tuple[PackedModel, Report]:
    """Convert a trained network; see `convert_network`.

    Args:
        loaded: From `bnas_deploy.training.model.trained_model.load_model`.
        provenance: Further facts to store, such as the source file's name and SHA-256.
        eight_bit: As for `convert_network`.
        check: As for `convert_network`.
    """
    source = loaded_source(loaded, facts=provenance)
    return convert_source(source, check_options=check, eight_bit=eight_bit)


def convert_network(
    network: AnyNetwork,
    *,
    labels: Sequence[str] | None = None,
    preprocessing: Preprocessing | None = None,
    provenance: Mapping[str, Any] | None = None,
    eight_bit: EightBitOptions | None = None,
    check: CheckOptions | None = None,
) -> tuple[PackedModel, Report]:
    """Convert a binary network as it would run in evaluation mode; the network is not changed.

    Args:
        network: Any weights, also untrained ones; float32.
        labels: One per class (default: `class 0` and so on).
        preprocessing: How pictures become inputs (default: pixels from 0 to 1, of the network's
            size).
        provenance: Facts to store beside those that are stored anyway.
        eight_bit: Which full-precision layers to put into 8 bits, and how (default: none, so that
            nothing is approximate).
        check: How the packed program is compared with PyTorch (default: it is not). The result is
            in the report and in the model's provenance.

    Returns:
        The validated model, and what was removed, folded and kept.

    Raises:
        ConversionError: A part of the network has no meaning in the format, or the program differs
            from PyTorch by more than roundings, or 8 bits, can explain.
        FormatError: A label or number does not fit the format.
        UsageError: A kind of layers in `eight_bit` is unknown.
        BackendError: A backend is not available.
    """
    source = network_source(
        network,
        labels=None if labels is None else tuple(labels),
        preprocessing=preprocessing,
        facts=provenance,
    )
    return convert_source(source, check_options=check, eight_bit=eight_bit)
