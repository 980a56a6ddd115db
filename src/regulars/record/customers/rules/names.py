"""When two names can be one person's. It tells who may wait for staff, and joins nobody by itself."""

import re
import unicodedata
from collections.abc import Iterable

_TITLES = frozenset(
    [
        "mr",
        "mrs",
        "ms",
        "miss",
        "mx",
        "dr",
        "prof",
        "herr",
        "frau",
        "hr",
        "fr",
        "mme",
        "mlle",
        "monsieur",
        "madame",
        "sr",
        "sra",
        "sir",
        "dame",
    ]
)
_BETWEEN = re.compile(r"[^\w]+|_+")
Words = tuple[str, ...]


def words_of(name: str) -> Words:
    """The words of a name in order of the alphabet: case, accents, titles and punctuation folded away."""
    decomposed = unicodedata.normalize("NFKD", name.casefold().replace("ß", "ss"))
    folded = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return tuple(sorted(word for word in _BETWEEN.split(folded) if word and word not in _TITLES))


def may_be_one(one: Words, other: Words) -> bool:
    """Whether each word of the shorter name has one of its own in the longer one, the same or its initial ('A. Lee', 'Lee Ann
    Marie'). A name without words contradicts nothing.
    """
    fewer, left = (list(some) for some in sorted((one, other), key=len))
    for word in [word for word in fewer if word in left]:
        if word in left:
            left.remove(word)
            fewer.remove(word)
    for word in fewer:
        fitting = next((w for w in left if w[0] == word[0] and 1 in (len(w), len(word))), None)
        if fitting is None:
            return False
        left.remove(fitting)
    return True


def contradict(some: Iterable[Words], others: Iterable[Words]) -> bool:
    """Whether two people who are each known under these names were never called alike; who has no name contradicts nobody."""
    known, wanted = [name for name in some if name], [name for name in others if name]
    return bool(known and wanted) and not any(may_be_one(a, b) for a in known for b in wanted)
