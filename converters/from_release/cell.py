"""Which cell a checkpoint of the authors' release has: as given, or the known one that fits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bnas_deploy.converters.from_release.layout import Layout, edge_kernels, edges_text, fits
from bnas_deploy.errors import CheckpointError, ConfigError
from bnas_deploy.nn.config import CONFIGS, NetworkConfig
from bnas_deploy.nn.genotype import GENOTYPES, Genotype

__all__ = ["Arch", "choose_cell", "release_config"]


@dataclass(frozen=True)
class Arch:
    """A cell and where it comes from.

    Attributes:
        name: Of a known cell, or of the file that holds it.
        genotype: The cell.
        how: Why this one, for people.
    """

    name: str
    genotype: Genotype
    how: str = "given"


def choose_cell(
    source: str,
    layout: Layout,
    given: Arch | None,
    known: Mapping[str, Genotype] | None = None,
) -> Arch:
    """Return the given cell, or the one known cell that fits.

    Args:
        source: What the layout was read from, for the messages.
        layout: Where the weights of convolutions are.
        given: What the user says; None to find out.
        known: Cells by name (default: the published ones).

    Raises:
        CheckpointError: The given cell does not fit; or not exactly one known cell does, and the
            message lists those that do.
    """
    if given is not None:
        _check_given(source, layout, given)
        return given
    known = GENOTYPES if known is None else known
    found = [name for name, genotype in known.items() if fits(layout, genotype)]
    if len(found) == 1:
        how = "the only known cell that fits the weights"
        return Arch(found[0], known[found[0]], how)
    if found:
        msg = (
            f"{source}: the weights do not tell the cell (dilations, sources and pools are not in"
            f" them): {', '.join(found)} fit; choose with --arch"
        )
    else:
        msg = (
            f"{source}: none of the known cells ({', '.join(known)}) fits the weights: normal cells"
            f" have {edges_text(layout.normal)}, reduction cells {edges_text(layout.reduce)}; give"
            " the cell as a genotype file with --arch FILE.json"
        )
    raise CheckpointError(msg)


def _check_given(source: str, layout: Layout, arch: Arch) -> None:
    for kind, edges, found in (
        ("normal", arch.genotype.normal, layout.normal),
        ("reduction", arch.genotype.reduce, layout.reduce),
    ):
        expected = edge_kernels(edges)
        if expected is None:
            msg = (
                f"--arch {arch.name}: only the seven primitives of the paper's search space occur"
                f" in the release's checkpoints; the {kind} cell has another one"
            )
            raise CheckpointError(msg)
        if expected != dict(found):
            fitting = [name for name, genotype in GENOTYPES.items() if fits(layout, genotype)]
            hint = f"; {' and '.join(fitting)} would fit" if fitting else ""
            msg = (
                f"{source}: --arch {arch.name} does not fit: its {kind} cell has"
                f" {edges_text(expected)}, the checkpoint's {edges_text(found)}{hint}"
            )
            raise CheckpointError(msg)


def release_config(source: str, layout: Layout, arch: Arch, image_size: int) -> NetworkConfig:
    """Return the configuration, named after the published network if it is one.

    Raises:
        CheckpointError: No network can have it, for example because of the image size.
    """
    try:
        config = NetworkConfig(
            name=f"{layout.layers} cells of {arch.name}, C = {layout.channels}",
            layers=layout.layers,
            channels=layout.channels,
            genotype=arch.genotype,
            dataset=layout.dataset,
            classes=layout.classes,
            image_size=image_size,
        )
    except ConfigError as error:
        told = str(error).replace("image_size", "the image size (--preprocessing)")
        msg = f"{source}: {told}"
        raise CheckpointError(msg) from error
    for published in CONFIGS.values():
        fields = ("layers", "channels", "genotype", "dataset")
        if all(getattr(config, field) == getattr(published, field) for field in fields):
            return replace(config, name=published.name)
    return config
