"""Which pictures a person means, a file for each kind of place that they lie in."""

from __future__ import annotations

from bnas_deploy.runtime.sources.find import find_pictures
from bnas_deploy.runtime.sources.folders import files_in, pictures_in
from bnas_deploy.runtime.sources.item import PICTURE_SUFFIXES, Item, is_picture
from bnas_deploy.runtime.sources.source import Source

__all__ = [
    "PICTURE_SUFFIXES",
    "Item",
    "Source",
    "files_in",
    "find_pictures",
    "is_picture",
    "pictures_in",
]
