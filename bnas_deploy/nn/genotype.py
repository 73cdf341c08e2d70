"""What a found cell is: a `Genotype` value with its text and JSON forms."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bnas_deploy.errors import GenotypeError
from bnas_deploy.shown import found_name, shown, unknown_name

__all__ = [
    "CONCAT",
    "DARTS_V2",
    "EDGES",
    "EDGES_PER_NODE",
    "GDAS_V1",
    "GENOTYPES",
    "INPUT_STATES",
    "LATEST_CELL",
    "LATEST_CELL_ZEROISE",
    "NODES",
    "PRIMITIVES",
    "SNAS_MILD",
    "Edge",
    "Genotype",
    "get_genotype",
]

PRIMITIVES: tuple[str, ...] = (
    "none",
    "max_pool_3x3",
    "avg_pool_3x3",
    "bin_conv_3x3",
    "bin_conv_5x5",
    "bin_dil_conv_3x3",
    "bin_dil_conv_5x5",
    "bin_sep_conv_3x3",
    "bin_sep_conv_5x5",
    "bin_double_sep_conv_3x3",
    "bin_double_sep_conv_5x5",
    "bin_dil_sep_conv_3x3",
    "bin_dil_sep_conv_5x5",
    "skip_connect",
)
"""Everything that an edge can be. The first seven are the paper's search space (Table 3; `none` is
Zeroise). The others are those of float cells and of Tables 1 and 12: separable convolutions (Eq. 4;
`double`: two in a row, as DARTS has them; `dil`: dilated), and skip_connect."""

INPUT_STATES = 2
NODES = 4
EDGES_PER_NODE = 2
EDGES = NODES * EDGES_PER_NODE
CONCAT: tuple[int, ...] = (2, 3, 4, 5)
"""The states whose concatenation is a cell's output."""

Edge = tuple[str, int]
"""A primitive's name and its source state."""


