"""``regulars events parked|replay``: what readers of the log could not handle, and handling it again."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from regulars.foundation.audit.operations import SYSTEM, record
from regulars.foundation.clock import now
from regulars.record.events.queries import Parked, list_parked
from regulars.record.events.readers import READERS, replay_parked


class Command(BaseCommand):
    """``parked`` lists them; ``replay`` handles them again, one profile after the other, each in the log's order."""

    help = "parked: lists events that a reader could not handle. replay: handles them again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["parked", "replay"])
        parser.add_argument("--reader", default="", help="only those of this reader")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ends with exit code 1 where something could not be handled again; it stays parked."""
        waiting = [p for p in list_parked() if options["reader"] in {"", p.reader}]
        if options["action"] == "parked":
            for one in waiting:
                self.stdout.write(f"{one.reader}: {one.count} of profile {one.profile_id}: {one.reason}")
            self.stdout.write(f"{sum(p.count for p in waiting)} events are parked.")
            return
        failed = [problem for one in waiting if (problem := self._replay(one))]
        counts = {"customers": len(waiting), "failed": len(failed)}
        record("parked.replay", SYSTEM, "", counts, at=now())
        if failed:
            raise CommandError("\n".join(failed))

    def _replay(self, one: Parked) -> str:
        """What went wrong, or ''. The handler may raise anything: the others are handled all the same."""
        try:
            done = replay_parked(READERS[one.reader], one.profile_id, now())
        except Exception as error:  # noqa: BLE001  whatever a handler raises
            return f"{one.reader}: profile {one.profile_id} stays parked: {type(error).__name__}"
        self.stdout.write(f"{one.reader}: {done} events of profile {one.profile_id} handled")
        return ""
