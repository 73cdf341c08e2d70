"""The exceptions of the package: one small tree.

A message says what was expected, what came, where, and what to do. Command-line tools print it
after ``error:`` and exit with status 2.
"""

from __future__ import annotations

__all__ = [
    "BackendError",
    "BnasError",
    "CheckpointError",
    "ConfigError",
    "ConversionError",
    "DataError",
    "FormatError",
    "GenotypeError",
    "ImageError",
    "PassError",
    "TrainingError",
    "UsageError",
]


class BnasError(Exception):
    """Base of every error that a user of bnas-deploy can cause or meet."""

    @property
    def lines(self) -> tuple[str, ...]:
        """The message; in more than one line where it is a list."""
        return (str(self),)


class UsageError(BnasError):
    """The arguments of a command or call contradict each other or name nothing."""


class ConfigError(BnasError):
    """A network configuration or training recipe has an unknown key or an impossible value."""


class GenotypeError(BnasError):
    """A genotype is not a valid cell of the search space."""


class CheckpointError(BnasError):
    """A ``.pt`` file cannot be read, or its content does not fit its kind."""


class DataError(BnasError):
    """A data set is missing, unreadable, or not laid out as expected."""


class TrainingError(BnasError):
    """Training cannot go on, for example because the loss is not a number."""


class ConversionError(BnasError):
    """A network has a part that cannot be turned into a packed program."""


class PassError(ConversionError):
    """A graph pass found or left a graph that breaks its contract."""


class FormatError(BnasError):
    """A ``.bnn`` file (or a dump) is truncated, corrupted, of another version, or inconsistent."""


class BackendError(BnasError):
    """A backend or instruction set is unknown, or not available on this machine."""


class ImageError(BnasError):
    """A picture cannot be read or decoded."""
