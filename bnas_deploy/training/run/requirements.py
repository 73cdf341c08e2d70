"""What a recipe asks of the network, the data and the processes that it is used with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bnas_deploy.errors import UsageError
from bnas_deploy.training.data.images import ImageData
from bnas_deploy.training.model.teacher import check_classes

if TYPE_CHECKING:
    from bnas_deploy.training.run.loop import Trainer

__all__ = ["check_recipe"]


def check_recipe(trainer: Trainer) -> None:
    """Check that a trainer can follow its recipe.

    Raises:
        UsageError: It cannot.
    """
    recipe, group = trainer.recipe, trainer.group
    batch = trainer.batches.size
    if batch < group.world * recipe.accumulate:
        msg = (
            f"recipe: a batch of {batch} images cannot be shared by {group.world}"
            f" processes in {recipe.accumulate} passes; enlarge the batch"
        )
        raise UsageError(msg)
    if recipe.hours and group.world > 1:
        msg = "recipe: hours needs a single process, as each has its clock; set epochs instead"
        raise UsageError(msg)
    if recipe.patience and not len(trainer.data.validation):
        msg = (
            "recipe: patience needs validation images to tell which epoch is better; set holdout to"
            " a share of the training images, or put some into a folder val"
        )
        raise UsageError(msg)
    if recipe.mixup and group.world > 1:
        msg = "recipe: mixup mixes images of one process; set it to 0 for several"
        raise UsageError(msg)
    if recipe.real_weights_share and not trainer.network.binary:
        msg = "recipe: a float network has real weights throughout; set real_weights_share to 0"
        raise UsageError(msg)
    if recipe.small_crop:
        _check_crops(trainer)
    _check_teacher(trainer)


def _check_crops(trainer: Trainer) -> None:
    size, config = trainer.recipe.small_crop, trainer.network.config
    larger = min(trainer.preprocessing.crop) > size
    if not (larger and config.crop_unit and isinstance(trainer.data, ImageData)):
        msg = (
            f"recipe: small_crop {size} needs a network that takes images of any size, and images"
            f" in memory that are larger; {config.name} here does not or they are not; set it to 0"
        )
        raise UsageError(msg)
    if size % config.crop_unit:
        msg = (
            f"recipe: small_crop must be a multiple of {config.crop_unit} for {config.name}, whose"
            f" stages halve the image; got {size}"
        )
        raise UsageError(msg)


def _check_teacher(trainer: Trainer) -> None:
    recipe, teacher = trainer.recipe, trainer.teacher
    if teacher is None:
        if recipe.distill:
            msg = "recipe: distill is the share of a teacher's answers; add --teacher MODEL"
            raise UsageError(msg)
        return
    if not recipe.distill:
        msg = "recipe: with distill 0 the teacher says nothing; set its share, or leave it out"
        raise UsageError(msg)
    check_classes(teacher, trainer.data.classes)
    own, theirs = trainer.preprocessing.crop, teacher.preprocessing.crop
    config = teacher.network.config
    if own != theirs:
        sizes = ["x".join(map(str, size)) for size in (theirs, own)]
        msg = f"--teacher {teacher.path}: it takes images of {sizes[0]} pixels; here they have"
        msg += f" {sizes[1]}"
        raise UsageError(msg)
    if recipe.small_crop and (not config.crop_unit or recipe.small_crop % config.crop_unit):
        msg = (
            f"recipe: small_crop {recipe.small_crop}: the teacher, {config.name}, does not take"
            " such crops; set it to 0"
        )
        raise UsageError(msg)
