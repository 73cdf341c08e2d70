"""How a network is trained: the `Recipe`, and the two of the paper."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from bnas_deploy.errors import ConfigError
from bnas_deploy.settings import Settings

__all__ = [
    "BALANCES",
    "CHANGEABLE",
    "CHOICES",
    "DISTILL",
    "OPTIMIZERS",
    "RECIPES",
    "SCHEDULES",
    "Recipe",
    "read_recipe",
]

SCHEDULES = ("one-cycle", "cosine", "cosine-restarts", "constant-cosine")
OPTIMIZERS = ("sgd", "adam")
BALANCES = ("none", "weights")
CHOICES = {"schedule": SCHEDULES, "optimizer": OPTIMIZERS, "balance": BALANCES}
"""Settings that are one of some words."""

CHANGEABLE = ("epochs", "hours", "lr", "patience", "decay_share")
"""Settings that may change when a run is resumed."""

DISTILL = 0.9
"""The teacher's share of the loss, where there is a teacher and nothing else is said."""


@dataclass(frozen=True)
class Recipe(Settings):
    """The knobs of a training run; the defaults are the paper's for CIFAR-10 (Section 5.1).

    Attributes:
        epochs: Passes over the training images. The paper's 600 take days without a GPU; with
            fewer than about 50 leave out drop-path.
        hours: End when this run has trained for so long, and let the rate follow the clock, so that
            a run fits the time there is; `epochs` is then only the most there will be. No two such
            runs are alike. 0: end after `epochs`.
        batch: Images a step, of all processes and passes together.
        accumulate: Passes of which a step sums the gradients; each computes an equal part of the
            batch, and BatchNorm sees the images of one pass only.
        lr: Peak learning rate; for short runs of small batches 0.08 works well.
        optimizer: `sgd` (with momentum, the paper's) or `adam` (with 0.999 for its second moment);
            a good peak rate for Adam is a tenth of SGD's.
        momentum: Of SGD, or of Adam's first moment; one-cycle swings around it.
        momentum_swing: Momentum goes from momentum + swing down to momentum - swing and back while
            the learning rate goes up and down (one-cycle only).
        weight_decay: On every parameter.
        drop_path: Probability, at the last epoch, of dropping an edge for a sample; grows linearly.
        label_smoothing: Share of the target spread over all classes; 0.1 for ImageNet.
        mixup: Alpha of MixUp (Zhang et al. 2018): every image is mixed with another of its step, by
            a share drawn from Beta(alpha, alpha) for the step; 0: none.
        distill: Share of the loss that is the distance from a teacher's answers; the labels have
            the rest. Needs a teacher; 0: none. `DISTILL` is what Tian et al. (2020) use.
        distill_temperature: What the logits of both networks are divided by before they are
            compared (Hinton et al. 2015); the distance counts its square.
        balance: `weights`: images of rare classes count more, so that all classes count alike; or
            `none`.
        schedule: `one-cycle`, `cosine` (one cosine from the peak to 0 over the whole run),
            `cosine-restarts`, or `constant-cosine` (up to the peak, there, and down by a cosine at
            the end): until the end begins it does not depend on the length of the run, which may
            be chosen late.
        restart_epochs: Length of a cosine (cosine-restarts only).
        warmup_epochs: First epochs, in which the rate rises in a line (constant-cosine only).
        decay_share: Last share of the run, in which the rate falls (constant-cosine only).
        crop_padding: Pixels of zero padding for random crops; 0 switches them off.
        crop_area: Least share of a picture's area in a crop of random size and aspect ratio; 0
            switches them off. For images streamed from disk; 0.08 for ImageNet.
        small_crop: Pixels of the smaller crops on which a run begins, a multiple of 4 (backbones:
            of 8); they cost less, and the network is the same. 0: none. For networks that take
            images of any size, and images in memory.
        small_crop_share: Share of the epochs that are on them, rounded.
        real_weights_share: Share of the epochs, rounded, that come first and compute with the
            latent weights themselves instead of their signs, while activations are binary (two
            stages, as Martinez et al. 2020); evaluation is binary always. 0: none.
        average: Epochs that the weights are averaged over (the time constant of an exponential
            moving average); where there are validation images, the better of last and averaged
            weights ships, else the averaged ones. 0: none.
        flip: Whether half the images are mirrored.
        evaluate_every: Epochs between evaluations on the validation images, or on the test images
            where there are none; the last epoch always is evaluated.
        holdout: Share of each class's training images that is held out to choose the best epoch by,
            where the data has no validation images; 0: none, but a tenth where it has no test
            images either.
        holdout_seed: Which ones.
        head_epochs: First epochs in which only the layers that begin anew are trained, in a run
            that begins with a trained network.
        patience: End after so many epochs without a better one by the validation images; 0: never.

    Raises:
        ConfigError: A value has the wrong type or is out of range.
    """

    KIND: ClassVar[str] = "recipe"
    LIMITS: ClassVar[Mapping[str, tuple[float, float]]] = {
        **dict.fromkeys(("epochs", "batch", "accumulate"), (1, 1_000_000)),
        **dict.fromkeys(("restart_epochs", "evaluate_every"), (1, 1_000_000)),
        **dict.fromkeys(("lr", "weight_decay", "momentum_swing"), (0, 1_000_000)),
        **dict.fromkeys(("crop_padding", "small_crop"), (0, 1_000)),
        **dict.fromkeys(("holdout_seed", "patience", "head_epochs"), (0, 1_000_000)),
        "holdout": (0, 0.9),
        "mixup": (0, 1_000),
        "average": (0, 1_000_000),
        "distill": (0, 1),
        "distill_temperature": (0.01, 100),
        "hours": (0, 100_000),
        **dict.fromkeys(("momentum", "drop_path", "label_smoothing", "crop_area"), (0, 1)),
        **dict.fromkeys(("small_crop_share", "decay_share", "real_weights_share"), (0, 1)),
        "warmup_epochs": (0, 1_000_000),
    }

    epochs: int = 600
    hours: float = 0.0
    batch: int = 256
    accumulate: int = 1
    optimizer: str = "sgd"
    lr: float = 0.05
    momentum: float = 0.9
    momentum_swing: float = 0.05
    weight_decay: float = 3e-6
    drop_path: float = 0.2
    label_smoothing: float = 0.0
    mixup: float = 0.0
    distill: float = 0.0
    distill_temperature: float = 4.0
    balance: str = "none"
    schedule: str = "one-cycle"
    restart_epochs: int = 50
    warmup_epochs: float = 1.0
    decay_share: float = 0.3
    crop_padding: int = 4
    crop_area: float = 0.0
    small_crop: int = 0
    small_crop_share: float = 0.6
    real_weights_share: float = 0.0
    average: float = 0.0
    flip: bool = True
    evaluate_every: int = 1
    holdout: float = 0.0
    holdout_seed: int = 0
    patience: int = 0
    head_epochs: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, known in CHOICES.items():
            value = getattr(self, name)
            if value not in known:
                msg = f"recipe: {name} is one of {', '.join(known)}; got {value!r}"
                raise ConfigError(msg)
        if self.hours and self.schedule == "cosine-restarts":
            msg = "recipe: cosine-restarts counts epochs; with hours use another schedule"
            raise ConfigError(msg)
        if self.small_crop % 4:
            msg = f"recipe: small_crop must be a multiple of 4; got {self.small_crop}"
            raise ConfigError(msg)


def read_recipe(path: str | os.PathLike[str], base: Recipe | None = None) -> Recipe:
    """Read a recipe from a TOML or JSON file of some of its fields.

    Raises:
        ConfigError: The file is missing, does not parse, or has an unknown key or a wrong value.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
        value = json.loads(text) if path.suffix == ".json" else _parse_toml(text)
    except (OSError, ValueError, RecursionError) as error:
        msg = f"{path}: cannot be read as a recipe ({error})"
        raise ConfigError(msg) from error
    return Recipe.from_dict(value, base)


def _parse_toml(text: str) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib  # noqa: PLC0415
    else:
        import tomli as tomllib  # noqa: PLC0415 - of the extra train
    return tomllib.loads(text)


RECIPES: dict[str, Recipe] = {
    "cifar10": Recipe(),
    "imagenet": Recipe(
        epochs=250,
        batch=512,
        lr=0.1,
        weight_decay=3e-5,
        drop_path=0.0,
        label_smoothing=0.1,
        schedule="cosine-restarts",
        crop_padding=0,
        crop_area=0.08,
    ),
}
"""The paper's recipes by the kind of images."""
