"""The README's demo: exports the shipped checkpoint and runs it on a photograph.

The photograph is scikit-image's cat (Chelsea, CC0), read from the installed package.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import tempfile
from importlib.resources import as_file, files
from pathlib import Path


def show(*command: str) -> None:
    """Print a command as a person would type it, then run it."""
    print("\n$", shlex.join([Path(command[0]).name, *command[1:]]), flush=True)
    subprocess.run(command, check=True)


def main(checkpoint: str) -> None:
    """Export `checkpoint` to a temporary folder and name what is in the photograph."""
    photograph = files("skimage").joinpath("data", "chelsea.png")
    with tempfile.TemporaryDirectory() as folder, as_file(photograph) as image:
        packed = str(Path(folder) / "model.bnn")
        show("bnas-export", checkpoint, "--output", packed)
        show("bnas-run", "--packed", packed, str(image), "--top-k", "3")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: demo.py model.pt")
    main(sys.argv[1])
