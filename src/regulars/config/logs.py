"""Structured logs: one JSON object a line on standard error, with ids and never with personal data."""

import logging
import sys

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

# Libraries put addresses, subjects and statements into these.
_SECRET_KEYS = frozenset(
    {
        "email",
        "password",
        "token",
        "authorization",
        "cookie",
        "name",
        "phone",
        "recipient",
        "subject",
        "body",
        "params",
        "sql",
    }
)


def configure(level: str) -> None:
    """Sends structlog's and the standard library's records through the same chain."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        hide_personal_data,
    ]
    structlog.configure(
        processors=[
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, name_the_route],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.dict_tracebacks,
                drop_what_was_worked_on,
                structlog.processors.JSONRenderer(default=str, ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("procrastinate", "httpx", "asyncio", "django.db.backends"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))


def hide_personal_data(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Blanks the values of keys that name personal or secret things."""
    for key in event.keys() & _SECRET_KEYS:
        event[key] = "hidden"
    return event


def name_the_route(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Of a request that Django tells of its route stands for its address, which holds tokens, write keys, and whatever was typed."""
    request = getattr(event.get("_record"), "request", None)
    path = getattr(request, "path", "").encode("unicode_escape").decode("ascii")  # as Django writes it
    if path:
        match = getattr(request, "resolver_match", None)
        event["event"] = event["event"].replace(path, f"/{match.route}" if match else "an address that there is not")
    return event


def drop_what_was_worked_on(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """A traceback's local variables, and the later lines of PostgreSQL's messages, hold names, addresses and keys."""
    for failure in event.get("exception") or ():
        failure["exc_value"] = str(failure.get("exc_value", "")).split("\n", 1)[0][:300]
        for frame in failure.get("frames", ()):
            frame.pop("locals", None)
    return event
