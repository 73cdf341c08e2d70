"""Tests of what a search leaves in its folder."""

from __future__ import annotations

import json

from bnas_deploy.search.record import SearchRecord


def test_a_search_without_a_command_leaves_the_same_files(make_searcher, tmp_path):
    searcher = make_searcher()
    record = SearchRecord(searcher, tmp_path)
    assert record.advice().startswith("no checkpoint was written yet")
    assert searcher.run(record)
    record.finish(pictures=False)
    names = {path.name for path in tmp_path.iterdir()}
    assert {"checkpoint.pt", "metrics.csv", "search.json"} <= names
    assert not [name for name in names if name.endswith((".png", ".tmp"))]
    account = json.loads((tmp_path / "search.json").read_text())
    assert account["epochs"] == searcher.progress.epoch
    assert record.advice() == (
        f"the last good checkpoint is {tmp_path / 'checkpoint.pt'}: go on from it with"
        " --resume --lr N"
    )
