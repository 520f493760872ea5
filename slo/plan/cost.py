"""What rules cost a rule engine: how many there are, the series that they write, the samples that they read.

Samples touched are an estimate from the expressions: every selector reads its series, once, or all the samples in its
range. Of our own series both are known (one value per evaluation of their group); of the user's, a rule engine is asked
how many samples a selector had in its range, and without one they are left out, and that is said.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from controlplane import conventions as names
from controlplane.model.rule import AlertingRule, RecordingRule, Rule, RuleFile
from slo.promql.promql_text import Token, TokenKind, selectors, silent, tokens

Samples = Callable[[str], float | None]
"""How many samples a query reads that is a selector with its range, or a bare selector; None when nobody knows."""

_MINUTE: Final = timedelta(minutes=1)
# Written by one rule for each series that it reads, of all and of bad events; other rules write one series a budget.
_PASSED_ON: Final = (names.LEDGER_EVENTS, names.PART_LEDGER, "slo:sli_events:total")
_OURS: Final = "slo:"
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
    recorded = _Recorded(file)
    asked: dict[str, float | None] = {}
    rules, series, touched, complete = 0, 0, 0.0, True
    for group in file.groups:
        per_minute = _MINUTE / group.interval
        for rule in group.rules:
            rules += not only or dict(rule.labels).get(names.SLO) == only
            series += recorded.written(rule) * budgets
            for read in _reads(rule):
                if recorded.knows(read):
                    touched += recorded.samples(read) * budgets * per_minute
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
class _Read:
    """What one selector reads: its text with its range; `equal` are the labels that it wants to be so."""

    text: str
    name: str
    equal: Mapping[str, str]
    length: timedelta | None


class _Recorded:
    """The series that a rule file writes, of one budget, and how often."""

    def __init__(self, file: RuleFile) -> None:
        self._rules: dict[str, list[RecordingRule]] = defaultdict(list)
        self._every: dict[str, timedelta] = {}
        for group in file.groups:
            for rule in group.rules:
                if isinstance(rule, RecordingRule):
                    self._rules[rule.record].append(rule)
                    self._every[rule.record] = group.interval

    def knows(self, read: _Read) -> bool:
        """Whether it reads series of ours; those of another file of ours count as one."""
        return read.name in self._rules or read.name.startswith(_OURS)

    def samples(self, read: _Read) -> float:
        """How many samples it reads: a series has one for each evaluation of the group that writes it."""
        points = read.length / self._every.get(read.name, _MINUTE) if read.length else 1
        return points * self._series(read)

    def written(self, rule: Rule) -> int:
        """The series that a rule writes; an alert writes some only while it fires."""
        if isinstance(rule, AlertingRule):
            return 0
        if not rule.record.startswith(_PASSED_ON) or names.EVENT in dict(rule.labels):
            return 1
        return sum(self._series(read) for read in _reads(rule) if read.name in self._rules) or 1

    def _series(self, read: _Read) -> int:
        told = [self._matching(rule, read.equal) for rule in self._rules.get(read.name, ())]
        return sum(told) or 1

    def _matching(self, rule: RecordingRule, equal: Mapping[str, str]) -> int:
        labels = dict(rule.labels)
        if any(labels.get(label, value) != value for label, value in equal.items()):
            return 0
        written = self.written(rule)
        return max(1, written // 2) if names.EVENT in equal and names.EVENT not in labels else written


def _reads(rule: Rule) -> Iterator[_Read]:
    listed = tokens(rule.expr)
    for selector in selectors(listed):
        if selector.name == "ALERTS":
            continue  # there are none but while something fires
        window = _range_after(listed, selector.last)
        text = rule.expr[selector.start : listed[selector.last].end] + (window.text if window else "")
        equal = {matcher.label: matcher.value for matcher in selector.matchers if matcher.operator == "="}
        yield _Read(text, selector.name, equal, _length(window.text) if window else None)


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
