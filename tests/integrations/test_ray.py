"""Tests of the class for Ray Data's map_batches: answers, columns, pictures in every form."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.small_models import mean_colour_model, written
from support.stored_pictures import coloured, parquet_of

import bnas_deploy
from bnas_deploy.errors import UsageError
from bnas_deploy.integrations.ray import Classifier
from bnas_deploy.runtime.model import Model

CONTENTS = [content for _, content in coloured(6)]


@pytest.fixture
def model() -> Model:
    return Model(mean_colour_model(), backend="reference")


def objects(values: list[object]) -> np.ndarray:
    found = np.empty(len(values), object)
    for i, value in enumerate(values):
        found[i] = value
    return found


def test_pictures_in_every_form(model: Model, tmp_path: Path) -> None:
    from bnas_deploy.runtime.images import open_rgb

    for i, content in enumerate(CONTENTS):
        (tmp_path / f"{i}.png").write_bytes(content)
    pixels = np.stack([np.asarray(open_rgb(content)) for content in CONTENTS])
    pixels.flags.writeable = False
    wanted = model.predict(CONTENTS)
    for column in (
        pixels,
        objects(list(CONTENTS)),
        objects([{"bytes": content, "path": None} for content in CONTENTS]),
        np.array([str(tmp_path / f"{i}.png") for i in range(6)]),
    ):
        found = Classifier(model)({"image": column, "id": np.arange(6)})
        assert list(found) == ["id", "label", "index", "probability", "error"]
        assert found["label"].tolist() == [p.label for p in wanted]
        assert found["index"].tolist() == [p.index for p in wanted]
        assert found["probability"].tolist() == [p.probability for p in wanted]
        assert found["error"].tolist() == [None] * 6


def test_what_cannot_be_read(model: Model) -> None:
    found = Classifier(model, top_k=2)({"image": objects([b"no", None, CONTENTS[0]])})
    assert found["label"][:2].tolist() == [None, None]
    assert found["index"][:2].tolist() == [-1, -1]
    assert np.isnan(found["probability"][:2]).all()
    assert "image[0]" in found["error"][0]
    assert [len(top) for top in found["top"]] == [0, 0, 2]
    with pytest.raises(UsageError, match="no column 'image'; the batch has x"):
        Classifier(model)({"x": np.arange(2)})


ON_RAY = """
import sys
import ray
import ray.data
from bnas_deploy.integrations.ray import Classifier

ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False)
found = ray.data.read_parquet(sys.argv[1]).map_batches(
    Classifier,
    fn_constructor_kwargs={"model": sys.argv[2], "top_k": 2},
    compute=ray.data.ActorPoolStrategy(min_size=1, max_size=2),
    batch_size=2,
    zero_copy_batch=True,
)
found.write_parquet(sys.argv[3])
"""


def test_in_a_dataset(tmp_path: Path) -> None:
    pytest.importorskip("ray.data", reason="ray is not installed (the extra ray)")
    from pyarrow import parquet

    rows: list[object] = [*CONTENTS, b"no", b"no"]  # a whole batch that cannot be read
    source = parquet_of(tmp_path / "x.parquet", rows)
    path = written(tmp_path, mean_colour_model())
    words = [str(source), str(path), str(tmp_path / "out")]
    subprocess.run([sys.executable, "-W", "ignore", "-c", ON_RAY, *words], check=True, timeout=300)
    found = sorted(parquet.read_table(tmp_path / "out").to_pylist(), key=lambda row: row["number"])
    wanted = bnas_deploy.load(path).predict(CONTENTS)
    assert [row["probability"] for row in found[:6]] == [p.probability for p in wanted]
    assert [row["error"] is None for row in found] == [True] * 6 + [False] * 2
