"""Where a run computes, and in which precision."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import torch
from torch import Tensor, nn

from bnas_deploy.errors import UsageError
from bnas_deploy.extras import how_to_install, is_installed
from bnas_deploy.networks.build import AnyNetwork
from bnas_deploy.nn.cell import Cell
from bnas_deploy.numba_cache import is_compiled
from bnas_deploy.training.arithmetic.convolutions import Convolutions

__all__ = [
    "AMP",
    "COMPILE",
    "DEVICES",
    "FUSED",
    "Runtime",
    "choose_device",
    "choose_runtime",
    "torch_version",
]

DEVICES = ("auto", "cpu", "cuda")
AMP = ("auto", "off", "bf16")
FUSED = ("auto", "on", "off")
COMPILE = ("off", "on", "graphs")

ModuleT = TypeVar("ModuleT", bound=nn.Module)


@dataclass(frozen=True)
class Runtime:
    """A device and a precision.

    Attributes:
        device: `cpu` or `cuda`.
        bf16: Whether convolutions run in bfloat16; weights and optimizer stay float32.
        fused: Whether BatchNorm and sign run fused (CPU and bfloat16 only).
        compile: One of `COMPILE`: training passes as written, compiled, or compiled into CUDA
            graphs.
        processes: How many train together; see `parallel`.
        convolutions: Those that are computed in another way than PyTorch's, because that is wrong
            here; see `arithmetic`.
    """

    device: str = "cpu"
    bf16: bool = False
    fused: bool = False
    compile: str = "off"
    processes: int = 1
    convolutions: Convolutions = field(default_factory=Convolutions, compare=False)

    def prepare(self, network: ModuleT) -> ModuleT:
        """Move a network there in channels-last memory and install the fused units."""
        if self.fused:
            from bnas_deploy.nn import numba_unit  # noqa: PLC0415 - numba is optional

            numba_unit.install(network)
        if self.device == "cuda":
            # Every batch has the same shape, so that looking for the fastest kernels pays.
            torch.backends.cudnn.benchmark = True
        # The stubs of Module.to do not know memory_format.
        network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        return network

    def install_tensor_drop(self, network: AnyNetwork) -> Tensor:
        """Make drop-path read its probability from a tensor, as compiled passes need.

        Returns:
            The share that is kept, (), which may be changed at any time; `network.drop_path` then
            only switches drop-path on (above 0) or off.
        """
        kept = torch.ones((), device=self.device)

        def drop(x: Tensor, probability: float) -> Tensor:
            mask = torch.rand(len(x), 1, 1, 1, device=x.device) < kept
            return x * (mask / kept).to(x.dtype)

        for module in network.modules():
            if isinstance(module, Cell):
                module.drop = drop
        return kept

    def compiled(self, network: AnyNetwork) -> Callable[[Tensor], Tensor]:
        """Return what computes a training pass: the network, or a compiled form of it."""
        if self.compile == "off":
            return network
        mode = "reduce-overhead" if self.compile == "graphs" else "default"
        compute: Callable[[Tensor], Tensor] = torch.compile(network, mode=mode)
        if self.compile == "on":
            return compute

        def replay(images: Tensor) -> Tensor:
            # Tells that the buffers of the pass before are free again.
            torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]
            return compute(images)

        return replay

    @contextmanager
    def arithmetic(self, *, exact: bool = False) -> Iterator[None]:
        """Enter the context for a forward pass; `exact` keeps it in float32."""
        bf16 = self.bf16 and not exact
        with torch.autocast(self.device, torch.bfloat16, enabled=bf16), self.convolutions.used():
            yield

    @property
    def compiles_units(self) -> bool:
        """Whether the first pass will compile the fused units, which takes a while."""
        if not self.fused:
            return False
        from bnas_deploy.nn.numba_kernels import signs  # noqa: PLC0415 - numba is optional

        return not is_compiled(signs)

    def __str__(self) -> str:
        where = torch.cuda.get_device_name() if self.device == "cuda" else "CPU"
        threads = f", {torch.get_num_threads()} threads" if self.device == "cpu" else ""
        precision = "bfloat16" if self.bf16 else "float32"
        together = f"{self.processes} processes on " if self.processes > 1 else ""
        compiled = {"off": "", "on": ", compiled", "graphs": ", CUDA graphs"}[self.compile]
        remedies = "".join(f"; {line}" for line in self.convolutions.told())
        return f"{together}{where}{threads}, {precision}{self._units()}{compiled}{remedies}"

    def _units(self) -> str:
        if self.device != "cpu" or not self.bf16:
            return ""
        if self.fused:
            return ", fused units"
        if self.processes > 1:
            return ", plain units (BatchNorm is shared by the processes)"
        missing = "" if _has_numba() else " (numba is not installed)"
        return f", plain units{missing}"


def choose_runtime(
    *,
    device: str = "auto",
    amp: str = "auto",
    fused: str = "auto",
    compile: str = "off",
    processes: int = 1,
) -> Runtime:
    """Choose the GPU if there is one, and bfloat16 where the hardware multiplies it.

    Args:
        device: One of `DEVICES`.
        amp: One of `AMP`.
        fused: One of `FUSED`; auto uses it on a CPU in bfloat16 if numba is installed, in a run of
            one process.
        compile: One of `COMPILE`.
        processes: How many train together.

    Raises:
        UsageError: What was asked for is not there.
    """
    device = choose_device(device)
    bf16 = amp == "bf16" or (amp == "auto" and _has_bf16(device))
    fusible = device == "cpu" and bf16 and compile == "off" and processes == 1
    if fused == "on" and not (fusible and _has_numba()):
        msg = (
            "--fused on: needs a CPU, bfloat16 (--amp bf16) and numba"
            f" ({how_to_install('numba')}), a single process, and no --compile"
        )
        raise UsageError(msg)
    _check_compile(compile, device, processes)
    return Runtime(device, bf16, fused != "off" and fusible and _has_numba(), compile, processes)


def choose_device(device: str = "auto") -> str:
    """Return `cpu` or `cuda`; auto is the GPU if there is one.

    Raises:
        UsageError: There is no GPU.
    """
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        msg = "--device cuda: PyTorch finds no GPU here; use --device cpu or auto"
        raise UsageError(msg)
    return device


def _check_compile(compile: str, device: str, processes: int) -> None:
    if compile == "graphs" and device != "cuda":
        msg = "--compile graphs: CUDA graphs need a GPU; use --compile on or off"
        raise UsageError(msg)
    if compile != "off" and processes > 1:
        msg = f"--compile {compile}: needs a single process; leave it out, or torchrun"
        raise UsageError(msg)


def torch_version() -> str:
    """Return PyTorch's version as plain text."""
    return str(torch.__version__)


def _has_bf16(device: str) -> bool:
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported())


def _has_numba() -> bool:
    return is_installed("numba")
