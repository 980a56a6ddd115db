"""Exit: the run is over, for this reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from regulars.foundation.facts import Answer, Question
from regulars.workflows.steps.kinds import STEPS, End, Names, Outcome, StepProblem, refuse_unknown


@dataclass(frozen=True)
class ExitStep:
    reason: str

    def take(self, since: datetime, facts: Mapping[Question, Answer], now: datetime) -> Outcome:
        return End(self.reason)

    def describe(self, names: Names) -> str:
        return f"end: {self.reason}"


class ExitKind:
    """``{"kind": "exit", "reason": "completed"}``"""

    name = "exit"
    label = "End"
    icon = "flag"
    edges: tuple[str, ...] = ()
    waits = False

    def parse(self, settings: Mapping[str, Any]) -> ExitStep:
        refuse_unknown(settings, "reason")
        reason = settings.get("reason")
        if not isinstance(reason, str) or not 0 < len(reason) <= 80:
            raise StepProblem("needs a reason of at most 80 letters, such as 'completed'")
        return ExitStep(reason)


STEPS.register("exit", ExitKind())
