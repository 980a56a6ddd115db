import json

import psycopg
import pytest
from django.conf import settings as product_settings
from django.db import InternalError, OperationalError, connection
from django.test import Client, RequestFactory
from pytest_django import Settings

from regulars.foundation.health.metrics import GAUGES, Gauge
from regulars.foundation.health.middleware import DatabaseAway
from regulars.foundation.health.queries import _Remembered

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Remembered, "applied", False)


def break_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise OperationalError("connection refused: secret-host")

    monkeypatch.setattr(connection, "cursor", refuse)


def test_alive_and_ready(client: Client) -> None:
    for address in ("/healthz", "/readyz"):
        answer = client.get(address)
        assert (answer.status_code, answer.content, answer["Cache-Control"]) == (200, b"ok", "no-store")


def test_alive_but_not_ready_without_the_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    break_database(monkeypatch)
    assert client.get("/healthz").status_code == 200
    answer = client.get("/readyz")
    assert (answer.status_code, answer.content) == (503, b"The database cannot be reached.")


def test_not_ready_while_migrations_wait(client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'work'")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.content.endswith(b"run 'regulars migrate'.")


@pytest.mark.parametrize(
    ("token", "headers", "address", "expected"),
    [
        ("", {}, "127.0.0.1", 200),
        ("", {}, "::1", 200),
        ("", {}, "10.0.0.9", 404),
        ("", {}, "", 404),
        ("", {"X-Forwarded-For": "127.0.0.1"}, "127.0.0.1", 404),  # a proxy on this machine speaks for the world
        ("", {"Forwarded": "for=127.0.0.1"}, "127.0.0.1", 404),
        ("s3cret", {}, "127.0.0.1", 404),
        ("s3cret", {"Authorization": "Bearer wrong"}, "127.0.0.1", 404),
        ("s3cret", {"Authorization": "Bearer é"}, "127.0.0.1", 404),
        ("s3cret", {"Authorization": "s3cret"}, "10.0.0.9", 404),
        ("s3cret", {"Authorization": "Bearer s3cret", "X-Forwarded-For": "10.0.0.9"}, "10.0.0.9", 200),
    ],
)
def test_who_may_read_the_metrics(
    client: Client, settings: Settings, token: str, headers: dict[str, str], address: str, expected: int
) -> None:
    settings.METRICS_TOKEN = token
    answer = client.get("/metrics", headers=headers, REMOTE_ADDR=address)
    assert answer.status_code == expected
    assert (b"regulars_database_up 1.0" in answer.content) is (expected == 200)


def test_metrics_show_registered_gauges_and_routes_without_ids(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(GAUGES._entries, "test_rows", Gauge("Rows", lambda: [(("late",), 3.0)], ("state",)))
    client.get("/nothing/here/7?q=Jane")
    text = client.get("/metrics").content.decode()
    assert 'regulars_test_rows{state="late"} 3.0' in text
    assert 'regulars_http_requests_total{method="GET",route="(none)",status="404"}' in text
    assert "Jane" not in text
    assert "nothing/here" not in text


def test_without_the_database_metrics_still_say_so(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    break_database(monkeypatch)
    monkeypatch.setitem(GAUGES._entries, "test_rows", Gauge("Rows", lambda: [((), 3.0)]))
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert b"regulars_database_up 0.0" in answer.content
    assert b"regulars_test_rows" not in answer.content


@pytest.mark.parametrize("address", ["/api/v1/customers", "/customers"])
def test_an_absent_database_is_one_sentence_and_comes_with_when_to_try_again(rf: RequestFactory, address: str) -> None:
    def view(request: object) -> None:
        raise OperationalError("connection refused: secret-host")

    answer = DatabaseAway(view)(rf.get(address))  # type: ignore[arg-type]
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    content = answer.content  # type: ignore[attr-defined]
    assert b"The database does not answer at the moment" in content
    assert b"secret-host" not in content
    if address.startswith("/api/"):
        assert answer["Content-Type"] == "application/problem+json"
        assert json.loads(content)["status"] == 503


@pytest.mark.parametrize("cause", [psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure])
def test_a_write_that_others_made_fail_is_no_absence(rf: RequestFactory, cause: type[psycopg.Error]) -> None:
    """Where nobody begins it again: a program is told to come back in a second."""

    def view(request: object) -> None:
        raise OperationalError("deadlock detected: secret-table") from cause()

    answer = DatabaseAway(view)(rf.post("/api/v1/customers"))  # type: ignore[arg-type]
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    said = json.loads(answer.content)  # type: ignore[attr-defined]
    assert said["detail"].startswith("Others were changing the same at the same moment")
    assert "secret-table" not in json.dumps(said)


@pytest.mark.parametrize(
    ("code", "said", "is_full"),
    [
        (psycopg.errors.InternalError_, 'could not extend file "base/5/16403": Disk quota exceeded', True),
        (psycopg.errors.InternalError_, "cache lookup failed for relation 16403", False),
        (psycopg.errors.DataCorrupted, 'could not read "x": Disk quota exceeded', False),
    ],
)
def test_a_used_up_quota_is_a_full_disk_and_other_defects_of_the_database_are_none(
    rf: RequestFactory, code: type[psycopg.Error], said: str, is_full: bool
) -> None:
    def view(request: object) -> None:
        raise InternalError(said) from code(said)

    middleware, request = DatabaseAway(view), rf.post("/v1/track")  # type: ignore[arg-type]
    if is_full:
        answer = middleware(request)
        assert (answer.status_code, answer["Retry-After"]) == (503, "10")
        assert b"16403" not in answer.content  # type: ignore[attr-defined]
    else:
        with pytest.raises(InternalError):
            middleware(request)


def test_a_page_says_so_too_when_its_session_cannot_be_read(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.cookies[product_settings.SESSION_COOKIE_NAME] = "abcdefghijklmnopqrstuvwxyz012345"
    break_database(monkeypatch)
    client.raise_request_exception = False
    answer = client.get("/")
    assert (answer.status_code, answer["Content-Type"]) == (503, "text/plain; charset=utf-8")


def test_the_api_says_so_too_when_a_token_cannot_be_checked(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    break_database(monkeypatch)
    client.raise_request_exception = False
    answer = client.get("/api/v1/customers", headers={"Authorization": "Bearer reg_0123456789abcdef0123456789abcdef"})
    assert (answer.status_code, answer["Content-Type"]) == (503, "application/problem+json")
