"""Imports and spend as plain data, for JSON, tables and pages. Decimals are text."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Context, Decimal
from typing import Final

from controlplane.model.event import JSON
from controlplane.model.spend import SpendRow, SpendTable
from finops.billed.currencies import UsedRate
from finops.billed.faults import Found
from finops.billed.ledger.encoding import plain
from finops.billed.ledger.partition import Catalogue, Imported, Money, Partition, Restatement
from finops.billed.outcome import Outcome

_EXACT: Final = Context(prec=120)
FAULT_COLUMNS: Final = ("source", "period", "fault", "column", "file", "row", "line", "value", "done")


def outcome_as_json(outcome: Outcome) -> dict[str, JSON]:
    """What became of a source."""
    problems: list[JSON] = [
        {
            "path": each.path, "line": each.line, "column": each.column, "field": each.field, "message": each.message,
            "severity": each.severity.value, "rule": each.rule, "hint": each.hint,
        }
        for each in outcome.problems
    ]  # fmt: skip
    return {
        "source": outcome.source,
        "refused": outcome.refused,
        "periods": [imported_as_json(each) for each in outcome.imported],
        "problems": problems,
    }


def imported_as_json(it: Imported) -> dict[str, JSON]:
    """One period's turn."""
    part = it.partition
    versions: list[JSON] = [*sorted({each.version for each in part.inputs})]
    return {
        "period": part.key.period_name,
        "state": it.state.value,
        "rows_read": part.rows + part.quarantined,
        "rows": part.rows,
        "quarantined": part.quarantined,
        "money": [money_as_json(each) for each in part.money],
        "quarantined_money": [money_as_json(each) for each in part.quarantined_money],
        "complete_until": time_text(part.until),
        "versions": versions,
        "files": [each.name for each in part.inputs],
        "faults": [fault_as_json(each) for each in part.faults],
        "restatement": restatement_as_json(it.restatement) if it.restatement else None,
    }


def money_as_json(it: Money) -> dict[str, JSON]:
    """Sums of a currency."""
    return {
        "currency": it.currency or None,
        "billed_cost": plain(it.billed),
        "effective_cost": plain(it.effective),
        "rows": it.rows,
        "effective_cost_missing": it.effective_missing,
    }


def fault_as_json(it: Found) -> dict[str, JSON]:
    """A fault and its first places."""
    examples: list[JSON] = [
        {"file": each.file, "row": each.row, "line": each.line, "value": each.value} for each in it.examples
    ]
    return {
        "fault": it.fault, "column": it.column, "ordinal": it.ordinal, "done": it.action.value, "rows": it.rows,
        "examples": examples,
    }  # fmt: skip


def restatement_as_json(it: Restatement) -> dict[str, JSON]:
    """What changed, by service and currency."""
    changes: list[JSON] = [
        {
            "service": each.service or None,
            "currency": each.currency,
            "billed_before": plain(each.billed_before),
            "billed_after": plain(each.billed_after),
            "billed_difference": plain(each.billed_difference),
            "effective_before": plain(each.effective_before),
            "effective_after": plain(each.effective_after),
            "effective_difference": plain(each.effective_difference),
        }
        for each in it.changes
    ]
    return {"source": it.key.source, "period": it.key.period_name, "at": time_text(it.at), "changes": changes}


def fault_rows(partitions: Sequence[Partition]) -> Iterator[dict[str, str]]:
    """Every listed place of every fault, a row each, in the order of `FAULT_COLUMNS`."""
    for part in partitions:
        for found in part.faults:
            for each in found.examples:
                yield {
                    "source": part.key.source, "period": part.key.period_name, "fault": found.fault,
                    "column": found.column, "file": each.file, "row": str(each.row),
                    "line": str(each.line) if each.line else "", "value": each.value or "",
                    "done": found.action.value,
                }  # fmt: skip


def totals(rows: Sequence[SpendRow]) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    """Effective and billed cost by currency, exact."""
    effective: dict[str, Decimal] = {}
    billed: dict[str, Decimal] = {}
    for row in rows:
        effective[row.currency] = _EXACT.add(effective.get(row.currency, Decimal(0)), row.effective)
        billed[row.currency] = _EXACT.add(billed.get(row.currency, Decimal(0)), row.billed)
    return effective, billed


def spend_as_json(table: SpendTable, used: Sequence[UsedRate] = ()) -> dict[str, JSON]:
    """An answer with its totals: one decimal where there is one currency, an object by currency where there are more,
    null where there is nothing."""
    effective, billed = totals(table.rows)
    currencies: list[JSON] = [*sorted(effective)]
    rows: list[JSON] = [spend_row_as_json(table.by, row) for row in table.rows]
    rates: list[JSON] = [
        {"from": each.source, "to": each.target, "since": each.since.isoformat(), "rate": plain(each.rate),
         "source": each.cited}
        for each in used
    ]  # fmt: skip
    return {
        "by": list(table.by),
        "complete_until": time_text(table.complete_until),
        "currencies": currencies,
        "total_effective_cost": _by_currency(effective),
        "total_billed_cost": _by_currency(billed),
        "rates": rates,
        "rows": rows,
    }


def spend_row_as_json(by: Sequence[str], row: SpendRow) -> dict[str, JSON]:
    """One sum: its keys by their names, then what it is."""
    keys: dict[str, JSON] = dict(zip(by, row.key, strict=True))
    return {
        **keys,
        "currency": row.currency,
        "effective_cost": plain(row.effective),
        "billed_cost": plain(row.billed),
        "list_cost": None if row.list_cost is None else plain(row.list_cost),
        "quantity": None if row.quantity is None else plain(row.quantity),
        "unit": row.unit,
        "charges": row.rows,
    }


def ledger_as_json(catalogue: Catalogue, start: datetime, end: datetime) -> dict[str, JSON]:
    """What is not in the sums: quarantined rows and costs that are missing, of periods that begin in that time."""
    parts = [each for each in catalogue.partitions.values() if start.date() <= each.key.period < end.date()]
    money: Mapping[str, list[Money]] = {}
    for part in parts:
        for each in part.quarantined_money:
            money = {**money, each.currency: [*money.get(each.currency, []), each]}
    quarantined: list[JSON] = [
        {
            "currency": currency or None,
            "billed_cost": plain(sum((each.billed for each in found), Decimal(0))),
            "effective_cost": plain(sum((each.effective for each in found), Decimal(0))),
            "rows": sum(each.rows for each in found),
        }
        for currency, found in sorted(money.items())
    ]
    return {
        "periods": len(parts),
        "quarantined_rows": sum(each.quarantined for each in parts),
        "quarantined_money": quarantined,
        "effective_cost_missing": sum(each.effective_missing for part in parts for each in part.money),
    }


def time_text(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC."""
    return None if moment is None else f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _by_currency(sums: Mapping[str, Decimal]) -> JSON:
    if not sums:
        return None
    if len(sums) == 1:
        return plain(next(iter(sums.values())))
    return {currency: plain(sums[currency]) for currency in sorted(sums)}
