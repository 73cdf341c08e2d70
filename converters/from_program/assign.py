"""`tensor.data = other` while a module is exported, which torch.export cannot follow by itself.

BinaryNet's layers binarize like this. The assignment gives one tensor object another value and
leaves every other view of it alone; so does this mode, for whatever reads that object later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map

__all__ = ["FollowsData"]

_GET = torch.Tensor.data.__get__  # type: ignore[attr-defined]
_SET = torch.Tensor.data.__set__  # type: ignore[attr-defined]


class FollowsData(TorchFunctionMode):
    """Follows what is assigned to `data`."""

    def __init__(self) -> None:
        super().__init__()
        # The tensor is kept, so that no other one gets its id.
        self._assigned: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        """Call a function of PyTorch on what its arguments are now."""
        if func == _SET:
            self._assigned[id(args[0])] = (args[0], self._now(args[1]).detach())
            return None
        if func == _GET:
            return self._now(args[0]).detach()
        if self._assigned:
            args, kwargs = tree_map(self._now, (tuple(args), dict(kwargs or {})))
        return func(*args, **(kwargs or {}))

    def _now(self, value: Any) -> Any:  # noqa: ANN401
        known = isinstance(value, torch.Tensor) and id(value) in self._assigned
        return self._assigned[id(value)][1] if known else value
