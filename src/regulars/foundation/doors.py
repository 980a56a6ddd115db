"""Finds the doors of each module by their names (see docs/architecture.md, 'The same doors')."""

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from django.apps import apps


def load_doors(name: str) -> list[ModuleType]:
    """Imports ``<module>.<name>`` of every installed module of ours that has it, in the order of the floors."""
    configs = [c for c in apps.get_app_configs() if getattr(c, "is_house_module", c.name.startswith("regulars."))]
    return [import_module(f"{c.name}.{name}") for c in configs if find_spec(f"{c.name}.{name}")]
