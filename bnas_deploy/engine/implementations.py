"""The implementations of the steps in a backend: a function for each step's class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from bnas_deploy.format.steps import STEPS, Step

__all__ = ["Implementations"]

F = TypeVar("F", bound=Callable[..., Any])


class Implementations(Generic[F]):
    """The functions of one backend, entered by the decorator `of` and found by the step's class."""

    def __init__(self, backend: str) -> None:
        self._backend = backend
        self._functions: dict[type[Step], F] = {}

    def of(self, *classes: type[Step]) -> Callable[[F], F]:
        """Return a decorator that enters a function as the implementation of some steps."""

        def enter(function: F) -> F:
            for cls in classes:
                if cls in self._functions:
                    msg = f"the {self._backend} backend implements the step {cls.OP} twice"
                    raise ValueError(msg)
                self._functions[cls] = function
            return function

        return enter

    def __getitem__(self, step: Step) -> F:
        return self._functions[type(step)]

    def check_complete(self) -> None:
        """Check that every step of the format has its function; a backend does so on import.

        Raises:
            NotImplementedError: Some step has none.
        """
        missing = [op for op, cls in STEPS.items() if cls not in self._functions]
        if missing:
            msg = f"the {self._backend} backend does not implement {', '.join(missing)}"
            raise NotImplementedError(msg)
