"""What a run of a runbook needs from the outside."""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from alerts.runbooks.model import RunbookStep


@dataclass(frozen=True, slots=True)
class Performed:
    """What came of a step: in a sentence, and what was answered or printed, cut to a bounded length."""

    text: str
    output: str = ""


class AfterCrash(Enum):
    """What is known of a step during which our process ended."""

    DONE = "done"  # it was done, as can be seen
    AGAIN = "again"  # it was not done, or doing it twice is as good as once
    UNCLEAR = "unclear"


class Performer(Protocol):
    """Carries out steps of one kind.

    Errors: `Permanent` when a step cannot be done, `Transient` when the outside did not answer. Both end the run: what
    is done by hand to a system in trouble is not repeated by itself. Texts hold no secret.
    """

    def check(self, step: RunbookStep) -> str:
        """What it would do, in words, after everything that can be looked at without changing anything."""
        ...

    def look(self, step: RunbookStep) -> str:
        """How that which it changes is before it; empty where nobody can tell."""
        ...

    def perform(self, step: RunbookStep, key: str) -> Performed:
        """Do it, within the step's timeout. `key` is the same for the same step of the same run."""
        ...

    def after_crash(self, step: RunbookStep, before: str) -> tuple[AfterCrash, str]:
        """What is known of it, and why; `before` is what `look` said then."""
        ...
