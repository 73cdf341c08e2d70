"""The images of jobs: read once, cut down to what a set-up uses."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bnas_deploy.errors import UsageError
from bnas_deploy.experiments.definition import Setup
from bnas_deploy.experiments.running.generated import generated_images

if TYPE_CHECKING:
    from bnas_deploy.training.data.images import ImageData

__all__ = ["Images"]


@dataclass
class Images:
    """Where the images of a budget come from.

    Attributes:
        budget: Under `smoke` they are generated if `cifar10` is None.
        cifar10: Data for networks with the stem for CIFAR-10.
        imagenet: Folder for networks with the stem for ImageNet.
        name: What results call the data for CIFAR-10's networks; None: the file's name.
    """

    budget: str
    cifar10: Path | None = None
    imagenet: Path | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        self._held: dict[int, ImageData] = {}

    def check(self, setup: Setup | None) -> str:
        """Return what is missing for a set-up (None: an evaluation on CIFAR-10), or nothing."""
        if setup is not None and setup.network.dataset == "imagenet":
            return "" if self.imagenet else "needs --imagenet"
        return "" if self.cifar10 or self.budget == "smoke" else "needs --data"

    def load(self, setup: Setup) -> ImageData:
        """Return the images that a set-up trains with, in memory.

        Raises:
            UsageError: There are none.
            DataError: They cannot be read.
        """
        data = self.whole(setup.network.image_size)
        train, test = data.train, data.test
        if setup.train_images is not None:
            train = train.take(setup.train_images)
        if setup.test_images is not None:
            test = test.take(setup.test_images)
        counts = (len(train), len(data.train)), (len(test), len(data.test))
        name = data.name
        if any(used < there for used, there in counts):
            (a, b), (c, d) = counts
            name += f", {a:,} of {b:,} training and {c:,} of {d:,} test images"
        return replace(data, name=name, train=train, test=test)

    def whole(self, size: int) -> ImageData:
        """Return all images of CIFAR-10 (or what was given in its place), `size` pixels wide.

        Raises:
            UsageError: There are none.
            DataError: They cannot be read.
        """
        if size not in self._held:
            self._held[size] = self._read(size)
        return self._held[size]

    def _read(self, size: int) -> ImageData:
        from bnas_deploy.training.data.images import load_data  # noqa: PLC0415 - it needs Pillow

        if self.cifar10 is None and self.budget == "smoke":
            return generated_images()
        if self.cifar10 is None:
            msg = "these experiments need images; name CIFAR-10 with --data"
            raise UsageError(msg)
        data = load_data(self.cifar10, image_size=size)
        if not len(data.test):
            msg = f"{self.cifar10}: these experiments measure on test images; there are none"
            raise UsageError(msg)
        return replace(data, name=self.name or data.name)
