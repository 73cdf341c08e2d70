"""`bnas-run`: name what is in pictures, or measure accuracy on labelled ones.

Exit status: 0, 1 if a picture could not be read, 2 after a mistake in the arguments or the model.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from bnas_deploy.cli import Parser, positive, run_cli
from bnas_deploy.cli.common.text import progress, safe, tolerant_output
from bnas_deploy.errors import UsageError
from bnas_deploy.runtime.model import Model, load
from bnas_deploy.runtime.predictions import Prediction, as_record
from bnas_deploy.runtime.sources import Source, find_pictures
from bnas_deploy.runtime.sources.item import held
from bnas_deploy.runtime.sources.source import Singles
from bnas_deploy.runtime.stream import Answer, answers

__all__ = ["main", "run_parser"]

UNREADABLE = 1
BATCH = 64

EPILOG = """\
examples:
  bnas-run --packed model.bnn photo.jpg
  bnas-run --packed model.bnn holiday/ "raw/**/*.tif" --top-k 3
  cat photo.jpg | bnas-run --packed model.bnn -
  bnas-run --packed model.bnn photo.jpg --json
  bnas-run --packed model.bnn archive/ --output answers.csv
  bnas-run --packed model.bnn "shard-{000..010}.tar" --output answers.parquet --workers 2
  bnas-run --packed model.bnn photo.jpg --explain    how each step runs
  bnas-run --packed model.bnn --evaluate cifar10.tar.xz --threads 2
  bnas-run --packed model.bnn --evaluate photos/ --report report/

