"""Personal words in what staff write (a segment's definition): sealed, so that equal words stay equal, and opened for whoever may read them."""

import base64
import binascii

from regulars.foundation.sealing import CannotOpen
from regulars.foundation.vault.keys import key_ring

_PURPOSE = "words of definitions"


def seal_word(word: str) -> str:
    """As text that JSON can hold; the same for the same word."""
    return base64.urlsafe_b64encode(key_ring().seal_alike(_PURPOSE, word)).decode()


def open_word(sealed: str) -> str:
    """Raises CannotOpen for what ``seal_word`` of this installation did not make."""
    try:
        raw = base64.urlsafe_b64decode(sealed.encode())
    except (binascii.Error, ValueError) as error:
        raise CannotOpen from error
    return key_ring().open_alike(_PURPOSE, raw)
