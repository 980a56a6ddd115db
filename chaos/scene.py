"""What happens in a chaos: customers enter a segment, wait, are checked, get a marketing mail and then one about an order."""

import os
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from regulars.foundation.facts import FACTS, Answer, Fact, FactKind, Moment, Question
from regulars.foundation.shop.models import Store
from regulars.foundation.shop.settings import write_setting
from regulars.messages.operations import Draft, save_template
from regulars.workflows.operations import save_version, switch_on
from regulars.workflows.tests.factories import enter, make_people, make_shop

LEASE = timedelta(seconds=1.5)  # of the world's time
FACT = "chaos.member"
OUTSIDE = 7  # every seventh customer is not a member any more when it is asked
POISON = "poison"

DEFINITION: dict[str, Any] = {
    "format": 1,
    "name": "Chaos",
    "trigger": {"kind": "segment.entered", "segment": "chaos"},
    "start": "wait",
    "nodes": {
        "wait": {"kind": "wait", "for": {"minutes": 5}, "next": "check"},
        "check": {"kind": "condition", "fact": FACT, "is": True, "yes": "offer", "no": "left"},
        "offer": {"kind": "send_mail", "template": "chaos-offer", "useful_for": {"days": 30}, "next": "wait-again"},
        "wait-again": {"kind": "wait", "for": {"minutes": 10}, "next": "receipt"},
        "receipt": {"kind": "send_mail", "template": "chaos-receipt", "useful_for": {"days": 30}, "next": "done"},
        "left": {"kind": "exit", "reason": "left"},
        "done": {"kind": "exit", "reason": "completed"},
    },
}
TRACE = {
    "completed": ["wait", "check", "offer", "wait-again", "receipt", "done"],
    "left": ["wait", "check", "left"],
}
_BODY = "<mj-section><mj-column><mj-text>Hello {{ customer.first_name }}</mj-text></mj-column></mj-section>"


def offer_fact() -> None:
    """Registers the fact that the workflow asks; whoever is tagged as poison ends the process that asks about them."""
    if FACT not in FACTS:
        FACTS.register(FACT, Fact(FACT, "Is still a member", FactKind.LOCAL, {}, _read))


def _read(customer_ids: Sequence[int], question: Question, moment: Moment) -> Mapping[int, Answer]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT r.customer_id FROM workflows_run r WHERE r.customer_id = ANY(%s) AND r.entry->>'kind' = %s",
            [list(customer_ids), POISON],
        )
        if cursor.fetchone():
            os._exit(139)
    return {c: Answer(c % OUTSIDE != 0, "chaos") for c in customer_ids}


def set_up(at: datetime) -> Store:
    """Shop, templates, workflow, switched on."""
    offer_fact()
    store = make_shop()
    write_setting("sending.enabled_at", at.isoformat(), at)
    save_template("chaos-offer", "Offer", Draft("An offer", "", _BODY), None, at)
    save_template(
        "chaos-receipt", "Receipt", Draft("A receipt", "", _BODY), None, at, topic="orders", is_marketing=False
    )
    switch_on(save_version("chaos", DEFINITION, None, at).workflow, at)
    return store


def make_entrants(count: int, store: Store) -> list[tuple[int, int]]:
    return make_people(count, store)


def let_in(people: Sequence[tuple[int, int]], at: datetime) -> None:
    enter(people, at, "chaos")
