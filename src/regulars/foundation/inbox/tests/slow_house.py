"""An application for the web server of a test: it reads what is sent and says how much that was. Its watch is in more of a hurry."""

from typing import Any

from regulars.foundation.inbox import bodies

bodies.SLOW, bodies.PATIENCE, bodies.HASTE, bodies.EVERY = 0.05, 3600.0, 0.05, 0.05
bodies.watch_bodies()


def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    body = bodies.Body(environ).read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", [])
    return [str(len(body)).encode()]
