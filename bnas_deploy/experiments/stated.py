"""Sentences of the results page that say at which budget results were made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bnas_deploy.experiments.results import DONE, Results

__all__ = ["budget_lines"]


def budget_lines(results: Results) -> list[str]:
    """Return sentences on the training, the data, the machine and the software."""
    done = [job for job in results.jobs if job.status == DONE]
    seeds = sorted({job.seed for job in done})
    minutes = sum(job.seconds for job in done) / 60
    data = "; ".join(dict.fromkeys(job.data for job in done if job.data))
    runtimes = "; ".join(dict.fromkeys(job.runtime for job in done if job.runtime))
    machine, software = results.machine, results.versions
    facts = [
        *(f"{text}." for text in dict.fromkeys(map(_training, results.setups.values()))),
        f"Seeds {', '.join(map(str, seeds))}; {minutes:.0f} minutes of training in all."
        if done
        else "Nothing is done yet.",
        f"Images: {data}." if data else "",
        f"{machine.get('cpu', 'unknown CPU')}; {runtimes}." if runtimes else "",
        "Software: " + ", ".join(f"{name} {version}" for name, version in software.items()) + ".",
        f"Results of {results.date}.",
    ]
    return [f"- {fact}" for fact in facts if fact]


def _training(setup: Mapping[str, Any]) -> str:
    network, recipe = setup["network"], setup["recipe"]
    epochs = recipe["epochs"]
    length = f"{epochs} {'epoch' if epochs == 1 else 'epochs'}"
    if recipe.get("hours"):
        length = f"{recipe['hours']:g} h"
    decay = f", drop-path {recipe['drop_path']}" if recipe["drop_path"] else ""
    return (
        f"{_size(network)}, {network['channels']} channels;"
        f" {length}, batch {recipe['batch']},"
        f" {recipe['schedule']} learning rate up to {recipe['lr']}{decay}"
    )


def _size(network: Mapping[str, Any]) -> str:
    if "backbone" in network:
        most = network["layers"]
        return f"at most {most} blocks a stage" if most else "backbones of published depth"
    if "family" in network:
        return f"a float {network['family']}, blocks a stage: {network['layers'] or 'all'}"
    what = "cells" if network["template"] == "cells" else "layers"
    return f"{network['layers']} {what}"
