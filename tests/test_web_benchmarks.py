"""The page of benchmarks in the browser says what was measured."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
BENCH = ROOT / "web/bench"
KEPT = ROOT / "docs/web-benchmarks/zen4.json"


def module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"web_bench_{name}", BENCH / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = loaded
    spec.loader.exec_module(loaded)
    return loaded


def test_the_page_has_the_figures_that_are_kept() -> None:
    page = (ROOT / "docs/web-benchmarks.md").read_text(encoding="utf-8")
    run = json.loads(KEPT.read_text(encoding="utf-8"))
    assert not run["quick"]
    assert module("report").fill(page, run) == page


def test_the_picture_is_of_the_same_run(tmp_path: Path) -> None:
    run = json.loads(KEPT.read_text(encoding="utf-8"))
    module("report").draw(run, tmp_path / "drawn.svg")
    drawn, kept = (
        re.findall(r">([\d.]+ ms \([\d.]+×\))<", path.read_text(encoding="utf-8"))
        for path in (tmp_path / "drawn.svg", KEPT.with_suffix(".svg"))
    )
    assert drawn == kept
    assert len(kept) == 4 * len(run["labels"])


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node")
def test_images_are_the_same_in_javascript() -> None:
    code = f"""
        import {{ image }} from {json.dumps((BENCH / "pages/images.js").as_uri())};
        process.stdout.write(new Uint8Array(image(3, 32).buffer));
    """
    command = ["node", "--input-type=module", "-e", code]
    ran = subprocess.run(command, capture_output=True, check=True)
    made = np.frombuffer(ran.stdout, np.float32)
    expected = module("images").image(3, 32)
    np.testing.assert_array_equal(made, expected.ravel())
    assert abs(float(expected.mean())) < 0.1
    assert 0.9 < float(expected.std()) < 1.1
