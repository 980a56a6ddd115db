"""JSON from outside: refused with a sentence when it holds what the database, or a later reader, could not."""

import json
import math
from typing import Any

from django.http import HttpRequest
from django.utils.datastructures import MultiValueDict
from ninja.parser import Parser

from regulars.foundation.errors import InvalidInput

LARGEST = 1_000_000
DEEPEST = 120  # conditions with groups 40 deep need 90, those of workflows some more
LONGEST_NUMBER = 40


class BadJson(InvalidInput):
    """This is not JSON that can be used."""

    code = "bad-json"


class BodyTooLarge(InvalidInput):
    """This body is too large: send at most 1 MB."""

    code = "too-large"
    status = 413


class NotSentAsJson(InvalidInput):
    """A body is sent as JSON: say so with Content-Type: application/json."""

    code = "not-sent-as-json"
    status = 415


class SafeParser(Parser):
    """Bodies of the API."""

    def parse_body(self, request: HttpRequest) -> Any:
        kind = request.content_type or ""
        if request.body and kind and kind != "application/json" and not kind.endswith("+json"):
            raise NotSentAsJson
        return parse_json(request.body)

    def parse_querydict(
        self, data: MultiValueDict[str, Any], list_fields: list[str], request: HttpRequest
    ) -> dict[str, Any]:
        parsed = super().parse_querydict(data, list_fields, request)
        if _has_nul(parsed):
            raise BadJson("This address holds the character NUL.")
        return parsed


def parse_json(raw: bytes) -> Any:
    """Raises BadJson for what is not JSON, for NaN, endless numbers, NUL, lone surrogates and deep nesting;
    BodyTooLarge.
    """
    if len(raw) > LARGEST:
        raise BodyTooLarge
    _check_depth(raw)
    try:
        parsed = json.loads(raw.decode("utf-8"), parse_constant=_no_constant, parse_int=_integer, parse_float=_number)
        json.dumps(parsed, ensure_ascii=False).encode("utf-8")  # a lone surrogate cannot be written
    except UnicodeError as error:
        raise BadJson("This JSON holds text that is not Unicode.") from error
    except (ValueError, RecursionError) as error:
        raise BadJson(f"This is not JSON: {error}"[:200]) from error
    if rb"\u0000" in raw and _has_nul(parsed):
        raise BadJson("This JSON holds the character NUL.")
    return parsed


def _check_depth(raw: bytes) -> None:
    """Counts brackets outside strings before anything recurses."""
    depth, in_text, is_escaped = 0, False, False
    for byte in raw:
        if in_text:
            in_text = is_escaped or byte != 0x22
            is_escaped = not is_escaped and byte == 0x5C
        elif byte == 0x22:
            in_text = True
        elif byte in b"[{":
            depth += 1
            if depth > DEEPEST:
                raise BadJson(f"This JSON is nested more than {DEEPEST} deep.")
        elif byte in b"]}":
            depth -= 1


def _no_constant(text: str) -> float:
    raise BadJson(f"{text} is not a number in JSON.")


def _integer(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise BadJson(f"A number has more than {LONGEST_NUMBER} digits.")
    value = int(text)
    if not -(2**63) <= value < 2**63:
        raise BadJson("A whole number does not fit into 64 bits.")
    return value


def _number(text: str) -> float:
    if len(text) > LONGEST_NUMBER or not math.isfinite(value := float(text)):
        raise BadJson("A number is too large or too long.")
    return value


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(_has_nul(k) or _has_nul(v) for k, v in value.items())
    return isinstance(value, list) and any(map(_has_nul, value))
