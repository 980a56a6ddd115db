"""Country codes from what shops write: ISO 3166-1 codes and names in the languages of the house."""

from functools import cache, lru_cache

from babel import Locale

from regulars.connections.files.sniff import folded

_LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pt", "pl", "sv", "da")
_OTHERS = {
    "uk": "GB",
    "greatbritain": "GB",
    "england": "GB",
    "scotland": "GB",
    "wales": "GB",
    "eire": "IE",
    "rsa": "ZA",
    "usa": "US",
    "unitedstatesofamerica": "US",
    "czechrepublic": "CZ",
    "hongkong": "HK",
    "holland": "NL",
    "turkey": "TR",
    "macau": "MO",
}


@cache
def _names() -> dict[str, str]:
    names: dict[str, str] = {}
    for language in _LANGUAGES:
        for code, name in Locale(language).territories.items():
            if len(code) == 2 and code.isalpha():
                names.setdefault(folded(name), code)
    return names | _OTHERS


@lru_cache(maxsize=10_000)
def country_code(text: str) -> str:
    """ISO 3166-1 alpha-2 of a code or name; '' where it is none, such as 'Unspecified' or 'Channel Islands'."""
    wanted = text.strip()
    if len(wanted) == 2 and wanted.isalpha() and wanted.upper() in Locale("en").territories:
        return "GB" if wanted.upper() == "UK" else wanted.upper()
    return _names().get(folded(wanted), "") if wanted else ""
