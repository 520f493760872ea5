"""What an incident costs, from the series that its SLOs and the budgets have anyway. Pure but for the questions.

Rolling pairs hold the events (or the money) of the last five minutes and are written every minute: what they hold over
a time, added up and divided by five, is what happened in it. Each event counts five times, at its edges fewer.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from math import ceil, isfinite
from typing import Final

from controlplane import conventions as names
from controlplane.model.alert import Alert
from controlplane.model.incident import Incident, PriceTag
from controlplane.model.series import Sample
from controlplane.ports import MetricsBackend

MOST_SLOS: Final = 20
MOST_BUDGETS: Final = 5
LONGEST: Final = timedelta(days=7)  # of a longer incident, what the last days cost
_WRITTEN_AGAIN: Final = 5
_DIGITS: Final = 6
_MONEY: Final = Decimal("0.0001")
_NOTHING_NAMED: Final = "its alerts name no SLO and no budget"
_NO_ANSWER: Final = "no series say what it cost"
_MATERIAL: Final = Decimal("0.1")  # a tenth more or less is news

_Sums = Mapping[tuple[str, ...], Decimal]


def slos_of(incident: Incident, alerts: Iterable[Alert]) -> tuple[str, ...]:
    """Names of the SLOs that the incident is about."""
    return _values(names.SLO, incident, alerts)


def budgets_of(incident: Incident, alerts: Iterable[Alert]) -> tuple[str, ...]:
    """Names of the budgets that the incident is about; empty: any of them may be."""
    return _values(names.BUDGET, incident, alerts)


def price_of(backend: MetricsBackend, incident: Incident, alerts: Sequence[Alert], at: datetime) -> PriceTag:
    """What it cost from its first alert up to `at`. Raises what the backend raises."""
    window = f"{_seconds(incident, at)}s"
    slos, budgets = slos_of(incident, alerts), budgets_of(incident, alerts)
    bad: _Sums = {}
    allowed: _Sums = {}
    if slos:
        among = f'{names.SLO}=~"{_alternatives(slos)}"'
        rolling = f'{names.ROLLING_EVENTS}{{{names.EVENT}="{names.EVENT_BAD}",{among}}}'
        bad = _ask(
            backend, f"sum by ({names.SLO}) (sum_over_time({rolling}[{window}])) / {_WRITTEN_AGAIN}", at, names.SLO
        )
        allowed = _ask(backend, f"sum by ({names.SLO}) ({names.BUDGET_EVENTS}{{{among}}})", at, names.SLO)
    burned = [(slo, bad[slo,] / allowed[slo,]) for slo in slos if (slo,) in bad and allowed.get((slo,), 0) > 0]
    extra = _extra_spend(backend, budgets, window, at)
    known = bool(burned or extra or bad)
    note = "" if known else _NO_ANSWER if slos or budgets else _NOTHING_NAMED
    return PriceTag(
        as_of=at,
        budget_burned=tuple((slo, _rounded(share)) for slo, share in burned),
        extra_spend=extra,
        failed_operations=_rounded(sum(bad.values(), Decimal(0))) if bad else None,
        note=note,
    )


def is_material(before: PriceTag | None, after: PriceTag) -> bool:
    """Whether people should hear of it: something is known that was not, or is a tenth more or less than it was."""
    if before is None:
        return after.note == ""
    old, new = _amounts(before), _amounts(after)
    return any(name not in old or abs(value - old[name]) > abs(old[name]) * _MATERIAL for name, value in new.items())


def _extra_spend(
    backend: MetricsBackend, budgets: Sequence[str], window: str, at: datetime
) -> tuple[tuple[str, Decimal, str], ...]:
    """Money beyond what was expected, the most first; of all budgets where none is named."""
    among = f'{{{names.BUDGET}=~"{_alternatives(budgets)}"}}' if budgets else ""
    labels = names.BUDGET, names.CURRENCY

    def over_time(metric: str) -> _Sums:
        expr = f"sum by ({', '.join(labels)}) (sum_over_time({metric}{among}[{window}])) / {_WRITTEN_AGAIN}"
        return _ask(backend, expr, at, *labels)

    spent, expected = over_time(names.BUDGET_ROLLING), over_time(names.BUDGET_EXPECTED)
    extra = [(key, spent[key] - expected[key]) for key in spent if key in expected]
    ranked = sorted(((key, much) for key, much in extra if much >= _MONEY), key=lambda each: (-each[1], each[0]))
    return tuple((budget, _rounded(much), currency) for (budget, currency), much in ranked[:MOST_BUDGETS])


def _ask(backend: MetricsBackend, expr: str, at: datetime, *labels: str) -> _Sums:
    """Finite values by labels; what is not there is missing."""
    return {
        _key(sample, labels): Decimal(repr(sample.value))
        for sample in backend.query(expr, at)
        if isfinite(sample.value)
    }


def _key(sample: Sample, labels: Sequence[str]) -> tuple[str, ...]:
    return tuple(sample.labels.get(label, "") for label in labels)


def _seconds(incident: Incident, at: datetime) -> int:
    length = min(max(at - incident.started_at, timedelta(minutes=1)), LONGEST)
    return ceil(length.total_seconds())


def _values(label: str, incident: Incident, alerts: Iterable[Alert]) -> tuple[str, ...]:
    found = [incident.labels.get(label, ""), *(alert.labels.get(label, "") for alert in alerts)]
    return tuple(dict.fromkeys(filter(None, found)))[:MOST_SLOS]


def _alternatives(values: Iterable[str]) -> str:
    """A PromQL expression, inside double quotes, that matches these values and no others."""
    escaped = ("".join(f"\\{each}" if each in _SPECIAL else each for each in value) for value in values)
    return "|".join(escaped).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


_SPECIAL: Final = frozenset("\\.+*?()|[]{}^$")


def _rounded(value: Decimal) -> Decimal:
    """Six significant digits: nobody reads more, and floats do not hold more."""
    if not value:
        return Decimal(0)
    return value.quantize(Decimal(1).scaleb(value.adjusted() - _DIGITS + 1)) + 0


def _amounts(price: PriceTag) -> dict[tuple[str, ...], Decimal]:
    amounts: dict[tuple[str, ...], Decimal] = {("burned", slo): share for slo, share in price.budget_burned}
    amounts |= {("spend", budget, currency): much for budget, much, currency in price.extra_spend}
    if price.failed_operations is not None:
        amounts["failed",] = price.failed_operations
    return amounts
