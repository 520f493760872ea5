"""A ledger in memory, and what is asked of it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from controlplane.model.spend import Ledger, SpendQuestion, SpendRow, SpendTable
from finops.explain.tables import Asked, Periods

START = datetime(2026, 11, 8, tzinfo=UTC)
END = datetime(2026, 11, 15, tzinfo=UTC)
WEEK = timedelta(days=7)


def row(
    key: Sequence[str | None], cost: str, quantity: str | None = None, unit: str | None = None, currency: str = "USD"
) -> SpendRow:
    """A row whose billed cost is ten times the effective one."""
    amount = Decimal(cost)
    return SpendRow(tuple(key), currency, amount, amount * 10, None, Decimal(quantity) if quantity else None, unit, 1)


class MemoryLedger:
    """Answers with one table for questions that begin at `START`, and with another one for the period before."""

    def __init__(self, before: Sequence[SpendRow], after: Sequence[SpendRow], until: datetime | None = END) -> None:
        self._tables = (tuple(before), tuple(after))
        self._until = until
        self.asked: list[SpendQuestion] = []

    def spend(self, question: SpendQuestion) -> SpendTable:
        self.asked.append(question)
        return SpendTable(question.by, self._tables[question.start >= START], self._until)


def question(by: tuple[str, ...] = ("service",), ledger: Ledger = Ledger.BILLED, cost: str = "effective") -> Asked:
    """The second week of November against the first."""
    return Asked(Periods.of(START, END), ledger, by, {}, cost)


BEFORE = [
    row(["api", "vm-small", "Usage"], "70", "700", "h"),
    row(["llm", "tokens", "Usage"], "20", "2000", "token"),
    row([None, "tax", "Tax"], "9", "1", None),
]
AFTER = [
    row(["api", "vm-small", "Usage"], "42", "420", "h"),
    row(["api", "vm-large", "Usage"], "112", "280", "h"),
    row(["llm", "tokens", "Usage"], "60", "4000", "token"),
    row([None, "tax", "Tax"], "12", "1", None),
]
