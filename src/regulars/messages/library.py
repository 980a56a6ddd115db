"""Ready-made workflows with their mails: installed from the browser, by a command or by the demo, always switched off."""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from importlib.resources import files
from typing import Any

from regulars.foundation.shop.settings import read_setting
from regulars.messages.models import MessageTemplate
from regulars.messages.operations import Draft, save_template
from regulars.workflows.models import Workflow
from regulars.workflows.operations import save_version
from regulars.workflows.recipes import RECIPES, Recipe, get_recipe

KEYS = ("abandoned-cart", "win-back", "thank-champions")
_HEAD = re.compile(r"<!-- (name|subject|preheader): (.*) -->\n")


@dataclass(frozen=True)
class Ready:
    """One ready-made workflow: its definition as written, and the mails that it sends, by key."""

    key: str
    definition: dict[str, Any]
    mails: tuple[str, ...]

    @property
    def name(self) -> str:
        return str(self.definition["name"])

    @property
    def summary(self) -> str:
        return str(self.definition["summary"])


def list_recipes() -> tuple[Ready, ...]:
    """Everything that can be installed."""
    return tuple(_read(key) for key in KEYS)


def install(key: str, at: datetime, staff_id: int | None = None) -> Workflow:
    """The workflow with its mails, switched off where it is new. Mails that are there already are left as staff wrote them. Raises NotFound."""
    get_recipe(key)
    recipe = _read(key)
    for mail in recipe.mails:
        if not MessageTemplate.objects.filter(key=mail).exists():
            name, draft = read_mail(mail)
            save_template(mail, name, draft, staff_id, at)
    return save_version(recipe.key, _in_this_shop(recipe.definition), staff_id, at).workflow


def read_mail(key: str) -> tuple[str, Draft]:
    """Name and draft of a mail that comes with the house."""
    text = files("regulars.messages").joinpath(f"mails/{key}.mjml").read_text()
    head = dict(_HEAD.findall(text))
    return head["name"], Draft(head["subject"], head["preheader"], _HEAD.sub("", text))


@cache
def _read(key: str) -> Ready:
    definition = json.loads(files("regulars.workflows").joinpath(f"library/{key}.json").read_text())
    mails = tuple(node["template"] for node in definition["nodes"].values() if node["kind"] == "send_mail")
    return Ready(key, definition, mails)


def _in_this_shop(definition: dict[str, Any]) -> dict[str, Any]:
    """The zone 'shop' becomes the shop's own."""
    zone = read_setting("shop.time_zone")
    nodes = {
        key: {**node, "zone": zone} if node.get("zone") == "shop" else node for key, node in definition["nodes"].items()
    }
    return {**definition, "nodes": nodes}


for ready in list_recipes():
    RECIPES.register(ready.key, Recipe(ready.key, ready.name, ready.summary, partial(install, ready.key)))
