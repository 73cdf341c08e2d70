"""Tests of `predict` on arrays, iterators and several threads, and of `predict_async`."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image
from support.small_models import picture_model

from bnas_deploy.errors import ImageError, UsageError
from bnas_deploy.runtime.model import Model
from bnas_deploy.runtime.predictions import Prediction
from bnas_deploy.runtime.sources import Item
from bnas_deploy.runtime.stream import answers

LONG = 60
PIXELS = np.random.default_rng(5).integers(0, 256, (7, 12, 9, 3), np.uint8)


@pytest.fixture
def model() -> Model:
    return Model(picture_model(), backend="reference")


@pytest.fixture
def want(model: Model) -> list[Prediction]:
    return [model.predict(picture, top_k=10)[0] for picture in PIXELS]


def encoded(picture: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()


KINDS = {
    "array": lambda: PIXELS,
    "array in another order": lambda: np.asfortranarray(PIXELS),
    "list of arrays": lambda: list(PIXELS),
    "generator": lambda: (picture for picture in PIXELS),
    "decoded": lambda: (Image.fromarray(picture) for picture in PIXELS),
    "encoded": lambda: map(encoded, PIXELS),
}


@pytest.mark.parametrize("workers", [None, 0, 1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_kinds_and_workers(
    model: Model, want: list[Prediction], kind: str, workers: int | None
) -> None:
    for batch in (2, 64):
        found = model.predict(KINDS[kind](), top_k=10, batch=batch, workers=workers)
        assert found == want


def test_an_empty_array(model: Model) -> None:
    assert model.predict(PIXELS[:0], workers=2) == []


def test_grey_arrays() -> None:
    model = Model(picture_model(channels=1), backend="reference")
    grey = PIXELS[..., :1]
    assert model.predict(grey) == model.predict([picture[..., 0] for picture in grey])


def test_arrays_become_inputs(model: Model) -> None:
    assert np.array_equal(model.preprocess(PIXELS), model.preprocess(list(PIXELS)))


def test_the_picture_that_cannot_be_read_is_counted(model: Model) -> None:
    for workers in (0, 2):
        with pytest.raises(ImageError, match=r"^images\[1\] <bytes>: not a picture"):
            model.predict([encoded(PIXELS[0]), b"nonsense"], workers=workers)
    with pytest.raises(ImageError, match=r"^images\[0\] <ndarray>: an array must be uint8"):
        model.predict(PIXELS.astype(np.float32))
    with pytest.raises(UsageError, match="workers must be"):
        model.predict(PIXELS, workers=-1)


def test_pictures_are_decoded_while_the_network_runs(
    model: Model, want: list[Prediction], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first batch waits for the second one's pictures."""
    decoded, plain = [threading.Event() for _ in PIXELS], model.run

    def pictures() -> Iterator[np.ndarray]:
        yield from PIXELS

    def pixels(picture: np.ndarray, name: str) -> np.ndarray:
        result = type(model).pixels(model, picture, name)
        decoded[int(name[len("images[") : name.index("]")])].set()
        return result

    def run(images: np.ndarray) -> np.ndarray:
        assert all(event.wait(LONG) for event in decoded[:4])
        return plain(images)

    monkeypatch.setattr(model, "pixels", pixels)
    monkeypatch.setattr(model, "run", run)
    assert model.predict(pictures(), top_k=10, batch=2, workers=1) == want


def test_answers_of_files_come_in_order_with_their_errors(model: Model) -> None:
    items = [Item(str(i), encoded(picture)) for i, picture in enumerate(PIXELS)]
    items.insert(2, Item("broken", b"nonsense"))
    found = {w: list(answers(model, items, batch=2, workers=w)) for w in (0, 1, 3)}
    for row in found.values():
        assert [answer.item for answer in row] == items
        assert [answer.item.name for answer in row if answer.error] == ["broken"]
        for answer, plain in zip(row, found[0], strict=True):
            assert answer.error or np.array_equal(answer.logits, plain.logits)


def test_the_loop_goes_on_while_pictures_are_named(model: Model, want: list[Prediction]) -> None:
    """The pictures come only when the loop has got round to asking for them."""
    asked = threading.Event()

    def pictures() -> Iterator[np.ndarray]:
        assert asked.wait(LONG)
        yield from PIXELS

    async def main() -> list[Prediction]:
        task = asyncio.create_task(model.predict_async(pictures(), top_k=10, batch=3, workers=1))
        await asyncio.sleep(0.01)
        assert not task.done()
        asked.set()
        return await task

    assert asyncio.run(main()) == want


def test_several_at_once_and_mistakes(model: Model, want: list[Prediction]) -> None:
    async def main() -> list[list[Prediction]]:
        with pytest.raises(ImageError, match="<bytes>"):
            await model.predict_async(b"nonsense")
        return await asyncio.gather(*(model.predict_async(p, top_k=10) for p in PIXELS))

    assert [row for (row,) in asyncio.run(main())] == want
