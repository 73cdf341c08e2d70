"""`bnas-report`: run the paper's experiments at a budget, and render the page of results.

The work is done by `bnas_deploy.experiments`. Exit status: 0; 1 if a job failed; 2 after a user's
mistake; 130 if stopped.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from bnas_deploy.cli.common.entry import INTERRUPTED, Parser, require, run_cli
from bnas_deploy.cli.common.text import write_table
from bnas_deploy.errors import UsageError
from bnas_deploy.experiments.definition import BUDGETS, Computed, Experiment
from bnas_deploy.experiments.registry import EXPERIMENTS, find
from bnas_deploy.experiments.results import FAILED, Results
from bnas_deploy.experiments.running.images import Images
from bnas_deploy.experiments.running.runner import Options, results_path, run_experiment
from bnas_deploy.nn.genotype import Genotype

__all__ = ["main", "report_parser"]

JOB_FAILED = 1
SHIPPED = "models/bnas-mini.pt"

DESCRIPTION = """\
Run the experiments of the BNAS paper at a chosen budget, and show the results
beside the paper's values.
"""
EPILOG = """\
budgets: smoke (seconds, generated images: shows that it runs), cpu (minutes to
an hour on two cores, CIFAR-10), paper (the paper's recipe; for a GPU)

examples:
  bnas-report list
  bnas-report run table1 shortcuts --budget smoke --out runs
  bnas-report run table1 table8 fig2 --data cifar10.tar.xz --out runs
  bnas-report run table11 --cell no-dilated=genotype-gamma-1.json \\
              --data cifar10.tar.xz --out runs
  bnas-report run frontier --data cifar10.tar.xz --hours 2 --out runs
  bnas-report render --results runs --out docs

Every job (a variant with a seed) has a folder with the files of bnas-train,
OUT/<experiment>-<budget>/<variant>-<seed>. Finished jobs are skipped, even if
they were copied there. The same command continues a stopped job, and tries a
failed one again. The results are in OUT/<experiment>-<budget>.json.

Exit status: 0; 1 if a job failed; 2 after a mistake; 130 if stopped.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with the given arguments (None: those of the process)."""
    return run_cli(_report, argv)


def _report(argv: Sequence[str] | None) -> int:
    args = report_parser().parse_args(argv)
    command = {"list": _list, "run": _run, "render": _render}[args.command]
    return command(args)


def report_parser() -> Parser:
    """Return the parser."""
    parser = Parser(
        prog="bnas-report",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    listing = commands.add_parser("list", help="list the experiments and what they answer")
    listing.add_argument("--variants", action="store_true", help="also their variants and jobs")
    _add_budget(listing)
    _add_run(commands.add_parser("run", help="run experiments; finished jobs are skipped"))
    render = commands.add_parser("render", help="write results.md, frontier.md and pictures")
    render.add_argument("--out", required=True, metavar="DIR", help="folder, such as docs")
    render.add_argument(
        "--results",
        metavar="DIR",
        help="first copy the results (*.json) from this folder, the --out of run, to OUT/results",
    )
    return parser


def _add_budget(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--budget", choices=BUDGETS, default="cpu", help="how much to spend (default: cpu)"
    )


def _add_run(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("names", nargs="+", metavar="NAME", help="experiments, tables or figures; or: all")
    _add_budget(parser)
    add("--out", required=True, metavar="DIR", help="folder of all jobs and results")
    add("--data", metavar="PATH", help="CIFAR-10, as for bnas-train; smoke generates images")
    add("--dataset-name", metavar="TEXT", help="what results call the data (default: file name)")
    add("--imagenet", metavar="DIR", help="ImageNet's folder, for the networks D to H")
    add("--seeds", nargs="+", type=_seed, metavar="N", help="instead of the experiment's seeds")
    add("--only", nargs="+", default=(), metavar="VARIANT", help="run these, collect the others")
    add(
        "--cell",
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="a genotype of bnas-search: no-diversity, no-dilated, separable, darts-zeroise,"
        " darts-plain or darts-diversity; variants without their cell are not run",
    )
    add("--teacher", metavar="MODEL", help="model.pt that the recipes with a teacher learn from")
    add("--hours", type=_hours, metavar="N", help="of each training of the frontier (default: 1)")
    add(
        "--model",
        nargs="+",
        default=[],
        metavar="FILE",
        help="model.pt files that were trained elsewhere, as further points of the frontier",
    )
    add(
        "--shipped",
        metavar="FILE",
        help="model that table6 evaluates (default: models/bnas-mini.pt)",
    )
    add("--device", default="auto", choices=("auto", "cpu", "cuda"), help="(default: auto)")
    add("--amp", choices=("auto", "off", "bf16"), help="instead of the experiment's setting")
    add("--threads", type=int, metavar="N", help="CPU threads (default: all cores)")
    add("--quiet", action="store_true", help="no progress bar")


def _seed(text: str) -> int:
    if not text.isdecimal():
        msg = f"expected a whole number of at least 0, got {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


def _hours(text: str) -> float:
    try:
        hours = float(text)
    except ValueError:
        hours = 0.0
    if not 0 < hours <= 100_000:
        msg = f"expected hours above 0, got {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return hours


def _list(args: argparse.Namespace) -> int:
    rows = []
    for experiment in EXPERIMENTS.values():
        rows.append((experiment.name, ", ".join(experiment.answers), _size(experiment, args)))
        if args.variants and isinstance(experiment, Experiment):
            found = experiment.variants(args.budget, {})
            rows += [(f"  {v.name}", v.label, v.needs and f"needs {v.needs}") for v in found]
    write_table(("experiment", "answers", f"jobs ({args.budget})"), rows)
    return 0


def _size(experiment: Experiment | Computed, args: argparse.Namespace) -> str:
    if isinstance(experiment, Computed):
        return "computed when rendered"
    variants = len(experiment.variants(args.budget, {}))
    seeds = len(experiment.seeds[args.budget])
    return f"{variants} variants x {seeds} {'seed' if seeds == 1 else 'seeds'}"


def _run(args: argparse.Namespace) -> int:
    experiments = _chosen(args.names)
    options = _options(args, experiments)
    require("train", "torch", "tqdm")
    if any(e.on_machine is not None for e in experiments):
        require("onnx", "onnx", "onnxruntime")
    # Imported late so that --help and mistakes in the arguments need not wait for torch.
    from bnas_deploy.cli.report.training import Machine, train_job  # noqa: PLC0415
    from bnas_deploy.training.run.start import set_threads  # noqa: PLC0415

    set_threads(args.threads)
    machine = Machine(args.device, args.amp, args.quiet, options.teacher)
    status = 0
    for experiment in experiments:
        results = run_experiment(experiment, options, partial(train_job, machine=machine), _say)
        if results is None:
            return INTERRUPTED
        status = max(status, _summary(results, options))
    return status


def _chosen(names: Sequence[str]) -> list[Experiment]:
    found = list(EXPERIMENTS.values()) if "all" in names else [find(name) for name in names]
    chosen = list(dict.fromkeys(e.name for e in found))
    experiments = [e for name in chosen if isinstance(e := EXPERIMENTS[name], Experiment)]
    if not experiments:
        msg = f"{' and '.join(chosen)}: computed when rendered; there is nothing to run"
        raise UsageError(msg)
    return experiments


def _options(args: argparse.Namespace, experiments: Sequence[Experiment]) -> Options:
    if args.only and len(experiments) > 1:
        msg = "--only goes with a single experiment"
        raise UsageError(msg)
    paths = (args.data, args.imagenet, args.teacher)
    path, imagenet, teacher = (Path(p) if p else None for p in paths)
    models = tuple(map(Path, args.model))
    for given in (path, imagenet, teacher, *models):
        if given is not None and not given.exists():
            msg = f"{given}: no such file or folder"
            raise UsageError(msg)
    cells = dict(_cell(text) for text in args.cell)
    _check_used(args, experiments, cells)
    return Options(
        runs=Path(args.out),
        images=Images(args.budget, path, imagenet, args.dataset_name),
        cells=cells,
        seeds=tuple(args.seeds) if args.seeds else None,
        only=tuple(args.only),
        teacher=teacher,
        shipped=Path(args.shipped or SHIPPED),
        hours=args.hours,
        models=models,
    )


def _check_used(
    args: argparse.Namespace, experiments: Sequence[Experiment], cells: Mapping[str, Genotype]
) -> None:
    """Check that some job of the experiments uses what was given for it.

    Raises:
        UsageError: None does.
    """
    if args.dataset_name is not None and args.data is None:
        msg = "--dataset-name is what results call --data, which is not given"
        raise UsageError(msg)
    variants = [v for e in experiments for v in e.variants(args.budget, cells)]
    setups = [v.setup for v in variants if v.setup is not None]
    timed = any(e.hours is not None for e in experiments)
    used = {
        "hours": timed and args.budget != "smoke",
        "model": timed,
        "shipped": any(v.shipped for v in variants),
        "teacher": any(setup.recipe.distill for setup in setups),
        "imagenet": any(setup.network.dataset == "imagenet" for setup in setups),
        "cell": all(_reads_cell(experiments, args.budget, name, cells) for name in cells),
    }
    for name, is_used in used.items():
        if getattr(args, name) and not is_used:
            names = ", ".join(experiment.name for experiment in experiments)
            msg = f"--{name}: no job of {names} with --budget {args.budget} uses it; leave it out"
            raise UsageError(msg)


def _reads_cell(
    experiments: Sequence[Experiment], budget: str, name: str, cells: Mapping[str, Genotype]
) -> bool:
    """Whether a cell that is given changes what is run."""
    without = {other: cell for other, cell in cells.items() if other != name}
    return any(e.variants(budget, cells) != e.variants(budget, without) for e in experiments)


def _cell(text: str) -> tuple[str, Genotype]:
    name, equals, file = text.partition("=")
    if not (equals and name and file):
        msg = f"--cell: expected NAME=FILE, such as no-diversity=genotype.json; got {text!r}"
        raise UsageError(msg)
    try:
        return name, Genotype.from_json(Path(file).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        msg = f"--cell {text}: cannot be read ({error})"
        raise UsageError(msg) from error


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _summary(results: Results, options: Options) -> int:
    count = dict.fromkeys(("done", "failed", "not run"), 0)
    for job in results.jobs:
        count[job.status] += 1
    path = results_path(options.runs, results.experiment, results.budget)
    print(f"{path}: " + ", ".join(f"{number} {status}" for status, number in count.items()))
    return JOB_FAILED if any(job.status == FAILED for job in results.jobs) else 0


def _render(args: argparse.Namespace) -> int:
    require("plot", "matplotlib")
    from bnas_deploy.experiments.page.render import render  # noqa: PLC0415 - it needs matplotlib

    for page in render(Path(args.out), Path(args.results) if args.results else None):
        print(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
