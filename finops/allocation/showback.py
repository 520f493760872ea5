"""Who bears what of a month: accounts by target, with what was spread and by what key, tied out to the ledger."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from finops.allocation.exact import total
from finops.allocation.model import CostAllocation, CostKind
from finops.allocation.rounding import apportioned, rounded
from finops.allocation.tables import AllocatedRow, AllocatedTable, CostTable, StepOutcome


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an account: direct cost of one service, or what one step gave. `rounded` is what an invoice says."""

    what: str | None
    kind: CostKind | None
    step: str
    cost: Decimal
    rounded: Decimal


@dataclass(frozen=True, slots=True)
class Account:
    """What one target bears in one currency; `target` None is what nobody bears.

    `before` is the total of the month before, None when that had no cost at all. `lines` come largest first.
    """

    target: str | None
    direct: Decimal
    shared: Decimal
    idle: Decimal
    commitment: Decimal
    before: Decimal | None
    lines: tuple[Line, ...]

    @property
    def total(self) -> Decimal:
        """All of it, exactly."""
        return total((self.direct, self.shared, self.idle, self.commitment))

    @property
    def invoiced(self) -> Decimal:
        """The sum of the rounded lines."""
        return total(line.rounded for line in self.lines)

    @property
    def change(self) -> Decimal | None:
        """Against the month before, None when that is not known."""
        return None if self.before is None else total((self.total, -self.before))


@dataclass(frozen=True, slots=True)
class Statement:
    """One currency's accounts, largest first; `unallocated` is what none of them bears.

    `ledger` is what the ledger says, added up before anything was allocated. `invoice` is BilledCost where another
    figure was allocated, None where it is the same or unknown.
    """

    currency: str
    accounts: tuple[Account, ...]
    unallocated: Account
    ledger: Decimal
    before: Decimal | None
    outcomes: tuple[StepOutcome, ...]
    invoice: Decimal | None = None

    @property
    def ledger_in_cents(self) -> Decimal:
        """The ledger's sum, rounded once."""
        return rounded(self.ledger, self.currency)

    @property
    def allocated(self) -> Decimal:
        """What the accounts bear together."""
        return total(account.total for account in self.accounts)

    @property
    def total(self) -> Decimal:
        """Allocated and unallocated together: equal to `ledger`."""
        return total((self.allocated, self.unallocated.total))

    @property
    def invoiced(self) -> Decimal:
        """The sum of all rounded lines, unallocated ones aside."""
        return total(account.invoiced for account in self.accounts)

    @property
    def rounding(self) -> Decimal:
        """What the rounding of lines added (or took, when negative)."""
        return total((self.invoiced, -self.allocated))


@dataclass(frozen=True, slots=True)
class Showback:
    """A month's report. `complete_until` is the moment up to which the ledger has data."""

    month: datetime
    plan: CostAllocation
    statements: tuple[Statement, ...]
    complete_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """An account in whole cents that add up: across to `total`, down to the ledger's rounded sum."""

    account: Account
    direct: Decimal
    shared: Decimal
    idle: Decimal
    commitment: Decimal
    total: Decimal
    lines: tuple[tuple[Line, Decimal], ...]


def shown(statement: Statement) -> tuple[Shown, ...]:
    """The accounts of a statement, and last what is unallocated, as a report shows them."""
    accounts = (*statement.accounts, statement.unallocated)
    currency = statement.currency
    totals = apportioned([each.total for each in accounts], rounded(statement.ledger, currency), currency)
    found = []
    for account, whole in zip(accounts, totals, strict=True):
        kinds = (account.direct, account.shared, account.idle, account.commitment)
        direct, split, idle, commitment = apportioned(kinds, whole, currency)
        lines = apportioned([line.cost for line in account.lines], whole, currency)
        found.append(
            Shown(account, direct, split, idle, commitment, whole, tuple(zip(account.lines, lines, strict=True)))
        )
    return tuple(found)


