"""How this package calls Numba's compiler, and the vector code that its kernels share.

Numba's cache checks the file of a kernel only: after a change here, delete the ``*.nbc`` files
beside the kernels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from llvmlite import ir
from numba import types
from numba.core import cgutils as _cgutils
from numba.extending import intrinsic

from bnas_deploy.numba_cache import jitted

__all__ = [
    "Llvm",
    "cgutils",
    "compiled",
    "copy_elements",
    "element",
    "fma32",
    "load_vector",
    "splat",
    "store_vector",
    "vector_call",
]

F = TypeVar("F", bound=Callable[..., Any])
Llvm = Any  # a type, value, builder or compiled function: llvmlite and Numba have no types
cgutils: Llvm = _cgutils


def compiled(function: F) -> F:
    """Compile on first use, keep the result on disk, release the GIL; exact floats, no fastmath."""
    return cast(F, jitted(function, nogil=True, error_model="numpy"))


def element(context: Llvm, builder: Llvm, array_type: Llvm, array: Llvm, index: Llvm) -> Llvm:
    """Pointer to element `index` of a contiguous array."""
    data = context.make_array(array_type)(context, builder, array).data
    return builder.gep(data, [index])


def load_vector(builder: Llvm, pointer: Llvm, vector: Llvm) -> Llvm:
    """Load a vector from an address without alignment."""
    return builder.load(builder.bitcast(pointer, vector.as_pointer()), align=1)


def store_vector(builder: Llvm, value: Llvm, pointer: Llvm) -> None:
    """Store a vector to an address without alignment."""
    builder.store(value, builder.bitcast(pointer, value.type.as_pointer()), align=1)


def splat(builder: Llvm, scalar: Llvm, lanes: int) -> Llvm:
    """A vector whose lanes all hold `scalar`."""
    vector = ir.VectorType(scalar.type, lanes)
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), scalar, ir.IntType(32)(0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), lanes), None)
    return builder.shuffle_vector(first, first, zeros)


def vector_call(builder: Llvm, name: str, *args: Llvm) -> Llvm:
    """Call an LLVM intrinsic whose arguments and result are all of one type."""
    kind = args[0].type
    function_type = ir.FunctionType(kind, [kind] * len(args))
    function = cgutils.get_or_insert_function(builder.module, function_type, name)
    return builder.call(function, args)


def _copy_elements(
    typing_context: Llvm, y: Llvm, y_at: Llvm, x: Llvm, x_at: Llvm, count: Llvm
) -> Llvm:  # fmt: skip
    """``y[y_at : y_at + count] = x[x_at : x_at + count]``, nothing where count <= 0.

    A slice assignment would do, at many times the cost for the short rows of a picture.
    """

    def codegen(context: Llvm, builder: Llvm, signature: Llvm, args: Llvm) -> Llvm:
        y, y_at, x, x_at, count = args
        target = element(context, builder, signature.args[0], y, y_at)
        source = element(context, builder, signature.args[2], x, x_at)
        some = builder.icmp_signed(">", count, count.type(0))
        with builder.if_then(some):
            size = context.get_abi_sizeof(context.get_data_type(signature.args[0].dtype))
            cgutils.raw_memcpy(builder, target, source, count, size)
        return context.get_dummy_value()

    i = types.intp
    return types.void(y, i, x, i, i), codegen


copy_elements: Llvm = intrinsic(_copy_elements)


def _fma32(typing_context: Llvm, a: Llvm, b: Llvm, c: Llvm) -> Llvm:
    def codegen(_context: Llvm, builder: Llvm, _signature: Llvm, args: Llvm) -> Llvm:
        return builder.fma(*args)

    return types.float32(types.float32, types.float32, types.float32), codegen


fma32: Llvm = intrinsic(_fma32)