Exit status: 0; 1 if a picture could not be read; 2 after any other mistake.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with the given arguments (None: those of the process)."""
    return run_cli(_run, argv)


def _run(argv: Sequence[str] | None) -> int:
    args = run_parser().parse_intermixed_args(_named(sys.argv[1:] if argv is None else argv))
    _check_together(args)
    if args.dump_layers:  # before anything is computed
        from bnas_deploy.runtime.dump import check_target  # noqa: PLC0415 - rarely needed

        check_target(args.dump_layers, force=args.force)
    tolerant_output()
    model = load(args.packed, backend=args.backend, isa=args.isa, threads=args.threads)
    if model.runner.note:
        print(f"note: {model.runner.note}", file=sys.stderr)
    _tell_of_top_k(model, args)
    if args.evaluate is not None:
        # Reading tars is not needed, and not imported, for a single picture.
        from bnas_deploy.cli.run.evaluate import run_evaluation  # noqa: PLC0415

        return run_evaluation(model, args, _report(model, args))
    return _predict(model, args)


def _named(words: Sequence[str]) -> list[str]:
    """What is behind ``--`` as names that look like no options (argparse reads them twice)."""
    if "--" not in words:
        return list(words)
    end = list(words).index("--")
    return [
        *words[:end],
        *(f"./{w}" if w.startswith("-") and w != "-" else w for w in words[end + 1 :]),
    ]


def _tell_of_top_k(model: Model, args: argparse.Namespace) -> None:
    count = max(2, len(model.labels))  # a single label has an opposite
    if args.top_k is not None and args.top_k > count:
        text = f"note: the model tells {count} classes apart; --top-k {args.top_k} names them all"
        print(text, file=sys.stderr)


def _check_together(args: argparse.Namespace) -> None:
    """Check that every option that was given acts.

    Raises:
        UsageError: One does not.
    """
    if args.evaluate is not None:
        others = "pictures nor --files, --column, --explain, --dump-layers, --output or --top-k"
        _refuse(args, f"--evaluate goes with neither {others}", *_FOR_PICTURES)
    elif args.report:
        msg = "--report shows what --evaluate DATA found; give both, or neither"
        raise UsageError(msg)
    elif not args.images and not args.files and (args.explain or args.dump_layers):
        names = ("top_k", "batch", "workers", "column")
        _refuse(args, "no picture is given, so noise is run once", *names)
    if args.output:
        _refuse(args, "--output is for the answers alone", "explain", "dump_layers")
    if args.ray is not None and not args.output:
        msg = "--ray writes answers into a folder; add --output DIR, or leave it out"
        raise UsageError(msg)
    if args.force and not args.dump_layers and not args.output:
        msg = (
            "--force lets --dump-layers replace an older dump, and --output a file; give one of"
            " these, or leave it out"
        )
        raise UsageError(msg)
    if args.isa and args.backend not in (None, "native"):
        msg = f"--isa is of the native backend; --backend {args.backend} has no choice of them"
        raise UsageError(msg)


_FOR_PICTURES = ("images", "files", "column", "explain", "dump_layers", "output", "top_k")


def _refuse(args: argparse.Namespace, because: str, *names: str) -> None:
    for name in names:
        if getattr(args, name):
            option = "pictures" if name == "images" else "--" + name.replace("_", "-")
            msg = f"{because}; leave out {option}"
            raise UsageError(msg)


def run_parser() -> Parser:
    """Return the parser; --top-k and --batch are None where they were not given."""
    parser = Parser(
        prog="bnas-run",
        description="Classify pictures with a packed network.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--packed", required=True, metavar="MODEL.bnn", help="the packed network")
    add(
        "images",
        nargs="*",
        metavar="SOURCE",
        help="pictures, folders (with their subfolders), tars (WebDataset's shards, too), Parquet "
        "files, quoted patterns (*, ?, [ ], **, {00..12}), or - for a picture on standard input",
    )
    add(
        "--files",
        metavar="LIST",
        help="a file with the path of a picture (or of any other source) on each line, "
        "or - for standard input",
    )
    add(
        "--column",
        metavar="NAME",
        help="column of the Parquet files that holds the bytes of pictures, or structs with them "
        "(default: the only one that may)",
    )
    add(
        "--evaluate",
        metavar="DATA",
        help="measure accuracy on a folder or tar of [test/]<class>/pictures",
    )
    add(
        "--report",
        metavar="DIR",
        help="with --evaluate: also write a page about it, DIR/index.html, with each class, "
        "what is taken for what, calibration and the most confident mistakes",
    )
    add("--top-k", type=positive, metavar="K", help="classes to name (default: 1)")
    add("--json", action="store_true", help="print one JSON object")
    add(
        "--explain",
        "--profile",
        action="store_true",
        help="also show how each step runs on the first picture (or noise): kernel, instruction "
        "set, MACs per second and per cycle, share of the machine's limit, time",
    )
    add(
        "--dump-layers",
        metavar="DIR",
        help="also save every value of the network for the pictures (or noise) in a new folder; "
        "bnas-inspect --diff finds where two such folders differ",
    )
    add(
        "--output",
        metavar="FILE",
        help="write a row for each picture to FILE.jsonl, FILE.csv or FILE.parquet (with pyarrow) "
        "instead of printing them; after an interruption, the same command goes on",
    )
    add(
        "--ray",
        nargs="?",
        const="",
        metavar="ADDRESS",
        help="with --output DIR: answer on a cluster of Ray, or on all cores of this machine, into "
        "a folder of Parquet files; give it last, or as --ray=ADDRESS",
    )
    add(
        "--force",
        action="store_true",
        help="let --dump-layers replace an older dump, or --output a file",
    )
    add("--backend", help="native, numba or reference (default: native)")
    add("--isa", help="instruction set of the native backend (default: the best here)")
    add("--threads", type=positive, default=1, metavar="N", help="threads (default: 1)")
    add(
        "--workers",
        type=positive,
        metavar="N",
        help="threads that decode pictures while the network runs (default: as many as --threads, "
        "and none where that is 1)",
    )
    add("--batch", type=positive, metavar="N", help="pictures at a time (default: 64)")
    return parser


def _predict(model: Model, args: argparse.Namespace) -> int:
    items, problems = _pictures(args)
    for problem in problems:
        print(f"error: {safe(problem)}", file=sys.stderr)
    report = _report(model, args)
    if args.output:
        from bnas_deploy.cli.run.output import write_output  # noqa: PLC0415 - rarely needed

        return write_output(model, args, items, problems, report)
    report |= {"results": [], "errors": [{"image": None, "error": text} for text in problems]}
    stream: Iterable[Answer] = answers(
        model, items, batch=args.batch or BATCH, workers=args.workers
    )
    if args.json or not sys.stdout.isatty():
        stream = progress(stream, items.expected)
    for answer in stream:
        _note_answer(model, answer, args, report)
    if args.explain or args.dump_layers:
        from bnas_deploy.cli.run.inside import show_inside  # noqa: PLC0415 - rarely needed

        show_inside(model, list(items), report, args)
    if args.json:
        import json  # noqa: PLC0415 - rarely needed

        print(json.dumps(report, indent=2))
    return UNREADABLE if report["errors"] else 0


def _pictures(args: argparse.Namespace) -> tuple[Source, list[str]]:
    inside = args.explain or args.dump_layers
    if inside and not args.images and args.files is None:
        return Singles(), []
    found, problems = find_pictures(args.images, listing=args.files, column=args.column)
    for note in found.notes:
        print(f"note: {safe(note)}", file=sys.stderr)
    return Singles(map(held, found)) if inside else found, problems


def _note_answer(
    model: Model, answer: Answer, args: argparse.Namespace, report: dict[str, Any]
) -> None:
    name = answer.item.name
    if answer.logits is None:
        print(f"error: {safe(str(answer.error))}", file=sys.stderr)
        report["errors"].append({"image": name, "error": str(answer.error)})
        return
    (prediction,) = model.rank(answer.logits[None], top_k=args.top_k or 1)
    if args.json:
        report["results"].append(as_record(name, prediction))
    else:
        _write(name, prediction)


def _write(name: str, prediction: Prediction) -> None:
    if len(prediction.top) == 1:
        print(f"{safe(name)}: {safe(prediction.label)} ({prediction.probability:.1%})")
        return
    print(f"{safe(name)}:")
    for guess in prediction.top:
        print(f"  {guess.probability:6.1%}  {safe(guess.label)}")


def _report(model: Model, args: argparse.Namespace) -> dict[str, Any]:
    return {
        "model": args.packed,
        "backend": model.backend,
        "isa": model.isa,
        "threads": model.threads,
    }
