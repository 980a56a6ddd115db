"""The till of the demo's web shop: what a real shop's server tells Regulars of an order, under a key that only it knows."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from demo.wares import Ware

_POSTAGE = 3.95
_MOST_OF_ONE = 99


class BadOrder(ValueError):
    """What was sent is no order; the sentence says why."""


@dataclass(frozen=True)
class Till:
    """Takes orders at the shop's own prices, and tells them."""

    wares: Mapping[str, Ware]
    regulars: str
    key: str

    def take(self, body: bytes, now: float) -> str:
        """The order's number, once Regulars has it. Raises BadOrder."""
        email, name, anonymous_id, lines = self._read(body)
        number = f"W{int(now * 10)}"
        user = "web-" + hashlib.sha256(email.lower().encode()).hexdigest()[:10]
        who = {"userId": user, "anonymousId": anonymous_id}
        subtotal = sum(float(line["price"]) * float(line["quantity"]) for line in lines)
        order = {
            "order_id": number,
            "affiliation": "web",
            "subtotal": round(subtotal, 2),
            "shipping": _POSTAGE,
            "total": round(subtotal + _POSTAGE, 2),
            "currency": "GBP",
            "products": lines,
        }
        self._tell(
            {"type": "identify", "traits": {"email": email, "name": name}} | who,
            {"type": "track", "event": "Order Completed", "properties": order} | who,
        )
        return number

    def _read(self, body: bytes) -> tuple[str, str, str, list[dict[str, str | float]]]:
        try:
            said: dict[str, Any] = json.loads(body)
            wanted = [(self.wares[str(one["sku"])], int(one["quantity"])) for one in said["lines"]]
            email, name, visitor = (str(said[field]).strip()[:120] for field in ("email", "name", "anonymousId"))
        except (ValueError, KeyError, TypeError) as error:
            raise BadOrder("That is no order of this shop.") from error
        if not wanted or not all(0 < quantity <= _MOST_OF_ONE for _, quantity in wanted):
            raise BadOrder("There is nothing in the cart.")
        if "@" not in email:
            raise BadOrder("Please give a mail address.")
        return email, name, visitor, [ware.as_told() | {"quantity": quantity} for ware, quantity in wanted]

    def _tell(self, *calls: dict[str, Any]) -> None:
        """In one batch; each call has an id, so that telling it again would count once."""
        batch = [{"messageId": uuid4().hex} | call for call in calls if call.get("userId")]
        batch = [{name: value for name, value in call.items() if value} for call in batch]
        answer = httpx.post(f"{self.regulars}/v1/batch", json={"batch": batch}, auth=(self.key, ""), timeout=10)
        if answer.status_code != httpx.codes.OK:
            raise BadOrder("The order could not be taken. Please try again in a minute.")
