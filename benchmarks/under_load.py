"""Requests a second and their times: bnas-serve, and the same server with ONNX Runtime behind it.

Usage: python benchmarks/under_load.py [--quick] [--soak N] [--out reports/serving.json]

Everything runs on this machine, wrk included; every answer is compared.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import machine
from load import table
from load.cases import BODIES, URLS, make_network, make_requests
from load.engines import ENGINES, engine, served
from load.wrk import drive, missing

NETWORKS = ("A", "Mini")
CONNECTIONS = (1, 8, 64)
HALF = 4
"""Clients that together ask for half of what a server can do, each at its own pace."""
FLOOD = 640
"""Ten times the places that bnas-serve has, one request computed and 64 waiting."""


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    made.add_argument("--out", type=Path, default=Path("reports/serving.json"))
    made.add_argument("--quick", action="store_true", help="a second each, to try it out")
    made.add_argument("--soak", type=int, metavar="N", help="only memory, over N requests")
    made.add_argument("--page", type=Path, help="only write this page about the figures of --out")
    return made


def measured(network: str, folder: Path, seconds: float) -> list[dict[str, Any]]:
    """All servers with one network, one after the other."""
    rows: list[dict[str, Any]] = []
    for name in ENGINES:
        model = engine(folder, name)
        with served(folder, name) as (_, address):
            for body in BODIES:
                facts = {"network": network, "engine": name, "body": body}
                requests = folder / f"{name}-{body}"
                make_requests(address, model, body, requests)
                url = address + URLS[body]
                found = [
                    {**facts, **drive(url, requests, clients, seconds)} for clients in CONNECTIONS
                ]
                rows += found
                if body == "tensor":
                    rows.append({**facts, **half_load(url, requests, found, seconds), "half": True})
    return rows


def half_load(
    url: str, requests: Path, found: list[dict[str, Any]], seconds: float
) -> dict[str, Any]:
    """Clients that send at half of the rate that the server reached."""
    period = HALF / (max(row["per_second"] for row in found) / 2)
    pause = max(1, round(1000 * period - found[0]["p50_ms"]))
    return drive(url, requests, HALF, 2 * seconds, pause_ms=pause)


def overloaded(folder: Path, seconds: float) -> list[dict[str, Any]]:
    """A minute of ten times too many clients, and one client's times before and after."""
    with served(folder, "bnas") as (process, address):
        many, one = folder / "many", folder / "bnas-tensor"
        make_requests(address, engine(folder, "bnas"), "many", many)
        url = address + URLS["many"]
        phases = [("before", one, 1, 1), ("alone", many, 1, 1), ("over", many, FLOOD, 12)]
        phases.append(("after", one, 1, 1))
        rows = []
        for phase, requests, clients, times in phases:
            told = drive(url, requests, clients, times * seconds)
            rows.append({"phase": phase, **told, "megabytes": resident(process)})
        return rows


def soaked(folder: Path, requests: int) -> list[dict[str, Any]]:
    """Memory while a server answers very many requests."""
    with served(folder, "bnas") as (process, address):
        make_requests(address, engine(folder, "bnas"), "tensor", folder / "soak")
        rows = [{"requests": 0, "wrong": 0, "lost": 0, "megabytes": resident(process)}]
        while rows[-1]["requests"] < requests:
            told = drive(address + URLS["tensor"], folder / "soak", 8, 30)
            sums = {key: rows[-1][key] + told[key] for key in ("requests", "wrong", "lost")}
            rows.append({**sums, "megabytes": resident(process)})
            print(rows[-1], file=sys.stderr, flush=True)
        return rows


def resident(process: int) -> float:
    """Megabytes of memory that a process has now."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1000
    raise ValueError(process)


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """The part of the report that was asked for."""
    seconds = 1 if arguments.quick else 5
    with tempfile.TemporaryDirectory() as place:
        folders = {name: Path(place) / name for name in NETWORKS}
        for name, folder in folders.items():
            make_network(name, folder)
        if arguments.soak:
            return {"soak": soaked(folders["Mini"], arguments.soak)}
        rows = [row for name in NETWORKS for row in measured(name, folders[name], seconds)]
        return {"load": rows, "overload": overloaded(folders["A"], seconds)}


def main() -> None:
    """Run the command."""
    arguments = parser().parse_args()
    if arguments.page is None:
        if missing():
            sys.exit(f"under_load: {missing()}")
        report = json.loads(arguments.out.read_text()) if arguments.out.exists() else {}
        report |= measure(arguments)
        report["machine"] = machine.facts()
        report["date"] = datetime.now(timezone.utc).date().isoformat()
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(json.dumps(report, indent=1) + "\n")
        print(table.markdown(report))
    else:
        arguments.page.write_text(table.markdown(json.loads(arguments.out.read_text())))


if __name__ == "__main__":
    main()
