"""Tests of `bnas-run`: what it prints, its JSON, its exit statuses; never a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.run_command import one_error_line, run
from support.small_models import picture_model, written

import bnas_deploy
from bnas_deploy import engine
from bnas_deploy.cli.run.command import main
from bnas_deploy.cpus import usable_cpus
from bnas_deploy.runtime.dump import read_dump

NATIVE = pytest.mark.skipif(
    engine.available()["native"] is not None, reason=str(engine.available()["native"])
)


def test_one_line_a_picture(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("red.png", "blue.png") == 0
    out, err = capsys.readouterr()
    assert out == "red.png: red (100.0%)\nblue.png: blue (100.0%)\n"
    assert err == ""


def test_top_k(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("green.png", "--top-k", "2") == 0
    assert capsys.readouterr().out == "green.png:\n  100.0%  green\n    0.0%  red\n"


def test_options_may_stand_between_pictures(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("red.png", "--batch", "1", "blue.png") == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_folders_and_patterns(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(".", "*e*.png") == 0
    shown = [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()]
    assert shown == ["blue.png", "green.png", "red.png"] * 2


def test_standard_input(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = (folder / "blue.png").read_bytes()
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(data)))
    assert run("-") == 0
    assert capsys.readouterr().out == "<stdin>: blue (100.0%)\n"


def test_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "broken.png").write_bytes(b"no")
    assert run("red.png", "broken.png", "nix.png", "--json", "--top-k", "2", "--threads", "2") == 1
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert report["model"] == "model.bnn"
    assert report["backend"] == "reference"
    assert report["isa"] is None
    assert report["threads"] == min(2, usable_cpus())
    (result,) = report["results"]
    assert (result["image"], result["label"], result["index"]) == ("red.png", "red", 0)
    assert result["probability"] == result["top"][0]["probability"]
    assert [guess["label"] for guess in result["top"]] == ["red", "green"]
    assert ["nix.png" in report["errors"][0]["error"], report["errors"][1]["image"]] == [
        True,
        "broken.png",
    ]
    assert "broken.png" in err


def test_unreadable_pictures_do_not_stop_the_others(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "broken.png").write_bytes((folder / "red.png").read_bytes()[:50])
    assert run("red.png", "broken.png", "nix.png", "blue.png") == 1
    out, err = capsys.readouterr()
    assert out == "red.png: red (100.0%)\nblue.png: blue (100.0%)\n"
    assert "error: nix.png: no such file\n" in err
    assert "error: broken.png: " in err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "no pictures given"),
        (["nix.png", "*.bmp"], "nix.png: no such file; *.bmp: no file matches"),
        (["red.png", "--top-k", "0"], "--top-k: expected a whole number of at least 1, got '0'"),
        (["red.png", "--batch", "many"], "--batch"),
        (["red.png", "--threads", "-1"], "--threads"),
        (["red.png", "--wat"], "--wat"),
        (["red.png", "--backend", "abacus"], "unknown backend 'abacus'"),
        (["red.png", "--backend", "reference", "--isa", "avx2"], "isa"),
        (["red.png", "--evaluate", "."], "--evaluate goes with neither"),
        (["red.png", "--ray"], "--ray writes answers into a folder; add --output DIR"),
        (["red.png", "--output", "a.csv", "--ray"], "--output a.csv is the name of one file"),
        (["blue.png", "--output", "a", "--ray", "red.png"], "--ray red.png: expected an address"),
        (["--explain", "--evaluate", "."], "--evaluate goes with neither"),
        (["--dump-layers", "d", "--evaluate", "."], "--evaluate goes with neither"),
        (["red.png", "--dump-layers", "."], "exists and is not a dump"),
        (["--evaluate", "nix"], "nix: No such file"),
        (["--evaluate", "red.png"], "red.png: this is a picture; expected a folder or a tar"),
    ],
)
def test_mistakes(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], expected: str
) -> None:
    assert run(*arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert expected in one_error_line(err)


@pytest.mark.parametrize(
    "content", [None, b"", b"hello", b"\x08\x00\x00\x00\x00\x00\x00\x00{}      "]
)
def test_bad_model(folder: Path, capsys: pytest.CaptureFixture[str], content: bytes | None) -> None:
    if content is None:
        (folder / "model.bnn").unlink()
    else:
        (folder / "model.bnn").write_bytes(content)
    assert run("red.png") == 2
    assert "model.bnn" in one_error_line(capsys.readouterr().err)


def test_network_without_rgb_input(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(folder, picture_model(channels=2))
    assert run("red.png") == 2
    assert "2 channels" in one_error_line(capsys.readouterr().err)


def test_labels_cannot_command_the_terminal(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(folder, picture_model(("\x1b[31mred\n",) * 10))
    assert run("red.png") == 0
    assert "\\x1b[31mred\\n" in capsys.readouterr().out


@pytest.mark.parametrize("option", ["--explain", "--profile"])
def test_explain(folder: Path, capsys: pytest.CaptureFixture[str], option: str) -> None:
    model = picture_model()
    written(folder, model)
    assert run(option, "red.png") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("red.png: ")
    assert lines[1] == "backend reference, one thread"
    assert lines[2].startswith("limit of the machine: not measured")
    assert lines[3].startswith("time: binary convolutions ")
    header = next(i for i, line in enumerate(lines) if line.startswith("step  op"))
    named = [line for line in lines[4:header] if line.startswith("  step ")]
    assert len(named) >= 3
    assert lines[header].split()[:6] == ["step", "op", "result", "kernel", "taps", "tile"]
    assert len(lines) == header + 1 + len(model.program.steps) + 1
    assert lines[-1].startswith("all steps: ")


@NATIVE
def test_explain_on_the_native_backend(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    written(folder, picture_model())
    assert run("--explain", "--backend", "native", "--isa", "scalar") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "backend native, instruction set scalar, one thread"
    assert "G binary MACs/s" in lines[1]
    (row,) = [line for line in lines if line.split()[1:3] == ["binary_conv2d", "5x8x8"]]
    assert "binary_conv/" in row
    assert "shifted" in row
    assert row.split()[-1].endswith("%")


@NATIVE
def test_explain_as_json_on_the_native_backend(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(folder, picture_model())
    assert run("--explain", "--backend", "native", "--json", "red.png") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["limit"]["binary_macs_per_second"] > 0
    (step,) = [step for step in report["profile"] if step["op"] == "binary_conv2d"]
    assert step["kernels"][-1]["gather"] == "shifted"
    rate = step["macs_per_second"] / report["limit"]["binary_macs_per_second"]
    assert step["limit_share"] == pytest.approx(rate)
    assert len(report["results"]) == 1


def test_explain_without_a_picture_as_json(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = picture_model()
    written(folder, model)
    assert run("--explain", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["limit"] is None
    steps = report["profile"]
    assert [step["op"] for step in steps] == [step.OP for step in model.program.steps]
    assert sum(step["share"] for step in steps) == pytest.approx(1)
    assert all(step["seconds"] >= 0 for step in steps)
    assert all(step["reason"] for step in steps)
    (binary,) = [step for step in steps if step["op"] == "binary_conv2d"]
    assert report["binary_share"] == pytest.approx(binary["share"])
    others = {step["op"] for step in steps if step is not binary}
    assert set(report["other_shares"]) <= others
    assert sum(report["other_shares"].values()) == pytest.approx(1 - binary["share"])
    assert report["slowest"][0] == max(steps, key=lambda step: step["share"])["index"]
    assert next(s["binary_macs"] for s in steps if s["op"] == "binary_conv2d") == 5 * 64 * 9 * 6


def test_dump_layers(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = picture_model()
    written(folder, model)
    (folder / "broken.png").write_bytes(b"no")
    assert run("red.png", "broken.png", "blue.png", "--dump-layers", "dump") == 1
    out, err = capsys.readouterr()
    assert out.splitlines()[-1] == f"dump: {len(model.program.values)} values of 2 images"
    assert err.count("broken.png") == 1
    dump = read_dump(folder / "dump")
    assert dump.images == ("red.png", "blue.png")
    logits = dump.load(next(v for v in dump.values if v.name == model.program.output))
    loaded = bnas_deploy.load("model.bnn")
    assert np.array_equal(
        logits[:, :, 0, 0], loaded.run(loaded.preprocess(["red.png", "blue.png"]))
    )


def test_dump_layers_of_noise_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--dump-layers", "dump", "--json") == 0
    assert json.loads(capsys.readouterr().out)["results"] == []
    assert read_dump(folder / "dump").images == ("noise",)
    assert run("red.png", "--dump-layers", "dump") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "--force" in one_error_line(err)
    assert run("red.png", "--dump-layers", "dump", "--force") == 0
    assert read_dump(folder / "dump").images == ("red.png",)


def test_dump_layers_with_nothing_readable(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "red.png").write_bytes(b"no")
    assert run("red.png", "--dump-layers", "dump") == 2
    assert "no picture could be read" in capsys.readouterr().err
    assert not (folder / "dump").exists()


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as leave:
        main(["--help"])
    assert leave.value.code == 0
    assert "--evaluate" in capsys.readouterr().out


CALL = "import sys; from bnas_deploy.cli.run.command import main; sys.exit(main())"


def process(folder: Path, *arguments: str, **options: object) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", CALL, "--packed", "model.bnn", *arguments]
    # The very package under test, wherever it lies, also from another folder.
    env = {**os.environ, "PYTHONPATH": str(Path(bnas_deploy.__file__).parents[1])}
    return subprocess.run(command, cwd=folder, capture_output=True, check=False, env=env, **options)


def test_a_real_process_reads_standard_input(folder: Path) -> None:
    image = Image.fromarray(np.full((5, 5, 3), (250, 0, 0), np.uint8))
    stream = BytesIO()
    image.save(stream, "JPEG")
    done = process(folder, "-", "nix.png", input=stream.getvalue())
    assert done.returncode == 1
    assert done.stdout.decode() == "<stdin>: red (100.0%)\n"
    assert done.stderr.decode() == "error: nix.png: no such file\n"


def test_a_label_that_the_terminal_cannot_show(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(folder, picture_model(("Löwe",) * 10))
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    done = process(folder, "red.png")
    assert done.returncode == 0
    assert b"L\\xf6we" in done.stdout


def test_a_network_of_grey_pictures(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(folder, picture_model(channels=1))
    assert run("red.png", "--json") == 0
    assert len(json.loads(capsys.readouterr().out)["results"]) == 1


def test_a_network_that_takes_no_pictures(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(folder, picture_model(channels=5))
    assert run("red.png") == 2
    assert "5 channels, and a picture has 3, or 1 in grey" in one_error_line(
        capsys.readouterr().err
    )


def test_more_classes_than_there_are(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("red.png", "--top-k", "99") == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 4
    assert err == "note: the model tells 3 classes apart; --top-k 99 names them all\n"
    assert run("red.png", "--top-k", "3") == 0
    assert capsys.readouterr().err == ""


def test_a_single_label(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(folder, picture_model(("fire",)))
    assert run("red.png", "blue.png", "--top-k", "2", "--json") == 0
    for result in json.loads(capsys.readouterr().out)["results"]:
        found = {guess["label"]: guess["probability"] for guess in result["top"]}
        assert set(found) == {"fire", "not fire"}
        assert sum(found.values()) == pytest.approx(1)
        assert result["probability"] == max(found.values()) < 1
