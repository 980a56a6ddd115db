"""What must hold after a chaos, whatever was killed: asked of the database and of the mail server, and printed as a table."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from chaos.scene import TRACE
from regulars.messages.models import Message, MessageState
from regulars.record.events.models import Event
from regulars.workflows.models import Effect, Run, RunState, RunStep


@dataclass(frozen=True)
class Finding:
    """One thing that must hold, what was found, and whether it does."""

    rule: str
    found: str
    holds: bool


def judge(entered: int, taken: Counter[str]) -> list[Finding]:
    """``entered`` customers entered once each; ``taken`` says how often the mail server took each effect key."""
    return [*_runs(entered), *_messages(), *_sink(taken)]


def _runs(entered: int) -> Iterator[Finding]:
    states = Counter(Run.objects.values_list("state", flat=True))
    yield Finding("every entry has one run", f"{sum(states.values())} of {entered}", sum(states.values()) == entered)
    ended = states[RunState.ENDED] + states[RunState.STUCK]
    yield Finding(
        "every run came to its end", ", ".join(f"{n} {s}" for s, n in sorted(states.items())), ended == entered
    )
    broken = _broken_traces()
    yield Finding("no step is missing or double", f"{broken} broken of {entered}", broken == 0)
    held = Run.objects.filter(state=RunState.ACTIVE, lease_until__isnull=False).count()
    yield Finding("no lease is left over", f"{held}", held == 0)


def _broken_traces() -> int:
    """Runs whose trace is not exactly that of their outcome."""
    traces: dict[int, list[tuple[int, str]]] = {}
    for run, number, node in RunStep.objects.values_list("run_id", "number", "node"):
        traces.setdefault(run, []).append((number, node))
    broken = 0
    for run, outcome in Run.objects.filter(state=RunState.ENDED).values_list("id", "outcome"):
        broken += sorted(traces.get(run, [])) != list(enumerate(TRACE[outcome], start=1))
    return broken


def _messages() -> Iterator[Finding]:
    steps = RunStep.objects.filter(kind="send_mail").count()
    effects, messages = Effect.objects.count(), Message.objects.count()
    found = f"{steps} steps, {effects} effects, {messages} messages"
    yield Finding("every sending step has one effect and one message", found, steps == effects == messages)
    states = Counter(Message.objects.values_list("is_marketing", "state"))
    words = ", ".join(f"{n} {s}{'' if marketing else ' (order)'}" for (marketing, s), n in sorted(states.items()))
    final = {MessageState.SENT, MessageState.UNKNOWN}
    yield Finding("every message is sent or known to be in doubt", words, all(s in final for _, s in states))
    yield Finding("no message about an order is in doubt", f"{states[False, 'unknown']}", states[False, "unknown"] == 0)
    told = Event.objects.filter(kind__in=["message.sent", "message.unknown"]).values("subject_id").distinct().count()
    yield Finding("the log tells of every message", f"{told} of {messages}", told == messages)


def _sink(taken: Counter[str]) -> Iterator[Finding]:
    rows = {
        bytes(key).hex(): (marketing, state)
        for key, marketing, state in Message.objects.values_list("effect_key", "is_marketing", "state")
    }
    strangers = len(set(taken) - set(rows))
    yield Finding("the mail server got nothing that is not in the ledger", f"{strangers}", strangers == 0)
    marketing = Counter(taken[key] for key, (is_marketing, _) in rows.items() if is_marketing)
    yield Finding("marketing arrives at most once", _histogram(marketing), max(marketing, default=0) <= 1)
    lost = sum(1 for key, (_, state) in rows.items() if state == MessageState.SENT and not taken[key])
    yield Finding("what is called sent did arrive", f"{lost} did not", lost == 0)
    orders = Counter(taken[key] for key, (is_marketing, _) in rows.items() if not is_marketing)
    yield Finding(
        "what belongs to an order arrives at least once, under one Message-ID",
        _histogram(orders),
        min(orders, default=1) >= 1,
    )


def _histogram(counts: Counter[int]) -> str:
    return ", ".join(f"{n} arrived {times} times" for times, n in sorted(counts.items())) or "none"


def print_table(findings: list[Finding]) -> str:
    """The findings as lines of text."""
    width = max(len(f.rule) for f in findings)
    return "\n".join(f"  {'ok  ' if f.holds else 'FAIL'}  {f.rule.ljust(width)}  {f.found}" for f in findings)
