"""An incident, from all that was said about it.

- **Start.** The earliest of `incident.detected`, `incident.reported` and every `startedAt`.
- **End.** The latest `incident.resolved`, unless it was detected again after that: CDEvents has no word for reopening.
  A ticket that is filed (`reported`) when all is over reopens nothing. When a clock is off and it was resolved before
  anybody noticed it, it is resolved all the same: whoever measures sees that the end comes before the start.
- **Where.** Without an environment it is of the policy's first production environment. Without a service it stays
  without: it counts among all incidents, and can be held against a deployment only by name.
- **Whether it counts.** Not when `counted` was last said to be false (a drill), nor with a priority that the policy
  leaves out.
- **All else.** The last word that is not empty.
"""

from collections.abc import Sequence
from datetime import datetime

from controlplane.model.delivery import DeliveryIncident
from exporters.dora.facts.statements import (
    LONGEST_ID,
    LONGEST_NAME,
    Statement,
    as_title,
    as_url,
    earliest,
    last,
    last_flag,
    last_name,
)
from exporters.dora.policy.model import DeliveryPolicy


def incident_of(key: str, said: Sequence[Statement], policy: DeliveryPolicy) -> DeliveryIncident | None:
    """The incident; None while nobody says when it began."""
    noticed = [statement.time for statement in said if statement.predicate in ("detected", "reported")]
    started_at = earliest([*noticed, *(statement.when("startedAt") for statement in said)])
    if started_at is None:
        return None
    priority = last_name(said, "priority")
    return DeliveryIncident(
        id=key,
        service=policy.service(last(said, lambda statement: statement.referred("service", most=LONGEST_NAME)) or ""),
        environment=_environment(said, policy),
        started_at=started_at,
        resolved_at=_resolved(said),
        deployment=last_name(said, "deployment", LONGEST_ID),
        name=last_name(said, "name"),
        title=last(said, _title) or "",
        priority=priority,
        url=last(said, _url) or "",
        is_counted=last_flag(said, "counted") is not False and policy.counts(priority),
    )


def _environment(said: Sequence[Statement], policy: DeliveryPolicy) -> str:
    named = last(said, lambda statement: statement.referred("environment", most=LONGEST_NAME))
    return policy.environment(named) if named else next(iter(policy.production), "")


def _resolved(said: Sequence[Statement]) -> datetime | None:
    ends = [statement.time for statement in said if statement.predicate == "resolved"]
    if not ends:
        return None
    detected = [statement.time for statement in said if statement.predicate == "detected"]
    began = min(detected, default=ends[-1])
    is_reopened = began <= ends[-1] < max(detected, default=began)
    return None if is_reopened else ends[-1]


def _title(statement: Statement) -> str:
    """What a resolution is described by (`restored below 100 ms`) is no title of the incident."""
    return statement.title("title") or (
        "" if statement.predicate == "resolved" else as_title(statement.content.get("description"))
    )


def _url(statement: Statement) -> str:
    return as_url(statement.own.get("url")) or as_url(statement.content.get("ticketURI"))
