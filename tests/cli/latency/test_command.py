"""Tests of bnas-latency: measure a small table, predict from it, choose a network with it."""

from __future__ import annotations

import json

import pytest

from bnas_deploy import engine
from bnas_deploy.cli.latency.command import main
from bnas_deploy.latency.table import read_table
from bnas_deploy.networks.files import named_config, write_config
from bnas_deploy.nn.config import CONFIGS, NetworkConfig

pytestmark = pytest.mark.skipif(
    engine.available()["native"] is not None, reason="needs the native engine"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("latency")
    changes = {"image_size": 8, "layers": 4, "channels": 4, "shortcut": "pool1x1"}
    config = NetworkConfig.from_dict({**CONFIGS["Mini"].to_dict(), **changes})
    write_config(folder / "small.json", config)
    words = ["--widths", "4", "8", "16", "--shortcuts", "pool1x1", "--rounds", "1", "--quiet"]
    table = str(folder / "table.json")
    assert main(["measure", table, "--network", str(folder / "small.json"), *words]) == 0
    return folder


def call(capsys, *words):
    status = main([str(word) for word in words])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_a_table_says_what_it_is_of(folder):
    table = read_table(folder / "table.json")
    assert table.covers.widths == (4, 8, 16)
    assert table.covers.eight_bit == ("shortcut", "stem", "classifier")
    assert set(table.machine) == {"cpu", "architecture", "isa", "bnas_deploy", "kernels"}


def test_networks_of_any_form_are_predicted(folder, capsys):
    table, small = folder / "table.json", folder / "small.json"
    status, out, _ = call(capsys, "predict", table, small, "--json", "--measure")
    assert status == 0
    row = json.loads(out)["networks"][0]
    assert row["seconds"] > 0
    assert row["measured_seconds"] > 0
    status, out, _ = call(capsys, "predict", table, small, "--genotype", "latest_cell")
    assert status == 0
    assert "one image on one thread" in out
    assert "small.json" in out


def test_what_was_chosen_is_a_configuration(folder, capsys, tmp_path):
    words = ("--network", folder / "small.json", "--layers", "3", "5", "--tries", "4")
    out_file = tmp_path / "outline.json"
    status, out, err = call(
        capsys, "choose", folder / "table.json", "--target-ms", 100, *words, "--out", out_file,
        "--json",
    )  # fmt: skip
    assert status == 0, err
    outlines = json.loads(out)["outlines"]
    assert named_config(str(out_file)).to_dict() == outlines[0]["config"]
    assert outlines[0]["binary_macs"] == max(o["binary_macs"] for o in outlines)
    assert all(o["seconds"] <= 0.1 for o in outlines)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["predict", "TABLE", "Mini"], "expected"),
        (["predict", "TABLE", "Mini"], "lacks widths of 24, 48, 96 (it has 4 to 16); images of"),
        (["choose", "TABLE", "--target-ms", "1", "--widths", "99"], "lacks widths of 99"),
        (["predict", "none.json", "Mini"], "none.json: no latency table"),
        (["predict", "TABLE", "bireal18"], "latency tables are for networks of cells"),
        (["predict", "TABLE", "x.json"], "x.json: cannot be read as a network's configuration"),
        (["predict", "TABLE", "x.bnn", "--genotype", "latest_cell"], "is packed"),
        (["choose", "TABLE", "--target-ms", "0"], "expected more than 0"),
        (["choose", "TABLE", "--target-ms", "1e-9", "--tries", "1"], "the least found is"),
        (["measure", "t.json", "--widths", "0"], "expected a whole number of at least 1"),
    ],
)
def test_mistakes(folder, capsys, words, message):
    words = [folder / "table.json" if word == "TABLE" else word for word in words]
    if words[0] == "choose":
        words += ["--network", folder / "small.json"]
    if message == "expected":
        words[-1], message = "latency", "unknown network"
    status, _, err = call(capsys, *words)
    assert status == 2
    assert message.lower() in err.lower()
