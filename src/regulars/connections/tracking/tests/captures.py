"""Requests of real client libraries as they went over the wire: ``captures/<library>/<number>.raw``."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any

from django.test import Client

from regulars.connections.tracking.protocol import decompress

FOLDER = Path(__file__).parent / "captures"
WRITE_KEY = b"WRITE_KEY"  # what all of them were recorded with


@dataclass(frozen=True)
class Capture:
    """One request. ``name`` is library and number."""

    name: str
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def payload(self) -> dict[str, Any]:
        """What the body says, for comparison."""
        found: dict[str, Any] = json.loads(decompress(self.body, self.headers.get("content-encoding", ""), 10**9))
        return found

    @property
    def calls(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.payload.get("batch", [self.payload])
        return found

    def send(self, client: Client, key: str, basic: str) -> Any:
        """Again, byte for byte, but for the key in the header. ``basic`` is the key as Basic names it."""
        headers = {k: v for k, v in self.headers.items() if k not in {"host", "content-length", "cookie", "connection"}}
        if "authorization" in headers:
            headers["authorization"] = basic
        path = self.path.replace(WRITE_KEY.decode(), key)
        label = headers.pop("content-type", "application/octet-stream")
        return client.generic(self.method, path, self.body, content_type=label, headers=headers)


def all_captures(library: str = "*") -> Iterator[Capture]:
    for path in sorted(FOLDER.glob(f"{library}/*.raw")):
        head, body = re.split(rb"\r?\n\r?\n", path.read_bytes(), maxsplit=1)
        first, rest = re.split(rb"\r?\n", head, maxsplit=1)
        method, address, _ = first.decode().split(" ")
        found = BytesHeaderParser().parsebytes(rest + b"\r\n\r\n")
        headers = {name.lower(): re.sub(r"\s+", " ", str(value)) for name, value in found.items()}
        yield Capture(f"{path.parent.name}/{path.stem}", method, address, headers, body)
