"""No option of bnas-serve is ignored: all pairs, up to what the server is made of."""

from __future__ import annotations

import pytest
from support.option_pairs import Outcome, options_of, unexplained
from support.small_models import mean_colour_model

from bnas_deploy.cli.serve.command import main
from bnas_deploy.cli.serve.parser import serve_parser
from bnas_deploy.format import write

pytest.importorskip("fastapi")

EXAMPLES = {
    "packed": ("other.bnn",),
    "name": ("someone",),
    "host": ("localhost",),
    "port": ("8001",),
    "timeout": ("7",),
    "reload": ("9",),
}


class Listener:
    """A socket that listens to nobody, on the port that it was to have."""

    def __init__(self, port):
        self.port = port

    def getsockname(self):
        return "0.0.0.0", self.port


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    from bnas_deploy import cpus
    from bnas_deploy.serving import app, server

    monkeypatch.chdir(tmp_path)
    for name in ("model.bnn", "other.bnn"):
        write(mean_colour_model(), name)
    seen = []

    def noted(service, *, reload_seconds):
        shelf = service.shelf
        models = {name: shelf[name].threads for name in shelf.names}
        seen.append((models, service.gate.limits, reload_seconds))

    monkeypatch.setattr(cpus, "usable_cpus", lambda: 8)
    monkeypatch.setattr(app, "make_app", noted)
    monkeypatch.setattr(server, "listen", lambda host, port: seen.append(host) or Listener(port))
    monkeypatch.setattr(server, "run", lambda *args: seen.append(args[2:]))

    def run(words):
        seen.clear()
        status = main(["--packed", "model.bnn", *words])
        return Outcome(status, capsys.readouterr().err, str(seen))

    return run


def test_every_pair_of_options_acts_or_is_refused(call):
    options = options_of(serve_parser(), EXAMPLES)
    assert call(()).status == 0
    assert call(()) == call(())
    assert list(unexplained(call, options)) == []


def test_a_folder_is_the_models_in_it(call, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "model.bnn").rename(tmp_path / "one.bnn")
    (tmp_path / "model.bnn").mkdir()
    (tmp_path / "one.bnn").rename(tmp_path / "model.bnn/inside.bnn")
    assert "'inside': 1" in call(()).seen
    assert "'me': 1" in call(["--name", "me"]).seen
    assert "found none" in call(["--packed", "empty"]).error
    assert "one model" in call(["--packed", "other.bnn", "--name", "x"]).error
    assert "without /" in call(["--name", "a/b"]).error
