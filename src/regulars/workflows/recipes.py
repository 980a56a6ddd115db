"""Ready-made workflows. They send mails, so the module above registers them, with how each is installed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from regulars.foundation.errors import NotFound
from regulars.foundation.registry import Registry
from regulars.workflows.models import Workflow


@dataclass(frozen=True)
class Recipe:
    """One ready-made workflow; ``install(at, staff_id)`` makes it, switched off."""

    key: str
    name: str
    summary: str
    install: Callable[[datetime, int | None], Workflow]


RECIPES: Registry[Recipe] = Registry("ready-made workflow")


def get_recipe(key: str) -> Recipe:
    """Raises NotFound."""
    recipe = RECIPES.get(key)
    if recipe is None:
        raise NotFound(f"There is no ready-made workflow '{key[:60]}'")
    return recipe
