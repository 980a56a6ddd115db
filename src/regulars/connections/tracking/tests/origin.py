"""A web site of another origin, served from memory and folders: where a shop's pages with a tracker lie."""

import mimetypes
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit


@contextmanager
def serve_pages(pages: Mapping[str, str | Path]) -> Iterator[int]:
    """Serves these until the end of the block; gives the port. ``pages``: text of an HTML page by path, or the folder below a path."""

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            body, kind = _find(path, pages)
            self.send_response(200 if body is not None else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def _find(path: str, pages: Mapping[str, str | Path]) -> tuple[bytes | None, str]:
    for place, page in pages.items():
        if isinstance(page, str) and path == place:
            return page.encode(), "text/html; charset=utf-8"
        if isinstance(page, Path) and path.startswith(place) and (page / path.removeprefix(place)).is_file():
            return (page / path.removeprefix(place)).read_bytes(), mimetypes.guess_type(path)[0] or "text/plain"
    return None, "text/plain"
