"""The commands that `bnas` knows, in the order in which a network passes through them."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bnas_deploy.cli.common.entry import Parser

__all__ = ["COMMANDS", "Command"]


@dataclass(frozen=True)
class Command:
    """A command, imported only when it is asked for."""

    summary: str
    folder: str
    parser: str

    def main(self) -> Callable[[Sequence[str] | None], int]:
        """Return its entry point."""
        module = importlib.import_module(f"bnas_deploy.cli.{self.folder}.command")
        main: Callable[[Sequence[str] | None], int] = module.main
        return main

    def options(self) -> Parser:
        """Return its parser."""
        module, _, function = self.parser.rpartition(".")
        make: Callable[[], Parser] = getattr(
            importlib.import_module(f"bnas_deploy.cli.{module}"), function
        )
        return make()


COMMANDS: dict[str, Command] = {
    "search": Command("search the cells of a network", "search", "search.parser.search_parser"),
    "latency": Command(
        "predict how long networks take", "latency", "latency.parser.latency_parser"
    ),
    "train": Command("train a network", "train", "train.parser.train_parser"),
    "export": Command("pack a trained network", "export", "export.command.export_parser"),
    "import": Command(
        "pack a binary network of another tool",
        "import_model",
        "import_model.command.import_parser",
    ),
    "run": Command("name what is in pictures", "run", "run.command.run_parser"),
    "serve": Command("answer over HTTP", "serve", "serve.parser.serve_parser"),
    "inspect": Command(
        "describe or compare packed files", "inspect", "inspect.command.inspect_parser"
    ),
    "report": Command("run the paper's experiments", "report", "report.command.report_parser"),
}
