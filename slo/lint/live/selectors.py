"""Live rules about selectors: what Prometheus does not have, and what matches too much."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import Final

from controlplane.model.slo import SLO
from controlplane.specfile import did_you_mean
from slo.lint import rules
from slo.lint.live.combinations import Combinations, Labels
from slo.lint.live.patterns import accepts, is_certain, without
from slo.lint.queries import Asked, Purpose, queries_of
from slo.lint.rule import Finding, LintRule
from slo.promql.promql_text import Matcher, Selector

# Labels that name a service, the most telling first: `job` is often all that is behind one scrape configuration.
IDENTITY: Final = ("service_name", "service", "app", "application", "app_kubernetes_io_name", "job")
_ELSEWHERE: Final = (  # what tells services apart where one process reports on many
    "service", "app", "workload", "cluster_name", "consumergroup", "cronjob", "destination", "instance", "target",
)  # fmt: skip
_SHOWN: Final = 8
_MOST_SUGGESTIONS: Final = 200
_MOST_NEAR: Final = 5000
_MOST_LETTERS: Final = 6  # by which a slip makes a name longer or shorter


@dataclass(frozen=True, slots=True)
class Use:
    """A selector in a query of an SLO."""

    slo: SLO
    asked: Asked
    selector: Selector
    outcome: frozenset[str]  # labels with conditions that only the bad events have

    def finding(self, rule: LintRule, message: str, hint: str = "") -> Finding:
        """What a rule says of it."""
        return Finding(rule, self.asked.query.position, message, hint)


@dataclass(frozen=True, slots=True)
class Quiet:
    """A finding that holds only if the selector was quiet for a day, too."""

    finding: Finding
    selector: Selector


def uses_of(slos: Iterable[SLO]) -> Iterator[Use]:
    """Every selector in every query."""
    for slo in slos:
        queries = list(queries_of(slo.indicator))
        everywhere = {
            _condition(matcher)
            for asked in queries
            if asked.purpose is Purpose.TOTAL
            for selector in asked.selectors
            for matcher in selector.matchers
        }
        for asked in queries:
            for selector in asked.selectors:
                own = {each.label for each in selector.matchers if _condition(each) not in everywhere}
                outcome = own if asked.purpose is Purpose.BAD else set[str]()
                yield Use(slo, asked, selector, frozenset(outcome))


def unknown_metric(use: Use, names: frozenset[str], suggest: Callable[[str], str | None]) -> Finding | None:
    """A metric that nobody has; `suggest` says which one may have been meant."""
    name = use.selector.name
    if name in names:
        return None
    meant = suggest(name)
    hint = "" if meant else "is its target scraped?"
    if use.asked.purpose is Purpose.BAD and not meant:
        hint = "a counter that is born with its first error is fine"
    suffix = f", did you mean `{meant}`?" if meant else ""
    return use.finding(rules.METRIC_UNKNOWN, f"Prometheus has no metric `{name}`{suffix}", hint)


class NearNames:
    """The metric that may have been meant, looked for once for each name, and not for ever."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = sorted(names)
        self._found: dict[str, str | None] = {}

    def __call__(self, name: str) -> str | None:
        """The nearest name; None when none is near, or after too many."""
        if name not in self._found and len(self._found) < _MOST_SUGGESTIONS:
            self._found[name] = did_you_mean(name, islice(self._near(name), _MOST_NEAR))
        return self._found.get(name)

    def _near(self, name: str) -> Iterator[str]:
        """Names worth a closer look, since there may be a million: about as long, and begun or ended alike."""
        for each in self._names:
            if abs(len(each) - len(name)) <= _MOST_LETTERS and (each[:4] == name[:4] or each[-9:] == name[-9:]):
                yield each


def findings_of(
    use: Use, live: Combinations, label_names: Callable[[str], frozenset[str]]
) -> Iterator[Finding | Quiet]:
    """What is wrong with a selector of a metric that is there."""
    if not live.all:
        return  # quiet for the moment: SLONoData tells that
    selector = use.selector
    missing = [each for each in selector.matchers if not live.has(each.label) and not _asks_for_none(each)]
    for matcher in missing:
        yield _unknown_label(use, matcher, label_names(selector.name))
    if missing or not is_certain(selector):
        return
    matched = live.matching(selector.matchers)
    if not matched:
        yield from _nothing(use, live)
    elif use.asked.purpose in (Purpose.TOTAL, Purpose.VALUE):
        yield from _two_services(use, matched)


