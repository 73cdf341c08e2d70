"""The compiled module checks what it is given; nothing else relies on these messages."""

from __future__ import annotations

import numpy as np
import pytest

from bnas_deploy import _kernels

ISA = "scalar"


def builder(*shapes: tuple[bool, int, int, int]) -> _kernels.Builder:
    b = _kernels.Builder(ISA)
    for shape in shapes:
        b.add_value(*shape)
    return b


IMAGE = (False, 3, 4, 4)
BITS = (True, 3, 4, 4)


def test_an_unknown_isa() -> None:
    with pytest.raises(ValueError, match="no kernels called 'sse9'"):
        _kernels.Builder("sse9")


def test_a_tensor_of_another_dtype() -> None:
    b = builder(IMAGE, IMAGE)
    with pytest.raises(TypeError, match="scale: expected dtype float32, got float64"):
        b.affine(0, 1, np.ones(3), np.ones(3, np.float32))


def test_a_tensor_that_is_not_contiguous() -> None:
    b = builder(IMAGE, IMAGE)
    with pytest.raises(ValueError, match="shift: expected a contiguous, aligned array"):
        b.affine(0, 1, np.ones(3, np.float32), np.ones(6, np.float32)[::2])


def test_a_tensor_of_another_size() -> None:
    b = builder(IMAGE, IMAGE)
    with pytest.raises(ValueError, match="step 0: scale: expected 3 elements, got 4"):
        b.affine(0, 1, np.ones(4, np.float32), np.ones(3, np.float32))


def test_a_value_that_does_not_exist() -> None:
    with pytest.raises(ValueError, match="value 7 does not exist"):
        builder(IMAGE).relu(7, 0)


def test_a_value_of_the_other_kind() -> None:
    with pytest.raises(ValueError, match="expected a value of kind f32"):
        builder(IMAGE, BITS).relu(0, 1)


def test_a_window_that_does_not_fit() -> None:
    b = builder(IMAGE, IMAGE)
    with pytest.raises(ValueError, match=r"does not turn \(3, 4, 4\) into \(3, 4, 4\)"):
        b.pool(0, 1, (3, 3), (1, 1), (0, 0, 0, 0), False)


def test_a_slice_beyond_the_channels() -> None:
    b = builder(IMAGE, IMAGE, IMAGE)
    with pytest.raises(ValueError, match="channels 1 to 4 of a value of shape"):
        b.add_slice(0, 1, 2, 1)


def test_an_index_beyond_the_channels() -> None:
    b = builder(IMAGE, (False, 1, 4, 4))
    with pytest.raises(ValueError, match="neither a channel nor -1"):
        b.select_channels(0, 1, np.array([3], np.int32))


def test_a_value_that_is_read_before_it_is_there() -> None:
    b = builder(IMAGE, IMAGE, IMAGE, (False, 3, 1, 1))
    b.relu(1, 2)
    b.global_avg_pool(2, 3)
    with pytest.raises(ValueError, match="value 1 is read too early"):
        b.build(0, 3)


def test_images_of_another_shape() -> None:
    b = builder(IMAGE, (False, 3, 1, 1))
    b.global_avg_pool(0, 1)
    model = b.build(0, 1)
    with pytest.raises(ValueError, match=r"expected shape \(N, 3, 4, 4\), got \(1, 4, 4, 3\)"):
        model.run(np.zeros((1, 4, 4, 3), np.float32), 1)
    with pytest.raises(ValueError, match="exactly one image"):
        model.trace(np.zeros((2, 3, 4, 4), np.float32))


def test_the_peak_is_a_rate() -> None:
    assert _kernels.popcount_peak(ISA, 1.0) > 0


def test_a_tensor_that_is_not_aligned() -> None:
    b = builder(IMAGE, IMAGE)
    crooked = np.zeros(13, np.uint8)[1:].view(np.float32)
    with pytest.raises(ValueError, match="scale: expected a contiguous, aligned array"):
        b.affine(0, 1, crooked, np.ones(3, np.float32))


def test_a_builder_that_has_built_is_empty() -> None:
    b = builder(IMAGE, (False, 3, 1, 1))
    b.global_avg_pool(0, 1)
    b.build(0, 1)
    with pytest.raises(ValueError, match="value 0 does not exist"):
        b.relu(0, 0)
    with pytest.raises(ValueError, match="value 0 does not exist"):
        b.build(0, 1)


@pytest.mark.parametrize("kernel", [(257, 256), (65536, 65536)])
def test_a_window_with_too_many_taps(kernel: tuple[int, int]) -> None:
    b = builder((False, 1, 1, 1), (False, 1, 1, 1))
    padding = (kernel[0] - 1, kernel[1] - 1, 0, 0)
    with pytest.raises(ValueError, match="a window has at most 65536 taps"):
        b.pool(0, 1, kernel, (1, 1), padding, False)
