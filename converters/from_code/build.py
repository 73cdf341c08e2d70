"""Imports `package.module:name` and calls it; this runs the user's code, as he asked for."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

from torch import nn

from bnas_deploy.errors import ConversionError, UsageError
from bnas_deploy.shown import nearest

__all__ = ["built"]


def built(code: str) -> nn.Module:
    """Return the module that a function or class gives, called without arguments.

    Args:
        code: `package.module:name`, found as Python finds it, and in the current folder.

    Raises:
        ConversionError: The code fails.
        UsageError: There is no such module or name, or it gives something else.
    """
    place, _, name = code.partition(":")
    found = _imported(code, place)
    for part in name.split("."):
        if not hasattr(found, part):
            msg = f"{code}: there is no {part!r} in {place}{nearest(part, vars(found))}"
            raise UsageError(msg)
        found = getattr(found, part)
    if callable(found) and not isinstance(found, nn.Module):
        try:
            found = found()
        except Exception as error:  # a user's code may raise anything
            raise _failed(code, f"{name}()", error) from error
    if not isinstance(found, nn.Module):
        msg = f"{code}: expected a torch.nn.Module; {name}() gives {type(found).__name__}"
        raise UsageError(msg)
    return found


def _imported(code: str, place: str) -> object:
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        return import_module(place)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{place}.".startswith(f"{error.name}."):
            raise _failed(code, f"importing {place}", error) from error
        msg = (
            f"{code}: no such file, and no module {error.name!r} in Python's path or the current"
            " folder; run this where the code is, or install it"
        )
        raise UsageError(msg) from error
    except Exception as error:  # a user's code may raise anything
        raise _failed(code, f"importing {place}", error) from error
    finally:
        sys.path.remove(here)


def _failed(code: str, what: str, error: Exception) -> ConversionError:
    lines = str(error).strip().splitlines()
    return ConversionError(
        f"{code}: {what} failed: {': '.join([type(error).__name__, *lines[:1]])}"
    )
