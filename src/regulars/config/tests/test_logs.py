import json
import logging

import pytest
import structlog
from django.test import Client

from regulars.config import logs


def format_of(record: logging.LogRecord) -> dict[str, object]:
    """One record as the handler that ``configure`` made writes it."""
    (handler,) = [
        h for h in logging.getLogger().handlers if isinstance(h.formatter, structlog.stdlib.ProcessorFormatter)
    ]
    line: dict[str, object] = json.loads(handler.format(record))
    return line


def record_of(message: str, *arguments: object, failure: BaseException | None = None) -> logging.LogRecord:
    information = (type(failure), failure, failure.__traceback__) if failure else None
    return logging.LogRecord("some.library", logging.ERROR, __file__, 1, message, arguments, information)


def raise_it() -> None:
    mail = "jane@shop.example"
    raise ValueError(f"duplicate key\nDETAIL: Key (email)=({mail}) already exists.")


def test_a_library_s_record_is_one_json_object() -> None:
    line = format_of(record_of("%s is away", "the database"))
    assert (line["event"], line["level"], line["logger"]) == ("the database is away", "error", "some.library")
    assert str(line["timestamp"]).endswith("Z")


def test_a_traceback_holds_neither_variables_nor_values_of_rows() -> None:
    try:
        raise_it()
    except ValueError as error:
        line = format_of(record_of("failed", failure=error))
    text = json.dumps(line)
    assert "duplicate key" in text
    assert "raise_it" in text
    assert "jane@shop.example" not in text
    assert "locals" not in text


def test_keys_that_name_people_or_secrets_are_hidden() -> None:
    hidden = logs.hide_personal_data(None, "info", {"event": "sent", "email": "jane@shop.example", "message_id": 7})
    assert hidden == {"event": "sent", "email": "hidden", "message_id": 7}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/v1/projects/secret-é/settings", "Not Found: /v1/projects/<str:key>/settings"),
        ("/secret@shop.example", "Not Found: an address that there is not"),
    ],
)
def test_what_stands_in_an_address_is_not_told(path: str, said: str, caplog: pytest.LogCaptureFixture) -> None:
    assert Client().get(path).status_code == 404
    [record] = [record for record in caplog.records if record.name == "django.request"]
    line = format_of(record)
    assert line["event"] == said
    assert "secret" not in json.dumps(line)
