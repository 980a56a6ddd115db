"""One call of the API: its address and token, its pace, and what is said when Shopify refuses."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest

from regulars.connections.base.client import Client, Pace, TryLater, Unreachable
from regulars.connections.base.platforms import Account, KeyRefused, Refused
from regulars.connections.shopify import tokens
from regulars.connections.shopify.calls import TooCostly, ask, done
from regulars.connections.shopify.tests.shop import Canned, account, data, reply

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _cost(wanted: float, left: float, rate: float = 100) -> dict[str, Any]:
    status = {"maximumAvailable": 2000.0, "currentlyAvailable": left, "restoreRate": rate}
    return {"cost": {"requestedQueryCost": wanted, "actualQueryCost": None, "throttleStatus": status}}


def _error(code: str, message: str = "No") -> dict[str, Any]:
    return {"errors": [{"message": message, "extensions": {"code": code}}]}


def _waiting(*answers: object) -> tuple[Account, Canned, list[float]]:
    slept: list[float] = []
    outbound = Canned(*answers)
    client = Client(outbound, Pace(1000, 1000), slept.append, lambda: 0.0, tries=1)
    return account(client=client), outbound, slept


def test_what_is_sent() -> None:
    outbound = Canned(data(shop={"name": "Tea"}))
    assert ask(account(outbound), "{ shop { name } }", {"first": 1}) == {"shop": {"name": "Tea"}}
    [(method, url, headers, body)] = outbound.calls
    assert (method, url) == ("POST", "https://tea.myshopify.com/admin/api/2026-10/graphql.json")
    assert headers["x-shopify-access-token"] == "shpat_test"
    assert json.loads(body) == {"query": "{ shop { name } }", "variables": {"first": 1}}


def test_a_throttled_document_waits_until_there_is_enough() -> None:
    shop, outbound, slept = _waiting(
        reply(_error("THROTTLED") | {"extensions": _cost(500, 100)}),
        reply({"data": {"a": 1}, "extensions": _cost(500, 900)}),
    )
    assert ask(shop, "{ a }") == {"a": 1}
    assert len(outbound.calls) == 2
    assert [wait for wait in slept if wait] == [4.0]


def test_whoever_would_be_turned_away_next_waits_beforehand() -> None:
    shop, _, slept = _waiting(reply({"data": {"a": 1}, "extensions": _cost(500, 200)}))
    ask(shop, "{ a }")
    assert [wait for wait in slept if wait] == [3.0]


def test_a_shop_that_throttles_for_long_is_come_back_to() -> None:
    shop, outbound, slept = _waiting(reply(_error("THROTTLED") | {"extensions": _cost(900, 0, 10)}))
    with pytest.raises(TryLater) as caught:
        ask(shop, "{ a }")
    assert (caught.value.seconds, len(outbound.calls), [wait for wait in slept if wait]) == (90.0, 1, [])


@pytest.mark.parametrize(
    ("answer", "error", "sentence"),
    [
        (reply(_error("MAX_COST_EXCEEDED")), TooCostly, "too much to ask for"),
        (
            reply(_error("ACCESS_DENIED", "Access denied for customer field.")),
            KeyRefused,
            "does not show this to the app",
        ),
        (reply(_error("undefinedField", "Field 'x' doesn't exist")), Refused, "Field 'x' doesn't exist"),
        (reply(_error("INTERNAL_SERVER_ERROR")), Unreachable, "trouble of its own"),
        (reply({"errors": "[API] Invalid API key"}), Refused, "Invalid API key"),
        (reply({}, 401), KeyRefused, "connect the shop with a new one"),
        (reply({}, 402), KeyRefused, "frozen"),
        (reply({}, 403), KeyRefused, "permissions"),
        (reply({}, 404), KeyRefused, "no shop at this address"),
        (reply({}, 423), KeyRefused, "locked"),
        (reply(b"<html>"), Unreachable, "no JSON"),
        (reply([]), Unreachable, "no answer"),
        (reply({"data": None}), Unreachable, "without data"),
    ],
)
def test_what_shopify_refuses_is_said_in_words(answer: object, error: type[Exception], sentence: str) -> None:
    shop, *_ = _waiting(answer)
    with pytest.raises(error, match=sentence):
        ask(shop, "{ a }")


def test_a_mutation_that_shopify_refuses_says_why() -> None:
    assert done({"userErrors": [], "it": 1})["it"] == 1
    with pytest.raises(Refused, match="Code must be unique; Title is too long"):
        done({"userErrors": [{"message": "Code must be unique"}, {"message": "Title is too long"}]})
    with pytest.raises(Refused):
        done(None)


# --- tokens ---

APP = {"client_id": "app", "client_secret": "hush"}


@pytest.fixture(autouse=True)
def _no_tokens_of_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "_GOT", {})


def _token(value: str, **more: object) -> object:
    return reply({"access_token": value, "scope": "read_orders", "expires_in": 86399} | more)


def test_an_own_app_gets_its_token_with_its_id_and_secret_and_keeps_it() -> None:
    outbound = Canned(_token("shpat_1"), data(a=1), data(a=2))
    shop = account(outbound, credentials=APP)
    assert [ask(shop, "{ a }")["a"], ask(shop, "{ a }")["a"]] == [1, 2]
    method, url, _, body = outbound.calls[0]
    assert (method, url) == ("POST", "https://tea.myshopify.com/admin/oauth/access_token")
    assert dict(parse_qsl(body.decode())) == APP | {"grant_type": "client_credentials"}
    assert [call[2].get("x-shopify-access-token") for call in outbound.calls] == [None, "shpat_1", "shpat_1"]


def test_a_token_that_has_run_out_is_got_anew_before_it_is_used() -> None:
    outbound = Canned(_token("shpat_1"), _token("shpat_2"))
    shop = account(outbound, credentials=APP)
    assert tokens.token_of(shop, NOW) == "shpat_1"
    assert tokens.token_of(shop, NOW + timedelta(hours=23)) == "shpat_1"
    assert tokens.token_of(shop, NOW + timedelta(hours=23, minutes=55)) == "shpat_2"


def test_a_token_that_is_refused_before_its_time_is_got_anew_once() -> None:
    outbound = Canned(_token("shpat_1"), reply({}, 401), _token("shpat_2"), data(a=1))
    assert ask(account(outbound, credentials=APP), "{ a }") == {"a": 1}
    outbound = Canned(reply({}, 401), _token("shpat_3"), reply({}, 401))
    with pytest.raises(Refused):
        ask(account(outbound, credentials=APP), "{ a }")


def test_an_app_that_is_not_installed_is_told_so() -> None:
    with pytest.raises(KeyRefused, match="Is the app installed there"):
        ask(account(Canned(reply({"error": "shop_not_permitted"}, 400)), credentials=APP), "{ a }")
    with pytest.raises(KeyRefused, match="frozen"):
        ask(account(Canned(reply({"errors": "Payment Required"}, 402)), credentials=APP), "{ a }")
    with pytest.raises(KeyRefused, match="either a token"):
        ask(account(Canned(), credentials={"client_secret": "hush"}), "{ a }")


def test_no_secret_is_sent_to_an_address_that_is_not_shopifys() -> None:
    outbound = Canned()
    with pytest.raises(Exception, match=r"name\.myshopify\.com"):
        ask(account(outbound, credentials=APP, address="https://evil.tld"), "{ a }")
    assert outbound.calls == []
