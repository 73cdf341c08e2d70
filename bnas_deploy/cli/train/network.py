"""The network and the recipe that the options of bnas-train describe."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import replace

from bnas_deploy.cli.common.settings_options import check_needs, given
from bnas_deploy.errors import ConfigError, UsageError
from bnas_deploy.networks.config import AnyConfig, config_from_dict
from bnas_deploy.networks.files import named_config, named_genotype
from bnas_deploy.training.recipes.presets import differences, preset
from bnas_deploy.training.recipes.recipe import DISTILL, RECIPES, Recipe, read_recipe

__all__ = [
    "NEEDS",
    "NETWORK_OPTIONS",
    "network_config",
    "option_name",
    "recipe_for",
    "told_of_preset",
]

NEEDS = {
    "momentum_swing": ("schedule", ("one-cycle",)),
    "restart_epochs": ("schedule", ("cosine-restarts",)),
    "warmup_epochs": ("schedule", ("constant-cosine",)),
    "decay_share": ("schedule", ("constant-cosine",)),
    "small_crop_share": ("small_crop", ()),
    "holdout_seed": ("holdout", ()),
    "distill_temperature": ("distill", ()),
}
"""Fields of a recipe that act beside some values of another only."""

NETWORK_OPTIONS = (
    *("genotype", "channels", "layers", "bases", "shortcut", "image_size", "skips"),
    *("activation_scale", "centre_depthwise", "stem", "reduce_at", "widths", "shared_norms"),
    *("activation", "cell_activation"),
)
"""Fields of configurations, of one kind or the other, that options replace."""


def option_name(field: str) -> str:
    """Return what is written on the command line."""
    return "--no-skip" if field == "skips" else "--" + field.replace("_", "-")


def network_config(args: argparse.Namespace) -> AnyConfig:
    """Return the configuration of the network that is to be trained.

    Raises:
        UsageError: The network named has no such thing as an option is about.
        ConfigError: There is no network of that name, or a value does not fit.
        GenotypeError: The genotype is wrong.
    """
    name = args.config or "Mini"
    value = named_config(name).to_dict()
    wanted = [key for key in NETWORK_OPTIONS if getattr(args, key) is not None]
    strange = [option_name(key) for key in wanted if key not in value]
    if strange:
        known = ", ".join(option_name(key) for key in NETWORK_OPTIONS if key in value)
        msg = f"{name} has no {', '.join(strange)}; what can be changed of it: {known}"
        raise UsageError(msg)
    if args.shortcut is not None and args.skips is False:
        msg = "--shortcut says what the skips are like, and --no-skip leaves them out; give one"
        raise UsageError(msg)
    new = {key: getattr(args, key) for key in wanted}
    if args.widths is not None:
        new.setdefault("channels", args.widths[0])
    if args.genotype is not None:
        new["genotype"] = named_genotype(args.genotype).to_dict()
    try:
        return config_from_dict({**value, **new})
    except ConfigError as error:
        raise ConfigError(_in_options(str(error), wanted)) from error


def _in_options(message: str, fields: Sequence[str]) -> str:
    """A message about fields, some of which were given as options, in the options' names."""
    for field in fields:
        message = re.sub(rf"(?<![\w-]){field}\b", option_name(field), message)
    return message


def recipe_for(args: argparse.Namespace, config: AnyConfig) -> Recipe:
    """Return how it is trained: a preset or the paper's recipe, a file's settings, then options.

    Raises:
        UsageError: Edges are to be dropped of a network that has none, or an option has nothing to
            act on.
        ConfigError: The file cannot be read, or a value does not fit.
    """
    recipe = base_recipe(args, config)
    if args.recipe is not None:
        recipe = read_recipe(args.recipe, recipe)
    recipe = Recipe.from_dict(given(args, Recipe), recipe)
    if args.teacher is not None and args.distill is None and not recipe.distill:
        recipe = replace(recipe, distill=DISTILL)
    check_needs(args, recipe, NEEDS)
    if recipe.head_epochs and args.init is None:
        msg = "--head-epochs trains new layers on top of a trained network; add --init MODEL"
        raise UsageError(msg)
    if recipe.distill and args.teacher is None:
        msg = "--distill is the share of a teacher's answers; add --teacher MODEL"
        raise UsageError(msg)
    if args.entry is not None and args.init is None:
        msg = "--entry is for a checkpoint to begin with; add --init FILE"
        raise UsageError(msg)
    if recipe.drop_path and not config.EDGES:
        msg = f"drop-path drops edges of cells, and {config.name} has no cells; leave it at 0"
        raise UsageError(msg)
    return recipe


def base_recipe(args: argparse.Namespace, config: AnyConfig) -> Recipe:
    """Return the recipe that files and options change: a preset's, or the paper's."""
    recipe = preset(args.preset or "paper", config)
    return recipe if config.EDGES else replace(recipe, drop_path=0.0)


def told_of_preset(args: argparse.Namespace, config: AnyConfig, recipe: Recipe) -> str:
    """Return what a preset sets of a recipe, for people."""
    name = args.preset
    return f"preset {name}: {differences(recipe, RECIPES[config.dataset])}"
