"""Reading what a page holds thing by thing: one that is not as its platform documents it keeps no other out."""

from collections.abc import Callable

from regulars.connections.base.platforms import Statements, Unreadable
from regulars.foundation.errors import InvalidInput

# Whatever a stranger's payload of any shape can lead to. None of its words is kept with it, only the type.
STRANGE = (ValueError, LookupError, TypeError, ArithmeticError, AttributeError, RecursionError, InvalidInput)


def strange(error: Exception) -> str:
    """Why something stands in quarantine."""
    return f"It is not as the platform documents it ({type(error).__name__})."


def read_thing(said: Statements, read: Callable[[Statements], None], alone: Callable[[], bytes]) -> None:
    """What one thing says goes into ``said`` whole, or not at all: then ``alone`` makes a body of it, which waits apart."""
    own = Statements()
    try:
        read(own)
    except STRANGE as error:
        said.unreadable.append(Unreadable(alone(), strange(error)))
    else:
        said.add(own)
