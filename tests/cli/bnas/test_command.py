"""`bnas` lists the commands, runs each of them, and completes them in a real shell."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bnas_deploy import start
from bnas_deploy.cli.bnas.command import main
from bnas_deploy.cli.bnas.commands import COMMANDS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PYPROJECT = Path(__file__).parents[3] / "pyproject.toml"


def test_every_installed_command_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    scripts = tomllib.loads(PYPROJECT.read_text())["project"]["scripts"]
    entries = {f"bnas-{name}": f"bnas_deploy.start:{c.folder}" for name, c in COMMANDS.items()}
    assert scripts == {"bnas": "bnas_deploy.start:bnas", **entries}
    assert set(start.__all__) == {"bnas", "start", *(c.folder for c in COMMANDS.values())}
    assert all(getattr(start, c.folder).args == (c.folder,) for c in COMMANDS.values())
    assert main([]) == 0
    listed = capsys.readouterr().out
    assert all(f"  {name}" in listed and c.summary in listed for name, c in COMMANDS.items())


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_the_same_behind_bnas(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([name, "--help"])
    behind = capsys.readouterr().out
    with pytest.raises(SystemExit, match="0"):
        COMMANDS[name].main()(["--help"])
    assert capsys.readouterr().out == behind
    assert behind.startswith(f"usage: bnas-{name} ")
    assert COMMANDS[name].options().prog == f"bnas-{name}"


def test_faults_and_statuses_are_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "no-such-file.bnn"]) == 2
    assert capsys.readouterr().err.startswith("error: no-such-file.bnn: ")


def test_an_unknown_command_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tra1n"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "tra1n" in err
    assert "did you mean train?" in err


def test_the_module_runs() -> None:
    words = [sys.executable, "-m", "bnas_deploy", "run", "--version"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("bnas-deploy ")


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("bnas ex", "export"),
        ("bnas run --pa", "--packed"),
        ("bnas-train --teach", "--teacher"),
        ("bnas-report ren", "render"),
    ],
)
def test_bash_completes(
    words: str, completed: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["--completion", "bash"]) == 0
    script = tmp_path / "completion.sh"
    script.write_text(capsys.readouterr().out)
    ask = (
        'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1));'
        ' name=$(complete -p "$1"); name=${name#*-F }; ${name%% *}; echo "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "-c", ask, str(script), *words.split()], capture_output=True, text=True, check=True
    )
    assert completed in done.stdout.split()


@pytest.mark.parametrize("shell", ["zsh", "tcsh"])
def test_other_shells_get_a_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--completion", shell]) == 0
    assert "bnas-export" in capsys.readouterr().out
