"""Tests of telling whether a file is whole."""

from __future__ import annotations

import struct

import pytest
from test_file_kind import zipped

from bnas_deploy.checkpoints.torch_file import load_bytes
from bnas_deploy.cut_off import is_cut_off, what_whole_file_is
from bnas_deploy.errors import CheckpointError


@pytest.mark.parametrize("left", [40, 100])
def test_a_zip_archive(left: int) -> None:
    assert not is_cut_off(zipped())
    part = zipped()[:left]
    assert str(what_whole_file_is(part)) == (
        f"a zip archive that is cut off after {left} bytes (copy or fetch it once more)"
    )


def test_an_onnx_model() -> None:
    onnx = pytest.importorskip("onnx")
    helper = onnx.helper
    weight = helper.make_tensor("w", 1, [100], range(100))
    graph = helper.make_graph([helper.make_node("Neg", ["x"], ["y"])], "g", [], [], [weight])
    whole = helper.make_model(graph, producer_name="test").SerializeToString()
    assert not is_cut_off(whole)
    assert not is_cut_off(whole + b"\x0f\x01")  # damaged, not short
    ends = [size for size in range(3, len(whole)) if not is_cut_off(whole[:size])]
    assert len(ends) <= 6  # where one of the outermost fields ends
    for size in ends:
        onnx.ModelProto().ParseFromString(whole[:size])


@pytest.mark.parametrize("content", [b"", b"hello", b"<html>", b"\x80\x02"])
def test_kinds_that_say_nothing_about_their_end(content: bytes) -> None:
    assert not is_cut_off(content)
    assert what_whole_file_is(content) is None or "cut" not in str(what_whole_file_is(content))


def test_a_zip_whose_end_tells_of_other_disks() -> None:
    content = zipped()
    end = content.index(b"PK\x05\x06")
    # The locator of a 64-bit end (APPNOTE 4.3.15) that lies on the first of 7 disks.
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 7)
    damaged = content[:end] + locator + content[end:]
    assert not is_cut_off(damaged)
    with pytest.raises(CheckpointError, match=r"model\.pt"):
        load_bytes("model.pt", damaged)
