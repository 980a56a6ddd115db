"""The two ready-made workflows, switched on at the beginning of the days that are played."""

from datetime import datetime

from regulars.messages.library import install, list_recipes
from regulars.messages.sending.switch import switch_sending
from regulars.workflows.operations import switch_on


def switch_on_workflows(at: datetime) -> list[str]:
    """Names of the workflows that are on now; nobody who is there already gets a run. Done again, it changes nothing."""
    switch_sending(is_on=True, at=at)
    names = []
    for recipe in list_recipes():
        workflow = install(recipe.key, at)
        if not workflow.is_on:
            switch_on(workflow, at)
        names.append(workflow.name)
    return names
