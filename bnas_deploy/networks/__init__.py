"""Networks of every kind through one interface: configurations and building.

The same code trains, saves, exports and runs every kind; this package tells the kinds apart.
`config` needs no torch, `build` does.
"""

from __future__ import annotations
