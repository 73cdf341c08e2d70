"""Names of nodes: the path of the user's submodule that they come from."""

from __future__ import annotations

from torch import fx

from bnas_deploy.converters.from_program.call import operator_name

__all__ = ["Names", "module_of"]

LAYERS = {"convolution", "linear", "addmm", "mm", "_native_batch_norm_legit_no_training"}
"""What a module of the user's is named for: his convolution is the module itself."""


class Names:
    """Makes unique names."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def unique(self, name: str) -> str:
        """Return a name that was not given yet: name, name@2 and so on."""
        found, number = name, 1
        while found in self._taken:
            number += 1
            found = f"{name}@{number}"
        self._taken.add(found)
        return found

    def of(self, node: fx.Node) -> str:
        """Return a name for a node: `layer1.0.conv1`, or `layer1.0.add` for what is no layer."""
        path, kind = module_of(node)
        op = operator_name(node)
        whole = path and (op in LAYERS or kind.startswith("torch.nn."))
        return self.unique(path if whole else f"{path}.{op.strip('_')}" if path else op.strip("_"))


def module_of(node: fx.Node) -> tuple[str, str]:
    """Path and class of the submodule in which a node runs; empty where it is not known."""
    stack = node.meta.get("nn_module_stack")
    if not stack:
        return "", ""
    path, kind = list(stack.values())[-1]
    name = kind if isinstance(kind, str) else f"{kind.__module__}.{kind.__qualname__}"
    return path.removeprefix("L['self'].").replace("[", ".").replace("]", ""), name
