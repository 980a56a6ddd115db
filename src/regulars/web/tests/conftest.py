"""The made shop in a process of its own, made once for all tests of these pages that one process runs."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, StorageState, expect

from regulars.web.tests.shop import OWNER, PASSWORD
from tests.browsers import open_browser
from tests.database import Database


@pytest.fixture(scope="session")
def shop_address(database_server: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the served shop."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = tmp_path_factory.mktemp("shop-home")
    with database_server.copy(f"web_{os.getpid()}") as address:
        environment = os.environ | {
            "DATABASE_URL": address,
            "REGULARS_TEST_HOME": str(home),
            "DJANGO_SETTINGS_MODULE": "tests.settings",
        }
        command = [sys.executable, "-m", "regulars.web.tests.serve", str(port)]
        with subprocess.Popen(
            command, env=environment, cwd=Path(__file__).parents[4], stdout=subprocess.PIPE, text=True
        ) as server:
            try:
                assert server.stdout is not None
                assert server.stdout.readline().strip() == "ready"
                yield f"http://127.0.0.1:{port}"
            finally:
                server.kill()


@pytest.fixture(scope="session")
def visitor(shop_address: str) -> Iterator[httpx.Client]:
    """Signed in as the owner, by HTTP."""
    with httpx.Client(base_url=shop_address, follow_redirects=True, timeout=30) as client:
        client.get("/sign-in")
        answer = client.post(
            "/sign-in",
            data={
                "email": OWNER,
                "password": PASSWORD,
                "csrfmiddlewaretoken": client.cookies[settings.CSRF_COOKIE_NAME],
            },
        )
        assert answer.url.path == "/"
        yield client


@pytest.fixture(
    scope="module"
)  # Playwright's event loop must not outlive the module: it would hinder others' async code
def browser() -> Iterator[Browser]:
    with open_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def session(browser: Browser, shop_address: str) -> Iterator[StorageState]:
    """Cookies of somebody who is signed in."""
    context = browser.new_context(base_url=shop_address)
    page = context.new_page()
    page.goto("/sign-in")
    page.fill("#email", OWNER)
    page.fill("#password", PASSWORD)
    page.click("button[type=submit]")
    expect(page.locator("h1")).to_have_text("Home")
    yield context.storage_state()
    context.close()


@pytest.fixture
def page(browser: Browser, shop_address: str, session: StorageState) -> Iterator[Page]:
    context = browser.new_context(
        base_url=shop_address, storage_state=session, viewport={"width": 1440, "height": 950}, reduced_motion="reduce"
    )
    yield context.new_page()
    context.close()
