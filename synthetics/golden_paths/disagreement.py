"""Whether what checks say of a path and what its SLOs say agree; and for how long they have not.

A state changes only after both sides said the same in two evaluations, and a disagreement only after it lasted for
`HOLD`: SLOs need some minutes to see what a check sees at once. What is not known moves nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from controlplane import check_names, wording
from controlplane.model.check import Verdict, VerdictKind
from controlplane.model.event import JSON, Event, RecordedEvent
from synthetics.golden_paths.evidence import CheckKey, SLIEvidence
from synthetics.golden_paths.model import GoldenPath

EVALUATIONS: Final = 2
HOLD: Final = timedelta(minutes=5)
HALF: Final = 0.5
_KINDS: Final = (check_names.EVENT_PATH_DISAGREES, check_names.EVENT_PATH_AGREES)


class Checks(Enum):
    """What the journeys and probes of a path say together."""

    UP = "up"  # all of them, everywhere
    DOWN = "down"  # one of them at least, somewhere
    UNKNOWN = "unknown"


class SLIs(Enum):
    """What the SLOs of a path say together."""

    CALM = "calm"  # all of them
    BURNING = "burning"  # one of them at least, at the speed of a page
    UNKNOWN = "unknown"


class Disagreement(Enum):
    """What it means when they do not agree."""

    COVERAGE_HOLE = "coverage_hole"  # users see what the checks do not
    DNS_OR_REGION = "dns_or_region"  # checks do not get through, and the service sees no errors


@dataclass(frozen=True, slots=True)
class TrafficDrop:
    """Requests a second of a path's routes, now and at the same time yesterday."""

    now: float
    yesterday: float

    @property
    def is_halved(self) -> bool:
        """Whether less than half of what was there yesterday comes in."""
        return self.yesterday > 0 and self.now < HALF * self.yesterday


@dataclass(frozen=True, slots=True)
class Sides:
    """What both sides say in one evaluation, and the names of those who say it."""

    checks: Checks
    slis: SLIs
    down: tuple[str, ...] = ()
    burning: tuple[str, ...] = ()

    @property
    def is_known(self) -> bool:
        """Whether both sides can tell."""
        return self.checks is not Checks.UNKNOWN and self.slis is not SLIs.UNKNOWN

    @property
    def meaning(self) -> Disagreement | None:
        """None where they agree; of no use while one of them is unknown."""
        if self.checks is Checks.UP and self.slis is SLIs.BURNING:
            return Disagreement.COVERAGE_HOLE
        if self.checks is Checks.DOWN and self.slis is SLIs.CALM:
            return Disagreement.DNS_OR_REGION
        return None


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds of a path: None while both sides agree, or nobody knows better. `since`: when that was first seen."""

    kind: Disagreement | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """A path's standing, and what may follow it: seen since `candidate_since`, in so many evaluations."""

    standing: Standing = Standing()
    candidate: Disagreement | None = None
    candidate_since: datetime | None = None
    evaluations: int = 0


def step(course: Course, sides: Sides, now: datetime, hold: timedelta = HOLD) -> Course:
    """The course after one more evaluation. Its standing is another object's equal unless it changed."""
    if not sides.is_known:
        return course
    meaning = sides.meaning
    if meaning is course.standing.kind:
        return Course(course.standing)
    is_same = course.evaluations > 0 and course.candidate is meaning
    since = course.candidate_since if is_same and course.candidate_since else now
    seen = course.evaluations + 1 if is_same else 1
    lasted = meaning is None or now - since >= hold
    if seen >= EVALUATIONS and lasted:
        return Course(Standing(meaning, since))
    return Course(course.standing, meaning, since, seen)


# --- the two sides ----------------------------------------------------------------------------------------------------
def sides_of(path: GoldenPath, verdicts: Mapping[CheckKey, Verdict], slis: SLIEvidence | None) -> Sides:
    """What is said of a path now. `slis` None: Prometheus tells nothing."""
    checks, down = _checks(path, verdicts)
    known, burning = _slis(path, slis)
    return Sides(checks, known, down, burning)


