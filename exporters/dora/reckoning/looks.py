"""How far reckoning looks around a deployment or an incident, so that a day depends on a bounded stretch of facts.

Every bound here is part of a definition: what lies beyond it plays no part. `reach` is the other side of the same coin.
"""

from datetime import timedelta
from typing import Final

from exporters.dora.policy.model import DeliveryPolicy

ROLLOUT_AT_MOST: Final = timedelta(hours=6)  # a deployment that says it took longer began when it ended
CONTEXT: Final = 10  # deployments before the rollback window that tell what ran and what was delivered before
CROWD: Final = 500  # of more deployments than these in a rollback window, the latest
SAME_REVISION: Final = timedelta(days=3)  # how much later a pull request may be merged than the commit that it is
BEFORE_MERGE: Final = timedelta(days=7)  # how long before its merge a change may be deployed, from its branch
VERSIONS: Final = 200  # deployments before an incident among which a version that it names is looked for


def follow(policy: DeliveryPolicy) -> timedelta:
    """How long what follows a failure is looked at: hotfixes of hotfixes, reverts, rollbacks that name an incident."""
    return 2 * policy.rollback_window


def causes(policy: DeliveryPolicy) -> timedelta:
    """How long before an incident the deployment may lie that it is held against without anybody saying so."""
    return max(policy.attribution_window, policy.rollback_window)


def back(policy: DeliveryPolicy) -> timedelta:
    """How long before a deployment what became of others may depend on it: incidents it ended, and their causes."""
    return follow(policy) + causes(policy)
