"""The fenced process that renders templates: ``python -m regulars.messages.rendering.program``.

It has no environment, no settings, no database and at most MEMORY bytes. One request a line (JSON) on its standard input, one answer a
line on its standard output. The kernel ends it when a rendering takes longer than SECONDS; its parent then starts another.
"""

import json
import resource
import signal
import sys
from functools import lru_cache
from typing import Any

import mrml
from liquid import Environment
from liquid.exceptions import LiquidError

from regulars.messages.rendering.plain import to_plain

SECONDS = 1.5
MEMORY = 400 * 1024 * 1024
LARGEST = 256 * 1024  # bytes of a rendered mail before MJML
FILTERS = frozenset(
    [
        "abs",
        "append",
        "at_least",
        "at_most",
        "capitalize",
        "ceil",
        "date",
        "default",
        "divided_by",
        "downcase",
        "escape",
        "escape_once",
        "first",
        "floor",
        "last",
        "lstrip",
        "map",
        "minus",
        "modulo",
        "newline_to_br",
        "plus",
        "prepend",
        "remove",
        "remove_first",
        "replace_first",
        "reverse",
        "round",
        "rstrip",
        "size",
        "slice",
        "sort",
        "sort_natural",
        "split",
        "squish",
        "strip",
        "strip_html",
        "strip_newlines",
        "times",
        "truncate",
        "truncatewords",
        "uniq",
        "upcase",
        "url_encode",
        "where",
    ]
)
TAGS = frozenset(
    [
        "#",
        "assign",
        "break",
        "capture",
        "case",
        "comment",
        "continue",
        "cycle",
        "echo",
        "for",
        "if",
        "ifchanged",
        "output",
        "content",
        "illegal",
        "unless",
    ]
)


class Fenced(Environment):
    """Liquid with limits on loops, output, memory and nesting (OWASP ASVS 5.0, 1.3.7)."""

    loop_iteration_limit = 10_000
    output_stream_limit = LARGEST
    local_namespace_limit = 1_000_000
    context_depth_limit = 20
    block_nesting_limit = 20


def _environment(*, escapes: bool) -> Fenced:
    environment = Fenced(autoescape=escapes)
    for name in set(environment.filters) - FILTERS:
        del environment.filters[name]
    for name in set(environment.tags) - TAGS:
        del environment.tags[name]
    return environment


MARKUP, TEXT = _environment(escapes=True), _environment(escapes=False)


@lru_cache(maxsize=256)
def _template(source: str, escapes: bool) -> Any:
    return (MARKUP if escapes else TEXT).from_string(source)


class TemplateProblem(Exception):
    """What is wrong with a template, for the person who wrote it."""


def render(request: dict[str, Any]) -> dict[str, str]:
    """Subject, HTML and plain text of one mail. Raises TemplateProblem."""
    context = request["context"]
    subject = _liquid(request["subject"], context, escapes=False, where="subject")
    preheader = _liquid(request["preheader"], context, escapes=False, where="preheader")
    body = _liquid(request["body"], context, escapes=True, where="text")
    frame = _liquid(request["layout"], context | {"preheader": one_line(preheader)}, escapes=True, where="layout")
    html = _mjml(frame.replace("<!-- body -->", body))
    return {"subject": one_line(subject), "html": html, "text": to_plain(html)}


def one_line(text: str) -> str:
    """No line breaks and no control characters: header lines must not be added from within a template (RFC 5322, 2.2)."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:250]


def _liquid(source: str, context: dict[str, Any], *, escapes: bool, where: str) -> str:
    try:
        rendered = str(_template(source, escapes).render(**context))
    except (LiquidError, RecursionError, ArithmeticError, ValueError, TypeError) as error:
        raise TemplateProblem(f"{where}: {error}") from error
    if len(rendered.encode()) > LARGEST:
        raise TemplateProblem(f"{where}: comes to more than {LARGEST // 1024} KB")
    return rendered


def _mjml(source: str) -> str:
    try:
        output = mrml.to_html(source)
    except OSError as error:
        raise TemplateProblem(f"text: this is not MJML: {error}") from error
    return str(output.content)


def _fence() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # ends the process, even inside a C function that never returns
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business; it closes our input


def main() -> None:
    render(
        {"context": {}, "subject": "", "preheader": "", "body": "", "layout": "<mjml><mj-body></mj-body></mjml>"}
    )  # loads what is lazy
    _fence()
    for line in sys.stdin.buffer:
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        try:
            answer = render(json.loads(line))
        except TemplateProblem as problem:
            answer = {"problem": str(problem)[:500]}
        except MemoryError:
            answer = {"problem": "text: needs more memory than a mail may"}
        signal.setitimer(signal.ITIMER_REAL, 0)
        sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
