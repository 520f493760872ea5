"""Route documents as one tree of routes, and everything that is wrong with them."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from alerts.reporting import Report
from alerts.routing import matchers as matching
from alerts.routing.lengths import length
from alerts.routing.model import (
    EVERY_LABEL,
    NO_ESCALATION,
    RECORD_ROUTE,
    WATCHDOG_ROUTE,
    Matcher,
    MatchOperator,
    Route,
    RouteTest,
)
from alerts.routing.spec import NestedRoutePart, RouteDocument, RouteSpec, RouteTestPart
from controlplane import conventions as names
from controlplane.calendar.moments import moment_of
from controlplane.calendar.zones import zone
from controlplane.incident_names import ALERT_WATCHDOG
from controlplane.model.incident import Priority
from controlplane.model.inhibition import Inhibition
from controlplane.problems import Problem, in_order
from controlplane.specfile import Document

RULE: Final = "route"
MOST_NODES: Final = 2000
DEEPEST: Final = 10
_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_DAY: Final = timedelta(days=1)
_SECOND: Final = timedelta(seconds=1)
_A_TIME: Final = "such as 2026-12-01T03:00:00Z"
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """Names to which routes may refer."""

    receivers: Collection[str] = ()
    policies: Collection[str] = ()
    windows: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class DeclaredRoutes:
    """The tree, None where no route is declared or the default has a mistake. With errors it is not complete."""

    root: Route | None = None
    problems: tuple[Problem, ...] = ()


def declared(documents: Sequence[Document], known: Known) -> DeclaredRoutes:
    """The tree of routes that these documents declare together: below the default the others, by order and name.

    The first one below the root is the Watchdog's, the last one that of what is only kept. A route with a
    mistake is left out; its problems are told.
    """
    written = _first_of_each_name(documents)
    roots = [(document, value) for document, value in written if value.spec.default]
    if not written:
        return DeclaredRoutes()
    problems = list(_about_roots(written, roots))
    below: list[tuple[int, str, Route]] = []
    root: Route | None = None
    for document, value in written:
        report = Report(document, RULE)
        route = _Reading(report, known).document(value)
        problems += report.problems
        if report.has_errors:
            continue
        if not value.spec.default:
            below.append((value.spec.order, route.name, route))
        elif root is None:
            root = route
    if root is not None:
        others = tuple(route for _, _, route in sorted(below, key=lambda each: each[:2]))
        root = replace(root, routes=(watchdog_route(), *others, *root.routes, record_route()))
        problems += _too_many(root, roots[0][0])
    return DeclaredRoutes(root, tuple(in_order(problems)))


def watchdog_route() -> Route:
    """Where the alert goes that always fires: it is delivered every minute, told to nobody, and noted."""
    return Route(
        name=WATCHDOG_ROUTE,
        matchers=(Matcher("alertname", MatchOperator.EQUAL, ALERT_WATCHDOG),),
        escalation=NO_ESCALATION,
        priority=Priority.P4,
        group_by=("alertname",),
        group_wait=timedelta(0),
        group_interval=timedelta(seconds=30),
        repeat_interval=timedelta(minutes=1),
    )


def record_route() -> Route:
    """Where alerts go that only say what is so, if no route of the workspace takes them: they are stored, not told."""
    return Route(
        name=RECORD_ROUTE,
        matchers=(Matcher(names.SEVERITY, MatchOperator.EQUAL, names.SEVERITY_INFO),),
        escalation=NO_ESCALATION,
        priority=Priority.P4,
    )


def _first_of_each_name(documents: Sequence[Document]) -> list[tuple[Document, RouteDocument]]:
    """That a name is there twice is told where files are read."""
    found: dict[str, tuple[Document, RouteDocument]] = {}
    for document in documents:
        if isinstance(document.value, RouteDocument):
            found.setdefault(document.value.metadata.name, (document, document.value))
    return list(found.values())


def _about_roots(
    written: Sequence[tuple[Document, RouteDocument]], roots: Sequence[tuple[Document, RouteDocument]]
) -> Iterator[Problem]:
    if not roots:
        message = "no Route has `default: true`: alerts that no route takes would be told to nobody"
        hint = "declare one with `default: true` and receivers"
        yield written[0][0].problem("spec", message=message, hint=hint, rule=RULE, on_key=True)
    for document, _ in roots[1:]:
        first = roots[0][0].position_of("spec", "default")
        message = "another Route is the default already"
        yield document.problem("spec", "default", message=message, hint=f"the first one is at {first}", rule=RULE)


def _too_many(root: Route, document: Document) -> Iterator[Problem]:
    count = sum(1 for _ in root.nodes())
    if count > MOST_NODES:
        yield document.problem("spec", message=f"{count} routes, at most {MOST_NODES} are allowed", rule=RULE)


class _Reading:
    """One document."""

    def __init__(self, report: Report, known: Known) -> None:
        self._report = report
        self._known = known

    def document(self, value: RouteDocument) -> Route:
        name = value.metadata.name
        self._report.check_name(name)
        if name in (WATCHDOG_ROUTE, RECORD_ROUTE):
            message = f"`{name}` is the name of a route of Flyball's own"
            self._report.error("metadata", "name", message=message, hint="choose another one")
        if value.spec.default:
            self._check_root(value.spec)
        elif not value.spec.match and not value.spec.goes_on:
            message = "takes every alert: routes after it, and the default, are never reached"
            self._report.warning("spec", message=message, hint="give it a `match`, or `continue: true`", on_key=True)
        elif value.spec.inhibit:
            message = "inhibitions hold for all routes"
            self._report.error("spec", "inhibit", message=message, hint="put them into the default", on_key=True)
        route = self._route(value.spec, name, ("spec",), 0)
        inhibitions = tuple(self._inhibitions(value.spec))
        return replace(route, tests=tuple(self._tests(value.spec)), inhibitions=inhibitions)

    def _check_root(self, spec: RouteSpec) -> None:
        for key, given in (
            ("match", spec.match),
            ("muteDuring", spec.mute_during),
            ("activeDuring", spec.active_during),
            ("continue", spec.goes_on),
        ):
            if given:
                message = "the default takes every alert that no other route takes, at all times"
                self._report.error("spec", key, message=message, hint="put it into a route of its own", on_key=True)
        if not spec.receivers:
            self._report.error("spec", message="the default needs receivers", hint="receivers: [NAME]", on_key=True)

    def _route(self, part: RouteSpec | NestedRoutePart, name: str, path: Path, depth: int) -> Route:
        if depth > DEEPEST:
            self._report.error(*path, message=f"routes lie more than {DEEPEST} deep")
            return Route(name)
        self._refer(part.receivers, "Receiver", self._known.receivers, (*path, "receivers"))
        self._refer(part.mute_during, "MaintenanceWindow", self._known.windows, (*path, "muteDuring"))
        self._refer(part.active_during, "MaintenanceWindow", self._known.windows, (*path, "activeDuring"))
        if part.escalation is not None and not self._is_policy(part.escalation):
            what, at = "EscalationPolicy", (*path, "escalation")
            self._report.unknown(*at, what=what, name=part.escalation, known=self._known.policies)
        return Route(
            name=name,
            matchers=matching.read(self._report, part.match, (*path, "match")),
            receivers=tuple(dict.fromkeys(part.receivers)),
            escalation=part.escalation or "",
            priority=Priority(part.priority) if part.priority else None,
            group_by=self._group_by(part.group_by, (*path, "groupBy")),
            group_wait=self._length(part.group_wait, (*path, "groupWait"), timedelta(0), _DAY),
            group_interval=self._length(part.group_interval, (*path, "groupInterval"), _SECOND, _DAY),
            repeat_interval=self._length(part.repeat_interval, (*path, "repeatInterval"), _SECOND, 30 * _DAY),
            resolve_after=self._length(part.resolve_after, (*path, "resolveAfter"), timedelta(0), _DAY),
            goes_on=part.goes_on,
            muted_during=tuple(dict.fromkeys(part.mute_during)),
            active_during=tuple(dict.fromkeys(part.active_during)),
            routes=self._nested(part, name, path, depth),
            source=self._report.document.position_of(*(path if path != ("spec",) else ("metadata", "name"))),
        )

    def _nested(self, part: RouteSpec | NestedRoutePart, name: str, path: Path, depth: int) -> tuple[Route, ...]:
        found: list[Route] = []
        for number, inner in enumerate(part.routes):
            at = (*path, "routes", number)
            self._report.check_name(inner.name, *at, "name")
            full = f"{name}/{inner.name}"
            if any(full == other.name for other in found):
                self._report.error(*at, "name", message=f"the route `{inner.name}` is there twice")
            if found and not found[-1].matchers and not found[-1].goes_on:
                message = f"is never reached: `{found[-1].name}` before it takes every alert"
                self._report.warning(*at, message=message, hint="give that one a `match`, or `continue: true`")
            found.append(self._route(inner, full, at, depth + 1))
        return tuple(found)

    def _length(self, text: str | None, path: Path, least: timedelta, most: timedelta) -> timedelta | None:
        return length(self._report, text, path, least=least, most=most)

    def _group_by(self, labels: list[str] | None, path: Path) -> tuple[str, ...] | None:
        if labels is None:
            return None
        for number, label in enumerate(labels):
            if label == EVERY_LABEL:
                if len(labels) > 1:
                    message = f"`{EVERY_LABEL}` means every label"
                    self._report.error(*path, number, message=message, hint="so it stands alone")
            elif not _LABEL.fullmatch(label):
                self._report.error(*path, number, message=f"`{label}` is not the name of a label")
            elif label in labels[:number]:
                self._report.error(*path, number, message=f"`{label}` is there twice")
        return tuple(labels)

    def _refer(self, given: Sequence[str], what: str, known: Collection[str], path: Path) -> None:
        for number, name in enumerate(given):
            if name not in known:
                self._report.unknown(*path, number, what=what, name=name, known=known)

    def _is_policy(self, name: str) -> bool:
        return name == NO_ESCALATION or name in self._known.policies

    def _inhibitions(self, spec: RouteSpec) -> Iterator[Inhibition]:
        for number, part in enumerate(spec.inhibit):
            path: Path = ("spec", "inhibit", number)
            source = matching.read(self._report, part.source, (*path, "source"))
            target = matching.read(self._report, part.target, (*path, "target"))
            for index, label in enumerate(part.equal):
                if not _LABEL.fullmatch(label):
                    self._report.error(*path, "equal", index, message=f"`{label}` is not the name of a label")
            texts = [tuple(map(matching.as_text, each)) for each in (source, target)]
            yield Inhibition(texts[0], texts[1], tuple(dict.fromkeys(part.equal)))

    def _tests(self, spec: RouteSpec) -> Iterator[RouteTest]:
        for number, part in enumerate(spec.tests):
            yield self._test(part, ("spec", "tests", number))

    def _test(self, part: RouteTestPart, path: Path) -> RouteTest:
        expect = part.expect
        at = moment_of(part.at, zone("UTC")) if part.at is not None else None
        if part.at is not None and at is None:
            self._report.error(*path, "at", message=f"`{part.at}` is not a time", hint=_A_TIME)
        for label in part.labels:
            if not _LABEL.fullmatch(label):
                self._report.error(*path, "labels", label, message=f"`{label[:80]}` is not a label", on_key=True)
        self._refer(expect.receivers or (), "Receiver", self._known.receivers, (*path, "expect", "receivers"))
        if expect.escalation and not self._is_policy(expect.escalation):
            what, where = "EscalationPolicy", (*path, "expect", "escalation")
            self._report.unknown(*where, what=what, name=expect.escalation, known=self._known.policies)
        if expect.on_call is not None and at is None and part.at is None:
            hint = "add `at`, such as 2026-12-01T03:00:00Z"
            self._report.error(*path, "expect", "onCall", message="who is on call depends on the time", hint=hint)
        escalation = "" if expect.escalation == NO_ESCALATION else expect.escalation
        return RouteTest(
            name=part.name,
            labels=dict(part.labels),
            source=self._report.document.position_of(*path, "name"),
            at=at,
            routes=tuple(expect.routes) if expect.routes is not None else None,
            receivers=tuple(expect.receivers) if expect.receivers is not None else None,
            escalation=escalation,
            priority=Priority(expect.priority) if expect.priority else None,
            is_muted=expect.muted,
            on_call=tuple(expect.on_call) if expect.on_call is not None else None,
        )
