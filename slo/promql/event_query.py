"""What a user's query counts, and the same query as events over any window.

A query is a *count of events* when it is built from counters by sums, differences, filters and joins. Counters written
bare get `rate` or `increase`; ranges that the user wrote are replaced. The user's own text is spliced, never printed
from a syntax tree.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from functools import lru_cache
from itertools import pairwise
from typing import Final

import promql_parser as promql

from controlplane.burn_rate import duration, number, seconds
from slo.promql.promql_text import Selector, Token, TokenKind, selectors, silent, tokens, without_placeholders
from slo.promql.query_shapes import is_recorded_rate, one_by_one, only_counter
from slo.promql.sums import inside_of_sum, terms_of, with_missing_as_none


class QueryFault(Exception):
    """A query that cannot be turned into events over 5 minutes; `offset` is the character at fault."""

    def __init__(self, message: str, hint: str = "", *, offset: int = 0, length: int = 1, rule: str = "query") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.offset = offset
        self.length = length
        self.rule = rule


class Unit(Enum):
    """What the values of an expression are."""

    RATE = "events per second"
    EVENTS = "events over the range"
    PLAIN = "a plain number"


class _Hole(Enum):
    RANGE = "range"
    FUNCTION = "function"
    GROUPING = "grouping"  # after the `sum` of a term


_Piece = str | _Hole


@dataclass(frozen=True, slots=True)
class EventQuery:
    """A query as pieces of the user's text with holes for the range, and for the function where counters were bare.

    Of an outermost `sum` only the inside is kept. `selectors` are the metric selectors in order. `scaled` tells that
    a rate is multiplied or divided by a number, `filled` that a number stands for missing data (`or vector(0)`),
    `filtered` that values are left out (`> 0`). `gauges`: the bare metrics are gauges, averaged instead of counted.
    `counter` is the only selector when the query is nothing but it, or its rate or increase, or their sum; else empty.
    """

    pieces: tuple[_Piece, ...]
    unit: Unit
    bare: bool
    selectors: tuple[Selector, ...]
    grouped_by: tuple[str, ...]
    scaled: bool
    filled: bool
    filtered: bool
    gauges: bool
    counter: str

    def events(self, window: timedelta, by: Sequence[str] = ()) -> str:
        """The events of `window`: one series without labels, or one per combination of the labels `by`.

        Of gauges: their mean, times the minutes of `window`; times its seconds where they are recorded rates.
        """
        if self.gauges:
            body = _filled(self.pieces, window, "avg_over_time", by)
            unit = timedelta(seconds=1 if all(map(is_recorded_rate, self.selectors)) else 60)
            return f"{aggregated('sum', by)} (({body}) >= -Inf) * {number(seconds(window) / seconds(unit))}"  # no NaN
        return f"{self.summed(window, by)}{self.factor(window)}"

    def factor(self, window: timedelta) -> str:
        """What turns the sum into events: ` * 300` of rates over 5 minutes, else nothing."""
        return f" * {window // timedelta(seconds=1)}" if self.unit is Unit.RATE else ""

    def summed(self, window: timedelta, by: Sequence[str] = ()) -> str:
        """The sum of what the query itself computes over `window`: rates, increases, or native histograms of either."""
        return f"{aggregated('sum', by)} ({_filled(self.pieces, window, 'rate', by)})"

    def events_by(self, labels: Sequence[str], window: timedelta) -> str:
        """The events of `window`, one series per combination of `labels`."""
        if self.gauges:
            return self.events(window, labels)
        body = _filled(self.pieces, window, "increase", ())
        factor = f" * {window // timedelta(seconds=1)}" if self.unit is Unit.RATE and not self.bare else ""
        return f"sum by ({', '.join(labels)}) ({body}){factor}"


def aggregated(operation: str, by: Sequence[str]) -> str:
    """`sum`, or `sum by (tenant)`."""
    return f"{operation} by ({', '.join(by)})" if by else operation


def _filled(pieces: Sequence[_Piece], window: timedelta, function: str, by: Sequence[str]) -> str:
    grouping = f" by ({', '.join(by)}) " if by else ""
    holes = {_Hole.RANGE: f"[{duration(window)}]", _Hole.FUNCTION: function, _Hole.GROUPING: grouping}
    return "".join(holes[piece] if isinstance(piece, _Hole) else piece for piece in pieces).strip()


_RATES: Final = frozenset({"rate"})
_COUNTS: Final = frozenset({"increase", "count_over_time", "sum_over_time", "changes", "resets"})
_KEEPING: Final = frozenset({"label_replace", "label_join", "sort", "sort_desc", "histogram_count"})
_RESHAPING: Final = frozenset({"clamp", "clamp_min", "clamp_max", "round", "ceil", "floor", "abs"})
_NUMBERS: Final = frozenset({"vector", "time", "pi", "scalar", "absent", "absent_over_time", "timestamp"}) | frozenset(
    {"hour", "minute", "month", "year", "day_of_month", "day_of_week", "day_of_year", "days_in_month"}
)
_AGGREGATES: Final = frozenset({"sum", "avg", "min", "max"})
_COUNT_A_BUCKET: Final = 'count: good is the bucket of your threshold, `x_bucket{le="0.3"}`, total is `x_count`'
_WAYS_OUT: Final = {
    "irate": "use rate(): irate sees only the last two samples and misses the rest",
    "histogram_quantile": _COUNT_A_BUCKET,
    "histogram_fraction": _COUNT_A_BUCKET,
    "delta": "use increase() on a counter",
    "idelta": "use increase() on a counter",
    "deriv": "use rate() on a counter",
}
_DEFAULT_WAY_OUT: Final = "give a counter, or sums and differences of rate() or increase() of counters"


def event_query(text: str, gauges: bool = False) -> EventQuery:
    """Understand a query; with `gauges`, bare metrics are gauges, no counters. Raises `QueryFault`."""
    return _understood(text, gauges)  # the cache would take an argument that is left out for another one


@lru_cache(maxsize=32_768)  # checked when it is read, spliced when it is compiled: about 16,000 SLOs
def _understood(text: str, gauges: bool) -> EventQuery:
    padded = without_placeholders(text)
    try:
        tree = promql.parse(padded)
    except ValueError as error:
        raise QueryFault(str(error), rule="promql-syntax") from None
    listed = tokens(padded)
    found = selectors(listed)
    bare = all(token.kind is not TokenKind.RANGE for token in listed)
    refuse_what_old_engines_do_not_know(listed, found)
    analysis = _Analysis(listed, found, bare, gauges)
    unit = analysis.unit(tree)
    if unit is Unit.PLAIN:
        raise QueryFault("no counter in it: there is nothing to count", _DEFAULT_WAY_OUT)
    spans = _pieces(listed, found, bare)
    inner, labels = inside_of_sum(listed)
    terms = terms_of(listed)
    for _, term in terms:
        spans[term.start].append(_Hole.GROUPING)
    return EventQuery(
        pieces=_joined(spans[inner] if inner else with_missing_as_none(spans, terms) if terms else spans),
        unit=unit,
        bare=bare,
        selectors=tuple(found),
        grouped_by=labels,
        scaled=analysis.scaled,
        filled=analysis.filled,
        filtered=analysis.filtered,
        gauges=gauges and bare,
        counter="" if gauges and bare else only_counter(tree, listed, found),
    )


class _Analysis:
    """Finds the unit of every part of an expression."""

    def __init__(self, listed: Sequence[Token], found: Sequence[Selector], bare: bool, gauges: bool) -> None:
        self._tokens = listed
        self._selectors = iter(found)
        self._bare = bare
        self._gauges = gauges
        self.scaled = False
        self.filled = False
        self.filtered = False

    def unit(self, tree: promql.Expr) -> Unit:
        """The unit of `tree`. Raises `QueryFault` when it has none."""
        match tree:
            case promql.NumberLiteral() | promql.StringLiteral():
                return Unit.PLAIN
            case promql.ParenExpr() | promql.UnaryExpr():
                return self.unit(tree.expr)
            case promql.VectorSelector():
                return self._selector(self._next_selector())
            case promql.AggregateExpr():
                return self._aggregate(tree)
            case promql.BinaryExpr():
                return self._binary(tree)
            case promql.Call():
                return self._call(tree)
            case promql.SubqueryExpr():
                raise self._fault(
                    "[", "a subquery cannot be counted over 5 minutes", "write the rate directly, without [..:..]"
                )
        raise self._fault("[", "a range alone is not a count", "write the counter without [..], or increase(…[5m])")

    def _next_selector(self) -> Selector:
        selector = next(self._selectors, None)
        if selector is None:
            hint = 'select it by its label: {__name__="…"}'
            raise QueryFault("a metric is named like a keyword of PromQL", hint)
        return selector

    def _selector(self, selector: Selector) -> Unit:
        if not self._bare:
            return Unit.PLAIN
        if not self._gauges and is_recorded_rate(selector):
            raise QueryFault(
                f"`{selector.name}` is by its name a recorded rate, and a rate of a rate counts nothing",
                "give the counter that it was recorded from, or write `counter: false`",
                offset=selector.start,
                length=len(selector.name),
            )
        return Unit.RATE

    def _aggregate(self, tree: promql.AggregateExpr) -> Unit:
        operation = str(tree.op)
        unit = self.unit(tree.expr)
        if unit is not Unit.PLAIN and operation not in _AGGREGATES:
            raise self._fault(operation, f"{operation}() does not keep the number of events", "use sum()")
        if unit is not Unit.PLAIN and operation != "sum" and tree.modifier is None:
            raise self._fault(operation, f"{operation}() of all series is not the number of events", "use sum()")
        return Unit.PLAIN if operation not in _AGGREGATES else unit

    def _binary(self, tree: promql.BinaryExpr) -> Unit:
        operator = str(tree.op)
        left, right = self.unit(tree.lhs), self.unit(tree.rhs)
        if left is Unit.PLAIN and right is Unit.PLAIN:
            return Unit.PLAIN
        if operator in ("and", "unless"):
            return left
        if operator == "or":
            return self._alternatives(left, right)
        if operator in ("+", "-"):
            self._refuse_two_of_one_metric(tree, operator)
            return self._sum(operator, left, right)
        if operator in ("*", "/"):
            return self._scaling(tree, operator, left, right)
        if operator in ("==", "!=", ">", "<", ">=", "<="):
            return self._filter(tree, operator, left)
        raise self._fault(operator, f"`{operator}` does not keep the number of events", _DEFAULT_WAY_OUT)

    def _alternatives(self, left: Unit, right: Unit) -> Unit:
        if Unit.PLAIN not in (left, right) and left is not right:
            raise self._fault("or", f"{left.value} or {right.value}: not the same thing", "use rate() on both sides")
        self.filled = self.filled or right is Unit.PLAIN
        return right if left is Unit.PLAIN else left

    def _sum(self, operator: str, left: Unit, right: Unit) -> Unit:
        if left is not right:
            raise self._fault(
                operator, f"{left.value} {operator} {right.value}: not the same thing", "use rate() on both sides"
            )
        return left

    def _refuse_two_of_one_metric(self, tree: promql.BinaryExpr, operator: str) -> None:
        """Series are matched by all of their labels, so `x{a="1"} + x{a="2"}` is always empty."""
        left, right = one_by_one(tree.lhs), one_by_one(tree.rhs)
        if left is None or right is None or left.name != right.name or str(left.matchers) == str(right.matchers):
            return
        if tree.modifier is None or tree.modifier.matching is None:
            message = f"`{operator}` finds only series with the same labels on both sides"
            raise self._fault(operator, message, f"add up each side: sum(…) {operator} sum(…)")

    def _scaling(self, tree: promql.BinaryExpr, operator: str, left: Unit, right: Unit) -> Unit:
        both = left is not Unit.PLAIN and right is not Unit.PLAIN
        if both or (left is Unit.PLAIN and operator == "/"):
            what = "a ratio" if operator == "/" else "a product of counts"
            raise self._fault(
                operator, f"{what} is not a count", "give the two counts by themselves: bad (or good) and total"
            )
        factor, counted = (tree.lhs, right) if left is Unit.PLAIN else (tree.rhs, left)
        if counted is Unit.RATE and isinstance(factor, promql.NumberLiteral) and factor.val and not self._bare:
            self.scaled = True  # by 0, it only fills in what is missing
        return counted

    def _filter(self, tree: promql.BinaryExpr, operator: str, left: Unit) -> Unit:
        returns_bool = tree.modifier is not None and tree.modifier.return_bool
        if returns_bool or left is Unit.PLAIN or self._bare:
            raise self._fault(operator, f"a comparison `{operator}` is not a count", _DEFAULT_WAY_OUT)
        self.filtered = True
        return left

    def _call(self, tree: promql.Call) -> Unit:
        name = str(tree.func.name)
        arguments = list(tree.args)
        if arguments and isinstance(arguments[0], promql.MatrixSelector):
            self._next_selector()
            if name in _RATES | _COUNTS:
                return Unit.RATE if name in _RATES else Unit.EVENTS
            raise self._fault(name, f"{name}() does not count events", _WAYS_OUT.get(name, _DEFAULT_WAY_OUT))
        units = [self.unit(argument) for argument in arguments]
        counted = [unit for unit in units if unit is not Unit.PLAIN]
        if not counted or name in _NUMBERS:
            return Unit.PLAIN
        if name in _KEEPING or (name in _RESHAPING and not self._bare):
            return counted[0]
        raise self._fault(name, f"{name}() does not keep the number of events", _WAYS_OUT.get(name, _DEFAULT_WAY_OUT))

    def _fault(self, text: str, message: str, hint: str) -> QueryFault:
        """A fault at the first token that begins with `text`."""
        at = next((token for token in self._tokens if token.text.lower().startswith(text) and not silent(token)), None)
        return QueryFault(message, hint, offset=at.start if at else 0, length=len(at.text) if at else 1)


def refuse_what_old_engines_do_not_know(listed: Sequence[Token], found: Sequence[Selector]) -> None:
    """Raises `QueryFault` for what parses here and fails, or means something else, in a rule of Prometheus 2.42."""
    for selector in found:
        if selector.brace is not None:
            speaking = [token for token in listed[selector.first : selector.last + 1] if not silent(token)]
            for before, token in pairwise(speaking):
                _refuse_in_selector(before, token)
    speaking = [token for token in listed if not silent(token)]
    for before, token in pairwise(speaking):
        if before.text.lower() == "offset" and token.text == "-":
            raise QueryFault("a negative offset asks for the future", "remove the minus", offset=token.start)
    for token in listed:
        if token.text == "@":
            raise QueryFault("`@` pins the query to a fixed time", "remove the @ modifier", offset=token.start)


def _refuse_in_selector(before: Token, token: Token) -> None:
    if token.kind is TokenKind.STRING and before.text in ("{", ","):
        message = "a quoted name is known to Prometheus 3 only, and rules must load in 2.42"
        hint = "rename the metric or label where it is scraped"
        raise QueryFault(message, hint, offset=token.start, length=len(token.text))
    if token.text.lower() == "or" and before.kind is TokenKind.STRING:
        message = "`or` between matchers is known to VictoriaMetrics only"
        raise QueryFault(message, "add two selectors, or use =~", offset=token.start, length=2)


def _pieces(listed: Sequence[Token], found: Sequence[Selector], bare: bool) -> list[list[_Piece]]:
    """For each token the pieces that it becomes."""
    pieces: list[list[_Piece]] = []
    for token in listed:
        if token.kind is TokenKind.RANGE:
            pieces.append([_Hole.RANGE])
        else:
            pieces.append([" " if silent(token) else token.text])
    for selector in found if bare else ():
        pieces[selector.first].insert(0, "(")
        pieces[selector.first].insert(0, _Hole.FUNCTION)
        pieces[selector.last].append(_Hole.RANGE)
        pieces[_last_of_offset(listed, selector)].append(")")
    return pieces


def _last_of_offset(listed: Sequence[Token], selector: Selector) -> int:
    """The index of the last token of `selector offset 5m`, or of the selector."""
    speaking = [index for index in range(selector.last + 1, len(listed)) if not silent(listed[index])][:2]
    is_offset = bool(speaking) and listed[speaking[0]].text.lower() == "offset"
    return speaking[1] if is_offset else selector.last


def _joined(pieces: Sequence[Sequence[_Piece]]) -> tuple[_Piece, ...]:
    """Pieces in a row, neighbouring text merged, runs of spaces made one."""
    merged: list[_Piece] = []
    for piece in (one for several in pieces for one in several):
        if piece == " " and merged and isinstance(merged[-1], str) and merged[-1].endswith(" "):
            continue
        if isinstance(piece, str) and merged and isinstance(merged[-1], str):
            merged[-1] += piece
        else:
            merged.append(piece)
    return tuple(merged)
