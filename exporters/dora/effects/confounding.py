"""What else happened around a deployment, so that its effect may be another one's."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from controlplane.model.delivery import DeliveryIncident, Deployment
from controlplane.model.event import Event
from controlplane.wording import utc
from exporters.dora.effects.model import Confounder, ConfounderKind
from exporters.dora.effects.windows import Windows

_NAMED = 5  # more are counted


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known of the time around one deployment.

    `previous` and `following` are of the same service in production, `others` when any of that service was deployed,
    near or far. `together` are other services of the same run. `incidents` are the service's; `tiers` are moves of
    downshift ladders.
    """

    previous: Deployment | None = None
    following: Deployment | None = None
    others: Sequence[datetime] = ()
    together: Sequence[str] = ()
    incidents: Sequence[DeliveryIncident] = ()
    tiers: Sequence[Event] = field(default_factory=tuple)


def confounders(
    around: Surroundings, windows: Windows, excluded: Sequence[tuple[datetime, str]]
) -> tuple[Confounder, ...]:
    """Those that touch the windows that are compared, each in a sentence."""
    start, at, end = windows.before.start, windows.before.end, windows.after.end
    found = [*windows.cuts]
    if around.together:
        text = f"the same run deployed {_listed(around.together)}"
        found.append(Confounder(ConfounderKind.TOGETHER, text))
    for incident in around.incidents:
        over = incident.resolved_at
        if incident.started_at < at and (over is None or over > start):
            until = f"until {utc(over)}" if over and over <= at else "and went on"
            text = f"incident {incident.name or incident.id} had begun {utc(incident.started_at)} {until}"
            found.append(Confounder(ConfounderKind.INCIDENT, text))
    for event in around.tiers:
        if start <= event.occurred_at < end:
            text = f"ladder {event.subject} went from tier {event.data.get('from')} to {event.data.get('to')} "
            found.append(Confounder(ConfounderKind.TIER, f"{text}{utc(event.occurred_at)}"))
    names = sorted({name for when, name in excluded if start <= when < end})
    if names:
        found.append(Confounder(ConfounderKind.EXCLUSION, f"events were taken out by {_listed(names)}"))
    return tuple(found)


def _listed(names: Sequence[str]) -> str:
    shown, rest = names[:_NAMED], len(names) - _NAMED
    return ", ".join(shown) + (f" and {rest} more" if rest > 0 else "")
