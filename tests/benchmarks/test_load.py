"""The load benchmark counts what is wrong, and its page says what was reached."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from load import engines, table, wrk
from load.cases import URLS, make_requests
from support.small_models import picture_model

from bnas_deploy.format import write

pytest.importorskip("fastapi")
DOCS = Path(__file__).parents[2] / "docs"
needs_wrk = pytest.mark.skipif(bool(wrk.missing()), reason=wrk.missing())


@needs_wrk
def test_every_answer_is_compared(tmp_path):
    write(picture_model(), tmp_path / "packed.bnn")
    requests = tmp_path / "requests"
    with engines.served(tmp_path, "bnas") as (_, address):
        url = address + URLS["tensor"]
        make_requests(address, engines.engine(tmp_path, "bnas"), "tensor", requests)
        right = wrk.drive(url, requests, 2, 1)
        assert right["requests"] > 0
        assert (right["wrong"], right["lost"], right["refused"]) == (0, 0, 0)
        slow = wrk.drive(url, requests, 2, 1, pause_ms=200)
        assert 4 <= slow["requests"] <= 12
        (requests / "1.answer").write_bytes(b"another")
        wrong = wrk.drive(url, requests, 2, 1)
        assert 0 < wrong["wrong"] < wrong["requests"]


def row(engine, per_second, **more):
    facts = {"network": "A", "engine": engine, "body": "tensor", "connections": 1}
    counts = {"wrong": 0, "lost": 0, "refused": 0, "refused_without_retry_after": 0}
    times = {"per_second": per_second, "p50_ms": 2.0, "p99_ms": 5.0, "seconds": 1, "requests": 9}
    return {**facts, **counts, **times, **more}


def report(**more):
    """What under_load.py writes, with figures that nobody measured."""
    load = [row("bnas", 500), row("float32", 50), row("int8", 100), row("bnas", 250, half=True)]
    phases = ("before", "alone", "over", "after")
    over = [{**row("bnas", 9), "phase": phase, "megabytes": 70} for phase in phases]
    over[-1] |= more
    facts = {"engine": {}, "os": "Linux", "cores": 2, "versions": {"onnxruntime": "1"}}
    soak = [{"requests": n, "megabytes": 70.0, "wrong": 0, "lost": 0} for n in range(0, 90, 10)]
    return {"load": load, "overload": over, "soak": soak, "machine": facts, "date": "2026-12-01"}


def test_the_page_has_all_parts_and_the_targets():
    text = table.markdown(report())
    assert [reached for *_, reached in table.targets(report())] == ["yes"] * 4
    assert "10.0×" in text
    for head in ("## Targets", "## BNAS-A", "## Ten times too many", "## Memory over requests"):
        assert head in text
    bad = report(wrong=3, p50_ms=9.0)
    assert [reached for *_, reached in table.targets(bad)] == ["yes", "yes", "no", "no"]


def test_the_docs_show_what_was_measured():
    measured = json.loads((DOCS / "benchmarks/serving/serving.json").read_text())
    assert (DOCS / "serving-benchmarks.md").read_text() == table.markdown(measured)
