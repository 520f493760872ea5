"""Rules with one mistake each: a factor or a window in what alerts are made of is changed, one at a time."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import duration, number
from controlplane.model.rule import AlertingRule, Rule, RuleFile

# A quoted string (matchers, whose digits are no factors), a range, an offset, a series' name, or a number.
_TOKEN: Final = re.compile(r'"[^"]*"|\[(?P<range>\w+)\]|offset (?P<offset>\w+)|[A-Za-z_][\w:]*|(?P<factor>\d+(\.\d+)?)')
# Clauses cover for one another's floors, so these are changed together, by an event.
_FLOOR: Final = re.compile(r"\}, ([\d.]+)\)")
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_FACTORS: Final = (Decimal("0.9"), Decimal("1.1"))
_WINDOWS: Final = (Decimal("0.5"), Decimal("2"))
_MISTAKEN: Final = (("avg_over_time", "sum_over_time"), ("clamp_min", "clamp_max"))


@dataclass(frozen=True, slots=True)
class Mutant:
    """Rules with one mistake. `where` is the series or alert, `change` what was there and what is now."""

    where: str
    change: str
    rules: RuleFile


def mutants(rules: RuleFile) -> Iterator[Mutant]:
    """Every factor a tenth lower and higher, every window half and twice as long, no mute, no and twice the `for`."""
    wanted = _in_conditions(rules)
    for group_index, group in enumerate(rules.groups):
        for index, rule in enumerate(group.rules):
            if isinstance(rule, AlertingRule) or rule.record in wanted:
                for change, mutated in _of_rule(rule):
                    changed = replace(group, rules=(*group.rules[:index], mutated, *group.rules[index + 1 :]))
                    groups = (*rules.groups[:group_index], changed, *rules.groups[group_index + 1 :])
                    yield Mutant(_name(rule), change, replace(rules, groups=groups))


def _name(rule: Rule) -> str:
    labels = dict(rule.labels)
    if isinstance(rule, AlertingRule):
        return f"{rule.alert} {labels[names.SEVERITY]}"
    return " ".join((rule.record, labels.get(names.EVENT, ""))).strip()


def _in_conditions(rules: RuleFile) -> set[str]:
    """The series that alerts read, and those that they are made of."""
    listed = [rule for group in rules.groups for rule in group.rules]
    found = {word for rule in listed if isinstance(rule, AlertingRule) for word in _words(rule.expr)}
    while True:
        more = {
            word
            for rule in listed
            if not isinstance(rule, AlertingRule) and rule.record in found
            for word in _words(rule.expr)
        }
        if more <= found:
            return found
        found |= more


def _words(expr: str) -> set[str]:
    return set(re.findall(r"[a-z_]+:[\w:]+", expr))


def _of_rule(rule: Rule) -> Iterator[tuple[str, Rule]]:
    for change, expr in _of_expr(rule.expr):
        yield change, replace(rule, expr=expr)
    if isinstance(rule, AlertingRule):
        if "\nunless on" in rule.expr:
            yield "no mute", replace(rule, expr=rule.expr[: rule.expr.rindex("\nunless on")])
        for hold in {timedelta(0), 2 * rule.hold} - {rule.hold}:
            yield f"for: {duration(rule.hold)} → {duration(hold)}", replace(rule, hold=hold)


def _of_expr(expr: str) -> Iterator[tuple[str, str]]:
    for match in _TOKEN.finditer(_FLOOR.sub(lambda floor: "_" * len(floor[0]), expr)):
        for kind, mutated in (("range", _window), ("offset", _window), ("factor", _factor)):
            if match[kind]:
                yield from _replaced(expr, match, kind, mutated)
    for ranges in {found for found in re.findall(r"\[\w+\]", expr) if expr.count(found) > 1}:
        for text in _window(ranges[1:-1]):
            yield f"every {ranges} → [{text}]", expr.replace(ranges, f"[{text}]")
    for fewer_or_more in (Decimal(-1), Decimal(1)) if _FLOOR.search(expr) else ():
        floor = _FLOOR.search(expr)
        assert floor is not None
        changed = number(Decimal(floor[1]) + fewer_or_more)
        yield f"every floor {floor[1]} → {changed}", _FLOOR.sub(f"}}, {changed})", expr)
    for before, after in _MISTAKEN:
        if before in expr:
            yield f"{before} → {after}", expr.replace(before, after, 1)


def _replaced(
    expr: str, match: "re.Match[str]", kind: str, mutated: Callable[[str], Iterator[str]]
) -> Iterator[tuple[str, str]]:
    before = expr[max(0, match.start() - 24) : match.start()].replace("\n", " ")
    for text in mutated(match[kind]):
        changed = expr[: match.start(kind)] + text + expr[match.end(kind) :]
        clause = expr[: match.start()].count("\nor\n") + expr[: match.start()].count("\n  or\n") + 1
        yield f"clause {clause}: …{before}[{match[kind]} → {text}]", changed


def _window(text: str) -> Iterator[str]:
    seconds = sum(int(count) * _UNITS[unit] for count, unit in re.findall(r"(\d+)([smhd])", text))
    for factor in _WINDOWS:
        yield duration(timedelta(seconds=int(seconds * factor)))


def _factor(text: str) -> Iterator[str]:
    if text != "0":
        for factor in _FACTORS:
            yield number(Decimal(text) * factor)