@dataclass(frozen=True)
class Genotype:
    """A normal and a reduction cell; edges 2i and 2i + 1 are summed into state 2 + i.

    Attributes:
        normal: Eight (primitive, source state) edges.
        reduce: The same for the reduction cell.

    Raises:
        GenotypeError: An edge is malformed, names an unknown primitive, or reads a state that does
            not come before its own.
    """

    normal: tuple[Edge, ...]
    reduce: tuple[Edge, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "normal", _checked_edges("normal", self.normal))
        object.__setattr__(self, "reduce", _checked_edges("reduce", self.reduce))

    def cell(self, *, reduction: bool) -> tuple[Edge, ...]:
        """Return the edges of the reduction cell or of the normal cell."""
        return self.reduce if reduction else self.normal

    def to_dict(self) -> dict[str, list[list[str | int]]]:
        """Return the JSON form: `{"normal": [["none", 1], ...], "reduce": [...]}`."""
        return {
            "normal": [[name, source] for name, source in self.normal],
            "reduce": [[name, source] for name, source in self.reduce],
        }

    @classmethod
    def from_dict(cls, value: object) -> Genotype:
        """Read the JSON form.

        Raises:
            GenotypeError: `value` is not a mapping with exactly the keys normal and reduce, or an
                edge is wrong.
        """
        if not isinstance(value, Mapping) or set(value) != {"normal", "reduce"}:
            found = sorted(map(str, value)) if isinstance(value, Mapping) else type(value).__name__
            msg = f"a genotype is a mapping with the keys normal and reduce; got {shown(found)}"
            raise GenotypeError(msg)
        return cls(normal=value["normal"], reduce=value["reduce"])

    def to_json(self) -> str:
        """Return the JSON form as text."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, text: str) -> Genotype:
        """Read JSON text.

        Raises:
            GenotypeError: The text is not JSON, or not a genotype.
        """
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            # Besides bad syntax: integers of thousands of digits, and endless nesting.
            msg = f"a genotype's JSON does not parse: {error}"
            raise GenotypeError(msg) from error
        return cls.from_dict(value)

    def to_text(self) -> str:
        """Return two lines a person can read and `from_text` reads back.

        One line a cell, nodes separated by `|`: `normal: (none,1) (bin_conv_3x3,0) | ...`.
        """
        return f"normal: {_cell_text(self.normal)}\nreduce: {_cell_text(self.reduce)}"

    @classmethod
    def from_text(cls, text: str) -> Genotype:
        """Read the form that `to_text` writes.

        Raises:
            GenotypeError: A line or an edge is malformed.
        """
        cells = dict(_parse_line(line) for line in text.splitlines() if line.strip())
        return cls.from_dict(cells)


def _cell_text(edges: tuple[Edge, ...]) -> str:
    pairs = [f"({name},{source})" for name, source in edges]
    nodes = [" ".join(pairs[i : i + EDGES_PER_NODE]) for i in range(0, EDGES, EDGES_PER_NODE)]
    return " | ".join(nodes)


def _parse_line(line: str) -> tuple[str, list[Edge]]:
    kind, _, rest = line.partition(":")
    return kind.strip(), [_parse_edge(word) for word in rest.replace("|", " ").split()]


def _parse_edge(word: str) -> Edge:
    name, comma, source = word.strip("()").partition(",")
    if not (word.startswith("(") and word.endswith(")") and comma and source.isdecimal()):
        msg = f"an edge is written (primitive,state) without spaces; got {word!r}"
        raise GenotypeError(msg)
    return name, int(source)


def _checked_edges(kind: str, edges: object) -> tuple[Edge, ...]:
    if not isinstance(edges, Sequence) or isinstance(edges, str) or len(edges) != EDGES:
        got = len(edges) if isinstance(edges, Sequence) else type(edges).__name__
        msg = f"the {kind} cell has {EDGES} edges (two for each of {NODES} nodes); got {got}"
        raise GenotypeError(msg)
    return tuple(_checked_edge(f"{kind} edge {j}", j, edge) for j, edge in enumerate(edges))


def _checked_edge(where: str, j: int, edge: object) -> Edge:
    if not isinstance(edge, Sequence) or isinstance(edge, str) or len(edge) != 2:
        msg = f"{where}: expected (primitive, source state); got {shown(edge)}"
        raise GenotypeError(msg)
    name, source = edge
    if not isinstance(name, str) or name not in PRIMITIVES:
        known = ", ".join(PRIMITIVES)
        msg = f"{where}: unknown primitive {shown(name)}; choose one of {known}"
        raise GenotypeError(msg)
    own = INPUT_STATES + j // EDGES_PER_NODE
    if not isinstance(source, int) or isinstance(source, bool) or not 0 <= source < own:
        msg = f"{where}: state {own} may read states 0 to {own - 1};"
        msg += f" got {shown(source)}"
        raise GenotypeError(msg)
    return name, source


LATEST_CELL_ZEROISE = Genotype.from_text("""
normal: (none,1) (bin_dil_conv_3x3,0) | (bin_conv_3x3,1) (none,2) \
| (none,2) (none,3) | (none,3) (none,4)
reduce: (max_pool_3x3,0) (none,1) | (max_pool_3x3,0) (none,2) \
| (none,3) (none,2) | (none,3) (none,4)
""")
"""The CIFAR-10 cell (γ = 1) of BNAS-Mini, A, B and C."""

LATEST_CELL = Genotype.from_text("""
normal: (bin_conv_3x3,1) (bin_dil_conv_3x3,0) | (bin_conv_3x3,1) (bin_conv_3x3,2) \
| (bin_conv_3x3,2) (bin_dil_conv_3x3,1) | (bin_dil_conv_3x3,1) (bin_conv_3x3,0)
reduce: (max_pool_3x3,0) (max_pool_3x3,1) | (max_pool_3x3,0) (bin_conv_3x3,2) \
| (max_pool_3x3,0) (bin_dil_conv_3x3,3) | (max_pool_3x3,0) (bin_dil_conv_3x3,4)
""")
"""The ImageNet cell (γ = 3) of BNAS-D to H, and the "w/o Zeroise" network of Table 10."""

DARTS_V2 = Genotype.from_text("""
normal: (bin_double_sep_conv_3x3,0) (bin_double_sep_conv_3x3,1) \
| (bin_double_sep_conv_3x3,0) (bin_double_sep_conv_3x3,1) \
| (bin_double_sep_conv_3x3,1) (skip_connect,0) | (skip_connect,0) (bin_dil_sep_conv_3x3,2)
reduce: (max_pool_3x3,0) (max_pool_3x3,1) | (skip_connect,2) (max_pool_3x3,1) \
| (max_pool_3x3,0) (skip_connect,2) | (skip_connect,2) (max_pool_3x3,1)
""")
"""The cell of DARTS (second order), binarized."""

SNAS_MILD = Genotype.from_text("""
normal: (bin_double_sep_conv_3x3,0) (bin_double_sep_conv_3x3,1) \
| (skip_connect,0) (bin_dil_sep_conv_3x3,1) | (skip_connect,1) (skip_connect,0) \
| (skip_connect,0) (bin_double_sep_conv_3x3,1)
reduce: (max_pool_3x3,0) (max_pool_3x3,1) | (max_pool_3x3,1) (skip_connect,2) \
| (skip_connect,2) (max_pool_3x3,1) | (max_pool_3x3,0) (bin_dil_sep_conv_5x5,2)
""")
"""The cell of SNAS (mild constraint), binarized; its normal cell has the 3 in 8 of Table 12."""

GDAS_V1 = Genotype.from_text("""
normal: (skip_connect,0) (skip_connect,1) | (skip_connect,0) (bin_double_sep_conv_5x5,2) \
| (bin_double_sep_conv_3x3,3) (skip_connect,0) \
| (bin_double_sep_conv_5x5,4) (bin_double_sep_conv_3x3,3)
reduce: (bin_double_sep_conv_5x5,0) (bin_double_sep_conv_3x3,1) \
| (bin_double_sep_conv_5x5,2) (bin_double_sep_conv_5x5,1) \
| (bin_dil_sep_conv_5x5,2) (bin_double_sep_conv_3x3,1) \
| (bin_double_sep_conv_5x5,0) (bin_double_sep_conv_5x5,1)
""")
"""The cell of GDAS (V1), binarized."""

GENOTYPES: dict[str, Genotype] = {
    "latest_cell_zeroise": LATEST_CELL_ZEROISE,
    "latest_cell": LATEST_CELL,
    "darts_v2": DARTS_V2,
    "snas_mild": SNAS_MILD,
    "gdas_v1": GDAS_V1,
}
"""The published cells: the paper's by the names of its release, then float cells, binarized (their
template has no inter-cell skip connections: train them with `skips=False`)."""


def get_genotype(name: str) -> Genotype:
    """Return a published cell by its name, whatever the case.

    Raises:
        GenotypeError: There is no cell of that name.
    """
    found = found_name(name, GENOTYPES)
    if found is None:
        raise GenotypeError(unknown_name("genotype", name, GENOTYPES))
    return GENOTYPES[found]
