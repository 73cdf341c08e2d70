"""Writes the repository's address into a checkout that will be published.

The sources do not know where they are kept. Before a release is built, this adds `[project.urls]`
to pyproject.toml and `repository` to web/package.json, and makes the relative links of both README
files absolute, for the pages of an index that show them.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
ADDRESS = re.compile(r"https://[\w.-]+(:\d+)?(/[\w.-]+){2,}")
PAGES = {
    "Repository": "",
    "Documentation": "/tree/{ref}/docs",
    "Changelog": "/blob/{ref}/CHANGELOG.md",
    "Issues": "/issues",
}


def absolute(text: str, root: Path, folder: str, address: str, ref: str) -> str:
    """Return Markdown of a file in `folder` with absolute links; those to sections are left.

    Raises:
        ValueError: A link leads to no file of the checkout.
    """

    def replaced(link: re.Match[str]) -> str:
        picture, shown, target = link.groups()
        path, _, section = target.partition("#")
        if not path or re.match(r"[a-z]+:", target):
            return link[0]
        full = (root / folder / path).resolve()
        if not full.exists() or not full.is_relative_to(root.resolve()):
            msg = f"{folder}/README.md: expected a file or folder of the repository, got {target}"
            raise ValueError(msg)
        view = "raw" if picture else "tree" if full.is_dir() else "blob"
        place = full.relative_to(root.resolve()).as_posix()
        anchor = f"#{section}" if section else ""
        return f"{picture}[{shown}]({address}/{view}/{ref}/{place}{anchor})"

    return LINK.sub(replaced, text)


def with_urls(project: str, address: str, ref: str) -> str:
    """Return pyproject.toml with a table of addresses.

    Raises:
        ValueError: It has one, or has no place for it.
    """
    place = "\n[project.optional-dependencies]\n"
    if "\n[project.urls]\n" in project or project.count(place) != 1:
        msg = "pyproject.toml: expected no [project.urls] yet, and [project.optional-dependencies]"
        raise ValueError(msg)
    lines = [f'{name} = "{address}{page.format(ref=ref)}"\n' for name, page in PAGES.items()]
    return project.replace(place, "\n[project.urls]\n" + "".join(lines) + place)


def set_address(root: Path, address: str, ref: str) -> None:
    """Rewrite the files of the checkout `root`; nothing is written where one cannot be.

    Args:
        root: The checkout's folder.
        address: Of the repository, as browsers open it.
        ref: The tag, branch or commit that links lead to.

    Raises:
        ValueError: The address is none, or a file is not as expected.
    """
    address = address.rstrip("/")
    if not ADDRESS.fullmatch(address):
        msg = f"expected an address like https://host/owner/name, got {address!r}"
        raise ValueError(msg)
    changed = {}
    for folder in (".", "web"):
        file = root / folder / "README.md"
        changed[file] = absolute(file.read_text("utf-8"), root, folder, address, ref)
    file = root / "pyproject.toml"
    changed[file] = with_urls(file.read_text("utf-8"), address, ref)
    file = root / "web/package.json"
    package = json.loads(file.read_text("utf-8"))
    package["repository"] = {"type": "git", "url": f"git+{address}.git", "directory": "web"}
    changed[file] = json.dumps(package, indent=2, ensure_ascii=False) + "\n"
    for file, text in changed.items():
        file.write_text(text, "utf-8")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address", help="of the repository: https://host/owner/name")
    parser.add_argument("--ref", required=True, help="tag, branch or commit that links lead to")
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[2], help="the checkout")
    args = parser.parse_args()
    try:
        set_address(args.root, args.address, args.ref)
    except ValueError as error:
        sys.exit(f"set_address: {error}")


if __name__ == "__main__":
    main()
