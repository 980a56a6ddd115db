"""An application for the web server of a test: it says how much was sent, or 60 MB to who sends nothing. Its watch is in more of a hurry."""

from collections.abc import Iterable
from typing import Any

from regulars.foundation.inbox import bodies

bodies.SLOW, bodies.PATIENCE, bodies.HASTE, bodies.EVERY = 0.05, 3600.0, 0.05, 0.05
bodies.watch_connections()


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [])
    if environ["REQUEST_METHOD"] == "GET":
        return bodies.Pieces((bytes(60_000) for _ in range(1000)), environ)
    return [str(len(bodies.Body(environ).read(int(environ["CONTENT_LENGTH"])))).encode()]
