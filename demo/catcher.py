"""The demo's mail catcher: takes every mail by SMTP, keeps it in the data folder, and shows it on a page of its own.

``python -m demo.catcher --smtp 1025 --web 8025``. It listens on this machine only and passes nothing on.
"""

import argparse
import asyncio
import re
import signal
import sys
import threading
import uuid
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiosmtpd.controller import Controller

from demo.place import present_environment

_LOCAL = "127.0.0.1"
PAGE = 100
_NAME = re.compile(r"[0-9a-f]{32}")
_POLICY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self';"
    " form-action 'self'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_STYLE = Path(__file__).with_suffix(".css").read_text()


@dataclass(frozen=True)
class Caught:
    """One caught mail: as it came, and read."""

    name: str
    raw: bytes
    mail: EmailMessage

    @property
    def subject(self) -> str:
        return str(self.mail["Subject"] or "(no subject)")

    @property
    def to(self) -> str:
        return str(self.mail["To"] or "")

    def part(self, kind: str) -> str:
        body = self.mail.get_body((kind,))
        return str(body.get_content()) if body is not None else ""

    @property
    def when(self) -> str:
        try:
            return f"{parsedate_to_datetime(str(self.mail['Date'])):%d %b %Y, %H:%M}"
        except (TypeError, ValueError):
            return ""


class Mails:
    """The folder of caught mails: a file each, in the order in which they came."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._order = [
            path.name.removesuffix(".eml") for path in sorted(folder.glob("*.eml"), key=lambda p: p.stat().st_mtime_ns)
        ]

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        name = uuid.uuid4().hex
        fresh = self.folder / f"{name}.tmp"
        fresh.write_bytes(envelope.original_content)
        fresh.rename(self.folder / f"{name}.eml")
        with self._lock:
            self._order.append(name)
        return "250 Caught"

    def find(self, name: str) -> Caught | None:
        path = self.folder / f"{name}.eml"
        if not _NAME.fullmatch(name) or not path.exists():
            return None
        raw = path.read_bytes()
        return Caught(name, raw, message_from_bytes(raw, policy=policy.default))

    def newest(self, wanted: str) -> list[Caught]:
        """The newest mails whose recipient or subject holds these letters."""
        with self._lock:
            names = list(reversed(self._order))
        found: list[Caught] = []
        for name in names:
            caught = self.find(name)
            if caught and wanted.lower() in f"{caught.to} {caught.subject}".lower():
                found.append(caught)
            if len(found) == PAGE:
                break
        return found

    def __len__(self) -> int:
        return len(self._order)


def _page(title: str, content: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>{content}</main></body></html>"
    )


def list_page(mails: Mails, wanted: str) -> str:
    """The newest mails, and a search."""
    rows = "".join(
        f'<tr><td><a href="/mail/{m.name}"><strong>{escape(m.subject)}</strong></a></td>'
        f'<td>{escape(m.to)}</td><td class="end">{m.when}</td></tr>'
        for m in mails.newest(wanted)
    )
    table = (
        f"<table><thead><tr><th>Subject</th><th>To</th><th class='end'>Sent</th></tr></thead><tbody>{rows}</tbody></table>"
        if rows
        else ("<p>Nothing yet. Mails appear here as soon as a workflow sends one.</p>")
    )
    words = 'placeholder="Search recipient or subject" aria-label="Search"'
    search = f'<form><input type="search" name="q" value="{escape(wanted)}" {words}></form>'
    count = len(mails)
    sentence = f"{count} mail{' was' if count == 1 else 's were'} caught here. None left this machine."
    sentence += f" The newest {PAGE} are shown." if count > PAGE else ""
    return _page("Caught mail", f"<h1>Caught mail</h1><p>{sentence}</p>{search}{table}")


_VIEWS = (("html", "", "As the reader sees it"), ("text", "?as=text", "Plain text"), ("source", "?as=source", "Source"))


def mail_page(mail: Caught, view: str) -> str:
    """One mail: as its reader sees it, as plain text, or as it came."""
    shown = [
        name
        for name in ("From", "To", "Date", "List-Unsubscribe", "List-Unsubscribe-Post", "Message-ID")
        if mail.mail[name]
    ]
    facts = "".join(f"<dt>{escape(name)}</dt><dd>{escape(str(mail.mail[name]))}</dd>" for name in shown)
    views = "".join(
        f'<a href="/mail/{mail.name}{address}"{" aria-current=page" if key == view else ""}>{label}</a>'
        for key, address, label in _VIEWS
    )
    if view == "text":
        body = f"<pre>{escape(mail.part('plain'))}</pre>"
    elif view == "source":
        body = f"<pre>{escape(mail.raw.decode(errors='replace'))}</pre>"
    else:
        body = f'<iframe sandbox="allow-popups allow-popups-to-escape-sandbox" title="The mail" src="/mail/{mail.name}/html"></iframe>'
    return _page(
        mail.subject,
        f'<nav><a href="/">All mails</a></nav><h1>{escape(mail.subject)}</h1><dl>{facts}</dl><nav>{views}</nav>{body}',
    )


class Pages(BaseHTTPRequestHandler):
    """Serves the pages; only GET, only this machine."""

    mails: Mails

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        asked = parse_qs(address.query)
        pieces = address.path.strip("/").split("/")
        if address.path == "/":
            self._answer(200, list_page(self.mails, asked.get("q", [""])[0][:100]))
            return
        mail = self.mails.find(pieces[1]) if len(pieces) in {2, 3} and pieces[0] == "mail" else None
        if mail is None:
            self._answer(404, _page("Not here", '<h1>There is no such mail</h1><p><a href="/">All mails</a></p>'))
        elif pieces[2:] == ["html"]:
            html = mail.part("html") or f"<pre>{escape(mail.part('plain'))}</pre>"
            self._answer(200, html.replace("<head>", '<head><base target="_blank">', 1))
        else:
            self._answer(200, mail_page(mail, asked.get("as", ["html"])[0]))

    def _answer(self, status: int, body: str) -> None:
        raw = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(raw)))
        for name, value in _POLICY.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: Any) -> None:
        """Addresses of mails stay out of the log."""


def main() -> int:
    """Runs until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m demo.catcher", description=__doc__)
    parser.add_argument("--smtp", type=int, required=True, help="port that takes mail")
    parser.add_argument("--web", type=int, required=True, help="port that shows it")
    given = parser.parse_args()
    home = Path(present_environment().get("REGULARS_HOME") or ".regulars").expanduser().resolve()
    mails = Mails(home / "demo" / "mail")
    takes = Controller(
        mails,
        hostname=_LOCAL,
        port=given.smtp,
        ready_timeout=10,
        data_size_limit=10_000_000,
        loop=asyncio.new_event_loop(),
    )
    pages = ThreadingHTTPServer((_LOCAL, given.web), type("CaughtPages", (Pages,), {"mails": mails}))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=pages.shutdown).start())
    takes.start()
    pages.serve_forever(poll_interval=0.2)
    takes.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
