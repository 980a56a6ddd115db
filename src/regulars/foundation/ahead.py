"""Making the next thing while the present one is dealt with."""

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

from django.db import connection, connections

Item = TypeVar("Item")


class _End:
    """After the last item; carries what the making raised."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


class _Maker(threading.Thread, Generic[Item]):
    def __init__(self, items: Iterable[Item]) -> None:
        super().__init__(daemon=True)
        self._items = items
        self.made: queue.Queue[Item | _End] = queue.Queue(maxsize=1)
        self.is_unwanted = threading.Event()

    def run(self) -> None:
        end = _End()
        try:
            for item in self._items:
                self._hand_over(item)
                if self.is_unwanted.is_set():
                    return
        except Exception as error:  # noqa: BLE001  handed to whoever waits for the items, and raised there
            end = _End(error)
        finally:
            connections.close_all()  # of this thread
        self._hand_over(end)

    def _hand_over(self, item: Item | _End) -> None:
        while not self.is_unwanted.is_set():
            try:
                self.made.put(item, timeout=0.2)
            except queue.Full:
                continue
            return


def ahead(items: Iterable[Item]) -> Iterator[Item]:
    """The same items, each made in a thread of its own while the one before is dealt with; at most two exist at once.

    The maker reads the database over a connection of its own, which ends with it and sees only what is committed: inside a transaction of
    the caller's, which may have written what is read, there is no thread. Raises what the maker raises, in its place.
    """
    if connection.in_atomic_block:
        yield from items
        return
    maker = _Maker(items)
    maker.start()
    try:
        while not isinstance(item := maker.made.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        maker.is_unwanted.set()
        maker.join()
