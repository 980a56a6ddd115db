"""The plain-text part of a mail, made from its HTML: headings, paragraphs, links with their addresses, rows of tables."""

import re
from html.parser import HTMLParser

_BLOCKS = {"p", "div", "tr", "table", "h1", "h2", "h3", "h4", "li", "ul", "ol", "section"}
_HIDDEN = {"style", "script", "title", "head"}
_VOID = {"br", "img", "hr", "meta", "link", "input"}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._hidden = 0
        self._stack: list[tuple[str, bool, str]] = []  # tag, hides what it holds, address of a link

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "br":
            self._add("\n")
        if tag == "img" and given.get("alt"):
            self._add(f"[{given['alt']}]")
        if tag in _VOID:
            return
        hides = tag in _HIDDEN or "display:none" in (given.get("style") or "").replace(" ", "")
        self._hidden += hides
        self._stack.append((tag, hides, given.get("href") or ""))
        if tag in _BLOCKS:
            self._add("\n")
        if tag == "td":
            self._add("  ")
        if tag == "li":
            self._add("- ")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """``<br />`` opens nothing, so it closes nothing either."""
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if all(name != tag for name, _, _ in self._stack):
            return
        while self._stack:
            name, hides, address = self._stack.pop()
            if address.startswith(("http", "mailto:")):
                self._add(f" ({address})")
            if name in _BLOCKS:
                self._add("\n\n" if name in {"p", "h1", "h2", "h3", "h4"} else "\n")
            self._hidden -= hides
            if name == tag:
                return

    def handle_data(self, data: str) -> None:
        self._add(re.sub(r"\s+", " ", data))

    def _add(self, text: str) -> None:
        if not self._hidden:
            self.pieces.append(text)


def to_plain(html: str) -> str:
    """Readable text of a mail; ends with a line break."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = [" ".join(line.split()) for line in "".join(reader.pieces).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"
