"""What is unusual about an SLO's alerts, as the `alerts` of an SLOPolicy."""

from controlplane.burn_rate import duration
from controlplane.model.alerting import STANDARD_ALERTING, STANDARD_TIERS, AlertText, Tier, Urgency
from controlplane.model.slo import SLO
from slo.convert.yaml_text import Value


def policy_settings(slo: SLO) -> dict[str, Value]:
    """The settings that no annotation can say; empty when there are none."""
    alerting = slo.alerting
    settings: dict[str, Value] = {}
    if alerting.fewest_bad_events != STANDARD_ALERTING.fewest_bad_events:
        settings["fewestBadEvents"] = alerting.fewest_bad_events
    if not _is_told_by_annotation(alerting.tiers):
        settings["tiers"] = [_tier(tier) for tier in alerting.tiers]
    for key, text in (("page", alerting.page), ("ticket", alerting.ticket), ("absence", alerting.absence)):
        if text != AlertText():
            settings[key] = _text(text)
    return settings


def _is_told_by_annotation(tiers: tuple[Tier, ...]) -> bool:
    """Whether these are the standard tiers, without those of one urgency or of both where these are dropped."""
    return tiers in (STANDARD_TIERS, (), *(_without(urgency) for urgency in Urgency))


def _without(urgency: Urgency) -> tuple[Tier, ...]:
    return tuple(tier for tier in STANDARD_TIERS if tier.urgency is not urgency)


def _tier(tier: Tier) -> dict[str, Value]:
    written: dict[str, Value] = {
        "severity": tier.urgency.value,
        "budgetShare": tier.budget_share,
        "long": duration(tier.long),
        "short": duration(tier.short),
        "spentWithin": [duration(length) for length in tier.spent_within],
    }
    if tier.burn_rate is not None:
        written["burnRate"] = tier.burn_rate
    if tier.hold:
        written["for"] = duration(tier.hold)
    return written


def _text(text: AlertText) -> dict[str, Value]:
    written: dict[str, Value] = {}
    if text.name:
        written["name"] = text.name
    if text.severity:
        written["severity"] = text.severity
    if text.labels:
        written["labels"] = dict(text.labels)
    if text.annotations:
        written["annotations"] = dict(text.annotations)
    return written