def _checks(path: GoldenPath, verdicts: Mapping[CheckKey, Verdict]) -> tuple[Checks, tuple[str, ...]]:
    """One that is down is enough to say so; all must be known to be up to say that. Who flaps is not believed."""
    found = [(name, verdicts.get((kind, name))) for kind, name in path.checks]
    believed = [(name, verdict.kind) for name, verdict in found if verdict and not verdict.flapping]
    down = tuple(name for name, kind in believed if kind in (VerdictKind.GLOBAL, VerdictKind.REGIONAL))
    if down:
        return Checks.DOWN, down
    up = sum(kind is VerdictKind.UP for _, kind in believed)
    return (Checks.UP if found and up == len(found) else Checks.UNKNOWN), ()


def _slis(path: GoldenPath, slis: SLIEvidence | None) -> tuple[SLIs, tuple[str, ...]]:
    if slis is None or not path.slos:
        return SLIs.UNKNOWN, ()
    burning = tuple(each.slo for each in slis.burning if each.slo in path.slos)
    if burning:
        return SLIs.BURNING, burning
    return (SLIs.CALM if all(slo in slis.calm for slo in path.slos) else SLIs.UNKNOWN), ()


# --- events -----------------------------------------------------------------------------------------------------------
def event_of(path: GoldenPath, standing: Standing, sides: Sides, now: datetime, drop: TrafficDrop | None) -> Event:
    """The change as an event. The same change of the same path has the same id, whoever sees it and however often."""
    since = standing.since or now
    kind = standing.kind.value if standing.kind else ""
    data: dict[str, JSON] = {
        "since": since.isoformat(),
        "detail": in_words(path, standing, sides, drop),
        "checks_down": list(sides.down),
        "slos_burning": list(sides.burning),
    }
    if standing.kind:
        data["kind"] = kind
    if drop is not None:
        data["requests_per_second"] = f"{drop.now:.6g}"
        data["requests_per_second_yesterday"] = f"{drop.yesterday:.6g}"
        data["traffic_halved"] = drop.is_halved
    event_kind = _KINDS[0] if standing.kind else _KINDS[1]
    return Event(f"{event_kind}:{path.name}:{kind}:{since.isoformat()}", event_kind, path.name, now, data)


def standings(events: Iterable[RecordedEvent]) -> dict[str, Standing]:
    """What the log says of each path: its latest event counts, by its place in the log."""
    found: dict[str, Standing] = {}
    for recorded in sorted(events, key=lambda each: each.sequence):
        event = recorded.event
        if event.kind in _KINDS:
            found[event.subject] = Standing(_kind_of(event), _since_of(event))
    return found


def _kind_of(event: Event) -> Disagreement | None:
    written = event.data.get("kind")
    known = {kind.value: kind for kind in Disagreement}
    return known.get(written) if isinstance(written, str) and event.kind == _KINDS[0] else None


def _since_of(event: Event) -> datetime:
    written = event.data.get("since")
    try:
        since = datetime.fromisoformat(written) if isinstance(written, str) else event.occurred_at
    except ValueError:
        return event.occurred_at
    return since if since.tzinfo else event.occurred_at


def in_words(path: GoldenPath, standing: Standing, sides: Sides, drop: TrafficDrop | None) -> str:
    """What happened, what it means, what to do next."""
    if standing.kind is Disagreement.COVERAGE_HOLE:
        return (
            f"{path.title}: {_listed(sides.burning)} burns at the speed of a page while every check is up. Users see "
            "what our checks do not: find which requests fail, and add a step or a probe that sees them."
        )
    if standing.kind is Disagreement.DNS_OR_REGION:
        fell = (
            f" Traffic fell to {wording.percent(drop.now / drop.yesterday)} of the same time yesterday."
            if drop and drop.is_halved
            else " Traffic is as yesterday: it may be one region, or the checks themselves."
            if drop and drop.yesterday > 0
            else ""
        )
        return (
            f"{path.title}: {_listed(sides.down)} fails while the SLOs are calm. Requests may not arrive: look at DNS, "
            f"certificates, the load balancer and the region's ingress.{fell}"
        )
    return f"{path.title}: checks and SLOs agree again."


def _listed(found: tuple[str, ...]) -> str:
    return f"{', '.join(found[:3])} and {len(found) - 3} more" if len(found) > 3 else ", ".join(found) or "nothing"
