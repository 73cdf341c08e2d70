"""No option of bnas-run is ignored: all pairs, with pictures, without, and with a data set."""

from __future__ import annotations

import shutil
import sys

import pytest
from PIL import Image
from support.coloured_pictures import COLOURS
from support.option_pairs import Outcome, options_of, unexplained

from bnas_deploy import engine
from bnas_deploy.cli.run.command import main, run_parser
from bnas_deploy.engine import choose
from bnas_deploy.runtime import model as runtime
from bnas_deploy.runtime import stream

EXAMPLES = {
    "evaluate": ("data",),
    "report": ("page",),
    "output": ("answers.csv",),
    "files": ("more.txt",),
    "ray": ("--ray=nowhere:1",),
    "column": ("image",),
    "top_k": ("2",),
    "dump_layers": ("dump",),
    "backend": ("reference",),
    "isa": ("scalar",),
    "threads": ("2",),
    "batch": ("1",),
    "workers": ("3",),
}
INPUTS = {
    "pictures": (["red.png", "blue.png"], ()),
    "noise": (["--explain"], ("explain",)),
    "noise, dumped": (["--dump-layers", "dump"], ("dump_layers",)),
    "data": (["--evaluate", "data"], ("evaluate",)),
}


@pytest.fixture
def call(folder, monkeypatch, capsys):
    """Calls bnas-run in a folder with an older dump; times are left out of what it prints."""
    for name in COLOURS:
        (folder / "data" / "test" / name).mkdir(parents=True)
        Image.open(folder / f"{name}.png").save(folder / "data" / "test" / name / "a.png")
    (folder / "more.txt").write_text("green.png\nred.png\n")
    monkeypatch.delenv("BNAS_BACKEND")
    created, sizes, create = [], [], engine.create
    workers, in_order = [], stream.in_order

    def watched(model, **options):
        created.append(sorted(options.items(), key=str))
        runner = create(model, **options)
        run = runner.run
        runner.run = lambda images: sizes.append(len(images)) or run(images)
        return runner

    def watched_order(*arguments, **options):
        workers.append(options["workers"])
        return in_order(*arguments, **options)

    monkeypatch.setattr(stream, "in_order", watched_order)
    for module in (engine, choose, runtime):
        if hasattr(module, "create"):
            monkeypatch.setattr(module, "create", watched)

    def run(words):
        created.clear()
        sizes.clear()
        workers.clear()
        (folder / "answers.csv").unlink(missing_ok=True)
        for name in ("dump", "page"):
            shutil.rmtree(folder / name, ignore_errors=True)
        status = main(["--packed", "model.bnn", *words])
        captured = capsys.readouterr()
        files = sorted(path.name for new in ("dump/*", "page/*") for path in folder.glob(new))
        files += [path.read_text() for path in folder.glob("*.csv")]
        computed = (list(created), list(sizes), list(workers))
        return Outcome(status, captured.err, (captured.out, computed, files))

    return run


@pytest.fixture(autouse=True)
def no_times(monkeypatch):
    """Times and speeds differ from call to call, whatever the options."""
    from bnas_deploy.cli.run import inside

    monkeypatch.setattr(inside, "write_explanation", lambda *_: sys.stdout.write("explained"))
    monkeypatch.setattr(inside, "explanation_record", lambda *_: {"profile": "explained"})


@pytest.mark.parametrize("name", INPUTS)
def test_every_pair_of_options_acts_or_is_refused(name, call):
    words, fixed = INPUTS[name]
    options = options_of(run_parser(), EXAMPLES, ("packed", "force", *fixed))
    plain = call(words)
    assert plain.status == 0, plain.error
    assert call(words) == plain
    assert list(unexplained(lambda more: call([*words, *more]), options)) == []


def test_force_acts_on_an_older_dump_or_is_refused(folder, capsys):
    words = ["--packed", "model.bnn", "--dump-layers", "dump", "red.png"]
    assert [main(words), main(words), main([*words, "--force"])] == [0, 2, 0]
    assert "--force" in capsys.readouterr().err
    options = options_of(run_parser(), EXAMPLES, ("packed", "force", "dump_layers", "output"))
    for more in options.values():
        assert main(["--packed", "model.bnn", "--force", "red.png", *more]) == 2
