"""What a plan says about money: documents that change, field by field, and what the changes would have done."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from controlplane.ports import Permanent, Transient
from flyball.document_records import recorded_documents
from flyball.money.declared import KINDS, money_of
from flyball.money.reading import documents_in, money_in
from flyball.planning.documents import Change, DocumentChange, Documents, by_key, changes_between, files_at
from flyball.planning.live import AskedEngine

_PRICE_MAP: Final = "PriceMap"
_TOLD: Final = (_PRICE_MAP, "Budget")  # whose effect on the last month can be told


if TYPE_CHECKING:
    from flyball.money.gate import Effects


@dataclass(frozen=True, slots=True)
class MoneyPlan:
    """Every difference, by kind and name."""

    changes: tuple[DocumentChange, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changes)


NO_MONEY: Final = MoneyPlan()


def plan_money(record: str, paths: Sequence[str], engine: AskedEngine | None) -> MoneyPlan:
    """What differs between a record of what was applied and the files at `paths`; `engine` tells of the last month."""
    before, after = by_key(recorded_documents(record, KINDS)), by_key(documents_in(files_at(paths)))
    changes = changes_between(before, after)
    if any(change.kind in _TOLD for change in changes):
        changes = list(_with_effects(changes, (before, after), engine))
    return MoneyPlan(tuple(changes))


def _with_effects(
    changes: Sequence[DocumentChange], sides: tuple[Documents, Documents], engine: AskedEngine | None
) -> Iterator[DocumentChange]:
    """The same changes, and what those of prices and budgets would have done to the last 30 days."""
    from flyball.money import gate

    found, why = _effects(sides, engine)
    for change in changes:
        if change.kind not in _TOLD or change.change is Change.REMOVED:
            yield change
        elif found is None:
            yield replace(change, consequences=(f"what it would have done last month is not known: {why}",))
        elif change.kind == _PRICE_MAP:
            yield replace(change, consequences=tuple(gate.words_of_prices(found)), effects=gate.as_json(found))
        elif (effect := found.of(change.name)) is not None:
            words = tuple(gate.words_of_budget(effect))
            yield replace(change, consequences=words, effects=gate.as_json(found, change.name))
        else:
            yield change


def _effects(sides: tuple[Documents, Documents], engine: AskedEngine | None) -> "tuple[Effects | None, str]":
    from flyball.money import gate

    if engine is None or engine.failure:
        return None, engine.failure if engine else "no Prometheus was named"
    old, new = (money_of(list(documents.values()))[0] for documents in sides)
    try:
        return gate.effects(old, new, engine.backend, engine.now), ""
    except (Transient, Permanent) as error:
        engine.failure = engine.failure or str(error)
        return None, str(error)


def record_of(paths: Sequence[str]) -> str:
    """The record that applying the files at `paths` would keep."""
    return "".join(file.text for file in money_in(files_at(paths)).records)
