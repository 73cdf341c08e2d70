"""`bnas-train`: train a network from the command line.

Started by torchrun, several processes run this; the first one prints and writes.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bnas_deploy.cli.common.entry import INTERRUPTED, USER_ERROR, require, run_cli
from bnas_deploy.cli.common.run_folder import check_minutes, check_out
from bnas_deploy.cli.common.settings_options import given
from bnas_deploy.cli.common.stopping import stop_on_signals
from bnas_deploy.cli.train.network import (
    NETWORK_OPTIONS,
    network_config,
    option_name,
    recipe_for,
    told_of_preset,
)
from bnas_deploy.cli.train.parser import train_parser
from bnas_deploy.errors import CheckpointError, ConfigError, GenotypeError, UsageError
from bnas_deploy.training.machine.torchrun import is_spokesman, started_by_torchrun
from bnas_deploy.training.recipes.recipe import CHANGEABLE, Recipe
from bnas_deploy.training.record.run_files import BEST, CHECKPOINT, METRICS, MODEL

if TYPE_CHECKING:
    from bnas_deploy.training.machine.parallel import Group
    from bnas_deploy.training.run.loop import Trainer

__all__ = ["main"]

PRODUCTS = (BEST, MODEL, METRICS)
_in_group: list[Group] = []
"""The group that this process has joined, once it has."""
_KEPT = ("config", *NETWORK_OPTIONS, "init", "entry", "preset", "recipe", "seed")


def main(argv: Sequence[str] | None = None) -> int:
    """Run bnas-train and return its exit status: 0, 2 after a user's mistake, 130 if stopped."""
    try:
        status = run_cli(_train, argv)
    except SystemExit as stop:
        if not _in_group:
            raise
        status = stop.code if isinstance(stop.code, int) else USER_ERROR
    if _in_group:
        _leave(status)
    return status


def _train(argv: Sequence[str] | None) -> int:
    with _told_once():
        args = train_parser().parse_args(argv)
        out = Path(args.out)
        _check_arguments(args, out)
        require("train", "torch", "tqdm", *(["tomli"] if sys.version_info < (3, 11) else []))
        # Imported late so that --help and mistakes in the arguments need not wait for torch.
        from bnas_deploy.training.machine.device import choose_device  # noqa: PLC0415
        from bnas_deploy.training.machine.parallel import join_group  # noqa: PLC0415

        device = choose_device(args.device)
    with join_group(device) as group, _told_once():
        if group.world > 1:
            _in_group.append(group)
        return _train_in(group, args, out)


def _leave(status: int) -> None:
    """End this process of a group without unloading anything.

    Everything is written, or told. The threads behind a process group were now and then seen to
    abort a process that unloaded them ("terminate called without an active exception").
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


@contextmanager
def _told_once() -> Iterator[None]:
    """Leave it to one process of a machine to tell of mistakes that all of them meet."""
    try:
        yield
    except (CheckpointError, ConfigError, GenotypeError, UsageError):
        if is_spokesman():
            raise
        sys.exit(USER_ERROR)


def _check_arguments(args: argparse.Namespace, out: Path) -> None:
    check_out(out, PRODUCTS, resume=args.resume, what="run")
    if args.resume:
        _check_resume(args)
    check_minutes(args.checkpoint_minutes)


def _train_in(group: Group, args: argparse.Namespace, out: Path) -> int:
    from bnas_deploy.cli.train.display import (  # noqa: PLC0415 - as above
        Silent,
        TrainingDisplay,
    )
    from bnas_deploy.training.record.run_record import RunRecordOptions  # noqa: PLC0415 - as above

    options = RunRecordOptions(
        checkpoint_minutes=args.checkpoint_minutes,
        csv=args.log == "csv",
        tensorboard=args.tensorboard,
        gradients=args.gradients,
    )
    trainer = _trainer(args, out, group)
    if group.rank > 0:
        with stop_on_signals(trainer):
            return 0 if Silent(trainer).run() else INTERRUPTED
    display = TrainingDisplay(trainer, out, options, quiet=args.quiet)
    with stop_on_signals(trainer):
        finished = display.run()
    if not finished:
        print(f"stopped; go on with: {_again(args)}", file=sys.stderr)
        return INTERRUPTED
    if args.json:
        print(json.dumps(display.summary()))
    return 0


def _again(args: argparse.Namespace) -> str:
    """The command that goes on in the same way; other arithmetic would change the numbers."""
    together = os.environ.get("LOCAL_WORLD_SIZE", "N")
    start = ["torchrun", "--nproc-per-node", together, "--no-python"]
    words = [
        *(start if started_by_torchrun() else []),
        "bnas-train",
        "--data",
        args.data,
        "--out",
        args.out,
        "--resume",
    ]
    for name in ("device", "amp", "fused", "compile", "stream"):
        if getattr(args, name) not in ("auto", "off" if name == "compile" else None):
            words += [f"--{name}", getattr(args, name)]
    words += ["--gradients"] if args.gradients else []
    return shlex.join(words)


def _trainer(args: argparse.Namespace, out: Path, group: Group) -> Trainer:
    from bnas_deploy.training.machine.device import choose_runtime  # noqa: PLC0415
    from bnas_deploy.training.run import start  # noqa: PLC0415 - as above

    start.set_threads(args.threads)
    runtime = choose_runtime(
        device=args.device,
        amp=args.amp,
        fused=args.fused,
        compile=args.compile,
        processes=group.world,
    )
    reading = start.Reading(args.stream, args.workers, args.broken)
    if args.resume:
        return start.resumed_trainer(
            out / CHECKPOINT,
            args.data,
            runtime=runtime,
            changes=given(args, Recipe),
            teacher=args.teacher,
            reading=reading,
            dataset=args.dataset_name,
            group=group,
        )
    config = network_config(args)
    recipe = recipe_for(args, config)
    if args.preset is not None and group.rank == 0:
        print(told_of_preset(args, config, recipe), file=sys.stderr)
    return start.fresh_trainer(
        config,
        args.data,
        recipe=recipe,
        runtime=runtime,
        binary=not args.float,
        seed=args.seed or 0,
        init=args.init,
        init_entry=args.entry,
        teacher=args.teacher,
        reading=reading,
        dataset=args.dataset_name,
        group=group,
    )


def _check_resume(args: argparse.Namespace) -> None:
    clash = [name for name in _KEPT if getattr(args, name) is not None and name != "float"]
    clash += ["float"] if args.float else []
    clash += [name for name in given(args, Recipe) if name not in CHANGEABLE]
    if clash:
        options, kept = (", ".join(map(option_name, names)) for names in (clash, CHANGEABLE))
        msg = f"--resume keeps the run's network and recipe, save {kept}; leave out {options}"
        raise UsageError(msg)


if __name__ == "__main__":
    sys.exit(main())
