"""MkDocs hook: links out of docs/ (to a source file, say) become plain names on the site."""

from __future__ import annotations

import re
from typing import Any

_OUT_OF_DOCS = re.compile(r"\[([^\]]*)\]\(\.\./[^)]*\)")


def on_page_markdown(markdown: str, **_: Any) -> str:  # noqa: ANN401
    """Keep the text of a link that leaves docs/: the repository is not part of the site."""
    return _OUT_OF_DOCS.sub(r"\1", markdown)
