"""Tests of names in braces."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from bnas_deploy.errors import UsageError
from bnas_deploy.runtime.sources.braces import expanded

PATTERNS = [
    "a", "a-{000..010}.tar", "a-{8..11}.tar", "{train,val}/x-{0..1}.tar", "a{08..9}b", "{x}", "a{b",
    "{a,b}{c,d}", "{9..12}{,z}", "s-{00..2}",
]  # fmt: skip


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_shell_agrees(pattern: str) -> None:
    words = ["bash", "-c", f"printf '%s\\n' {pattern}"]
    shell = subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()
    assert list(expanded(pattern)) == shell


@pytest.mark.parametrize("inside", ["9..1", "0..1000000", f"0..{'9' * 30}"])
def test_ranges_have_limits(inside: str) -> None:
    with pytest.raises(UsageError, match=r"names; expected 1 to 1,000,000"):
        list(expanded(f"x-{{{inside}}}.tar"))
