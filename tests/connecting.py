"""Models of a test process on a database that another process of ours serves."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connections

from regulars.config.databases import settings_for


@contextmanager
def connected(address: str) -> Iterator[None]:
    """Inside, this process's models ask that database. Playwright's loop does not run the queries, so they may beside it."""
    kept = dict(connections.settings["default"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        connections["default"].close()
        connections.settings["default"].update(settings_for(address))
        try:
            yield
        finally:
            connections["default"].close()
            connections.settings["default"].update(kept)
