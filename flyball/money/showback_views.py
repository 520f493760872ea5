"""A showback as text, JSON and CSV."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from controlplane import wording
from finops.allocation.rounding import rounded
from finops.allocation.showback import Account, Shown, Statement, shown
from finops.allocation.words import cents, change, step_words
from flyball.money.showing_back import MonthReport
from flyball.money.text_table import text_table
from flyball.money.unit_cost_views import as_data as unit_cost_as_data

CSV_COLUMNS: Final = ("month", "currency", "target", "kind", "what", "step", "cost", "rounded")
UNALLOCATED: Final = "(unallocated)"
_ZERO: Final = Decimal(0)


def as_data(report: MonthReport) -> dict[str, Any]:
    """For programs: decimals as strings."""
    it = report.showback
    data: dict[str, Any] = {
        "month": f"{it.month:%Y-%m}",
        "by": it.plan.target,
        "allocation": it.plan.name,
        "figure": it.plan.figure.value,
        "ledger": report.ledger,
        "completeUntil": None if it.complete_until is None else f"{it.complete_until:%Y-%m-%dT%H:%M:%SZ}",
        "currencies": [_statement(each, report) for each in it.statements],
        "unitCosts": [unit_cost_as_data(each) for each in report.unit_costs],
    }
    return data


def _statement(it: Statement, report: MonthReport) -> dict[str, Any]:
    data: dict[str, Any] = {
        "currency": it.currency,
        "ledger": plain(it.ledger),
        "invoice": None if it.invoice is None else plain(it.invoice),
        "allocated": plain(it.allocated),
        "unallocated": plain(it.unallocated.total),
        "before": None if it.before is None else plain(it.before),
        "accounts": [_account(each, report) for each in it.accounts],
        "steps": [
            {
                "step": each.step,
                "period": each.period,
                "taken": plain(each.taken),
                "given": plain(each.given),
                "left": plain(each.left),
                "reason": each.reason or None,
                "weights": {target: plain(weight) for target, weight in each.weights},
            }
            for each in it.outcomes
        ],
    }
    if report.chargeback:
        data |= {"invoiced": plain(it.invoiced), "rounding": plain(it.rounding)}
    return data


def _account(it: Account, report: MonthReport) -> dict[str, Any]:
    data: dict[str, Any] = {
        "target": it.target,
        "direct": plain(it.direct),
        "shared": plain(it.shared),
        "idle": plain(it.idle),
        "commitment": plain(it.commitment),
        "total": plain(it.total),
        "before": None if it.before is None else plain(it.before),
    }
    if report.chargeback:
        data["lines"] = [
            {
                "what": line.what,
                "kind": line.kind.value if line.kind else "direct",
                "step": line.step or None,
                "cost": plain(line.cost),
                "rounded": plain(line.rounded),
            }
            for line in it.lines
        ]
        data["invoiced"] = plain(it.invoiced)
    return data


def csv_rows(report: MonthReport) -> Iterator[Mapping[str, str]]:
    """A row for each line of each account, unallocated ones last."""
    for it in report.showback.statements:
        for account in (*it.accounts, it.unallocated):
            for line in account.lines:
                yield {
                    "month": f"{report.showback.month:%Y-%m}",
                    "currency": it.currency,
                    "target": UNALLOCATED if account.target is None else account.target,
                    "kind": line.kind.value if line.kind else "direct",
                    "what": line.what or "",
                    "step": line.step,
                    "cost": plain(line.cost),
                    "rounded": plain(line.rounded),
                }


def as_text(report: MonthReport) -> str:
    """For people, in a terminal."""
    return "\n".join(_lines(report))


def _lines(report: MonthReport) -> Iterator[str]:
    it = report.showback
    yield f"{it.month:%B %Y} by {it.plan.target}, {report.ledger} ledger, allocation {it.plan.name}"
    if report.left_out:
        yield f"Only bills know what these steps spread: {', '.join(report.left_out)}."
    if not it.statements:
        yield "The ledger has nothing for this month. `flyball cost import` reads bills, `flyball up` estimates."
    for each in it.statements:
        yield ""
        yield from _statement_lines(each, report)


def _statement_lines(it: Statement, report: MonthReport) -> Iterator[str]:
    last = ("invoice",) if report.chargeback else ("against before",)
    header = (f"{report.showback.plan.target}, {it.currency}", "direct", "shared", "idle", "commitment", "total", *last)
    rows = [_cells(each, it.currency, report) for each in shown(it) if each.account.target or each.account.lines]
    yield text_table(header, rows)
    yield f"Ledger {cents(it.ledger, it.currency)} = {tie(it)}."
    if it.invoice is not None and it.invoice != it.ledger:
        yield f"The invoice says {cents(it.invoice, it.currency)}: commitments are amortised here."
    if report.chargeback:
        yield f"Rounding of lines: {signed(it.rounding)} {it.currency}."
    steps = {step.name: step for step in report.showback.plan.steps}
    for each in it.outcomes:
        if each.reason:
            words = step_words(steps[each.step], report.showback.plan)
            yield f"{each.step}: {cents(each.left, it.currency)} not spread ({words}): {each.reason}."


def _cells(each: Shown, currency: str, report: MonthReport) -> tuple[str, ...]:
    amounts = (each.direct, each.shared, each.idle, each.commitment, each.total)
    account = each.account
    if report.chargeback:
        last = cents(account.invoiced, currency) if account.target is not None else "0"
    else:
        last = wording.MISSING if account.before is None else change(account.total, account.before, currency)
    return (account.target or UNALLOCATED, *(cents(each, currency) if each else "0" for each in amounts), last)


def tie(it: Statement) -> str:
    """`allocated 1,200.00 + unallocated 34.50`, in cents that add up to the ledger's."""
    left = shown(it)[-1].total
    allocated = rounded(it.ledger, it.currency) - left
    return f"allocated {cents(allocated, it.currency)} + unallocated {cents(left, it.currency)}"


def signed(amount: Decimal) -> str:
    """With its sign and all of its digits."""
    text = plain(amount)
    return text.replace("-", "−") if amount < _ZERO else f"+{text}" if amount else text


def plain(amount: Decimal) -> str:
    """All digits, without an exponent and trailing zeros."""
    text = f"{amount:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text
