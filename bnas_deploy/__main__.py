"""`python -m bnas_deploy`: the same as `bnas`."""

from __future__ import annotations

import sys

from bnas_deploy.cli.bnas.command import main

if __name__ == "__main__":
    sys.exit(main())
