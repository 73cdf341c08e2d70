"""A PyTorch network of ours as an ONNX model, written by `to_onnx.graph`.

Nothing is left out of the network, not even Zeroise edges, so that reading it back and converting
it gives what converting the network gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bnas_deploy.converters.from_torch.network import network_graph
from bnas_deploy.converters.to_onnx.graph import graph_to_onnx
from bnas_deploy.networks.build import AnyNetwork

if TYPE_CHECKING:
    from bnas_deploy.converters.to_onnx.writer import ModelProto

__all__ = ["network_to_onnx"]


def network_to_onnx(
    network: AnyNetwork, *, metadata: Mapping[str, Any] | None = None
) -> ModelProto:
    """Return the ONNX model of a network in evaluation mode, binary or its float counterpart.

    Args:
        network: Any weights, in float32.
        metadata: From `to_onnx.writer.metadata_of`.

    Raises:
        ConversionError: The network has a part that has no meaning in a graph.
    """
    return graph_to_onnx(network_graph(network, allow_float=True), metadata=metadata)
