"""Writers of one store take turns, where two of them could make the same new row at once."""

from regulars.foundation.bulk import fetch

LOCK = 0x5455_524E  # 'TURN', with the store: an advisory lock


def take_turns(store_id: int) -> None:
    """Waits for whoever writes orders, products or carts of this store at the moment; held to the commit.

    Of two who bring the same new order or product, the later one then finds it there and changes nothing. To be called before the
    first question, so that what the other wrote is in the answer.
    """
    fetch("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK, store_id % 2**31])
