"""A part of the chaos: the database is stopped, cut off and full while shops and trackers send and staff upload files. They are told 503,
and thanked for nothing that is not there afterwards; once it is back everybody is served again, by the same web server.
"""

import base64
import hashlib
import http.client
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

import regulars.connections.base.jobs
import regulars.connections.tracking.jobs  # noqa: F401  and of what trackers tell
from chaos.verdict import Finding, print_table
from chaos.web import Web
from fakes.woocommerce import Shop
from regulars.connections.base.accounts import give_key, keep_secrets, new_secret, read_secrets
from regulars.connections.base.models import Connection, ConnectionState
from regulars.connections.files.copies import open_copy, plain_pieces
from regulars.connections.files.models import Import
from regulars.connections.files.operations import sweep_copies
from regulars.connections.files.sealed import key_of
from regulars.connections.tracking.keys import create_key
from regulars.connections.woocommerce.signing import webhook_signature
from regulars.foundation import clock
from regulars.foundation.access.models import StaffMember
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.embedded.server import OWNER, EmbeddedServer
from regulars.foundation.inbox.frames import list_files
from regulars.foundation.inbox.models import Item, ItemState
from regulars.foundation.inbox.reading import read_waiting
from regulars.foundation.shop.models import Brand, Store
from regulars.foundation.work.loops import Stop
from regulars.record.events.models import Event
from regulars.record.events.recorded import read_properties
from regulars.record.orders.models import Order

EACH = 6  # of each kind are sent in each phase
PATIENCE = 30.0  # seconds until the web server has found the database again
DISK = 24  # megabytes
AWAY, BACK = {503}, {200, 302}  # an upload leads on to its page


def run(seed: int, kills: int, server: EmbeddedServer | None) -> bool:
    """Prints what was done and what was found. ``server`` is ours to stop. True when everything holds."""
    assert server is not None  # noqa: S101  the part has one of its own
    began = time.monotonic()
    with _small_disk(server) as fill:
        with Web() as web:
            senders = _Senders(web.port, *_shop(), *_staff())
            senders.send("while all is well", BACK)
            _stop(server, senders)
            if fill:
                _fill_up(fill, senders)
        while read_waiting(Stop(), clock.now()):
            pass
        findings = [*senders.findings, *_judge(senders)]
    told = f"{len(senders.thanked)} bodies and {senders.uploaded} files thanked for, {senders.answers[503]} times 503"
    sys.stdout.write(f"Outage: {told}; {time.monotonic() - began:.0f} s\n{print_table(findings)}\n")
    return all(found.holds for found in findings)


def _stop(server: EmbeddedServer, senders: "_Senders") -> None:
    for at_once, words in ((False, "is stopped"), (True, "had its power cut")):
        connection.close()
        server.stop(at_once=at_once)
        senders.send(f"while the database {words}", AWAY)
        server.start()
        senders.wait_until_thanked()
        senders.send("once it is back", BACK)


def _fill_up(fill: Callable[[bool], None], senders: "_Senders") -> None:
    fill(True)
    senders.wait_until_refused()
    senders.send("while its disk is full", AWAY)
    fill(False)
    senders.wait_until_thanked()
    senders.send("once there is room", BACK)


def _shop() -> tuple[str, Connection]:
    """The text of a tracking key, and a connected shop that nobody calls."""
    brand = Brand.objects.create(name="Outage", from_name="O", from_address="outage@shop.example")
    store = Store.objects.create(code="outage", name="Outage", brand=brand, currency="GBP")
    row = Connection.objects.create(
        platform="woocommerce",
        store=store,
        name="Outage",
        address="https://outage.shop.example",
        state=ConnectionState.ACTIVE,
        master_id="",
        wrapped_key=b"",
        created_at=clock.now(),
    )
    give_key(row)
    keep_secrets(row, read_secrets(row).renewed(new_secret(), clock.now()))
    row.save()
    return create_key("server", "server", store.pk, SYSTEM, clock.now())[1], row


def _staff() -> tuple[Store, str]:
    """The store, and the session of somebody who is signed in and may import."""
    client = Client()
    client.force_login(StaffMember.objects.create(email="outage@shop.example", role="manager"))
    return Store.objects.get(), client.cookies[settings.SESSION_COOKIE_NAME].value


