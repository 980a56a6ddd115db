"""Recorded resources, empty, with the fields that WooCommerce added since they were recorded (checked against version 11's source)."""

import json
from functools import cache
from pathlib import Path

from fakes.woocommerce.values import Resource

_FOLDER = Path(__file__).parent / "payloads"

_ADDED: dict[str, Resource] = {
    "order": {
        "currency_symbol": "",
        "payment_url": "",
        "is_editable": False,
        "needs_payment": False,
        "needs_processing": False,
    },
    "product": {
        "low_stock_amount": None,
        "has_options": False,
        "post_password": "",
        "global_unique_id": "",
        "brands": [],
        "tags": [],
    },
    "variation": {
        "name": "",
        "parent_id": 0,
        "type": "variation",
        "low_stock_amount": None,
        "global_unique_id": "",
    },
    "coupon": {"status": "publish"},
    "refund": {"shipping_lines": [], "tax_lines": [], "fee_lines": []},
}


_ADDED_LINES: dict[str, Resource] = {
    "line_items": {"parent_name": None, "image": {"id": "", "src": ""}, "global_unique_id": ""},
    "shipping_lines": {"instance_id": "1", "tax_status": "taxable"},
    "tax_lines": {"rate_percent": 0},
}


@cache
def _recorded(name: str) -> str:
    """As text, which is copied faster than what it says."""
    recorded: Resource = json.loads((_FOLDER / f"{name}.json").read_text())
    recorded.pop("_links", None)
    return json.dumps(recorded | _ADDED.get(name.partition("-")[0], {}))


@cache
def _recorded_line(name: str) -> str:
    return json.dumps(template("order")[name][0] | _ADDED_LINES[name])


def template(name: str) -> Resource:
    """A copy of one's own of ``payloads/<name>.json``."""
    copy: Resource = json.loads(_recorded(name))
    return copy


def line_template(name: str) -> Resource:
    """A line of an order: of ``line_items``, ``shipping_lines`` or ``tax_lines`` as recorded."""
    copy: Resource = json.loads(_recorded_line(name))
    return copy
