"""``python -m demo``: the whole product on the demo shop, with one command and until Ctrl-C."""

import argparse
import os
import secrets
import sys
from pathlib import Path

from demo.place import Place, find_place, present_environment
from demo.progress import say, step
from regulars.config import services
from regulars.foundation.errors import RegularsError
from regulars.foundation.supervisor.processes import Service
from regulars.foundation.supervisor.supervisor import Supervisor, supervise, wait_for_http

_SECRET_LENGTH = 48


class DemoFailed(RegularsError):
    """The demo could not be made; what stands above says why. Run the same command again: it goes on where it stopped."""

    code = "demo-failed"
    status = 503


def main() -> int:
    """Exit code 0 after Ctrl-C, 1 with one sentence when something stands in the way."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument(
        "--lines", type=int, help="take a slice of the shop: whole customers of about so many order lines"
    )
    lines = parser.parse_args().lines
    outer = present_environment()
    try:
        place = find_place(outer)
        secret = _secret(place.home, outer.get("REGULARS_SECRET_KEY", ""))
        os.environ.update(place.environment(outer) | {"REGULARS_SECRET_KEY": secret})
        _run(place, lines)
    except RegularsError as error:
        sys.stderr.write(f"{error.sentence}\n")
        return 1
    except KeyboardInterrupt:
        pass
    say("Everything is stopped.")
    return 0


def _run(place: Place, lines: int | None) -> None:
    say(f"Regulars, the demo (its data: {place.home})")
    with supervise(place.home, services.embedded_server()) as supervisor:
        with step("Database and tables"):
            _must(supervisor, services.migrate())
        supervisor.keep(
            _module("catcher", "demo.catcher", "--smtp", str(place.smtp_port), "--web", str(place.catcher_port))
        )
        slice_of = ["--lines", str(lines)] if lines else []
        _must(supervisor, _module("prepare", "demo.prepare", "--shop", place.shop_address, *slice_of))
        supervisor.keep(services.web())
        supervisor.keep(services.worker())
        with step("Web server and worker"):
            if not wait_for_http(f"http://127.0.0.1:{place.port}/healthz", 60):
                raise DemoFailed(f"The web server does not answer; it says why in {place.home / 'log' / 'web.log'}")
        address = os.environ["REGULARS_PUBLIC_URL"]
        supervisor.keep(_module("web-shop", "demo.web_shop", "--port", str(place.shop_port), "--regulars", address))
        _greet(place)
        supervisor.wait()
        say("\nStopping …")


def _must(supervisor: Supervisor, service: Service) -> None:
    if supervisor.run(service):
        raise DemoFailed


def _module(name: str, module: str, *arguments: str) -> Service:
    return Service(name, [sys.executable, "-m", module, *arguments], dict(os.environ))


def _secret(home: Path, given: str) -> str:
    """The key that signs sessions: the caller's, else one of this folder's own, kept with mode 0600."""
    kept = home / "demo" / "secret"
    if given:
        return given
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.touch(mode=0o600)
        kept.write_text(secrets.token_urlsafe(_SECRET_LENGTH))
    return kept.read_text()


def _greet(place: Place) -> None:
    password = (place.home / "demo" / "password").read_text()
    say(
        f"\n  Regulars     {place.address}\n  Sign in as   demo@regulars.example\n  Password     {password}\n"
        f"  Web shop     {place.shop_address}   (click through it, and watch it arrive under Connections)\n"
        f"  Caught mail  {place.catcher_address}   (nothing leaves this machine)\n\n  Ctrl-C stops everything.\n",
    )


if __name__ == "__main__":
    sys.exit(main())
