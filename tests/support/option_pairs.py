"""Every pair of options of a command, from its own parser: does each act, or is it refused?"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from bnas_deploy.cli.common.entry import positive

Words = tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What can be seen of a call.

    Attributes:
        status: Of the exit.
        error: What was said on stderr.
        seen: All else: what was printed, written, and handed to the library.
    """

    status: int
    error: str
    seen: Any = None


def options_of(
    parser: argparse.ArgumentParser, examples: Mapping[str, Words], fixed: Iterable[str] = ()
) -> dict[str, Words]:
    """Each option of a parser with the words that give it, by what it is called there.

    Args:
        parser: Of the command.
        examples: Values of options by name, or all words where a flag has two spellings. Options
            of numbers and choices need none, unless the test's own would not do.
        fixed: Options that are left out, as every call gives them.
    """
    found = {}
    for action in parser._actions:
        if not action.option_strings or action.dest in ("help", "version", *fixed):
            continue
        name = next(s for s in action.option_strings if s.startswith("--"))
        words = examples.get(action.dest, _example(action))
        assert words is not None, f"{name}: give it an example in the test"
        found[name] = words if words and words[0].startswith("--") else (name, *words)
    return found


def _example(action: argparse.Action) -> Words | None:
    if action.nargs == 0:
        return ()
    if action.choices:
        return (str([choice for choice in action.choices if choice != action.default][-1]),)
    return {int: ("3",), float: ("0.25",), positive: ("3",)}.get(action.type)


def unexplained(
    call: Callable[[Sequence[str]], Outcome], options: Mapping[str, Words]
) -> Iterator[str]:
    """Name the options that neither act nor are refused, alone or beside another.

    An option acts if the call without it has another outcome; it is refused if the call ends with
    status 2 and its name.
    """
    plain = call(())
    alone = {name: call(words) for name, words in options.items()}
    for name, outcome in alone.items():
        if not _refused(outcome, name) and outcome == plain:
            yield f"{name}: {outcome.error or 'no effect'}"
    for first, second in combinations(options, 2):
        both = call((*options[first], *options[second]))
        if _refused(both, first, second):
            continue
        for name, other in ((first, second), (second, first)):
            if both == alone[other]:
                yield f"{name} beside {other}: {both.error or 'no effect'}"


def _refused(outcome: Outcome, *names: str) -> bool:
    said = outcome.error.replace(",", " ").replace(":", " ").replace(";", " ").split()
    return outcome.status == 2 and any(name in said for name in names)
