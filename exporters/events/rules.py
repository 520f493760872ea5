"""The alert that tells when events come in and no facts are made of them: metrics stand still then."""

from datetime import timedelta
from typing import Final

from controlplane import conventions as names
from controlplane import delivery_names
from controlplane.model.rule import AlertingRule, RuleFile, RuleGroup

FILE: Final = "delivery-events.yaml"
EVERY: Final = timedelta(minutes=1)
_BEHIND: Final = "15m"  # without one moment at which everything was done


def rule_files(*, external_url: str = "") -> tuple[RuleFile, ...]:
    """One file with one alert."""
    page = external_url.rstrip("/")
    links = ((names.DASHBOARD_URL, f"{page}/delivery/events"),) if page else ()
    rule = AlertingRule(
        delivery_names.ALERT_EVENTS_BEHIND,
        f"min_over_time(max({delivery_names.EVENTS_BEHIND})[{_BEHIND}:]) > 0",
        ((names.SEVERITY, names.SEVERITY_TICKET),),
        (
            (names.SUMMARY, "Events of deliveries are taken in, but not made into metrics"),
            (
                names.DESCRIPTION,
                "DORA metrics do not know of the newest deployments and incidents. Nothing is lost. The log of "
                "`flyball up` says why the job `facts` fails.",
            ),
            *links,
        ),
        hold=timedelta(0),
    )
    return (RuleFile(FILE, (RuleGroup("delivery:events", EVERY, (rule,)),)),)
