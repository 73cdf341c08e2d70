"""Tests of starting a run."""

from __future__ import annotations

import pytest

from bnas_deploy.errors import UsageError
from bnas_deploy.nn.config import get_config
from bnas_deploy.training.machine.device import Runtime
from bnas_deploy.training.recipes.recipe import Recipe
from bnas_deploy.training.run.start import fresh_trainer


@pytest.mark.parametrize("seed", [-1, 2**32, 10**30])
def test_a_seed_that_no_generator_takes(tmp_path, seed):
    with pytest.raises(UsageError, match="seed: expected 0 to 4294967295; got"):
        fresh_trainer(get_config("Mini"), tmp_path, recipe=Recipe(), runtime=Runtime(), seed=seed)