def statements(
    now: AllocatedTable,
    ledger: CostTable,
    before: AllocatedTable | None,
    *,
    what: str,
    invoice: Mapping[str, Decimal] | None = None,
) -> tuple[Statement, ...]:
    """The statements of a month, a currency each, by name.

    `what` is the column by which direct cost is listed. `ledger` is the table that `now` was allocated from; `before`
    the month before, None when nothing is known of it. `invoice` is BilledCost by currency.
    """
    earlier = _by_target(before) if before else {}
    found = []
    for currency in sorted({row.currency for row in ledger.rows}):
        rows = [row for row in now.rows if row.currency == currency]
        own = {target: amount for (target, of), amount in earlier.items() if of == currency}
        everything = total(own.values()) if own else None
        accounts = list(_accounts(now, rows, what, own, currency))
        nobody = next((each for each in accounts if each.target is None), None) or _empty(own, everything)
        outcomes = _by_step([each for each in now.outcomes if each.currency == currency])
        spent = total(row.cost for row in ledger.rows if row.currency == currency)
        listed = tuple(sorted((each for each in accounts if each.target is not None), key=_largest_first))
        billed = (invoice or {}).get(currency)
        found.append(Statement(currency, listed, nobody, spent, everything, outcomes, billed))
    return tuple(found)


def _largest_first(account: Account) -> tuple[Decimal, str]:
    return -account.total, account.target or ""


def _empty(earlier: Mapping[str | None, Decimal], everything: Decimal | None) -> Account:
    zero = Decimal(0)
    before = None if everything is None else earlier.get(None, zero)
    return Account(None, zero, zero, zero, zero, before, ())


def _accounts(
    table: AllocatedTable,
    rows: Sequence[AllocatedRow],
    what: str,
    earlier: Mapping[str | None, Decimal],
    currency: str,
) -> Iterator[Account]:
    """Every target of this month or the one before, and None."""
    by_target: dict[str | None, list[AllocatedRow]] = defaultdict(list)
    for row in rows:
        by_target[table.target_of(row)].append(row)
    for target in dict.fromkeys((*by_target, *earlier)):
        own = by_target[target]
        before = earlier.get(target, Decimal(0)) if earlier else None
        kinds = {kind: total(row.cost for row in own if row.kind is kind) for kind in (None, *CostKind)}
        yield Account(
            target,
            kinds[None],
            kinds[CostKind.SHARED],
            kinds[CostKind.IDLE],
            kinds[CostKind.COMMITMENT],
            before,
            tuple(_lines(table, own, what, currency)),
        )


def _lines(table: AllocatedTable, rows: Sequence[AllocatedRow], what: str, currency: str) -> Iterator[Line]:
    at = table.columns.index(what)
    sums: dict[tuple[str | None, CostKind | None, str], list[Decimal]] = defaultdict(list)
    for row in rows:
        sums[row.key[at], row.kind, row.step].append(row.cost)
    lines = [
        Line(name, kind, step, cost, rounded(cost, currency))
        for (name, kind, step), costs in sums.items()
        if (cost := total(costs))
    ]
    yield from sorted(lines, key=lambda line: (line.kind is not None, -line.cost, line.what or "", line.step))


def _by_target(table: AllocatedTable) -> dict[tuple[str | None, str], Decimal]:
    sums: dict[tuple[str | None, str], list[Decimal]] = defaultdict(list)
    for row in table.rows:
        sums[table.target_of(row), row.currency].append(row.cost)
    return {key: total(amounts) for key, amounts in sums.items()}


def _by_step(outcomes: Sequence[StepOutcome]) -> tuple[StepOutcome, ...]:
    """What each step did over all periods of the month, in the order of the steps; weights add up."""
    together: dict[str, list[StepOutcome]] = {}
    for each in outcomes:
        together.setdefault(each.step, []).append(each)
    return tuple(own[0] if len(own) == 1 else _sum(own) for own in together.values())


def _sum(outcomes: Sequence[StepOutcome]) -> StepOutcome:
    weights: dict[str, list[Decimal]] = defaultdict(list)
    for each in outcomes:
        for target, weight in each.weights:
            weights[target].append(weight)
    first = outcomes[0]
    return StepOutcome(
        first.step,
        None,
        first.currency,
        total(each.taken for each in outcomes),
        total(each.given for each in outcomes),
        tuple((target, total(weights[target])) for target in sorted(weights)),
        "; ".join(dict.fromkeys(each.reason for each in outcomes if each.reason and each.taken)),
    )