@dataclass
class _Senders:
    """A tracker, a shop, and staff who upload files. ``thanked`` holds the ids of what was answered with 200."""

    port: int
    key: str
    row: Connection
    store: Store
    session: str
    uploaded: int = 0  # files that were answered with 302
    shop: Shop = field(default_factory=Shop)
    thanked: set[str] = field(default_factory=set)
    answers: Counter[int] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    count: int = 0

    def __post_init__(self) -> None:
        self.product = self.shop.add_product(price="19.90", stock=10_000)

    def send(self, when: str, wanted: set[int]) -> None:
        """Some of each kind; how they were answered must be so."""
        found = Counter(status for _ in range(EACH) for status in self._each())
        words = ", ".join(f"{n} times {status}" for status, n in sorted(found.items()))
        self.findings.append(Finding(f"answers {when}", words, set(found) == wanted))

    def wait_until_thanked(self) -> None:
        self._wait(BACK)

    def wait_until_refused(self) -> None:
        """What little room there is left in the files that are there is used up first."""
        self._wait(AWAY)

    def _wait(self, wanted: set[int]) -> None:
        until = time.monotonic() + PATIENCE
        while set(self._each()) != wanted and time.monotonic() < until:
            time.sleep(0.05)

    def _each(self) -> list[int]:
        return [self._track(), self._tell(), self._upload()]

    def _track(self) -> int:
        self.count += 1
        message = f"m{self.count}"
        filling = base64.b64encode(os.urandom(20_000)).decode()  # needs pages of its own
        call = {
            "type": "track",
            "event": "Filled",
            "anonymousId": "a",
            "messageId": message,
            "properties": {"x": filling},
        }
        return self._post(message, "/v1/batch", json.dumps({"batch": [call], "writeKey": self.key}).encode(), {})

    def _tell(self) -> int:
        note = base64.b64encode(os.urandom(20_000)).decode()
        number = self.shop.add_order([(self.product, 1)], email="a@buyers.net", status="processing", customer_note=note)
        body = json.dumps(self.shop.payload("order", number)).encode()
        headers = {
            "X-WC-Webhook-Topic": "order.created",
            "X-WC-Webhook-Resource": "order",
            "X-WC-Webhook-Event": "created",
            "X-WC-Webhook-Signature": webhook_signature(body, read_secrets(self.row).signing).decode(),
            "X-WC-Webhook-ID": "1",
            "X-WC-Webhook-Delivery-ID": f"d{number}",
        }
        return self._post(str(number), f"/hooks/woocommerce/{self.row.public_id}", body, headers)

    def _upload(self) -> int:
        """A file of more than one frame."""
        lines = [f"{n},2026-01-02,a@buyers.net,5.00,{base64.b64encode(os.urandom(600)).decode()}" for n in range(400)]
        file = SimpleUploadedFile("orders.csv", "\n".join(["Order,Date,Email,Total,Note", *lines, ""]).encode())
        token = "t" * 32
        form = {"csrfmiddlewaretoken": token, "kind": "orders", "file": file, "store": self.store.pk}
        cookies = f"regulars_session_{self.port}={self.session}; regulars_csrf_{self.port}={token}"
        headers = {"Content-Type": MULTIPART_CONTENT, "Cookie": cookies}
        status = self._post("", "/imports/new", encode_multipart(BOUNDARY, form), headers)
        self.uploaded += status == 302
        return status

    def _post(self, own_id: str, path: str, body: bytes, headers: dict[str, str]) -> int:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            line.request("POST", path, body, {"Content-Type": "application/json"} | headers)
            status = line.getresponse().status
        finally:
            line.close()
        self.answers[status] += 1
        if status == 200:
            self.thanked.add(own_id)
        return status


@contextmanager
def _small_disk(server: EmbeddedServer) -> Iterator[Callable[[bool], None] | None]:
    """The inbox lies on a disk of its own, which is filled and emptied by what is given; None where no disk can be mounted."""
    place = server.place.data.resolve().parent / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["/bin/mount", "-t", "tmpfs", "-o", f"size={DISK}m", "tmpfs", str(place)], check=False, capture_output=True
    )
    if mounted.returncode:
        sys.stdout.write("  skip  a full disk: this account may mount none\n")
        yield None
        return
    try:
        owner = server.place.data.stat()
        os.chown(place, owner.st_uid, owner.st_gid)
        with server.connect(connection.settings_dict["NAME"], role=OWNER) as line:
            line.execute(f"CREATE TABLESPACE small LOCATION '{place}'")
            for (table,) in line.execute(_PARTITIONS).fetchall():
                line.execute(f"ALTER TABLE {table} SET TABLESPACE small")
        yield lambda is_full: _fill(place / "ballast", is_full)
    finally:
        subprocess.run(["/bin/umount", "-l", str(place)], check=False)


_PARTITIONS = """
SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent IN ('inbox_item'::regclass, 'inbox_frame'::regclass)
"""


def _fill(ballast: Path, is_full: bool) -> None:
    if not is_full:
        ballast.unlink()
        return
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:  # no space left
                continue


def _judge(senders: _Senders) -> Iterator[Finding]:
    rows = list(Event.objects.filter(kind="tracked.event"))
    said = read_properties(rows)
    placed = Event.objects.filter(kind="order.placed").count()
    known = Counter(said[event.position]["message_id"] for event in rows)
    known += Counter(Order.objects.values_list("external_id", flat=True))
    lost, more = senders.thanked - known.keys(), known.keys() - senders.thanked
    yield Finding("what was thanked for is in the record", f"{len(lost)} of {len(senders.thanked)} are not", not lost)
    yield Finding("what was refused is not", f"{len(more)} are", not more)
    double = sum(1 for count in known.values() if count > 1) + abs(placed - Order.objects.count())
    yield Finding("nothing is there twice", f"{double} are", double == 0)
    aside = Item.objects.exclude(state=ItemState.PARSED).count()
    yield Finding("everything that came in was read", f"{aside} were not", aside == 0)
    yield from _judge_files(senders)


def _judge_files(senders: _Senders) -> Iterator[Finding]:
    rows = list(Import.objects.all())
    differs = abs(len(rows) - senders.uploaded)
    yield Finding("files that were thanked for are there, and no others", f"{differs} differ", differs == 0)
    sweep_copies(clock.now() + timedelta(hours=25))
    broken = sum(1 for row in rows if _digest(row) != row.sha256)
    stray = len(list_files().keys() - {row.uid for row in rows})
    yield Finding("each is whole, and nothing of others is left", f"{broken} and {stray}", broken == stray == 0)


def _digest(row: Import) -> str:
    digest = hashlib.sha256()
    with open_copy(row.uid, key_of(row)) as file:
        for piece in plain_pieces(file):
            digest.update(piece)
    return digest.hexdigest()
