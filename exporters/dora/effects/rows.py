"""Effects as the store keeps them. Decimals are texts, times RFC 3339."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from controlplane.model.delivery import StoredEffect
from controlplane.model.event import JSON
from exporters.dora.effects.model import (
    Amount,
    Confounder,
    ConfounderKind,
    Effect,
    Figures,
    Spent,
    State,
    Subject,
)


def to_row(effect: Effect) -> StoredEffect:
    """For the store. The score sorts by what was surely spent: 0 where nothing was measurable, None where unknown."""
    body: dict[str, JSON] = {"version": effect.version, "url": effect.url}
    body |= {key: value for key, value in _texts(effect).items() if value}
    if effect.figures:
        body["figures"] = _figures(effect.figures)
    body["confounders"] = [{"kind": each.kind.value, "text": each.text} for each in effect.confounders]
    return StoredEffect(
        effect.deployment,
        f"{effect.subject.value}:{effect.name}",
        effect.service,
        effect.environment,
        effect.at,
        effect.state.value,
        score(effect),
        body,
    )


def score(effect: Effect) -> Decimal | None:
    """The share of its period's error budget, or the relative change of the unit cost."""
    if effect.figures is None:
        return None
    if not effect.is_measurable:
        return Decimal(0)
    if effect.subject is Subject.UNIT_COST:
        return effect.figures.change.value
    budget = effect.figures.spent.budget
    return budget.value if budget else Decimal(0)


def from_row(row: StoredEffect) -> Effect:
    """The effect that was kept. Raises `KeyError`, `ValueError`, `TypeError` for a body that is not ours."""
    subject, _, name = row.subject.partition(":")
    body = row.body
    figures = body.get("figures")
    return Effect(
        row.deployment,
        row.service,
        row.environment,
        row.at,
        _text(body, "version"),
        Subject(subject),
        name,
        State(row.state),
        _text(body, "reason"),
        _read_figures(figures) if isinstance(figures, Mapping) else None,
        _read_confounders(body.get("confounders")),
        _text(body, "period"),
        _text(body, "currency"),
        _text(body, "per"),
        _text(body, "url"),
    )


def told(rows: Sequence[StoredEffect]) -> list[StoredEffect]:
    """Those of one deployment. That nothing is recorded of its service is not told once something is."""
    return [each for each in rows if not each.subject.startswith(f"{Subject.NONE.value}:")] or list(rows)


def of_deployment(rows: Sequence[StoredEffect]) -> list[Effect]:
    """The same, read."""
    return [from_row(row) for row in told(rows)]


def _texts(effect: Effect) -> dict[str, str]:
    return {"reason": effect.reason, "period": effect.period, "currency": effect.currency, "per": effect.per}


def _figures(figures: Figures) -> dict[str, JSON]:
    spent = figures.spent
    return {
        "before": str(figures.before),
        "after": str(figures.after),
        "expected": _amount(figures.expected),
        "change": _amount(figures.change),
        "extra": _amount(figures.extra),
        "per_hour": _amount(figures.per_hour),
        "spent": {
            "until": spent.until.isoformat(),
            "extra": _amount(spent.extra),
            "budget": _amount(spent.budget),
            "ended_by": spent.ended_by,
            "is_final": spent.is_final,
        },
        "before_start": figures.before_start.isoformat(),
        "before_end": figures.before_end.isoformat(),
        "after_start": figures.after_start.isoformat(),
        "after_end": figures.after_end.isoformat(),
        "method": figures.method,
        "pasts": figures.pasts,
        "confidence": str(figures.confidence),
    }


def _amount(amount: Amount | None) -> JSON:
    return [str(amount.value), str(amount.lower), str(amount.upper)] if amount else None


def _read_figures(data: Mapping[str, JSON]) -> Figures:
    spent = data["spent"]
    assert isinstance(spent, Mapping)
    pasts = data["pasts"]
    return Figures(
        Decimal(_text(data, "before")),
        Decimal(_text(data, "after")),
        _needed(data["expected"]),
        _needed(data["change"]),
        _needed(data["extra"]),
        _read_amount(data["per_hour"]),
        Spent(
            _time(spent, "until"),
            _needed(spent["extra"]),
            _read_amount(spent["budget"]),
            _text(spent, "ended_by"),
            spent["is_final"] is True,
        ),
        _time(data, "before_start"),
        _time(data, "before_end"),
        _time(data, "after_start"),
        _time(data, "after_end"),
        _text(data, "method"),
        pasts if isinstance(pasts, int) else 0,
        Decimal(_text(data, "confidence")),
    )


def _read_amount(data: JSON) -> Amount | None:
    if not isinstance(data, list):
        return None
    value, lower, upper = (Decimal(str(each)) for each in data)
    return Amount(value, lower, upper)


def _needed(data: JSON) -> Amount:
    found = _read_amount(data)
    if found is None:
        raise ValueError("an amount is missing")
    return found


def _read_confounders(data: JSON) -> tuple[Confounder, ...]:
    if not isinstance(data, list):
        return ()
    return tuple(
        Confounder(ConfounderKind(_text(each, "kind")), _text(each, "text"))
        for each in data
        if isinstance(each, Mapping)
    )


def _text(data: Mapping[str, JSON], key: str) -> str:
    found = data.get(key, "")
    return found if isinstance(found, str) else ""


def _time(data: Mapping[str, JSON], key: str) -> datetime:
    return datetime.fromisoformat(_text(data, key))
