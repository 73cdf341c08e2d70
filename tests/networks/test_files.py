"""Tests of configurations and cells by name or from a file."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bnas_deploy.errors import ConfigError, UsageError
from bnas_deploy.networks.files import named_config, named_genotype, write_config
from bnas_deploy.nn.config import CONFIGS
from bnas_deploy.nn.genotype import LATEST_CELL


def test_a_configuration_is_written_and_read_back(tmp_path):
    config = replace(CONFIGS["Mini"], name="mine", channels=16, widths=(16, 20, 24))
    write_config(tmp_path / "mine.json", config)
    assert named_config(str(tmp_path / "mine.json")) == config
    assert named_config("mini") == CONFIGS["Mini"]


def test_cells_by_name_and_from_a_file(tmp_path):
    path = tmp_path / "cell.json"
    path.write_text(LATEST_CELL.to_json())
    assert named_genotype(str(path)) == named_genotype("latest_cell") == LATEST_CELL


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (None, UsageError, "cannot be read"),
        ("{", UsageError, "cannot be read"),
        ("[]", ConfigError, "expected a mapping"),
        ('{"name": "x"}', ConfigError, "missing keys"),
    ],
)
def test_a_file_that_is_no_configuration(tmp_path, content, error, message):
    path = tmp_path / "bad.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(error, match=message):
        named_config(str(path))
