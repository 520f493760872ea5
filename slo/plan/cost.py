"""What rules cost a rule engine: how many there are, the series that they write, the samples that they read.

Samples touched are an estimate from the expressions: every selector reads its series, once, or all the samples in its
range. Of our own series both are known (one value per evaluation of their group); of the user's, a rule engine is asked
how many samples a selector had in its range, and without one they are left out, and that is said.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from controlplane import conventions as names
from controlplane.model.rule import AlertingRule, RecordingRule, Rule, RuleFile
from slo.promql_text import Token, TokenKind, selectors, silent, tokens

Samples = Callable[[str], float | None]
"""How many samples a query reads that is a selector with its range, or a bare selector; None when nobody knows."""

_MINUTE: Final = timedelta(minutes=1)
_FIVE_MINUTES: Final = timedelta(minutes=5)
_EVERY_MINUTE: Final = (names.ROLLING_EVENTS, "slo:burn_rate:", names.BUDGET_EVENTS, "slo:bad_events:")
_TWO_SERIES: Final = (names.ROLLING_EVENTS, names.LEDGER_EVENTS, "slo:sli_events:total")  # all and bad events
_UNITS: Final = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
    "y": timedelta(days=365),
}
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdwy])")


@dataclass(frozen=True, slots=True)
class Cost:
    """Rules, the series that they write, and samples read per minute, on average.

    `own_samples` says that the samples of the user's own series are in it; otherwise only those of recorded series are.
    """

    rules: int = 0
    series: int = 0
    samples_per_minute: float = 0
    own_samples: bool = True

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(
            self.rules + other.rules,
            self.series + other.series,
            self.samples_per_minute + other.samples_per_minute,
            self.own_samples and other.own_samples,
        )


NO_COST: Final = Cost()


def cost_of(file: RuleFile, *, budgets: int = 1, samples: Samples = lambda _: None, only: str = "") -> Cost:
    """The cost of the rules of one SLO with so many `budgets` (groups).

    `only` counts no rules but those written for the SLO of this name: the others it shares with its shard. Series and
    samples are all counted.
    """
    asked: dict[str, float | None] = {}
    rules, series, touched, complete = 0, 0, 0.0, True
    for group in file.groups:
        per_minute = _MINUTE / group.interval
        for rule in group.rules:
            rules += not only or dict(rule.labels).get(names.SLO) == only
            series += _written(rule) * budgets
            for read in _reads(rule):
                if read.ours:
                    touched += read.points * read.series * budgets * per_minute
                    continue
                if read.text not in asked:
                    asked[read.text] = samples(read.text)
                found = asked[read.text]
                complete = complete and found is not None
                touched += (found or 0) * per_minute
    return Cost(rules, series, touched, complete)


def total(costs: Iterable[Cost]) -> Cost:
    """The sum."""
    return sum(costs, NO_COST)


@dataclass(frozen=True, slots=True)
class _Selected:
    """What one selector reads: its text with its range, and of our own series how many and how many points each."""

    text: str
    ours: bool
    series: int = 1
    points: float = 1


def _written(rule: Rule) -> int:
    """The series of one budget; an alert writes some only while it fires."""
    if isinstance(rule, AlertingRule):
        return 0
    told_apart = names.EVENT in dict(rule.labels)
    return 2 if rule.record.startswith(_TWO_SERIES) and not told_apart else 1


def _reads(rule: Rule) -> Iterator[_Selected]:
    listed = tokens(rule.expr)
    for selector in selectors(listed):
        if selector.name == "ALERTS":
            continue  # there are none but while something fires
        matched: Mapping[str, str] = {matcher.label: matcher.operator for matcher in selector.matchers}
        window = _range_after(listed, selector.last)
        text = rule.expr[selector.start : listed[selector.last].end]
        name = selector.name
        if not name.startswith("slo:"):
            yield _Selected(text + (window.text if window else ""), ours=False)
            continue
        both = name.startswith(_TWO_SERIES) and names.EVENT not in matched
        length = _length(window.text) if window else None
        step = _MINUTE if name.startswith(_EVERY_MINUTE) else _FIVE_MINUTES
        points = length / step if length else 1
        yield _Selected(text, True, 2 if both else 1, points)


def _range_after(listed: list[Token], last: int) -> Token | None:
    following = next((token for token in listed[last + 1 :] if not silent(token)), None)
    return following if following and following.kind is TokenKind.RANGE and ":" not in following.text else None


def _length(range_text: str) -> timedelta:
    parts = (float(amount) * _UNITS[unit] for amount, unit in _PART.findall(range_text))
    return sum(parts, timedelta(0))


def rolling_expression(file: RuleFile, slo: str) -> str:
    """The expression that counts all events of an SLO, one series a group; empty when there is none."""
    return next(
        (
            rule.expr
            for group in file.groups
            for rule in group.rules
            if isinstance(rule, RecordingRule)
            and rule.record == names.ROLLING_EVENTS
            and dict(rule.labels).get(names.SLO) == slo
            and dict(rule.labels).get(names.EVENT) == names.EVENT_ALL
        ),
        "",
    )