def _asks_for_none(matcher: Matcher) -> bool:
    """`label=""` asks for series without the label."""
    return matcher.operator == "=" and not matcher.value


def _unknown_label(use: Use, matcher: Matcher, known: frozenset[str]) -> Finding:
    meant = did_you_mean(matcher.label, known - {"le"})
    message = f"no series of `{use.selector.name}` has a label `{matcher.label}`"
    listed = ", ".join(sorted(known)[: 2 * _SHOWN])
    return use.finding(
        rules.LABEL_UNKNOWN,
        message + (f", did you mean `{meant}`?" if meant else ""),
        f"its labels: {listed}" if listed else "",
    )


def _nothing(use: Use, live: Combinations) -> Iterator[Finding | Quiet]:
    """Why nothing matches: a bound that is none, a value, or only all conditions together."""
    selector = use.selector
    if use.asked.purpose is Purpose.WITHIN and (rest := live.matching(without(selector, "le"))):
        yield _missing_bucket(use, rest)
        return
    if use.outcome and live.matching([each for each in selector.matchers if each.label not in use.outcome]):
        return  # only that there were no errors
    strange = [
        each
        for each in selector.matchers
        if each.label not in use.outcome and not any(accepts(each, value) for value in live.values(each.label))
    ]
    for matcher in strange:
        yield Quiet(_unknown_value(use, matcher, live), selector)
    if not strange:
        message = f"no series of `{selector.name}` has all of these labels together"
        yield Quiet(use.finding(rules.SELECTOR_EMPTY, message), selector)


def _unknown_value(use: Use, matcher: Matcher, live: Combinations) -> Finding:
    values = sorted(live.values(matcher.label).keys() - {""})
    meant = did_you_mean(matcher.value, values)
    message = (
        f"`{matcher.label}{matcher.operator}{matcher.value_token.text}` matches no series of `{use.selector.name}`"
    )
    listed = ", ".join(values[:_SHOWN]) + (", …" if len(values) > _SHOWN else "")
    return use.finding(
        rules.VALUE_UNKNOWN, message + (f", did you mean `{meant}`?" if meant else ""), f"there are: {listed}"
    )


def _missing_bucket(use: Use, rest: Sequence[Labels]) -> Finding:
    wanted = next(each.value for each in use.selector.matchers if each.label == "le")
    bounds = sorted({bound for labels in rest if (bound := _bound(labels.get("le", ""))) is not None})
    listed = ", ".join(f"{bound.normalize():f}" for bound in bounds)
    message = f'`{use.selector.name}` has no bucket le="{_plain(wanted)}"'
    return use.finding(rules.BUCKET_MISSING, message, f"its bounds: {listed}" if listed else "it has no buckets at all")


def _plain(bound: str) -> str:
    """The bound as users write it: `1|1\\.0` is 1."""
    return bound.split("|")[0]


def _bound(written: str) -> Decimal | None:
    try:
        bound = Decimal(written)
    except InvalidOperation:
        return None
    return bound if bound.is_finite() else None


def _two_services(use: Use, matched: Sequence[Labels]) -> Iterator[Finding]:
    constrained = {each.label for each in use.selector.matchers if each.operator in ("=", "=~")} | set(use.slo.groups)
    if any(part in label for label in constrained - {"job"} for part in _ELSEWHERE):
        return
    for label in IDENTITY:
        values = {labels.get(label, "") for labels in matched}
        if "" in values or (label in constrained and label != "job"):
            continue
        if label in constrained:
            return
        if len(values) > 1:
            listed = ", ".join(sorted(values)[:_SHOWN])
            message = f"`{use.selector.name}` adds up {len(values)} services ({label}: {listed})"
            hint = f'add a condition such as {label}="{min(values)}"'
            yield use.finding(rules.TWO_SERVICES, message, hint)
        return


def labels_of_interest(uses: Iterable[Use]) -> Mapping[str, frozenset[str]]:
    """By metric, the labels that any rule looks at."""
    found: dict[str, set[str]] = {}
    for use in uses:
        wanted = found.setdefault(use.selector.name, {*IDENTITY})
        wanted |= {matcher.label for matcher in use.selector.matchers if matcher.label != "__name__"}
        wanted |= set(use.slo.groups)
    return {metric: frozenset(labels) for metric, labels in found.items()}


def _condition(matcher: Matcher) -> tuple[str, str, str]:
    return matcher.label, matcher.operator, matcher.value
