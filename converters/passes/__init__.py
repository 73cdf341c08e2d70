"""Rewrites of the graph, one file each; `passes.pipeline` says in which order."""

from __future__ import annotations
