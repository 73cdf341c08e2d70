"""Rewrites of the graph, one file each; `bnas_deploy.converters.pipeline` says in which order."""

from __future__ import annotations
