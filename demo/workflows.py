"""The two ready-made workflows and one of the shop's own, switched on at the beginning of the days that are played."""

import json
from datetime import datetime

from regulars.messages.library import install, list_recipes
from regulars.messages.sending.switch import switch_sending
from regulars.workflows.models import Workflow
from regulars.workflows.operations import save_version, switch_on

_BEST_NAME = "Win back the best"
_BEST_SUMMARY = (
    "Customers who were among the best and have gone quiet get one personal mail with what they bought last."
)


def switch_on_workflows(at: datetime) -> list[str]:
    """Names of the workflows that are on now; nobody who is there already gets a run. Done again, it changes nothing."""
    switch_sending(is_on=True, at=at)
    names = []
    for recipe in list_recipes():
        workflow = install(recipe.key, at)
        if not workflow.is_on:
            switch_on(workflow, at)
        names.append(workflow.name)
    names.append(_for_the_best(at))
    return names


def _for_the_best(at: datetime) -> str:
    """The shop's own third one, as staff would make it: the best customers who have gone quiet get the same mail."""
    original = Workflow.objects.select_related("live").get(key="win-back")
    text = json.dumps(original.live.definition if original.live else {}).replace("at-risk", "cant-lose")
    definition = json.loads(text) | {"name": _BEST_NAME, "summary": _BEST_SUMMARY}
    workflow = save_version("win-back-best", definition, None, at).workflow
    if not workflow.is_on:
        switch_on(workflow, at)
    return workflow.name
