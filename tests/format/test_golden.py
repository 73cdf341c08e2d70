"""Tests that the golden file of every version loads and gives the logits of its day."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bnas_deploy.engine.reference.backend import ReferenceRunner
from bnas_deploy.format import read, to_bytes
from bnas_deploy.format.steps import STEPS
from bnas_deploy.format.version import VERSION, version_text

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("golden_v*.bnn"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_logits(path: Path) -> None:
    stored = np.load(path.with_suffix(".npz"))
    assert np.array_equal(ReferenceRunner(read(path)).run(stored["images"]), stored["logits"])


def test_this_version_has_one_with_every_step() -> None:
    m = read(HERE / f"golden_v{version_text(VERSION).replace('.', '_')}.bnn")
    assert {step.OP for step in m.program.steps} == set(STEPS)
    assert m.labels == ("airplane", "Vogel", "鸟", 'quote " and \\', "")
    assert m.provenance["nested"] == {"list": [1, 2.5, None]}
    assert m.cost == {"binary MACs": 12345678901}


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_the_writer_still_writes_the_same_bytes(path: Path) -> None:
    assert to_bytes(read(path)) == path.read_bytes()
