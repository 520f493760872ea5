"""EscalationPolicy documents as policies, and everything that is wrong with them."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Final

from alerts.escalation.model import EscalationPolicy, PolicyStep
from alerts.escalation.spec import EscalationPolicyDocument, RepeatPart, TargetPart
from alerts.reporting import Report
from controlplane.calendar.moments import length_of
from controlplane.problems import Problem
from controlplane.specfile import Declared, Document, declared_by_name

RULE: Final = "escalation-policy"
RECEIVER: Final = "receiver:"  # before the name of a target
SCHEDULE: Final = "schedule:"
_NOTHING: Final = timedelta(0)
_LONGEST: Final = timedelta(days=7)
_LEAST_ROUND: Final = timedelta(minutes=1)
_LEAST_ACKNOWLEDGED: Final = timedelta(minutes=5)
Path = tuple[str | int, ...]


def declared(documents: Sequence[Document]) -> Declared[EscalationPolicy]:
    """The policies that these documents declare, by name. One with a mistake is left out; its problems are told."""

    def read(document: Document, value: EscalationPolicyDocument) -> tuple[EscalationPolicy | None, Sequence[Problem]]:
        report = Report(document, RULE)
        policy = _policy(report, value)
        return (None if report.has_errors else policy), report.problems

    return declared_by_name(documents, EscalationPolicyDocument, read)


def target_problems(
    documents: Sequence[Document], receivers: Collection[str], schedules: Collection[str]
) -> list[Problem]:
    """Targets of policies that are not there; `receivers` and `schedules` are the names of all that there are."""
    problems: list[Problem] = []
    for document in documents:
        if isinstance(document.value, EscalationPolicyDocument):
            report = Report(document, RULE)
            for number, step in enumerate(document.value.spec.steps):
                for index, target in enumerate(step.notify):
                    at = ("spec", "steps", number, "notify", index)
                    if target.receiver is not None and target.receiver not in receivers:
                        report.unknown(*at, "receiver", what="Receiver", name=target.receiver, known=receivers)
                    if target.schedule is not None and target.schedule not in schedules:
                        report.unknown(*at, "schedule", what="Schedule", name=target.schedule, known=schedules)
            problems += report.problems
    return problems


def _policy(report: Report, value: EscalationPolicyDocument) -> EscalationPolicy:
    report.check_name(value.metadata.name)
    spec = value.spec
    steps = _steps(report, value)
    repeat = _round_length(report, spec.repeat, steps) if spec.repeat is not None else _NOTHING
    lasts: timedelta | None = None
    if spec.acknowledged_for is not None:
        lasts = _length(report, spec.acknowledged_for, ("spec", "acknowledgedFor"), _LEAST_ACKNOWLEDGED)
    return EscalationPolicy(
        name=value.metadata.name,
        steps=steps,
        rounds=1 + spec.repeat.times if spec.repeat is not None else 1,
        round_length=repeat,
        acknowledged_for=lasts,
        display_name=value.metadata.display_name,
        source=report.document.position_of("metadata", "name"),
    )


def _steps(report: Report, value: EscalationPolicyDocument) -> tuple[PolicyStep, ...]:
    found: list[PolicyStep] = []
    for number, part in enumerate(value.spec.steps):
        at: Path = ("spec", "steps", number)
        after = _length(report, part.after, (*at, "after"), _NOTHING)
        if after is not None and found and after <= found[-1].after:
            hint = "steps stand in order of time; who is told at the same time stands in one step"
            report.error(*at, "after", message="not later than the step before", hint=hint)
        targets = [_target(report, target, (*at, "notify", index)) for index, target in enumerate(part.notify)]
        for index, target in enumerate(targets):
            if target and target in targets[:index]:
                report.error(*at, "notify", index, message=f"`{target.split(':')[1]}` is there twice")
        found.append(PolicyStep(after or _NOTHING, tuple(filter(None, targets))))
    return tuple(found)


def _target(report: Report, part: TargetPart, path: Path) -> str:
    if (part.receiver is None) == (part.schedule is None):
        hint = "a target is one Receiver, or whoever is on call by one Schedule"
        report.error(*path, message="say one of receiver and schedule", hint=hint)
        return ""
    return f"{RECEIVER}{part.receiver}" if part.receiver is not None else f"{SCHEDULE}{part.schedule}"


def _round_length(report: Report, repeat: RepeatPart, steps: Sequence[PolicyStep]) -> timedelta:
    last = steps[-1].after
    if repeat.every is not None:
        every = _length(report, repeat.every, ("spec", "repeat", "every"), _LEAST_ROUND)
        if every is not None and every <= last:
            report.error("spec", "repeat", "every", message="a round is over before its last step")
        return every or _NOTHING
    if len(steps) == 1:
        hint = "such as `every: 10m`"
        report.error("spec", "repeat", message="it is not clear how long a round of one step is", hint=hint)
        return _NOTHING
    return last + (last - steps[-2].after)


def _length(report: Report, text: str, path: Path, least: timedelta) -> timedelta | None:
    found = length_of(text)
    if found is None:
        report.error(*path, message=f"`{text}` is not a length", hint="such as 0m, 90s, 15m or 1h")
        return None
    if not least <= found <= _LONGEST:
        minutes = least // timedelta(minutes=1)
        report.error(*path, message=f"must be between {minutes}m and 7d")
        return None
    return found
