"""Training the networks of `bnas_deploy.nn`: data, recipes, the loop, checkpoints. No search."""

from __future__ import annotations
