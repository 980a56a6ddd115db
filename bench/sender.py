"""Sends bodies over HTTP and times the answers, in a process of its own: ``python -m bench.sender ADDRESS KEY FILE RATE CONNECTIONS SECONDS``.

The file holds one body a line, each sent once. With a rate (a second; 0: as fast as answers come) each body has its moment, and its answer is
timed from there: whoever is answered late is not sent later because of it. Ends with the file or the time. Prints what came of it as JSON.
"""

import base64
import http.client
import json
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit


@dataclass
class Sender:
    """Connections that share a list of bodies."""

    address: str
    key: str
    bodies: list[bytes]
    rate: float
    seconds: float
    statuses: Counter[int] = field(default_factory=Counter)
    times: list[float] = field(default_factory=list)
    _next: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _began: float = 0.0

    def run(self, connections: int) -> dict[str, object]:
        """What was answered, how fast, and how long it took (milliseconds)."""
        self._began = time.perf_counter()
        threads = [threading.Thread(target=self._send_all) for _ in range(connections)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - self._began
        ordered = sorted(self.times)
        at = {name: ordered[int(len(ordered) * part)] * 1000 for name, part in (("p50", 0.5), ("p99", 0.99))}
        return {"count": len(ordered), "seconds": seconds, "statuses": dict(self.statuses), **at}

    def _send_all(self) -> None:
        parts = urlsplit(self.address)
        line = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        named = {"Authorization": "Basic " + base64.b64encode(f"{self.key}:".encode()).decode()}
        while (taken := self._take()) is not None:
            due, body = taken
            time.sleep(max(0.0, due - time.perf_counter()))
            began = due if self.rate else time.perf_counter()
            line.request("POST", parts.path, body, named | {"Content-Type": "application/json"})
            answer = line.getresponse()
            answer.read()
            self._note(answer.status, time.perf_counter() - began)

    def _take(self) -> tuple[float, bytes] | None:
        with self._lock:
            due = self._began + (self._next / self.rate if self.rate else 0)
            if self._next >= len(self.bodies) or max(due, time.perf_counter()) > self._began + self.seconds:
                return None
            self._next += 1
            return due, self.bodies[self._next - 1]

    def _note(self, status: int, seconds: float) -> None:
        with self._lock:
            self.statuses[status] += 1
            self.times.append(seconds)


def main(address: str, key: str, path: str, rate: str, connections: str, seconds: str) -> None:
    bodies = Path(path).read_bytes().splitlines()
    print(json.dumps(Sender(address, key, bodies, float(rate), float(seconds)).run(int(connections))))  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
