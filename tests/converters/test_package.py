"""The package refuses to exist twice, and loads no torch until it must."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import bnas_deploy.converters


def run(code: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, check=False
    )


def test_import_under_another_name_is_refused():
    folder = Path(bnas_deploy.converters.__file__).resolve().parent
    done = run("import converters", folder.parent)
    assert done.returncode == 1
    assert "write `import bnas_deploy.converters`" in done.stderr


def test_importing_the_package_and_its_torch_free_modules_loads_no_torch():
    code = (
        "import sys; from bnas_deploy.converters.passes import pipeline;"
        "from bnas_deploy.converters.graph import evaluate;"
        "from bnas_deploy.converters.packing import emit, report_text;"
        " sys.exit('torch' in sys.modules)"
    )
    root = Path(bnas_deploy.__file__).parent.parent
    assert run(code, root).returncode == 0


def test_public_names_are_there():
    for name in bnas_deploy.converters.__all__:
        assert getattr(bnas_deploy.converters, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = bnas_deploy.converters.nothing
