"""Where a run computes and in which precision. Chooses; it measures nothing."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

import torch

from bnas_deploy.errors import UsageError
from bnas_deploy.nn.network import Network
from bnas_deploy.numba_cache import is_compiled

__all__ = [
    "AMP",
    "DEVICES",
    "FUSED",
    "Runtime",
    "choose_runtime",
    "torch_version",
]

DEVICES = ("auto", "cpu", "cuda")
AMP = ("auto", "off", "bf16")
FUSED = ("auto", "on", "off")


@dataclass(frozen=True)
class Runtime:
    """A device and a precision.

    Attributes:
        device: `cpu` or `cuda`.
        bf16: Whether convolutions run in bfloat16; weights and optimizer stay float32.
        fused: Whether BatchNorm and sign run fused (CPU and bfloat16 only).
    """

    device: str = "cpu"
    bf16: bool = False
    fused: bool = False

    def prepare(self, network: Network) -> Network:
        """Move a network there in channels-last memory and install the fused units."""
        if self.fused:
            from bnas_deploy.nn import numba_unit  # noqa: PLC0415 - numba is optional

            numba_unit.install(network)
        # The stubs of Module.to do not know memory_format.
        network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        return network

    def autocast(self, *, exact: bool = False) -> torch.autocast:
        """Return the context for a forward pass; `exact` keeps it in float32."""
        return torch.autocast(self.device, torch.bfloat16, enabled=self.bf16 and not exact)

    def __str__(self) -> str:
        where = torch.cuda.get_device_name() if self.device == "cuda" else "CPU"
        threads = f", {torch.get_num_threads()} threads" if self.device == "cpu" else ""
        precision = "bfloat16" if self.bf16 else "float32"
        return f"{where}{threads}, {precision}{self._units()}"

    def _units(self) -> str:
        if self.device != "cpu" or not self.bf16:
            return ""
        if self.fused:
            return f", fused units{_compiling()}"
        missing = "" if _has_numba() else " (numba is not installed)"
        return f", plain units{missing}"


def choose_runtime(*, device: str = "auto", amp: str = "auto", fused: str = "auto") -> Runtime:
    """Choose the GPU if there is one, and bfloat16 where the hardware multiplies it.

    Args:
        device: One of `DEVICES`.
        amp: One of `AMP`.
        fused: One of `FUSED`; auto uses it on a CPU in bfloat16 if numba is installed.

    Raises:
        UsageError: What was asked for is not there.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        msg = "--device cuda: PyTorch finds no GPU here; use --device cpu or auto"
        raise UsageError(msg)
    bf16 = amp == "bf16" or (amp == "auto" and _has_bf16(device))
    fusible = device == "cpu" and bf16
    if fused == "on" and not (fusible and _has_numba()):
        msg = (
            "--fused on: needs a CPU, bfloat16 (--amp bf16) and numba"
            " (pip install 'bnas-deploy[numba]')"
        )
        raise UsageError(msg)
    return Runtime(device, bf16, fused != "off" and fusible and _has_numba())


def torch_version() -> str:
    """Return PyTorch's version as plain text."""
    return str(torch.__version__)


def _has_bf16(device: str) -> bool:
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported())


def _has_numba() -> bool:
    return find_spec("numba") is not None


def _compiling() -> str:
    from bnas_deploy.nn.numba_kernels import signs  # noqa: PLC0415 - numba is optional

    return "" if is_compiled(signs) else " (the first step compiles them)"
