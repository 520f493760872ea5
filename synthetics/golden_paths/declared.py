"""GoldenPath and RouteInventory documents as values, and everything that is wrong with them."""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import timedelta
from typing import Final

import re2

from controlplane import conventions as names
from controlplane.problems import Problem, Severity
from controlplane.specfile import Declared, Document, declared_by_name, did_you_mean
from synthetics.golden_paths.model import Exemption, Gap, GoldenPath, Ignored, Route, RouteInventory
from synthetics.golden_paths.spec import GoldenPathDocument, RouteInventoryDocument, RoutePart

RULE: Final = "golden-path"
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_LENGTH: Final = re.compile(r"([1-9][0-9]{0,4})([mhdw])")
_SIZES: Final = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_LONGEST_AGE: Final = timedelta(days=30)
_LEAST_WITHIN: Final = timedelta(hours=1)
_LONGEST_WITHIN: Final = timedelta(days=31)
_FIELDS: Final = (("slos", "SLO"), ("journeys", "Journey"), ("probes", "Probe"))
Known = Collection[str] | None
"""Names that are declared; None where that is not known."""


def declared(
    documents: Sequence[Document],
    *,
    slos: Known = None,
    journeys: Known = None,
    probes: Known = None,
    may_be_declared: Callable[[str], bool] = lambda _: False,
) -> Declared[GoldenPath]:
    """The golden paths that these documents declare, by name. One with a mistake is left out; its problems are told.

    What they refer to is looked for among the names given. `may_be_declared` tells whether a document that could not
    be read may carry a name.
    """
    known = {"slos": slos, "journeys": journeys, "probes": probes}

    def read(document: Document, value: GoldenPathDocument) -> tuple[GoldenPath | None, Sequence[Problem]]:
        reading = _PathReading(document, value)
        problems = [*reading.check(), *reading.references(known, may_be_declared)]
        return (None if _has_error(problems) else reading.path()), problems

    return declared_by_name(documents, GoldenPathDocument, read)


def inventories(documents: Sequence[Document]) -> Declared[RouteInventory]:
    """The route inventories that these documents declare, by name; as `declared`."""
    return declared_by_name(documents, RouteInventoryDocument, _inventory)


class _PathReading:
    def __init__(self, document: Document, value: GoldenPathDocument) -> None:
        self._document: Final = document
        self._value: Final = value

    def check(self) -> Iterator[Problem]:
        """What is wrong within the document."""
        about, spec = self._value.metadata, self._value.spec
        yield from _name_problems(self._document, about.name)
        yield from _length_problems(self._document, "maxAge", spec.max_age, timedelta(minutes=1), _LONGEST_AGE)
        runbook = about.annotations.get(names.ANNOTATION_RUNBOOK, "")
        if runbook and not runbook.startswith(("http://", "https://")):
            at = ("metadata", "annotations", names.ANNOTATION_RUNBOOK)
            yield self._problem(*at, message="not a web address", hint="begin it with https://")
        for key in about.labels:
            if not _LABEL.fullmatch(key):
                hint = "letters, digits and `_`, as Prometheus has them"
                yield self._document.problem(
                    "metadata", "labels", key, message="is not a label's name", hint=hint, on_key=True, rule=RULE
                )
        yield from self._repetitions()
        yield from self._exemptions()

    def references(self, known: dict[str, Known], may_be_declared: Callable[[str], bool]) -> Iterator[Problem]:
        """Names of SLOs, journeys and probes that nothing has."""
        for field, kind in _FIELDS:
            declared_names = known[field]
            if declared_names is None:
                continue
            for number, name in enumerate(getattr(self._value.spec, field)):
                if name not in declared_names and not may_be_declared(name):
                    meant = did_you_mean(name, declared_names)
                    message = f"there is no {kind} `{name}`" + (f", did you mean `{meant}`?" if meant else "")
                    hint = "" if meant else _declared_hint(kind, declared_names)
                    yield self._problem("spec", field, number, message=message, hint=hint)

    def path(self) -> GoldenPath:
        """What the document says."""
        spec, about = self._value.spec, self._value.metadata
        return GoldenPath(
            name=about.name,
            source=self._document.position_of("metadata", "name"),
            routes=tuple(self._route(number, part) for number, part in enumerate(spec.routes)),
            slos=tuple(spec.slos),
            journeys=tuple(spec.journeys),
            probes=tuple(spec.probes),
            max_age=_length(spec.max_age) or timedelta(0),
            exempt=tuple(
                Exemption(Gap(part.gap), part.reason, part.until, self._document.position_of("spec", "exempt", number))
                for number, part in enumerate(spec.exempt)
            ),
            is_critical=spec.critical,
            display_name=about.display_name,
            description=spec.description,
            owner=about.annotations.get(names.ANNOTATION_OWNER, ""),
            runbook_url=about.annotations.get(names.ANNOTATION_RUNBOOK, ""),
            labels=tuple(sorted(about.labels.items())),
        )

    def _route(self, number: int, part: RoutePart) -> Route:
        method, labels = (part.method or "").upper(), tuple(sorted(part.labels.items()))
        position = self._document.position_of("spec", "routes", number)
        return Route(part.route, part.service or "", method, labels, position)

    def _repetitions(self) -> Iterator[Problem]:
        for field, _ in _FIELDS:
            yield from self._repeated(field, getattr(self._value.spec, field))
        routes = [self._route(number, part) for number, part in enumerate(self._value.spec.routes)]
        yield from self._repeated("routes", [str(route) for route in routes])

    def _repeated(self, field: str, found: Sequence[str]) -> Iterator[Problem]:
        for number, name in enumerate(found):
            if name in found[:number]:
                message = f"`{name}` is there twice"
                yield self._problem("spec", field, number, message=message, severity=Severity.WARNING)

    def _exemptions(self) -> Iterator[Problem]:
        spec = self._value.spec
        has_already = {"no-journey": ("a journey", spec.journeys), "no-slo": ("an SLO", spec.slos)}
        for number, part in enumerate(spec.exempt):
            at = ("spec", "exempt", number, "gap")
            if part.gap in [other.gap for other in spec.exempt[:number]]:
                yield self._problem(*at, message=f"`{part.gap}` is exempt twice", hint="keep one of them")
            what, given = has_already.get(part.gap, ("", ()))
            if given:
                message = f"the path has {what}: there is nothing to exempt"
                yield self._problem(*at, message=message, hint="delete it", severity=Severity.WARNING)

    def _problem(self, *path: str | int, message: str, hint: str = "", severity: Severity = Severity.ERROR) -> Problem:
        return self._document.problem(*path, message=message, hint=hint, severity=severity, rule=RULE)


