"""Whether the queries of a grouped SLO carry the labels that it is grouped by."""

from collections.abc import Iterable, Iterator
from typing import Final

import promql_parser as promql

from controlplane import conventions as names
from controlplane.model.slo import SLO, CompositeIndicator, RawRatioIndicator, ThresholdIndicator, TimeslicesIndicator
from controlplane.problems import Problem
from slo.indicators.indicator import queries_of
from slo.indicators.slices import Simple
from slo.promql.promql_text import without_placeholders

_CHOOSING: Final = frozenset({"topk", "bottomk", "limitk", "limit_ratio"})  # they keep series as they are
_NUMBERS: Final = frozenset({"scalar", "vector", "time", "pi"})
_ABSENCE: Final = frozenset({"absent", "absent_over_time"})
_RELABELLING: Final = frozenset({"label_replace", "label_join"})


def grouping_problems(slos: Iterable[SLO]) -> Iterator[Problem]:
    """Queries that drop a label by which their SLO is grouped: there would be one budget, or none at all."""
    for slo in slos:
        for indicator in _simple_ones(slo) if slo.groups else ():
            taken_as_it_is = isinstance(_inner(indicator), RawRatioIndicator | ThresholdIndicator)
            for name, query in queries_of(indicator):
                for label in slo.groups:
                    dropped = _dropped(query.text, label, taken_as_it_is=taken_as_it_is)
                    if dropped:
                        message = f"`{dropped}` drops the label `{label}`, by which {slo.name} is grouped ({name})"
                        hint = f"write {dropped} by ({label}) (…), or remove it from {names.ANNOTATION_GROUP_BY}"
                        yield Problem.at(query.position, "", message, hint=hint, rule="grouping")


def _simple_ones(slo: SLO) -> tuple[Simple, ...]:
    if isinstance(slo.indicator, CompositeIndicator):
        return tuple(part.indicator for part in slo.indicator.parts)
    return (slo.indicator,)


def _inner(indicator: Simple) -> Simple:
    return indicator.of if isinstance(indicator, TimeslicesIndicator) else indicator


def _dropped(text: str, label: str, *, taken_as_it_is: bool) -> str:
    """The operation that drops the label, empty when none does. Outer sums of counts are ours: they are regrouped."""
    tree = promql.parse(without_placeholders(text))
    return next(iter(_dropping(tree if taken_as_it_is else _inside(tree), label)), "")


def _inside(tree: promql.Expr) -> promql.Expr:
    while isinstance(tree, promql.ParenExpr) or (isinstance(tree, promql.AggregateExpr) and _is_whole_sum(tree)):
        tree = tree.expr
    return tree


def _is_whole_sum(tree: promql.Expr) -> bool:
    return isinstance(tree, promql.AggregateExpr) and str(tree.op) == "sum" and tree.modifier is None


def _dropping(tree: promql.Expr, label: str) -> Iterator[str]:
    match tree:
        case promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
            yield from _dropping(tree.expr, label)
        case promql.AggregateExpr():
            if str(tree.op) not in _CHOOSING and not _keeps(tree.modifier, label):
                yield str(tree.op)
            yield from _dropping(tree.expr, label)
        case promql.BinaryExpr():
            yield from _dropping_of_two(tree, label)
        case promql.Call():
            yield from _dropping_call(tree, label)


def _keeps(modifier: promql.AggModifier | None, label: str) -> bool:
    if modifier is None:
        return False
    return (label in modifier.labels) is (modifier.type == promql.AggModifierType.By)


def _dropping_of_two(tree: promql.BinaryExpr, label: str) -> Iterator[str]:
    operator = str(tree.op)
    if operator in ("+", "-") and _is_whole_sum(tree.lhs) and _is_whole_sum(tree.rhs):
        yield from (found for side in (tree.lhs, tree.rhs) for found in _dropping(_inside(side), label))
        return
    matching = tree.modifier.matching if tree.modifier is not None else None
    if operator in ("and", "unless") or (matching is not None and _has_many(tree)):
        many = tree.rhs if str(tree.modifier.card if tree.modifier else "").endswith("OneToMany") else tree.lhs
        yield from _dropping(many, label)
        return
    if matching is not None and operator != "or":
        included = matching.type == promql.LabelModifierType.Include
        if (label in matching.labels) is not included:
            yield "on" if included else "ignoring"
    yield from (found for side in (tree.lhs, tree.rhs) for found in _dropping(side, label))


def _has_many(tree: promql.BinaryExpr) -> bool:
    card = str(tree.modifier.card) if tree.modifier is not None else ""
    return card.endswith(("ManyToOne", "OneToMany"))


def _dropping_call(tree: promql.Call, label: str) -> Iterator[str]:
    name = str(tree.func.name)
    arguments = list(tree.args)
    if name in _NUMBERS:
        return
    if name in _ABSENCE:
        yield name
        return
    if name in _RELABELLING and isinstance(arguments[1], promql.StringLiteral) and arguments[1].val == label:
        return
    for argument in arguments:
        yield from _dropping(argument, label)
