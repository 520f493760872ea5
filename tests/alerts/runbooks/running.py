"""Runbooks and performers of tests."""

from collections.abc import Callable
from datetime import timedelta

from alerts.routing.model import Matcher, MatchOperator
from alerts.runbooks.model import Runbook, RunbookStep, StepKind
from alerts.runbooks.ports import AfterCrash, Performed
from controlplane.ports import Permanent

MINUTE = timedelta(minutes=1)
BURN = ((Matcher("alertname", MatchOperator.EQUAL, "SLOErrorBudgetBurn"),),)


def a_step(name: str, *, automatic: bool = True, changes: bool = True, **settings: str) -> RunbookStep:
    return RunbookStep(
        name, StepKind.HTTP, {"url": f"https://x.example/{name}", **settings}, MINUTE, automatic, changes
    )


def a_runbook(*steps: RunbookStep, by_itself: bool = False, name: str = "outage") -> Runbook:
    return Runbook(name, matchers=BURN, steps=steps, starts_by_itself=by_itself)


class Hands:
    """Does nothing outside; remembers what it was asked to do. `faults` by step's name; `again`: may be done twice."""

    def __init__(self, *, again: bool = False) -> None:
        self.did: list[str] = []
        self.keys: list[str] = []
        self.faults: dict[str, str] = {}
        self.impossible: dict[str, str] = {}
        self.again = again
        self.meanwhile: Callable[[], object] = lambda: None
        self.before: Callable[[], object] = lambda: None

    def check(self, step: RunbookStep) -> str:
        if step.name in self.impossible:
            raise Permanent(self.impossible[step.name])
        return f"do {step.name}"

    def look(self, step: RunbookStep) -> str:
        self.before()
        return "as it was"

    def perform(self, step: RunbookStep, key: str) -> Performed:
        self.did.append(step.name)
        self.keys.append(key)
        self.meanwhile()
        if step.name in self.faults:
            raise Permanent(self.faults[step.name])
        return Performed(f"{step.name} done", "ok")

    def after_crash(self, step: RunbookStep, before: str) -> tuple[AfterCrash, str]:
        return (AfterCrash.AGAIN, "twice is as good as once") if self.again else (AfterCrash.UNCLEAR, "not twice")
