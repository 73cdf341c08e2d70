"""`python -m bnas_deploy`: the same as `bnas`."""

from __future__ import annotations

import sys

from bnas_deploy.start import bnas

if __name__ == "__main__":
    sys.exit(bnas())
