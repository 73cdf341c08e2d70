"""The commands of docs/tutorial.md, as printed there, on a few drawings and with three epochs."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from support.coloured_pictures import write_pictures

from bnas_deploy.cli.bnas.command import main

ROOT = Path(__file__).parents[1]
LINES = re.findall(
    r"^(?:\$ )?bnas-(.+)$", (ROOT / "docs/tutorial.md").read_text(encoding="utf-8"), re.MULTILINE
)


@pytest.mark.slow
def test_the_tutorial_leads_to_a_named_picture(tmp_path, monkeypatch, capsys):
    (tmp_path / "models").mkdir()
    (tmp_path / "models/bnas-mini.pt").symlink_to(ROOT / "models/bnas-mini.pt")
    write_pictures(tmp_path / "drawn", ("red", "blue"), train=60, test=1)
    (tmp_path / "drawn/train").rename(tmp_path / "photos")
    next((tmp_path / "drawn/test/red").iterdir()).rename(tmp_path / "chelsea.png")
    monkeypatch.chdir(tmp_path)
    assert [line.split()[0] for line in LINES] == ["train", "export", "run"]
    for line in LINES:
        words = shlex.split(line)
        assert main([*words, *(("--epochs", "3") if words[0] == "train" else ())]) in (0, None)
    assert re.search(r"chelsea\.png: (red|blue) \(\d+\.\d%\)", capsys.readouterr().out)
