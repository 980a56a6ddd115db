"""What can stand in the way of a connection, one sentence each."""

from regulars.foundation.errors import Conflict, InvalidInput, NotFound


class NoSuchConnection(NotFound):
    """There is no such connection."""

    code = "no-such-connection"


class NoSuchPlatform(NotFound):
    """This kind of shop is not known here."""

    code = "no-such-platform"


class ConnectedAlready(Conflict):
    """This shop is connected already."""

    code = "connected-already"


class BadAddress(InvalidInput):
    """This is not the address of a shop: write it as https://shop.example."""

    code = "bad-shop-address"


class InUse(Conflict):
    """A shop is connected for this store, whose customers would be erased too: mark the request as done, or end that connection first."""

    code = "store-in-use"


class IsOver(Conflict):
    """This connection has ended: connect the shop anew."""

    code = "connection-over"