def _inventory(document: Document, value: RouteInventoryDocument) -> tuple[RouteInventory | None, Sequence[Problem]]:
    spec, labels = value.spec, value.spec.labels
    problems = [
        *_name_problems(document, value.metadata.name),
        *_length_problems(document, "within", spec.within, _LEAST_WITHIN, _LONGEST_WITHIN),
        *_label_problems(document, value),
        *_pattern_problems(document, value),
    ]
    if _has_error(problems):
        return None, problems
    found = RouteInventory(
        name=value.metadata.name,
        metric=spec.metric,
        source=document.position_of("metadata", "name"),
        selector=tuple((label, tuple(values)) for label, values in sorted(spec.selector.items())),
        service_label=labels.service,
        method_label=labels.method or "",
        route_label=labels.route,
        within=_length(spec.within) or timedelta(0),
        least_per_day=spec.least_per_day,
        ignored=tuple(Ignored(part.route, part.reason) for part in spec.ignore),
    )
    return found, problems


def _label_problems(document: Document, value: RouteInventoryDocument) -> Iterator[Problem]:
    labels = value.spec.labels
    seen: dict[str, str] = {}
    for field, label in (("service", labels.service), ("method", labels.method), ("route", labels.route)):
        if label is None:
            continue
        if label in seen:
            message = f"`{label}` is the label of the {seen[label]} already"
            yield document.problem("spec", "labels", field, message=message, rule=RULE)
        seen.setdefault(label, field)


def _pattern_problems(document: Document, value: RouteInventoryDocument) -> Iterator[Problem]:
    options = re2.Options()
    options.log_errors = False
    for number, part in enumerate(value.spec.ignore):
        try:
            re2.compile(part.route, options)
        except re2.error as error:
            told = error.args[0].decode("utf-8", "replace") if isinstance(error.args[0], bytes) else str(error)
            message = f"not a regular expression: {told}"
            yield document.problem(
                "spec", "ignore", number, "route", message=message, hint="RE2, as in Prometheus", rule=RULE
            )


def _name_problems(document: Document, name: str) -> Iterator[Problem]:
    if not _NAME.fullmatch(name):
        hint = "lower-case letters, digits and `-`, at most 63"
        yield document.problem("metadata", "name", message=f"`{name[:80]}` is not a name", hint=hint, rule=RULE)


def _length_problems(document: Document, field: str, text: str, least: timedelta, most: timedelta) -> Iterator[Problem]:
    length = _length(text)
    if length is None:
        hint = "a number and m, h, d or w, as in 30m or 6h"
        yield document.problem("spec", field, message=f"`{text}` is not a length", hint=hint, rule=RULE)
    elif not least <= length <= most:
        message = f"must be between {least // timedelta(minutes=1)}m and {most.days}d"
        yield document.problem("spec", field, message=message, rule=RULE)


def _length(text: str) -> timedelta | None:
    match = _LENGTH.fullmatch(text)
    return timedelta(seconds=int(match[1]) * _SIZES[match[2]]) if match else None


def _declared_hint(kind: str, known: Collection[str]) -> str:
    if not known:
        return f"declare a {kind}" if kind != "SLO" else "declare an SLO"
    shown = sorted(known)
    more = f" and {len(shown) - 8} more" if len(shown) > 8 else ""
    return f"declared: {', '.join(shown[:8])}{more}"


def _has_error(problems: Sequence[Problem]) -> bool:
    return any(problem.severity is Severity.ERROR for problem in problems)
