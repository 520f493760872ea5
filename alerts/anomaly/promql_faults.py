"""What is wrong with a detector's query beyond its grammar: what it yields, and what it leaves unseen."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Final

import promql_parser

from alerts.anomaly.model import Values
from controlplane.burn_rate import duration
from controlplane.problems import Severity
from controlplane.promql import PromqlError, check_promql, with_window
from controlplane.promql_tokens import Token, tokens_of

_LEAST_WINDOW: Final = timedelta(minutes=5)  # what placeholders stand for, at least: several scrapes
_COUNTER: Final = re.compile(r".+_(?:total|count|sum|bucket)")  # by Prometheus' and OpenMetrics' conventions
_RATES: Final = ("rate", "irate", "increase", "deriv", "delta", "idelta")
_PICKED: Final = ("topk", "bottomk", "limitk", "limit_ratio")
_COMPARISONS: Final = ("==", "!=", ">", "<", ">=", "<=")
_KINDS: Final = {"scalar": "a number", "string": "a text", "matrix": "a range vector"}


@dataclass(frozen=True, slots=True)
class QueryFault:
    """What is wrong at `offset`, over `length` characters. Warnings do not keep a detector from running."""

    message: str
    hint: str = ""
    offset: int = 0
    length: int = 1
    severity: Severity = Severity.ERROR
    rule: str = ""


def asked(text: str, step: timedelta) -> str:
    """The query as it is sent: placeholders such as $__rate_interval stand for a step, 5 minutes at least."""
    return with_window(text, duration(max(step, _LEAST_WINDOW))).strip()


def kept_labels(text: str) -> frozenset[str] | None:
    """The labels that its series have at most, by the outermost aggregation; None where that cannot be told."""
    return None if check_promql(text) is not None else _kept(promql_parser.parse(with_window(text, "5m")))


def _kept(tree: promql_parser.Expr) -> frozenset[str] | None:
    expression = _bare(tree)
    if isinstance(expression, promql_parser.BinaryExpr):
        left, right = _kept(expression.lhs), _kept(expression.rhs)
        if str(expression.op) in ("and", "unless"):
            return left
        return left if left == right and expression.modifier is None else None
    if not isinstance(expression, promql_parser.AggregateExpr) or str(expression.op) in (*_PICKED, "count_values"):
        return None
    modifier = expression.modifier
    if modifier is None:
        return frozenset()
    return frozenset(modifier.labels) if modifier.type == promql_parser.AggModifierType.By else None


def vector_faults(text: str) -> Iterator[QueryFault]:
    """Why it is no PromQL that yields an instant vector; nothing where it is."""
    wrong = check_promql(text)
    if wrong is not None:
        yield _grammar(wrong)
        return
    tokens = tokens_of(text)
    start, end = tokens[0].start, tokens[-1].end
    kind = _kind(promql_parser.parse(with_window(text, "5m")))
    if kind != "vector":
        hint = {
            "matrix": "a function over the range, such as rate(…[5m])",
            "scalar": "a metric, or vector(…) around it",
        }.get(kind, "a metric")
        message = f"yields {_KINDS[kind]}, a detector needs an instant vector"
        yield QueryFault(message, hint, start, _on_line(text, start, end))


def query_faults(text: str, *, step: timedelta | None, values: Values) -> Iterator[QueryFault]:
    """Everything that is wrong with the query of a detector; `step` is None where that is wrong itself."""
    found = list(vector_faults(text))
    yield from found
    if found:
        return
    tokens = tokens_of(text)
    tree = promql_parser.parse(with_window(text, "5m"))
    yield from _looking_ahead(tokens)
    yield from _picked(text, tokens)
    yield from _compared(tokens, tree)
    if step is not None:
        yield from _unseen(tokens, step)
    yield from _counters(tokens, tree, values)


def _grammar(wrong: PromqlError) -> QueryFault:
    return QueryFault(wrong.message, wrong.hint, wrong.offset, wrong.length, rule="promql-syntax")


def _looking_ahead(tokens: list[Token]) -> Iterator[QueryFault]:
    for before, token in pairwise(tokens):
        if before.text == "@":
            message = "fixes the time that is asked for: every step has the same value"
            yield QueryFault(message, "remove it", before.start, token.end - before.start)
        elif before.text == "offset" and token.text == "-":
            message = "asks for what has not happened yet when a step is scored"
            yield QueryFault(message, "remove the offset", before.start, token.end - before.start)


def _picked(text: str, tokens: list[Token]) -> Iterator[QueryFault]:
    expression = _bare(promql_parser.parse(with_window(text, "5m")))
    name = str(expression.op) if isinstance(expression, promql_parser.AggregateExpr) else ""
    if name not in _PICKED:
        return
    token = next(token for token in tokens if token.text == name)
    message = f"{name} picks anew at each step: its series come and go, and have gaps"
    hint = "leave it out, and raise maxSeries"
    yield QueryFault(message, hint, token.start, len(name), severity=Severity.WARNING)


def _compared(tokens: list[Token], tree: promql_parser.Expr) -> Iterator[QueryFault]:
    """A comparison that leaves out steps: low values become gaps, and what is missing has no score."""
    expression = tree
    while isinstance(expression, promql_parser.ParenExpr):
        expression = expression.expr
    if not isinstance(expression, promql_parser.BinaryExpr) or str(expression.op) not in _COMPARISONS:
        return
    if expression.modifier is not None and expression.modifier.return_bool:
        return
    token = next(token for token in reversed(tokens) if token.text == str(expression.op))
    message = (
        f"leaves out steps that are not `{token.text}` so much: they become gaps, and a fall to nothing is not seen"
    )
    hint = "remove the comparison; `leastDeviation` keeps small numbers quiet"
    yield QueryFault(message, hint, token.start, len(token.text), severity=Severity.WARNING)


def _unseen(tokens: list[Token], step: timedelta) -> Iterator[QueryFault]:
    """Ranges shorter than a step: what lies between is in none. Subqueries see to that themselves."""
    ranges = [
        (tokens[number + 1], tokens[number + 2].text)
        for number, token in enumerate(tokens[:-2])
        if token.text == "[" and tokens[number + 1].kind == "number"
    ]
    if any(closing != "]" for _, closing in ranges):
        return
    for written, _ in ranges:
        length = _length(written.text)
        if length is not None and length < step:
            message = f"sees {written.text} of each step of {duration(step)}: samples between are never looked at"
            hint = f"[{duration(step)}], or a shorter step"
            yield QueryFault(message, hint, written.start, len(written.text), severity=Severity.WARNING)


def _length(text: str) -> timedelta | None:
    try:
        found = promql_parser.parse_duration(text)
    except ValueError:
        return None
    return found if isinstance(found, timedelta) else None


def _counters(tokens: list[Token], tree: promql_parser.Expr, values: Values) -> Iterator[QueryFault]:
    """A counter that is taken for a gauge, or made into a rate twice, or summed before its resets are known."""
    if values is Values.COUNTER:
        yield from _twice(tokens)
        bare = _bare(tree)
        if isinstance(bare, promql_parser.AggregateExpr) and not any(token.text in _RATES for token in tokens):
            name = str(bare.op)
            token = next(token for token in tokens if token.text == name)
            message = f"a reset of one counter looks like one of their {name}"
            hint = f"values: gauge, and {name} (rate(…[5m]))"
            yield QueryFault(message, hint, token.start, len(name), severity=Severity.WARNING)
        return
    for name in sorted(set(_raw(tree))):
        if not _COUNTER.fullmatch(name):
            continue
        token = next((token for token in tokens if token.text == name), tokens[0])
        message = f"`{name}` looks like a counter: it only rises, and has no daily shape"
        hint = "values: counter, or rate(…[5m]) around it"
        yield QueryFault(message, hint, token.start, token.end - token.start, severity=Severity.WARNING)


def _twice(tokens: list[Token]) -> Iterator[QueryFault]:
    for token, after in pairwise(tokens):
        if token.kind == "word" and token.text in _RATES and after.text == "(":
            message = f"{token.text}() is a rate already, `values: counter` makes another one of it"
            yield QueryFault(message, "values: gauge", token.start, len(token.text), severity=Severity.WARNING)


def _raw(expression: object) -> Iterator[str]:
    """Names of metrics whose values are used as they are, outside of any range; counted ones aside."""
    match expression:
        case promql_parser.VectorSelector():
            if expression.name:
                yield expression.name
        case promql_parser.AggregateExpr():
            if str(expression.op) not in ("count", "group", "count_values"):
                yield from _raw(expression.expr)
        case promql_parser.BinaryExpr():
            yield from _raw(expression.lhs)
            yield from _raw(expression.rhs)
        case promql_parser.ParenExpr() | promql_parser.UnaryExpr():
            yield from _raw(expression.expr)
        case promql_parser.Call():
            if expression.func.name not in ("absent", "timestamp", "histogram_count", "histogram_quantile"):
                for argument in expression.args:
                    yield from _raw(argument)
        case _:
            return


def _bare(expression: promql_parser.Expr) -> promql_parser.Expr:
    """Without brackets around it, and what a number is done to it."""
    if isinstance(expression, promql_parser.ParenExpr | promql_parser.UnaryExpr):
        return _bare(expression.expr)
    if isinstance(expression, promql_parser.BinaryExpr):
        if _kind(expression.rhs) == "scalar":
            return _bare(expression.lhs)
        if _kind(expression.lhs) == "scalar":
            return _bare(expression.rhs)
    return expression


def _kind(expression: promql_parser.Expr) -> str:
    """vector, matrix, scalar or string."""
    match expression:
        case promql_parser.NumberLiteral():
            return "scalar"
        case promql_parser.StringLiteral():
            return "string"
        case promql_parser.MatrixSelector() | promql_parser.SubqueryExpr():
            return "matrix"
        case promql_parser.ParenExpr() | promql_parser.UnaryExpr():
            return _kind(expression.expr)
        case promql_parser.BinaryExpr():
            return "scalar" if _kind(expression.lhs) == _kind(expression.rhs) == "scalar" else "vector"
        case promql_parser.Call():
            if expression.func.return_type == promql_parser.ValueType.Scalar:
                return "scalar"
            return "string" if expression.func.return_type == promql_parser.ValueType.String else "vector"
        case _:
            return "vector"


def _on_line(text: str, start: int, end: int) -> int:
    stop = text.find("\n", start)
    return max(1, min(end, len(text) if stop < 0 else stop) - start)
