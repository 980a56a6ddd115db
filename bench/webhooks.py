"""A burst of signed webhooks while no worker runs: 1,000 in ten seconds, each answered after its commit, all of them read afterwards.

The bar: every one is thanked, p99 under a second (a platform gives up after five), none is lost.
"""

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection
from urllib.parse import urlsplit

import regulars.connections.base.jobs  # noqa: F401  the parser that reads what shops tell
from bench import Figure, Scale
from bench.running import running
from fakes.woocommerce import Shop
from regulars.connections.base.accounts import give_key, keep_secrets, new_secret, read_secrets
from regulars.connections.base.models import Connection, ConnectionState
from regulars.connections.woocommerce.signing import webhook_signature
from regulars.foundation.inbox.reading import read_waiting
from regulars.foundation.shop.models import Brand, Store
from regulars.foundation.work.loops import Stop
from regulars.record.orders.models import Order

_BURST, _SECONDS, _CONNECTIONS = 1_000, 10.0, 20


@dataclass(frozen=True)
class _Sent:
    status: int
    milliseconds: float


def run(scale: Scale) -> list[Figure]:
    """How long answers took, and how long the reading of them."""
    count = scale.of(_BURST, 100)
    row, secret = _connection()
    bodies = _orders(count, scale.seed)
    with running(0) as house:
        sent = _send(f"{house.address}/hooks/woocommerce/{row.public_id}", bodies, secret, _SECONDS * count / _BURST)
    began = time.perf_counter()
    while read_waiting(Stop(), datetime.now(UTC)):
        pass
    seconds = time.perf_counter() - began
    found, answers = Order.objects.filter(store=row.store_id).count(), Counter(one.status for one in sent)
    if answers != {200: count} or found != count:
        raise AssertionError(f"{count} webhooks were sent, {found} orders are in the record, answers: {answers}")
    delays = sorted(one.milliseconds for one in sent)
    note = f"{count:,} in {_SECONDS * count / _BURST:.0f} s over {_CONNECTIONS} connections, no worker; none lost"
    return [
        Figure("Webhooks: answered after their commit, p50", delays[count // 2], "ms", note=note),
        Figure("Webhooks: p99", delays[int(count * 0.99)], "ms", goal="under 1,000 ms"),
        Figure("Webhooks: orders read into the record afterwards", count / seconds, "a second"),
    ]


def _connection() -> tuple[Connection, str]:
    brand, _ = Brand.objects.get_or_create(
        name="Bench", defaults={"from_name": "B", "from_address": "b@volume.example"}
    )
    store, _ = Store.objects.get_or_create(code="hooks", defaults={"name": "hooks", "brand": brand, "currency": "EUR"})
    row = Connection.objects.create(
        platform="woocommerce",
        store=store,
        name="hooks",
        address="https://hooks.volume.example",
        state=ConnectionState.ACTIVE,
        master_id="",
        wrapped_key=b"",
        created_at=datetime.now(UTC),
    )
    give_key(row)
    keep_secrets(row, read_secrets(row).renewed(new_secret(), datetime.now(UTC)))
    row.save()
    return row, read_secrets(row).signing


def _orders(count: int, seed: int) -> list[bytes]:
    shop = Shop()
    product = shop.add_product(price="19.90", stock=10_000_000)
    numbers = [shop.add_order([(product, 1)], email=f"w{n % 400}-{seed}@buyers.net") for n in range(count)]
    return [json.dumps(shop.payload("order", number)).encode() for number in numbers]


def _send(address: str, bodies: list[bytes], secret: str, seconds: float) -> list[_Sent]:
    """Each at its moment, whatever the answers before; how long each waited for its answer."""
    parts, began = urlsplit(address), time.perf_counter()

    def send(numbered: tuple[int, bytes]) -> _Sent:
        number, body = numbered
        due = began + seconds * number / len(bodies)
        time.sleep(max(0.0, due - time.perf_counter()))
        headers = {
            "Content-Type": "application/json",
            "X-WC-Webhook-Topic": "order.created",
            "X-WC-Webhook-Resource": "order",
            "X-WC-Webhook-Event": "created",
            "X-WC-Webhook-Signature": webhook_signature(body, secret).decode(),
            "X-WC-Webhook-ID": "1",
            "X-WC-Webhook-Delivery-ID": f"d{number}",
        }
        asked = time.perf_counter()
        line = HTTPConnection(parts.hostname or "", parts.port)
        line.request("POST", parts.path, body, headers)
        answer = line.getresponse()
        answer.read()
        line.close()
        return _Sent(answer.status, (time.perf_counter() - asked) * 1000)

    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        return list(pool.map(send, enumerate(bodies)))
