"""A Ladder document as a ladder."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from controlplane import conventions as names
from controlplane.model.budget import STANDARD_SPIKE
from controlplane.specfile import Document
from finops.budgets.spec import BudgetDocument
from finops.flags.declared import store_of
from finops.flags.model import DeclaredStore
from finops.flags.report import Report
from finops.flags.spec import FlagStoreDocument
from finops.ladder.model import Brake, Comparison, Emergency, Growth, Ladder, Limits, Mode, Verification
from finops.ladder.reading import lengths
from finops.ladder.reading.lengths import length
from finops.ladder.reading.signals import signals
from finops.ladder.reading.tiers import tiers
from finops.ladder.spec import LadderDocument
from finops.naming import annotation_problems, labels_of, name_problems

_RESERVED: Final = frozenset(
    {
        names.LADDER, names.TIER, names.CURRENCY, names.SEVERITY, "signal", "reason", "phase", "outcome", "mode",
        "flag_store", "owner", "of", "alertname", "alertstate",
    }
)  # fmt: skip


def ladder_of(report: Report, value: LadderDocument, documents: Sequence[Document]) -> Ladder:
    """What the document says; what has a mistake at its standard, and told."""
    about, spec, document = value.metadata, value.spec, report.document
    report.problems.extend(name_problems(document, about.name))
    report.problems.extend(annotation_problems(document, about.annotations))
    labels, of_labels = labels_of(document, about.labels, _RESERVED)
    report.problems.extend(of_labels)
    stale_after = length(report, ("spec", "staleAfter"), spec.stale_after, lengths.STALE_AFTER)
    return Ladder(
        name=about.name,
        display_name=about.display_name or about.name,
        mode=Mode(spec.mode),
        store=spec.flag_store,
        currency=spec.currency,
        every=length(report, ("spec", "every"), spec.every, lengths.EVERY),
        signals=signals(report, spec.signals, stale_after, _floors(documents)),
        tiers=tiers(report, spec.tiers, store_named(documents, spec.flag_store)),
        brakes=_brakes(report, value),
        growth=Growth(spec.growth.signal, spec.growth.flat_below) if spec.growth else None,
        emergency=_emergency(value),
        limits=_limits(report, value),
        verification=_verification(report, value),
        owner=about.annotations.get(names.ANNOTATION_OWNER, ""),
        runbook_url=about.annotations.get(names.ANNOTATION_RUNBOOK, ""),
        labels=labels,
        source=document.position_of("metadata", "name"),
    )


def store_named(documents: Sequence[Document], name: str) -> DeclaredStore | None:
    """The FlagStore of that name, as far as it can be read; its own mistakes are told where stores are read."""
    for document in documents:
        if isinstance(document.value, FlagStoreDocument) and document.value.metadata.name == name:
            return store_of(document, document.value)[0]
    return None


def _brakes(report: Report, value: LadderDocument) -> tuple[Brake, ...]:
    return tuple(
        Brake(part.slo, part.minimum, part.from_tier, part.release, report.document.position_of("spec", "brakes", i))
        for i, part in enumerate(value.spec.brakes)
    )


def _emergency(value: LadderDocument) -> Emergency | None:
    part = value.spec.emergency
    if part is None:
        return None
    return Emergency(part.tier, tuple(Comparison(*each) for each in part.any_.items()), part.samples)


def _limits(report: Report, value: LadderDocument) -> Limits:
    part, at = value.spec.limits, ("spec", "limits")
    return Limits(
        changes_per_day=part.changes_per_day,
        cool_down=length(report, (*at, "coolDown"), part.cool_down, lengths.COOL_DOWN),
        retry_after=length(report, (*at, "retryAfter"), part.retry_after, lengths.RETRY_AFTER),
    )


def _verification(report: Report, value: LadderDocument) -> Verification:
    part, at = value.spec.verification, ("spec", "verification")
    return Verification(
        visible_within=length(report, (*at, "visibleWithin"), part.visible_within, lengths.VISIBLE_WITHIN),
        settle=length(report, (*at, "settle"), part.settle, lengths.SETTLE),
    )


def _floors(documents: Sequence[Document]) -> dict[str, Decimal | None]:
    """The spend an hour below which each budget sees no spike."""
    found: dict[str, Decimal | None] = {}
    for document in documents:
        if isinstance(document.value, BudgetDocument):
            spike = document.value.spec.alerts.spike
            floor = spike.floor_per_hour if spike else STANDARD_SPIKE.floor_per_hour
            found.setdefault(document.value.metadata.name, floor)
    return found
