"""Charges out of FOCUS files: read and normalised as `flyball cost import` does, into a ledger that is thrown away."""

import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from controlplane.model.budget import Budget
from controlplane.model.spend import SpendQuestion
from controlplane.ports import Permanent
from controlplane.problems import Problem, has_errors
from finops.billed import columns as focus
from finops.billed.adapters.duckdb_ledger import BilledLedger, open_ledger
from finops.billed.adapters.importer import Importer
from finops.billed.model import CostSource, Dimensions, Term
from finops.billed.outcome import Asked
from finops.ladder.simulation.charged import Charged
from finops.ladder.simulation.spend_entries import Charge
from finops.ladder.simulation.traffic import Traffic
from flyball.backtest.policies import Policy
from flyball.money.declared import MoneyDeclared

_NAME: Final = "backtest"
_BEGIN, _END = "charge-begin", "charge-end"
_ALL_TIME: Final = (datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))
_Billed = tuple[str, Charge]  # with its currency
_NO_TRAFFIC: Final = Traffic((), timedelta(hours=1))


class UnusableBills(Exception):
    """Files that cannot be read; `problems` say why."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("the bills cannot be used")
        self.problems = list(problems)


class Bills:
    """What FOCUS files hold. Use it in a `with` block: its ledger lies in a temporary folder."""

    def __init__(self, paths: Sequence[Path], money: MoneyDeclared, now: datetime) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="flyball-backtest-")
        self._paths = paths
        self._money = money
        self._now = now

    def __enter__(self) -> "Bills":
        try:
            self._ledger = self._imported()
        except BaseException:
            self._folder.cleanup()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    def charged(self, policy: Policy, traffic: Traffic = _NO_TRAFFIC) -> Charged:
        """What one policy's signals are made from. Raises `Permanent` when there is no charge at all."""
        span = self._span()
        budgets = {each.name: each for each in policy.money.budgets}
        unit_costs = {each.name: each for each in policy.money.unit_costs if each.target is not None}
        named = {signal.subject for signal in policy.ladder.signals}
        scoped = {name: self._charges(dict(each.scope)) for name, each in budgets.items() if name in named}
        spent = {name: _in_currency(charges, budgets[name].currency) for name, charges in scoped.items()}
        return Charged(
            start=span[0],
            end=span[1],
            budgets=budgets,
            spent=spent,
            unit_spent={
                name: _in_currency(self._charges(dict(each.billed_scope or each.scope)), each.currency)
                for name, each in unit_costs.items()
                if name in named
            },
            targets={name: (each.per, each.target) for name, each in unit_costs.items() if each.target is not None},
            units=tuple(traffic.units()),
            users=tuple(traffic.users()),
            origin=f"History from {', '.join(path.name for path in self._paths)}",
            notes=(*self._notes(traffic), *_silent(spent), *_in_other_money(scoped, budgets)),
        )

    def _notes(self, traffic: Traffic) -> tuple[str, ...]:
        notes = ["Charges are spread evenly over their periods: what happened within one is not known."]
        if traffic.rows and not traffic.has_users:
            notes.append("The traffic has no column users: units a minute stand for users.")
        return tuple(notes)

    def _imported(self) -> BilledLedger:
        folder = Path(self._folder.name)
        first, *further = (str(path) for path in self._paths)
        source = CostSource(name=_NAME, path=first, further=tuple(further))
        outcome = Importer(folder).run(source, self._now, asked=Asked(detect=True))
        if has_errors(outcome.problems):
            raise UnusableBills(outcome.problems)
        return open_ledger(folder, {_NAME: self._dimensions()})

    def _dimensions(self) -> Dimensions:
        """Those of the workspace's sources, and the times of charges."""
        declared: dict[str, tuple[Term, ...]] = {}
        for source in self._money.cost_sources:
            declared |= source.dimensions
        return {**declared, _BEGIN: (Term(column=focus.START),), _END: (Term(column=focus.END),)}

    def _span(self) -> tuple[datetime, datetime]:
        charges = self._charges({})
        if not charges:
            raise Permanent("the bills hold no charge that counts")
        return min(each.start for _, each in charges), max(each.end for _, each in charges)

    def _charges(self, where: Mapping[str, tuple[str, ...]]) -> list[_Billed]:
        question = SpendQuestion(*_ALL_TIME, by=("hour", _BEGIN, _END), where=where)
        return [
            (row.currency, Charge(_moment(row.key[1]), _moment(row.key[2]), row.effective))
            for row in self._ledger.spend(question).rows
        ]


def _in_currency(charges: Sequence[_Billed], currency: str) -> list[Charge]:
    return [charge for billed_in, charge in charges if billed_in == currency]


def _in_other_money(scoped: Mapping[str, Sequence[_Billed]], budgets: Mapping[str, Budget]) -> tuple[str, ...]:
    """What is billed in another currency than its budget is not known. Raises `Permanent` when that is all of it."""
    notes = []
    for name, charges in scoped.items():
        own = budgets[name].currency
        others = sorted({billed_in for billed_in, _ in charges} - {own})
        told = f"the budget {name} is in {own}, and the bills have charges of it in {', '.join(others)}"
        if others and all(billed_in != own for billed_in, _ in charges):
            raise Permanent(f"{told} only")
        if others:
            notes.append(f"{told[0].upper()}{told[1:]}, too: these do not count.")
    return tuple(notes)


def _silent(spent: Mapping[str, Sequence[Charge]]) -> tuple[str, ...]:
    """Budgets whose scope fits no charge: more likely a scope by labels that bills do not have than no spend."""
    return tuple(
        f"No charge fits the budget {name}: is its scope one of a bill's dimensions?"
        for name, charges in spent.items()
        if not charges
    )


def _moment(value: object) -> datetime:
    """DuckDB's TIMESTAMP: UTC without saying so."""
    found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return found.replace(tzinfo=UTC)
