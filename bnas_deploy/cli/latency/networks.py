"""The networks that the arguments of bnas-latency name, packed."""

from __future__ import annotations

from dataclasses import replace

from bnas_deploy.errors import UsageError
from bnas_deploy.format import PackedModel, read
from bnas_deploy.latency.table import LatencyTable
from bnas_deploy.networks.config import AnyConfig
from bnas_deploy.networks.files import named_config, named_genotype
from bnas_deploy.nn.config import NetworkConfig

__all__ = ["cells_of", "packed_network"]


def cells_of(name: str, genotype: str | None) -> NetworkConfig:
    """Return the network of cells of a name or file, with other cells if they are given.

    Raises:
        UsageError: It is a network of another family, or a file cannot be read.
        ConfigError: There is none of that name.
    """
    return _with_cells(name, named_config(name), genotype)


def packed_network(name: str, genotype: str | None, table: LatencyTable) -> PackedModel:
    """Return a network as it is packed, with random weights unless it is a packed model.

    Args:
        name: Of a network, a configuration, a `model.pt` or a `.bnn`.
        genotype: Name or file of other cells.
        table: Must cover it, and says which layers are in 8 bits.

    Raises:
        UsageError: The table does not cover it, a packed model is to have other cells, or a file
            cannot be read.
        BnasError: The network is wrong.
    """
    if name.endswith(".bnn"):
        if genotype is not None:
            msg = f"--genotype: {name} is packed, and its cells are what they are; leave one out"
            raise UsageError(msg)
        return read(name)
    # Torch is needed here for the first time.
    from bnas_deploy.latency.packing import pack_random  # noqa: PLC0415
    from bnas_deploy.training.model.trained_model import load_model  # noqa: PLC0415

    config = load_model(name).config if name.endswith(".pt") else named_config(name)
    cells = _with_cells(name, config, genotype)
    table.check_covers(cells)
    return pack_random(cells, eight_bit=table.covers.eight_bit)


def _with_cells(name: str, config: AnyConfig, genotype: str | None) -> NetworkConfig:
    if not isinstance(config, NetworkConfig):
        msg = f"{name}: latency tables are for networks of cells; pack this one and give the .bnn"
        raise UsageError(msg)
    return config if genotype is None else replace(config, genotype=named_genotype(genotype))
