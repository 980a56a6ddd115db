"""The quick look that decides what is taken in says the same of every body as whole reading does later."""

import gzip
import json
import random
import subprocess
import sys

import pytest

from regulars.connections.tracking import protocol
from regulars.connections.tracking.protocol import BadBody, in_clear, look, parse_text

SOUND = [
    b'{"batch":[{"a":1.5,"b":"x\\u00e9","c":[true,null,{"d":-0.0e5}]},{}],"writeKey":"k"}',
    '{"writeKey":"k","batch":[{"type":"track","event":"A €","properties":{"p":[1,2]}}],"sentAt":"2026"}'.encode(),
    b'{"writeKey":"k","a":"b","batch":[]}',
]
ODD = [
    b"NaN", b"Infinity", b"-Infinity", b"\\ud800", b"\\u0000", b"\x00", b"\xff", b"\xed\xa0\x80", b"\xc0\x80", b"1" * 4_400,
    b"[" * 300, b"]" * 300, b"\xef\xbb\xbf", b"-", b"+1", b"01", b"1.", b".5", b"1e", b"1e999", b"1e99999999999999999999", b"'",
    b'"', b"\\x", b"\t", b"\n", b"{", b"}", b"[", b"]", b",", b":", b"tru", b"null", b"//", b"\x1f", b'"batch":1,', b'"batch":[],',
    b'"writeKey":"z",', b"\\",
]  # fmt: skip


def _verdict(read: object, body: bytes, path: str) -> tuple[bool, str]:
    """Whether it is taken, and the key that it names, or why it is refused."""
    assert callable(read)
    try:
        key = read(body, path).get("writeKey")
    except BadBody as error:
        return False, str(error)
    return True, key if isinstance(key, str) else ""


def _damaged(body: bytes, dice: random.Random) -> bytes:
    place, until = dice.randrange(len(body) + 1), dice.choice((0, 0, 1, 3))
    return body[:place] + dice.choice([*ODD, b"", bytes([dice.randrange(256)])]) + body[place + until :]


def test_of_whatever_comes() -> None:
    dice, taken = random.Random(2026), 0
    for _ in range(4_000):
        body = _damaged(dice.choice(SOUND), dice)
        for path in ("batch", "t"):
            verdict = _verdict(look, body, path)
            assert verdict == _verdict(parse_text, body, path), body
            taken += verdict[0]
    assert 1_000 < taken < 7_000  # the damage is neither all nor nothing


@pytest.mark.parametrize("body", SOUND)
def test_of_what_is_packed(body: bytes) -> None:
    assert look(in_clear(gzip.compress(body), "", "batch"), "batch")["writeKey"] == "k"
    with pytest.raises(BadBody):
        in_clear(gzip.compress(body)[:-9], "gzip", "batch")


_DEEP = """
import contextlib, sys, threading
sys.setrecursionlimit(10_060)
from regulars.connections.tracking.protocol import BadBody, look
def run():
    for begin, end in (("[", "]"), ('{"":', "}"), ('["]",', "]")):
        deep = begin * 7_000 + "0" + end * 7_000
        for text in ('{"batch": [{"a": %s}]}', '{"batch": [], "writeKey": %s}', '{"batch": [], "writeKey": 1, "a": %s}'):
            with contextlib.suppress(BadBody):
                look((text % deep).encode(), "batch")
threading.stack_size(2 << 20)
thread = threading.Thread(target=run)
thread.start()
thread.join()
print("taken in")
"""


def test_no_depth_overruns_the_stack_of_a_thread_of_the_web_server() -> None:
    """With as many levels as Python 3.13 allows: an overrun would end the process."""
    ended = subprocess.run([sys.executable, "-c", _DEEP], capture_output=True, text=True, check=False, timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "taken in\n", "")


def test_both_decoders_read_the_same() -> None:
    dice, read = random.Random(20111209), 0
    for _ in range(4_000):
        body = _damaged(dice.choice(SOUND), dice)
        try:
            quick = protocol.DECODER.decode(body)
        except (ValueError, RecursionError):
            continue
        assert repr(quick) == repr(json.loads(body, parse_float=protocol.as_written)), body
        read += 1
    assert 500 < read < 3_500


def test_nothing_but_the_key_is_made_into_objects() -> None:
    calls = [{"type": "track", "event": "A", "properties": {"n": n}} for n in range(3)]
    found = look(json.dumps({"batch": calls, "writeKey": "k", "context": {"a": 1}}).encode(), "batch")
    assert found == {"writeKey": "k"}


def test_an_exponent_beyond_all_numbers_stays_as_it_was_written() -> None:
    text = "1e99999999999999999999"
    assert parse_text(f'{{"a": {text}}}'.encode(), "t") == {"a": text}
