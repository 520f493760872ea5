"""Weights from where they are declared to come from: Prometheus' answers, CSV files, quantities of the ledger."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from controlplane.model.series import Series
from controlplane.model.spend import SpendTable
from controlplane.problems import Problem
from finops.allocation.model import Period
from finops.allocation.tables import UsageWeight

MOST_BYTES: Final = 10_000_000
MOST_ROWS: Final = 100_000
RULE: Final = "weights"
_WEIGHT: Final = re.compile(r"[0-9]{1,30}(?:\.[0-9]{1,30})?")
_PERIOD: Final = re.compile(r"([0-9]{4})-([0-9]{2})(?:-([0-9]{2}))?(?:T00:00:00Z)?")
_LONGEST_TARGET: Final = 256


@dataclass(frozen=True, slots=True)
class Weighed:
    """Weights of one usage, and what is wrong with their source; with problems they are not complete."""

    weights: tuple[UsageWeight, ...]
    problems: tuple[Problem, ...] = ()


def period_name(at: datetime, period: Period) -> str:
    """The period of a moment as ledgers write it: `2026-11-01T00:00:00Z`."""
    utc = at.astimezone(UTC)
    return f"{utc:%Y-%m-01T00:00:00Z}" if period is Period.MONTH else f"{utc:%Y-%m-%dT00:00:00Z}"


def weights_of_series(series: Iterable[Series], label: str, period: Period) -> tuple[UsageWeight, ...]:
    """From points that each say what a day came to, at that day's end; by the target that `label` names.

    NaN and infinite values are missing. Prometheus' floats become Decimals by their shortest text. A value below zero
    counts as zero: a usage cannot be negative. Series without the label are of nobody, and left out.
    """
    found = []
    for each in series:
        target = each.labels.get(label, "")
        for at, value in each.points:
            if target and value > 0 and value != float("inf"):
                moment = at - timedelta(microseconds=1)
                found.append(UsageWeight(target, Decimal(repr(value)), period_name(moment, period)))
    return tuple(found)


def weights_of_quantities(table: SpendTable, target: str, period: Period, unit: str = "") -> tuple[UsageWeight, ...]:
    """From the consumed quantities of a ledger's answer, split by the period and the target.

    Rows without a quantity (mixed units), in another unit than `unit`, or of no target are left out, and so is what is
    not above zero.
    """
    at, when = table.by.index(target), table.by.index(period.value)
    return tuple(
        UsageWeight(name, row.quantity, row.key[when])
        for row in table.rows
        if (name := row.key[at]) and row.quantity is not None and row.quantity > 0 and unit in ("", row.unit)
    )


def weights_of_csv(path: str, content: bytes, dimension: str, period: Period) -> Weighed:
    """From a file with columns `target` (or the dimension's name), `weight`, and maybe `period` (2026-11).

    Every mistake is told with its line; a weight is a plain decimal number, not negative.
    """
    if len(content) > MOST_BYTES:
        return Weighed((), (_problem(path, 1, f"has more than {MOST_BYTES:,} bytes"),))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return Weighed((), (_problem(path, line, "is not UTF-8"),))
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = [name.strip() for name in reader.fieldnames or ()]
        reader.fieldnames = columns
        target = "target" if "target" in columns else dimension
        missing = [name for name in (target, "weight") if name not in columns]
        if missing:
            return Weighed((), (_problem(path, 1, f"has no column {' and '.join(missing)}"),))
        rows = list(_rows(path, reader, target, period))
    except csv.Error as error:
        return Weighed((), (_problem(path, max(reader.reader.line_num, 1), f"is no CSV: {error}"),))
    return Weighed(
        tuple(row for row in rows if isinstance(row, UsageWeight)),
        tuple(row for row in rows if isinstance(row, Problem)),
    )


def _rows(path: str, reader: "csv.DictReader[str]", target: str, period: Period) -> Iterator[UsageWeight | Problem]:
    for number, row in enumerate(reader):
        if number >= MOST_ROWS:
            yield _problem(path, reader.line_num, f"has more than {MOST_ROWS:,} rows")
            return
        yield _row(path, reader.line_num, row, target, period)


def _row(path: str, line: int, row: Mapping[str, str | None], target: str, period: Period) -> UsageWeight | Problem:
    name, weight = (row.get(target) or "").strip(), (row.get("weight") or "").strip()
    when = (row.get("period") or "").strip()
    if not name or len(name) > _LONGEST_TARGET:
        return _problem(path, line, "names no target", field=target)
    if not _WEIGHT.fullmatch(weight):
        hint = "a plain number that is not negative, such as 12 or 0.5"
        return _problem(path, line, f"`{weight[:40]}` is not a weight", field="weight", hint=hint)
    if not when:
        return UsageWeight(name, Decimal(weight))
    match = _PERIOD.fullmatch(when)
    try:
        begin = datetime(int(match[1]), int(match[2]), int(match[3] or 1), tzinfo=UTC) if match else None
    except ValueError:
        begin = None
    if begin is None:
        return _problem(path, line, f"`{when[:40]}` is not a period", field="period", hint="such as 2026-11")
    return UsageWeight(name, Decimal(weight), period_name(begin, period))


def _problem(path: str, line: int, message: str, field: str = "", hint: str = "") -> Problem:
    return Problem(path, line, 1, field, message, hint=hint, rule=RULE)


def targets_of(weights: Sequence[UsageWeight]) -> tuple[str, ...]:
    """Everybody who has a weight, by name."""
    return tuple(sorted({each.target for each in weights}))
