"""Facts from events: what the set of all events about one thing amounts to.

Pure functions of that *set*, of a policy, and of nothing else: neither the order in which events came nor how often
they came can matter, whatever is cut between two runs.
"""

import hashlib
import json
from collections.abc import Iterable
from typing import Final

from controlplane.model.delivery import Artifact, Change, DeliveryEvent, DeliveryIncident, Deployment, EntityKind
from exporters.dora.facts.changes import artifact_of, change_of
from exporters.dora.facts.deployments import deployment_of
from exporters.dora.facts.incidents import incident_of
from exporters.dora.facts.statements import statements
from exporters.dora.policy.model import DeliveryPolicy
from exporters.events.entities import kind_and_key

FACTS_VERSION: Final = 1  # one more whenever the same events give other facts: all are folded again
Fact = Deployment | Change | Artifact | DeliveryIncident


def fold(entity: str, events: Iterable[DeliveryEvent], policy: DeliveryPolicy) -> Fact | None:
    """The fact about this thing; None when the events do not amount to one, and for what is no entity."""
    try:
        kind, key = kind_and_key(entity)
    except ValueError:
        return None
    said = statements(events)
    if not said:
        return None
    match kind:
        case EntityKind.DEPLOYMENT:
            return deployment_of(key, said, policy)
        case EntityKind.CHANGE:
            return change_of(key, said, policy)
        case EntityKind.ARTIFACT:
            return artifact_of(key, said)
        case EntityKind.INCIDENT:
            return incident_of(key, said, policy)


def digest_of(policy: DeliveryPolicy) -> str:
    """Of all in a policy that facts depend on; windows and teams are not part of it."""
    said = [
        list(policy.production[:1]),
        sorted(policy.environments.items()),
        sorted(policy.services.items()),
        sorted(policy.priorities),
        sorted(policy.hotfix_labels),
        sorted(policy.hotfix_branches),
        sorted(policy.hotfix_titles),
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()
