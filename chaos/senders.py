"""A shop's side of a chaos: it sends until it is thanked, some of it again, and remembers for what it was thanked."""

import http.client
import json
import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any

AGAIN = 0.2  # of what was thanked for is sent once more
CALLS = 5  # in a body
VISITORS = 40
PAUSE = 0.02  # between two bodies of one sender


@dataclass
class Shop:
    """Senders under some keys. ``thanked`` holds the message ids of every body that was answered with 200."""

    port: int
    keys: list[str]
    seed: int
    thanked: set[str] = field(default_factory=set)
    refused: int = 0  # answers that made it send again, and connections that broke
    again: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def open(self) -> None:
        self._threads = [threading.Thread(target=self._send_all, args=(n, key)) for n, key in enumerate(self.keys)]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Lets each sender end the body at hand: it is sent until somebody thanks for it."""
        self.stopping.set()
        for thread in self._threads:
            thread.join()

    def _send_all(self, number: int, key: str) -> None:
        dice = random.Random(f"{self.seed} {number}")  # noqa: S311  no secret
        count = 0
        while not self.stopping.is_set():
            count += 1
            calls = [_call(f"{number}-{count}-{n}", number, dice) for n in range(CALLS)]
            self._until_thanked(key, calls)
            if dice.random() < AGAIN:
                self.again += 1
                self._until_thanked(key, calls)
            time.sleep(PAUSE)

    def _until_thanked(self, key: str, calls: list[dict[str, Any]]) -> None:
        body = json.dumps({"batch": calls, "writeKey": key})
        while self._post(body) != 200:
            self.refused += 1
            time.sleep(0.1)
        self.thanked |= {call["messageId"] for call in calls}

    def _post(self, body: str) -> int:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            line.request("POST", "/v1/batch", body, {"Content-Type": "application/json"})
            return line.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            line.close()


def _call(message: str, sender: int, dice: random.Random) -> dict[str, Any]:
    visitor = dice.randrange(VISITORS)
    call = {
        "type": "track",
        "messageId": message,
        "anonymousId": f"v-{visitor}",
        "event": "Product Viewed",
        "properties": {},
    }
    if dice.random() < 0.5:
        mug = {
            "product_id": "1",
            "sku": "MUG",
            "name": "Mug",
            "price": 5,
            "quantity": 1,
            "cart_id": f"c-{sender}-{visitor}",
        }
        call |= {"event": "Product Added", "properties": mug}
    return call
