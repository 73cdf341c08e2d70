"""What bnas-train and bnas-search share: mistakes in arguments, folders, what --resume keeps."""

from __future__ import annotations

import pytest

BOTH = [
    (["--lr", "fast"], "--lr"),
    (["--threads", "0"], "--threads: expected 1 to"),
    (["--data", "nowhere"], "nowhere: no such file or folder"),
    (["--resume"], "checkpoint.pt does not exist"),
    (["--nonsense"], "(see bnas-"),
    (["--checkpoint-minutes", "0"], "--checkpoint-minutes: expected more than 0"),
    (["--checkpoint-minutes", "nan"], "--checkpoint-minutes: expected more than 0"),
]
MISTAKES = {
    "train": [
        *BOTH,
        (["--config", "Z"], "choose one of Mini, A"),
        (["--genotype", "darts"], "latest_cell_zeroise"),
        (["--genotype", "none.json"], "--genotype none.json: cannot be read"),
        (["--recipe", "none.toml"], "none.toml: cannot be read as a recipe"),
        (["--lr", "-1"], "recipe: lr"),
        (["--schedule", "linear"], "one-cycle"),
        (["--fused", "on"], "--fused on"),
        (["--layers", "2"], "--layers (with reduction cells at the thirds) must be"),
        (["--image-size", "10"], "--image-size must be a multiple of 4"),
    ],
    "search": [
        *BOTH,
        (["--preset", "huge"], "paper"),
        (["--gamma", "0"], "--gamma: expected numbers above 0 (inf: never keep Zeroise); got 0.0"),
        (["--gamma", "nan"], "--gamma: expected numbers above 0"),
        (["--cells", "2"], "search: cells must be from 3"),
        (["--seed", "-1"], "seed: expected 0 to"),
        (["--images", "3"], "at least four training images; got 3"),
    ],
}
KEPT = {
    "train": [
        *(["--batch", "4"], ["--no-flip"], ["--config", "A"], ["--channels", "8"], ["--float"]),
        *(["--seed", "0"], ["--recipe", "r.json"], ["--genotype", "latest_cell"]),
        *(["--shortcut", "pool"], ["--init", "model.pt"]),
    ],
    "search": [
        *(["--batch", "4"], ["--no-flip"], ["--preset", "smoke"], ["--seed", "0"]),
        ["--no-zeroise"],
    ],
}


@pytest.fixture
def command(request):
    """The fixture that the parameter names."""
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize(
    ("command", "options", "message"),
    [(name, *row) for name, rows in MISTAKES.items() for row in rows],
    indirect=["command"],
)
def test_a_mistake_is_one_line_and_status_two(command, options, message, tmp_path):
    status, out, err = command(*options)
    assert status == 2
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert message in err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("command", ["train", "search"], indirect=True)
@pytest.mark.parametrize(("out", "message"), [("f", "this is a file"), ("f/x", "cannot be made")])
def test_a_folder_that_cannot_be(command, tmp_path, out, message):
    (tmp_path / "f").write_text("")
    status, _, err = command(out=out)
    assert status == 2
    assert message in err


@pytest.mark.parametrize(
    ("command", "option"),
    [(name, option) for name, options in KEPT.items() for option in options],
    indirect=["command"],
)
def test_resume_keeps_what_was_begun(command, tmp_path, option):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "checkpoint.pt").touch()
    status, _, err = command("--resume", *option, resume=True)
    assert status == 2
    assert "leave out " + option[0].replace("no-", "") in err
