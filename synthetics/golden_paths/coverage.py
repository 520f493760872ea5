"""Which golden paths are watched, and what is missing. Not known is a state of its own, neither good nor bad."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from fnmatch import fnmatchcase
from typing import Final

import re2

from controlplane import wording
from controlplane.model.check import CheckKind, VerdictKind
from synthetics.golden_paths.evidence import CheckEvidence, Evidence, InventoryAnswer, RouteTraffic
from synthetics.golden_paths.model import Exemption, Gap, GoldenPath, Route, RouteInventory

_DOWN: Final = (VerdictKind.GLOBAL, VerdictKind.REGIONAL)


class State(Enum):
    """What is known of a path, of a route or of a check."""

    COVERED = "covered"
    ACCEPTED = "accepted"  # of a path: what is missing was accepted for a while
    GAPS = "gaps"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class FoundGap:
    """Something that is missing; `path` empty: of no path. `accepted` is the exemption that still holds.

    `detail` says what it means and what to do next. `is_enforced`: it fails a build.
    """

    gap: Gap
    path: str
    subject: str
    detail: str
    accepted: Exemption | None = None
    is_enforced: bool = True


@dataclass(frozen=True, slots=True)
class NotKnown:
    """What could not be found out, and why; `path` empty: of no path."""

    path: str
    subject: str
    why: str


@dataclass(frozen=True, slots=True)
class RouteCoverage:
    """A route of a path, and what traffic says of it; `per_day` None: not known."""

    route: Route
    state: State
    per_day: float | None = None


@dataclass(frozen=True, slots=True)
class CheckCoverage:
    """A journey or probe of a path. `verdict` None: nothing is known, or none stands yet."""

    kind: CheckKind
    name: str
    state: State
    last_run_at: datetime | None = None
    verdict: VerdictKind | None = None


@dataclass(frozen=True, slots=True)
class PathCoverage:
    """One path. Gaps that are accepted are among `gaps`, and do not count."""

    path: GoldenPath
    gaps: tuple[FoundGap, ...]
    unknown: tuple[NotKnown, ...]
    routes: tuple[RouteCoverage, ...]
    checks: tuple[CheckCoverage, ...]

    @property
    def open_gaps(self) -> tuple[FoundGap, ...]:
        """Gaps that nobody accepted."""
        return tuple(gap for gap in self.gaps if gap.accepted is None)

    @property
    def unknown_checks(self) -> tuple[CheckCoverage, ...]:
        """Journeys and probes of which nothing can be said."""
        return tuple(check for check in self.checks if check.state is State.UNKNOWN)

    @property
    def state(self) -> State:
        """Gaps count more than what is not known: they are there whatever the rest would be."""
        if self.open_gaps:
            return State.GAPS
        if self.unknown:
            return State.UNKNOWN
        return State.ACCEPTED if self.gaps else State.COVERED


@dataclass(frozen=True, slots=True)
class UncoveredRoute:
    """A route that people use and that is on no path."""

    inventory: str
    traffic: RouteTraffic


@dataclass(frozen=True, slots=True)
class Coverage:
    """All paths, and what is on none. `strays` is None while it is not known of any inventory."""

    at: datetime
    paths: tuple[PathCoverage, ...]
    strays: tuple[UncoveredRoute, ...] | None
    stray_gaps: tuple[FoundGap, ...]
    unknown: tuple[NotKnown, ...]

    @property
    def gaps(self) -> tuple[FoundGap, ...]:
        """Every gap, of paths first."""
        return (*(gap for each in self.paths for gap in each.gaps), *self.stray_gaps)

    @property
    def enforced(self) -> tuple[FoundGap, ...]:
        """Gaps for which a build fails."""
        return tuple(gap for gap in self.gaps if gap.is_enforced and gap.accepted is None)

    @property
    def not_known(self) -> tuple[NotKnown, ...]:
        """Everything that could not be found out."""
        return (*(each for path in self.paths for each in path.unknown), *self.unknown)

    def of(self, name: str) -> PathCoverage | None:
        """The path of that name."""
        return next((each for each in self.paths if each.path.name == name), None)


def coverage(paths: Sequence[GoldenPath], evidence: Evidence, now: datetime) -> Coverage:
    """What is watched and what is not, from what is known. Paths and routes keep their order."""
    strays = None if not any(evidence.answered) else tuple(_strays(paths, evidence))
    told = tuple(_stray_gap(stray) for stray in strays or ())
    found = tuple(_of_path(path, evidence, now) for path in paths)
    return Coverage(now, found, strays, told, tuple(_unknown_inventories(evidence)))


def matches(route: Route, traffic: RouteTraffic, inventory: RouteInventory) -> bool:
    """Whether traffic is of this route. A method counts only where the inventory tells methods apart."""
    given = dict(traffic.labels)
    return (
        (not route.service or route.service == traffic.service)
        and (not route.method or not inventory.method_label or route.method == traffic.method.upper())
        and _fits(route.route, traffic.route)
        and all(given.get(label) == value for label, value in route.labels)
    )


def is_ignored(inventory: RouteInventory, route: str) -> bool:
    """Whether one of its patterns matches the whole route."""
    return any(re2.fullmatch(each.pattern, route) is not None for each in inventory.ignored)


def labels_asked(paths: Sequence[GoldenPath]) -> tuple[str, ...]:
    """Further labels by which traffic must be told apart, because a path names them."""
    return tuple(sorted({label for path in paths for route in path.routes for label, _ in route.labels}))


def _fits(pattern: str, route: str) -> bool:
    """`*` stands for any characters, and nothing else means anything."""
    if "*" not in pattern:
        return pattern == route
    return fnmatchcase(route, pattern.replace("[", "[[]").replace("?", "[?]"))


# --- routes -----------------------------------------------------------------------------------------------------------
def _strays(paths: Sequence[GoldenPath], evidence: Evidence) -> Iterator[UncoveredRoute]:
    routes = [route for path in paths for route in path.routes]
    for answer in evidence.answered:
        for name, traffic in _by_route(answer):
            known = any(matches(route, each, answer.inventory) for route in routes for each in traffic)
            per_day = sum(each.per_day for each in traffic)
            is_rare = per_day < answer.inventory.least_per_day
            if not known and not is_rare and not is_ignored(answer.inventory, name[2]):
                yield UncoveredRoute(answer.inventory.name, RouteTraffic(name[2], name[0], name[1], (), per_day))


def _by_route(answer: InventoryAnswer) -> Sequence[tuple[tuple[str, str, str], list[RouteTraffic]]]:
    """Series of the same service, method and route together: further labels do not make a route another one."""
    found: dict[tuple[str, str, str], list[RouteTraffic]] = {}
    for traffic in answer.routes:
        found.setdefault((traffic.service, traffic.method, traffic.route), []).append(traffic)
    return sorted(found.items())


def _stray_gap(stray: UncoveredRoute) -> FoundGap:
    traffic = stray.traffic
    told = f"{wording.count(traffic.per_day)} requests a day, and no golden path names it"
    way_out = f"add it to a GoldenPath, or to what the RouteInventory {stray.inventory} ignores, with a reason"
    subject = str(Route(traffic.route, traffic.service, traffic.method))
    return FoundGap(Gap.ROUTE_ON_NO_PATH, "", subject, f"{told}: {way_out}")


def _route(route: Route, evidence: Evidence) -> RouteCoverage:
    seen = [
        traffic
        for answer in evidence.answered
        for traffic in answer.routes
        if traffic.per_day > 0 and matches(route, traffic, answer.inventory)
    ]
    if seen:
        return RouteCoverage(route, State.COVERED, sum(each.per_day for each in seen))
    return RouteCoverage(route, State.UNKNOWN) if evidence.routes_unknown else RouteCoverage(route, State.GAPS, 0.0)


def _unknown_inventories(evidence: Evidence) -> Iterator[NotKnown]:
    if evidence.inventories is None or not evidence.inventories:
        yield NotKnown("", "routes", evidence.routes_unknown)
    for answer in evidence.inventories or ():
        if answer.failure:
            yield NotKnown("", f"routes of {answer.inventory.name}", answer.failure)


# --- paths ------------------------------------------------------------------------------------------------------------
def _of_path(path: GoldenPath, evidence: Evidence, now: datetime) -> PathCoverage:
    routes = tuple(_route(route, evidence) for route in path.routes)
    checks = tuple(_check(path, kind, name, evidence, now) for kind, name in path.checks)
    gaps = [*_static_gaps(path, now), *_route_gaps(path, routes, now), *_check_gaps(path, evidence, now)]
    unknown = [*_unknown_routes(path, routes, evidence), *_unknown_checks(path, checks, evidence)]
    return PathCoverage(path, tuple(gaps), tuple(unknown), routes, checks)


def _gap(path: GoldenPath, gap: Gap, subject: str, detail: str, now: datetime) -> FoundGap:
    accepted = next((each for each in path.exempt if each.gap is gap and _holds(each, now)), None)
    return FoundGap(gap, path.name, subject, detail, accepted, path.is_critical)


def _holds(exemption: Exemption, now: datetime) -> bool:
    return now.date() <= exemption.until


def _static_gaps(path: GoldenPath, now: datetime) -> Iterator[FoundGap]:
    if not path.journeys:
        told = "nobody walks it from outside: name a Journey"
        yield _gap(path, Gap.NO_JOURNEY, path.name, told, now)
    if not path.slos:
        yield _gap(path, Gap.NO_SLO, path.name, "nothing says how well it must work: name an SLO", now)
    for each in path.exempt:
        if not _holds(each, now):
            told = f"was accepted until {each.until} ({each.reason}): close the gap, or agree on a new day"
            yield FoundGap(Gap.EXEMPTION_EXPIRED, path.name, each.gap.value, told, None, path.is_critical)


def _route_gaps(path: GoldenPath, routes: Sequence[RouteCoverage], now: datetime) -> Iterator[FoundGap]:
    for each in routes:
        if each.state is State.GAPS:
            told = "no traffic: it is misspelt here, or nobody uses it any more and it can go"
            yield _gap(path, Gap.ROUTE_NOT_SEEN, str(each.route), told, now)


def _unknown_routes(
    path: GoldenPath, routes: Sequence[RouteCoverage], evidence: Evidence
) -> Iterator[NotKnown]:  # fmt: skip
    for each in routes:
        if each.state is State.UNKNOWN:
            yield NotKnown(path.name, str(each.route), evidence.routes_unknown)


# --- journeys and probes ----------------------------------------------------------------------------------------------
def _check(path: GoldenPath, kind: CheckKind, name: str, evidence: Evidence, now: datetime) -> CheckCoverage:
    if evidence.checks is None:
        return CheckCoverage(kind, name, State.UNKNOWN)
    found = evidence.checks.get((kind, name), CheckEvidence())
    is_bad = _is_late(path, found, now) or found.verdict in _DOWN
    state = State.GAPS if is_bad else State.COVERED if found.verdict is VerdictKind.UP else State.UNKNOWN
    return CheckCoverage(kind, name, state, found.last_run_at, found.verdict)


def _is_late(path: GoldenPath, found: CheckEvidence, now: datetime) -> bool:
    return found.last_run_at is None or now - found.last_run_at > path.max_age


def _check_gaps(path: GoldenPath, evidence: Evidence, now: datetime) -> Iterator[FoundGap]:
    if evidence.checks is None:
        return
    for kind, name in path.checks:
        found = evidence.checks.get((kind, name), CheckEvidence())
        subject = f"{kind.value} {name}"
        if _is_late(path, found, now):
            yield _gap(path, Gap.NOT_RUN, subject, _late(path, found, now), now)
        if found.verdict in _DOWN:
            yield _gap(path, Gap.FAILING, subject, _failing(found), now)


def _late(path: GoldenPath, found: CheckEvidence, now: datetime) -> str:
    most = f"at most {wording.duration(path.max_age)} may pass: look whether a prober runs it"
    if found.last_run_at is None:
        return f"never ran, or its runs are forgotten; {most}"
    return f"ran {wording.duration(now - found.last_run_at)} ago ({wording.utc(found.last_run_at)}); {most}"


def _failing(found: CheckEvidence) -> str:
    regions = f"in {', '.join(found.regions_down)}" if found.regions_down else "in some regions"
    where = "everywhere" if found.verdict is VerdictKind.GLOBAL else regions
    since = f" since {wording.utc(found.verdict_since)}" if found.verdict_since else ""
    return f"fails {where}{since}{f': {found.detail}' if found.detail else ''}"


def _unknown_checks(path: GoldenPath, checks: Sequence[CheckCoverage], evidence: Evidence) -> Iterator[NotKnown]:
    for each in checks:
        if each.state is State.UNKNOWN:
            none_yet = "no verdict yet" if each.verdict is None else "no region can tell"
            yield NotKnown(path.name, f"{each.kind.value} {each.name}", evidence.checks_unknown or none_yet)
