"""Meters, quotas and contracts among a workspace's documents, and what is wrong with them."""

import re
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Final, TypeVar

from controlplane.model.usage import Aggregation
from controlplane.problems import Problem, Severity
from controlplane.specfile import Declared, Document, did_you_mean
from exporters.usage.spec import ContractDocument, MeterDocument, QuotaDocument
from exporters.usage.terms import (
    Billing,
    Contract,
    CreditStep,
    Fee,
    Meter,
    Path,
    Price,
    Quota,
    QuotaPeriod,
    Rounding,
    UsageTerms,
)

RULE: Final = "usage"
SUBJECT: Final = "subject"
MAX_DIMENSIONS: Final = 8
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,62}")
_PATH: Final = re.compile(r"(?:\$\.|data\.)?([A-Za-z0-9_-]{1,64}(?:\.[A-Za-z0-9_-]{1,64}){0,7})")
TENANT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}")
OTHERS: Final = "other"  # in metrics: all tenants that are not shown alone
_OURS: Final = (MeterDocument, QuotaDocument, ContractDocument)
_RESERVED_LABELS: Final = frozenset({"tenant", "meter", "le", "quantile", "__name__"})
Terms = TypeVar("Terms", Meter, Quota, Contract)
Read = Callable[[Document], tuple[Terms | None, list[Problem]]]


def declared(
    documents: Sequence[Document], may_be_declared: Callable[[str], bool] = lambda _: False
) -> Declared[UsageTerms]:
    """What the documents declare: one value, or none where nothing is metered. With errors it is not complete.

    `may_be_declared`: whether a document that was not read may have this name.
    """
    if not any(isinstance(document.value, _OURS) for document in documents):
        return Declared()
    problems: list[Problem] = []
    meters = _all(documents, MeterDocument, _meter, problems)
    contracts = _all(documents, ContractDocument, _contract, problems)
    quotas = _all(documents, QuotaDocument, _quota, problems)
    by_name = {meter.name: meter for _, meter in meters}
    problems += _disagreements(meters)
    for document, quota in quotas:
        if quota.meter in by_name or not may_be_declared(quota.meter):
            problems += _quota_problems(document, quota, by_name)
    problems += _promised_twice(contracts)
    terms = UsageTerms(
        tuple(by_name[name] for name in sorted(by_name)),
        tuple(sorted((quota for _, quota in quotas), key=lambda quota: quota.name)),
        tuple(sorted((contract for _, contract in contracts), key=lambda contract: contract.name)),
    )
    return Declared((terms,), tuple(problems))


def _all(
    documents: Sequence[Document], model: type[object], read: Read[Terms], problems: list[Problem]
) -> list[tuple[Document, Terms]]:
    found: dict[str, tuple[Document, Terms]] = {}
    for document in documents:
        if isinstance(document.value, model):
            problems += _name_problems(document)
            terms, wrong = read(document)
            problems += wrong
            if terms is None:
                continue
            if terms.name in found:
                problems.append(_taken(document, terms.name, found[terms.name][0]))
            else:
                found[terms.name] = (document, terms)
    return list(found.values())


def _name_problems(document: Document) -> Iterator[Problem]:
    name = document.value.metadata.name  # type: ignore[attr-defined]
    if not _NAME.fullmatch(name):
        message = f"`{name[:80]}` is not a name: at most 63 lower-case letters, digits and `-`, no `-` at either end"
        yield document.problem("metadata", "name", message=message, rule=RULE)


def _taken(document: Document, name: str, first: Document) -> Problem:
    hint = f"first used at {first.position_of('metadata', 'name')}"
    message = f"the name `{name}` is taken by another {document.kind.name}"
    return document.problem("metadata", "name", message=message, hint=hint, rule="duplicate-name")


