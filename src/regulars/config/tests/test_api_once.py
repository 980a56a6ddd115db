"""Bar 26, for every write of the API: under one Idempotency-Key it happens once, whatever comes between."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from regulars.config.tests.test_api import Caller, problem_of
from regulars.config.tests.writes import ASKED, WRITES, People, make_house, routes, written
from regulars.foundation.access.models import IdempotentReply
from regulars.foundation.api import idempotency

every_write = pytest.mark.parametrize("route", WRITES)


@pytest.fixture
def house(db: None) -> People:
    return make_house()


@pytest.fixture
def api(house: People) -> Caller:
    return Caller()


def test_every_write_is_here() -> None:
    assert {*WRITES, *ASKED} == set(routes("post"))
    assert routes("put") == ["/workflows/{workflow_id}/definition"]  # the same again changes nothing


@pytest.mark.django_db
@every_write
def test_a_repeated_key_gets_the_same_reply_and_a_changed_body_is_refused(
    house: People, api: Caller, route: str
) -> None:
    write = WRITES[route](house)
    first = api.send("POST", write.path, write.body, Idempotency_Key="k")
    assert first.status_code in (200, 201), first.content
    after = written()
    second = api.send("POST", write.path, write.body, Idempotency_Key="k")
    assert (second.status_code, second.content) == (first.status_code, first.content)
    assert second["Idempotent-Replayed"] == "true"
    refused = api.send("POST", write.path, write.other, Idempotency_Key="k")
    assert problem_of(refused, 422)["code"] == "idempotency-key-reused"
    assert written() == after


@pytest.mark.django_db
@every_write
def test_a_key_at_work_is_409_and_one_whose_worker_died_completes_once(
    house: People, api: Caller, route: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, before = WRITES[route](house), written()

    def die(*given: Any) -> bytes:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(idempotency, "seal", die)  # when all is written, and nobody was told
        patched.setattr(idempotency, "_forget", lambda key: None)
        api.send("POST", write.path, write.body, Idempotency_Key="k")
    assert written() == before
    refused = api.send("POST", write.path, write.body, Idempotency_Key="k")
    assert problem_of(refused, 409)["code"] == "idempotency-key-in-use"
    assert written() == before
    IdempotentReply.objects.update(created_at=datetime.now(UTC) - timedelta(minutes=2))
    done = api.send("POST", write.path, write.body, Idempotency_Key="k")
    assert done.status_code in (200, 201), done.content
    after = written()
    assert after != before
    again = api.send("POST", write.path, write.body, Idempotency_Key="k")
    assert (again.content, written()) == (done.content, after)


@pytest.mark.django_db(transaction=True)
def test_many_at_once_under_one_key_write_once() -> None:
    house, caller = make_house(), Caller()
    replies: list[tuple[str, int]] = []

    def send(route: str, path: str, body: Any) -> None:
        replies.append((route, caller.send("POST", path, body, Idempotency_Key="k").status_code))
        connection.close()

    before = written()
    writes = {route: WRITES[route](house) for route in ("/events", "/customers/{customer_id}/merge")}
    threads = [
        threading.Thread(target=send, args=(route, write.path, write.body))
        for route, write in writes.items()
        for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {status for _, status in replies} <= {200, 201, 409}
    assert {route for route, status in replies if status != 409} == writes.keys()
    events, _, decisions, *rest = written()
    assert (decisions - before[2], rest) == (1, list(before[3:]))
    assert events - before[0] == 2  # what was told, and that two became one
