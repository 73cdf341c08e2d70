"""The images of a run: reading them, holding some out, cropping, and dividing them into batches."""

from __future__ import annotations