class _Reading:
    """Reads the parts of one document, and collects what is wrong with them."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[Problem] = []

    def report(self, *path: str | int, message: str, hint: str = "", severity: Severity = Severity.ERROR) -> None:
        self.problems.append(
            self.document.problem("spec", *path, message=message, hint=hint, severity=severity, rule=RULE)
        )

    def path(self, *where: str, text: str) -> Path:
        found = _PATH.fullmatch(text)
        if found is None:
            message = f"`{text[:60]}` is not a path into the event's data"
            self.report(*where, message=message, hint="keys joined by dots, as in tokens.input; at most eight")
            return ()
        return tuple(found[1].split("."))

    def tenants(self, names: Sequence[str]) -> None:
        for index, name in enumerate(names):
            if not TENANT.fullmatch(name) or name == OTHERS:
                message = f"`{name[:60]}` is not a tenant's name"
                hint = "letters, digits and `._:/@+-`, at most 128, a letter or digit first; `other` is taken"
                self.report("tenants", index, message=message, hint=hint)
            elif name in names[:index]:
                self.report("tenants", index, message=f"`{name}` is there twice")


def _meter(document: Document) -> tuple[Meter | None, list[Problem]]:
    value = document.value
    assert isinstance(value, MeterDocument)
    spec, reading = value.spec, _Reading(document)
    aggregation = Aggregation(spec.aggregation)
    if (spec.value is None) != (aggregation is Aggregation.COUNT):
        if spec.value is None:
            message, hint = f"{spec.aggregation} needs a value", "where in data the quantity stands, as in tokens.input"
            reading.report(message=message, hint=f"write value: {hint}")
        else:
            reading.report("value", message="count takes no value: every event is 1", hint="leave it out, or use sum")
    path = () if spec.value is None else reading.path("value", text=spec.value)
    tenant = () if spec.tenant == SUBJECT else reading.path("tenant", text=spec.tenant)
    meter = Meter(
        name=value.metadata.name,
        event_type=spec.event_type,
        aggregation=aggregation,
        unit=spec.unit,
        value=path,
        tenant=tenant,
        only_contracts=spec.tenants == "contracts",
        dimensions=_dimensions(spec.dimensions, reading),
        billing=_billing(value, reading),
        display_name=value.metadata.display_name,
        source=document.position_of("metadata", "name"),
    )
    return (None if reading.problems else meter), reading.problems


def _dimensions(written: dict[str, str], reading: _Reading) -> tuple[tuple[str, Path], ...]:
    if len(written) > MAX_DIMENSIONS:
        reading.report("dimensions", message=f"has {len(written)} labels, at most {MAX_DIMENSIONS} are possible")
    found = []
    for label, text in sorted(written.items()):
        if not _LABEL.fullmatch(label) or label in _RESERVED_LABELS:
            message = f"`{label[:60]}` cannot be a label" + (": it is taken" if label in _RESERVED_LABELS else "")
            reading.report("dimensions", label, message=message, hint="letters, digits and `_`, no digit first")
        found.append((label, reading.path("dimensions", label, text=text)))
    return tuple(found)


def _billing(value: MeterDocument, reading: _Reading) -> Billing:
    written = value.spec.billing
    price = written.price
    if price is not None and written.decimals is not None:
        message = "a line is rounded once: with a price its amount is, not its quantity"
        reading.report("billing", "decimals", message=message, hint="leave it out; price.decimals rounds the amount")
    return Billing(
        free=written.free,
        rounding=Rounding(written.rounding),
        decimals=written.decimals,
        price=Price(price.amount, price.per, price.currency, price.decimals) if price else None,
    )


def _disagreements(meters: Sequence[tuple[Document, Meter]]) -> Iterator[Problem]:
    """Meters that read the same events must find the same tenant in them."""
    first: dict[str, Meter] = {}
    for document, meter in meters:
        other = first.setdefault(meter.event_type, meter)
        if other.tenant != meter.tenant:
            message = f"finds the tenant elsewhere than the meter `{other.name}`, which reads the same events"
            yield document.problem("spec", "tenant", message=message, hint="write the same tenant in both", rule=RULE)


def _quota(document: Document) -> tuple[Quota | None, list[Problem]]:
    value = document.value
    assert isinstance(value, QuotaDocument)
    spec, reading = value.spec, _Reading(document)
    reading.tenants(spec.tenants)
    if not spec.thresholds:
        reading.report("thresholds", message="must not be empty", hint="leave it out for 0.8, 0.9 and 1")
    if sorted(set(spec.thresholds)) != spec.thresholds:
        reading.report("thresholds", message="must ascend, each once")
    quota = Quota(
        name=value.metadata.name,
        meter=spec.meter,
        tenants=frozenset(spec.tenants),
        limit=spec.limit,
        period=QuotaPeriod(spec.period),
        thresholds=tuple(spec.thresholds),
        source=document.position_of("metadata", "name"),
    )
    return (None if reading.problems else quota), reading.problems


def _quota_problems(document: Document, quota: Quota, meters: dict[str, Meter]) -> Iterator[Problem]:
    meter = meters.get(quota.meter)
    if meter is None:
        meant = did_you_mean(quota.meter, list(meters))
        message = f"there is no meter `{quota.meter[:80]}`" + (f", did you mean `{meant}`?" if meant else "")
        yield document.problem("spec", "meter", message=message, rule=RULE)
    elif meter.aggregation is Aggregation.UNIQUE and quota.period is QuotaPeriod.DAY:
        message = f"`{meter.name}` counts different values of a month; a day has no quota of them"
        yield document.problem("spec", "period", message=message, hint="write period: month", rule=RULE)


def _contract(document: Document) -> tuple[Contract | None, list[Problem]]:
    value = document.value
    assert isinstance(value, ContractDocument)
    spec, reading = value.spec, _Reading(document)
    reading.tenants(spec.tenants)
    steps = [CreditStep(part.below, part.percent) for part in spec.credits]
    for index, (above, below) in enumerate(pairwise(steps), start=1):
        if not (below.below < above.below and below.percent > above.percent):
            message = "must fall below the row before it, and give more back"
            reading.report("credits", index, message=message, hint="write the highest threshold first")
    if spec.fee.amount == Decimal(0) and not spec.fee.usage:
        reading.report("fee", message="credits would be a share of nothing", hint="write an amount, or usage: true")
    contract = Contract(
        name=value.metadata.name,
        tenants=tuple(sorted(spec.tenants)),
        slo=spec.slo,
        group_by=spec.group_by,
        credits=tuple(steps),
        fee=Fee(
            spec.fee.amount, spec.fee.currency, spec.fee.usage, spec.fee.decimals, Rounding(spec.fee.rounding)
        ),
        cap=spec.cap,
        maintenance_counts=spec.maintenance == "counted",
        minimum_coverage=spec.minimum_coverage,
        source=document.position_of("metadata", "name"),
    )  # fmt: skip
    return (None if reading.problems else contract), reading.problems


def _promised_twice(contracts: Sequence[tuple[Document, Contract]]) -> Iterator[Problem]:
    """One breach must not be given back twice."""
    first: dict[tuple[str, str], Contract] = {}
    for document, contract in contracts:
        for index, tenant in enumerate(document.value.spec.tenants):  # type: ignore[attr-defined]
            other = first.setdefault((tenant, contract.slo), contract)
            if other is not contract:
                message = f"`{tenant}` is promised `{contract.slo}` by the contract `{other.name}` already"
                yield document.problem("spec", "tenants", index, message=message, rule=RULE)
