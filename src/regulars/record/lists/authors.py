"""Who changed a list, in words: by the source and reference of a batch."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext

from regulars.foundation.access.models import ApiToken
from regulars.foundation.access.queries import names_of_staff


@dataclass(frozen=True)
class Author:
    """``href`` leads to what they did it by, where that has a page."""

    text: str
    href: str = ""


def authors_of(changes: Sequence[tuple[str, str]]) -> list[Author]:
    """Two queries, however many they are."""
    names = names_of_staff({int(ref) for source, ref in changes if source == "staff" and ref.isdigit()})
    numbers = {
        int(ref.removeprefix("token:")) for source, ref in changes if source == "api" and ref.startswith("token:")
    }
    tokens = dict(ApiToken.objects.filter(pk__in=numbers).values_list("pk", "name"))
    return [_author(source, reference, names, tokens) for source, reference in changes]


def _author(source: str, reference: str, names: dict[int, str], tokens: dict[int, str]) -> Author:
    match source:
        case "staff" if reference.isdigit():
            return Author(names.get(int(reference)) or gettext("Somebody who has left the team"))
        case "import":
            return Author(gettext("Upload"), f"/list-uploads/{reference}")
        case "undo":
            return Author(gettext("Upload taken back"))
        case "api":
            token = tokens.get(int(reference.removeprefix("token:") or 0)) if reference.startswith("token:") else ""
            return Author(gettext("API: %s") % token if token else gettext("API"))
    return Author(gettext("The house itself"))
