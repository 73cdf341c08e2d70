"""A network of ours, or the model.pt that holds one, as a `Source` to pack."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from bnas_deploy import __version__
from bnas_deploy.checkpoints.torch_file import load_bytes
from bnas_deploy.converters.from_torch.activation_scale import BOX_FILTER
from bnas_deploy.converters.from_torch.inside import evaluating, network_inside
from bnas_deploy.converters.from_torch.network import network_graph_and_modules
from bnas_deploy.converters.graph.model_layer import ModelLayer
from bnas_deploy.converters.graph.nodes import Graph
from bnas_deploy.converters.packing.layers import graph_layers
from bnas_deploy.converters.packing.model_file import ModelFile
from bnas_deploy.converters.packing.source import Original, Source, plain_preprocessing
from bnas_deploy.cost.accounting import paper_figures
from bnas_deploy.errors import ConversionError
from bnas_deploy.format import Preprocessing
from bnas_deploy.networks.build import AnyNetwork, build_network
from bnas_deploy.networks.config import AnyConfig
from bnas_deploy.nn.config import NetworkConfig
from bnas_deploy.training.model.trained_model import TrainedModel, model_of

__all__ = [
    "PYTORCH",
    "config_facts",
    "float_counterpart",
    "loaded_source",
    "network_layers",
    "network_source",
    "paper_of",
    "read",
    "torch_logits",
    "usual_reasons",
]

PYTORCH = "PyTorch"


def read(file: ModelFile, *, float: bool = False, labels: tuple[str, ...] | None = None) -> Source:
    """Read a model.pt.

    Args:
        file: The file.
        labels: One per class (default: its own).
        float: Take the float counterpart of its network, with the same latent weights.

    Raises:
        CheckpointError: The file is damaged, or of another kind.
        ConversionError: The network has no meaning in a graph, or no float counterpart.
    """
    loaded = model_of(file.path, load_bytes(file.path, file.data), held=file.size)
    if labels is not None:
        loaded = replace(loaded, labels=labels)
    facts = {"source": file.facts}
    if not float:
        return loaded_source(loaded, facts=facts)
    twin = float_counterpart(loaded.network)
    return loaded_source(loaded, network=twin, facts=facts)


def loaded_source(
    loaded: TrainedModel,
    *,
    network: AnyNetwork | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Source:
    """Return the source of a trained network with what belongs to it.

    Args:
        loaded: From `bnas_deploy.training.model.trained_model`.
        network: In place of the loaded one.
        facts: To store beside those of the network.
    """
    # The rows of the epochs stay with model.pt: hundreds of them are of no use to run the network.
    training = {name: value for name, value in loaded.training.items() if name != "history"}
    return network_source(
        loaded.network if network is None else network,
        labels=loaded.labels,
        preprocessing=loaded.preprocessing,
        facts={"training": training, **(facts or {})},
        allow_float=network is not None,
    )


def network_source(
    network: AnyNetwork,
    *,
    labels: tuple[str, ...] | None = None,
    preprocessing: Preprocessing | None = None,
    facts: Mapping[str, Any] | None = None,
    allow_float: bool = False,
) -> Source:
    """Return the source of a network as it runs in evaluation mode; the network is not changed.

    Args:
        network: Any weights, also untrained ones; float32.
        labels: One per class (default: `class 0` and so on).
        preprocessing: How pictures become inputs (default: pixels from 0 to 1).
        facts: To store beside those of the network.
        allow_float: Whether it may be a float counterpart.

    Raises:
        ConversionError: A part of the network has no meaning in a graph.
    """
    graph, modules = network_graph_and_modules(network, allow_float=allow_float)
    reasons = usual_reasons(graph)
    return Source(
        graph=graph,
        name=network.config.name,
        parameters=sum(p.numel() for p in network.parameters()),
        original=Original(
            partial(torch_logits, network), PYTORCH, network_inside(network, modules)
        ),
        labels=labels,
        preprocessing=preprocessing or plain_preprocessing(graph.input_shape),
        facts={**config_facts(network.config), **(facts or {})},
        reasons=reasons,
        layers=network_layers(graph, reasons),
        paper=paper_of(network.config),
    )


def torch_logits(network: AnyNetwork, images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the logits (N, classes) of a network in evaluation mode."""
    device = next(network.parameters()).device
    with evaluating(network), torch.inference_mode():
        logits = network(torch.from_numpy(images).to(device))
    return np.asarray(logits.cpu().numpy(), np.float32)


def float_counterpart(network: AnyNetwork) -> AnyNetwork:
    """Return the network that binarizes nothing, with the same (latent) weights.

    Raises:
        ConversionError: A scheme has parameters that no float network has.
    """
    twin = build_network(network.config, binary=False).eval()
    try:
        twin.load_state_dict(network.state_dict())
    except RuntimeError as error:
        msg = f"{network.config.name}: there is no float network with the same weights"
        raise ConversionError(msg) from error
    return twin


def network_layers(graph: Graph, reasons: Mapping[str, str]) -> tuple[ModelLayer, ...]:
    """The convolutions and linear layers of a network, without the box filters of its scales K."""
    layers = graph_layers(graph, reasons)
    return tuple(layer for layer in layers if not layer.name.endswith(BOX_FILTER))


def usual_reasons(graph: Graph) -> dict[str, str]:
    """Why layers of the networks of the paper stay in full precision, by name."""
    found = {}
    for node in graph.nodes:
        if node.op == "linear":
            found[node.name] = "the classifier stays in full precision, as in the paper"
        elif node.op == "batch_norm":
            found[node.name] = (
                "a BatchNorm that no convolution can take (padding behind it, or none beside it)"
            )
        elif node.name.endswith(BOX_FILTER):
            found[node.name] = "the box filter of the activation scale K (Eq. 3)"
        elif node.op == "conv" and node.name.startswith("stem"):
            found[node.name] = (
                "the stem reads the picture and stays in full precision, as in the paper"
            )
        elif node.op == "conv" and ".shortcut" in node.name:
            found[node.name] = (
                "a reduction cell's shortcut stays in full precision, as in the paper"
            )
    return found


def config_facts(config: AnyConfig) -> dict[str, Any]:
    """Return what a file says of the network it was made from and of the programs that made it."""
    versions = {
        "bnas_deploy": __version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
    return {**config.facts(), "versions": versions}


def paper_of(config: AnyConfig) -> partial[dict[str, Any]] | None:
    """The paper's accounting of a network of cells; there is none of others."""
    return partial(paper_figures, config) if isinstance(config, NetworkConfig) else None
