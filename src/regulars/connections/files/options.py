"""What a person may choose for an import, over what was detected."""

from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from regulars.connections.files.layouts import LAYOUTS, Kind
from regulars.connections.files.sniff import SEPARATORS, DateOrder, Format
from regulars.foundation.errors import InvalidInput
from regulars.foundation.money import parse_currency


@dataclass(frozen=True)
class Options:
    """Choices; '' and empty are 'as detected', or the store's. ``mapping``: our field to the file's header."""

    layout: str = ""
    mapping: dict[str, str] = field(default_factory=dict)
    currency: str = ""
    time_zone: str = ""
    encoding: str = ""
    separator: str = ""
    decimal: str = ""  # 'comma' or 'point'
    date_order: str = ""
    shift_weeks: int = 0
    list_id: int = 0  # of a list: which, whether people are taken off it, and whether unknown ones become profiles
    takes_off: bool = False
    makes_new: bool = False

    def checked(self, kind: Kind) -> "Options":
        """The same choices in canonical form. Raises InvalidInput for what cannot be."""
        if self.layout and (self.layout not in LAYOUTS or LAYOUTS[self.layout].kind != kind):
            known = ", ".join(name for name, layout in LAYOUTS.items() if layout.kind == kind)
            raise InvalidInput(f"'{self.layout}' is not a layout of {kind}: choose one of {known}")
        if self.time_zone and self.time_zone not in available_timezones():
            raise InvalidInput(f"'{self.time_zone}' is not a time zone such as Europe/London")
        if self.date_order and self.date_order not in set(DateOrder):
            raise InvalidInput("The order of dates is one of ymd, dmy and mdy")
        if self.decimal not in {"", "comma", "point"}:
            raise InvalidInput("The decimal sign is 'comma' or 'point'")
        if abs(self.shift_weeks) > 5200:
            raise InvalidInput("Dates can be shifted by at most 5,200 weeks")
        return replace(
            self,
            currency=parse_currency(self.currency) if self.currency else "",
            separator=_separator(self.separator),
            encoding=_encoding(self.encoding),
        )

    def over(self, detected: Format) -> Format:
        """The detected format with what was chosen in its place."""
        chosen = {
            "encoding": self.encoding or detected.encoding,
            "separator": self.separator or detected.separator,
            "decimal_comma": self.decimal == "comma" if self.decimal else detected.decimal_comma,
            "date_order": DateOrder(self.date_order) if self.date_order else detected.date_order,
            "has_header": detected.has_header,
        }
        said = {
            "encoding": self.encoding,
            "separator": self.separator,
            "decimal": self.decimal,
            "dates": self.date_order,
        }
        evidence = detected.evidence | {part: "chosen" for part, choice in said.items() if choice}
        return Format(**chosen, evidence=evidence)  # type: ignore[arg-type]

    def zone(self, default: str) -> ZoneInfo:
        return ZoneInfo(self.time_zone or default)

    @property
    def shift(self) -> timedelta:
        return timedelta(weeks=self.shift_weeks)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def _separator(text: str) -> str:
    names = {name: sign for sign, name in SEPARATORS.items()} | {"\\t": "\t"}
    sign = names.get(text, text)
    if sign and sign not in SEPARATORS:
        raise InvalidInput("The separator is one of comma, semicolon, tab and pipe")
    return sign


def _encoding(text: str) -> str:
    try:
        "".encode(text or "utf-8")
    except LookupError as error:
        raise InvalidInput(f"'{text[:30]}' is not an encoding such as utf-8 or cp1252") from error
    return text
