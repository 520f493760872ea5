"""Deployments to production, as the store knows them: what their dips look like is not learnt."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from alerts.anomaly.ports import Deployed
from controlplane.ports import Store
from exporters.dora.policy.model import DeliveryPolicy

MOST: Final = 10_000  # of the last weeks; of more, the latest


class StoredDeployments:
    """Implements `alerts.anomaly.ports.Deployments`. `policy` says which environments are production."""

    def __init__(self, store: Store, policy: Callable[[], DeliveryPolicy]) -> None:
        self._store = store
        self._policy = policy

    def between(self, start: datetime, end: datetime) -> Sequence[Deployed]:
        """In order; start included, end not."""
        production = self._policy().production
        with self._store.transaction(read_only=True) as transaction:
            found = transaction.delivery.deployments_between(start, end, limit=MOST)
        return [Deployed(each.at, each.service, each.version) for each in found if each.environment in production]
