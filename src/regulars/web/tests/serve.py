"""The made shop, served: ``python -m regulars.web.tests.serve PORT`` in a process of its own, so that its rows are nobody else's."""

import os
import sys
from datetime import UTC, datetime, timedelta
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import django


class Server(ThreadingMixIn, WSGIServer):
    """One thread for each request, so that a browser's many do not wait for each other."""

    daemon_threads = True


class Quiet(WSGIRequestHandler):
    """Says nothing of each request."""

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.core.handlers.wsgi import WSGIHandler

    from regulars.web.tests.shop import make_shop

    make_shop(datetime.now(UTC) - timedelta(hours=1))
    server = Server(("127.0.0.1", int(sys.argv[1])), Quiet)
    server.set_app(StaticFilesHandler(WSGIHandler()))
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
