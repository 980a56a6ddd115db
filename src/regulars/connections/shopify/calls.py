"""Asking a shop's Admin API: one GraphQL document at a time, at the pace that the shop's plan allows.

Costs and throttling: https://shopify.dev/docs/apps/build/apis/graphql-admin/rate-limits. Every answer says what its document could have
cost and how much is left; who waits for it beforehand is never turned away.
"""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from regulars.connections.base.client import MOST_WAIT, TryLater, Unreachable
from regulars.connections.base.platforms import Account, KeyRefused, Refused
from regulars.connections.shopify.domains import origin_of
from regulars.connections.shopify.tokens import SENTENCES, forget, token_of
from regulars.foundation import clock
from regulars.foundation.outbound import Reply

# Of the API. Each is served for a year, then the oldest that is left answers: https://shopify.dev/docs/api/usage/versioning
VERSION = "2026-10"
SERVED_UNTIL = date(int(VERSION[:4]) + 1, int(VERSION[5:]), 1)
MOST_THROTTLED = 6  # tries of one document


class Hidden(KeyRefused):
    """A scope is missing, or the app was not let have a field of the customers' (protected customer data)."""


class TooCostly(Refused):
    """Shopify finds one thing alone too much to ask for."""  # of several, fewer may be asked for at once


def ask(
    account: Account, document: str, variables: Mapping[str, Any] | None = None, *, takes_less: bool = False
) -> dict[str, Any]:
    """The data of the answer. Raises Refused, TooCostly, Unreachable, TryLater; Hidden where something of it is not shown to the app,
    with ``takes_less`` only where there is nothing left without it: what is not shown is null then.
    """
    body = json.dumps({"query": document, "variables": dict(variables or {})}).encode()
    for _ in range(MOST_THROTTLED):
        said = _answer(_send(account, body))
        wait = _wait(said)
        codes = {_code(error) for error in _errors(said)}
        if "THROTTLED" not in codes:
            data = _judged(said, codes, takes_less)
            account.client.sleep(min(wait, MOST_WAIT))  # so that the next of this kind is not turned away
            return data
        if wait > MOST_WAIT:
            break
        account.client.sleep(max(wait, 1.0))
    raise TryLater(max(wait, 10.0))


def is_shown(account: Account, document: str) -> bool:
    """Whether the app may see all that is asked. Raises what ``ask`` does."""
    try:
        ask(account, document)
    except Hidden:
        return False
    return True


def done(payload: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """What a mutation gave back. Raises Refused with Shopify's own reason."""
    if payload is None:
        raise Refused("Shopify did not do it, and does not say why.")
    errors = payload.get("userErrors") or []
    if errors:
        raise Refused(f"Shopify refuses: {'; '.join(str(one.get('message', '')) for one in errors)[:300]}")
    return payload


def _send(account: Account, body: bytes) -> Reply:
    """Once more where a token that we got ourselves has run out before its time."""
    url = f"{origin_of(account.address)}/admin/api/{VERSION}/graphql.json"
    for _ in range(2):
        token = token_of(account, clock.now())
        headers = {"content-type": "application/json", "accept": "application/json", "x-shopify-access-token": token}
        reply = account.client.send("POST", url, headers, body)
        if reply.status != 401 or not forget(account):
            break
    return reply


def _answer(reply: Reply) -> dict[str, Any]:
    if reply.status != 200:
        refused = KeyRefused if reply.status in SENTENCES else Refused
        raise refused(SENTENCES.get(reply.status, f"Shopify answers with the error {reply.status}."))
    try:
        said = json.loads(reply.body)
    except (ValueError, RecursionError) as error:
        raise Unreachable("Shopify answers something that is no JSON.") from error
    if not isinstance(said, dict):
        raise Unreachable("Shopify answers something that is no answer of GraphQL.")
    return said


def _errors(said: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    errors = said.get("errors") or []
    return (
        [one if isinstance(one, dict) else {"message": str(one)} for one in errors]
        if isinstance(errors, list)
        else [{"message": str(errors)}]
    )


def _code(error: Mapping[str, Any]) -> str:
    return str((error.get("extensions") or {}).get("code", ""))


def _judged(said: Mapping[str, Any], codes: set[str], takes_less: bool) -> dict[str, Any]:
    if "MAX_COST_EXCEEDED" in codes:
        raise TooCostly
    if "INTERNAL_SERVER_ERROR" in codes or "TIMEOUT" in codes:
        raise Unreachable("Shopify has trouble of its own.")
    errors = _errors(said)
    is_enough = takes_less and codes == {"ACCESS_DENIED"} and isinstance(said.get("data"), dict)
    if errors and not is_enough:
        what = str(errors[0].get("message", ""))[:300]
        if "ACCESS_DENIED" in codes:
            raise Hidden(f"Shopify does not show this to the app: {what}")
        raise Refused(f"Shopify refuses: {what}")
    if not isinstance(said.get("data"), dict):
        raise Unreachable("Shopify answers without data.")
    data: dict[str, Any] = said["data"]
    return data


def _wait(said: Mapping[str, Any]) -> float:
    """Seconds until the shop would take the same document again."""
    cost = (said.get("extensions") or {}).get("cost") or {}
    status = cost.get("throttleStatus") or {}
    wanted, left = float(cost.get("requestedQueryCost") or 0), float(status.get("currentlyAvailable") or 0)
    rate = float(status.get("restoreRate") or 50)
    return max(0.0, (wanted - left) / rate) if status else 0.0
