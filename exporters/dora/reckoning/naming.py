"""Which deployments incidents mean that name one: by an id, a version, a revision."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from controlplane.model.delivery import Correction, DeliveryIncident, Deployment, DeploymentKind
from exporters.dora.reckoning import looks
from exporters.dora.reckoning.stretch import begin, is_named

if TYPE_CHECKING:
    from controlplane.delivery_ports import DeliveryLog


class NamedDeployments:
    """By incident, the deployments that its correction (`corrected`) and its own words (`linked`) mean.

    An id means that deployment, whenever it was. Anything else means the latest of the incident's service that had
    begun by then, among the last `looks.VERSIONS`. Names that mean nothing, or a removal, are left out.
    """

    def __init__(
        self, log: "DeliveryLog", corrections: Mapping[str, Correction], incidents: Sequence[DeliveryIncident]
    ) -> None:
        self._log = log
        said = {one.incident: one.deployment for one in corrections.values() if one.deployment and not one.is_withdrawn}
        own = {one.id: one.deployment for one in incidents if one.deployment}
        names = sorted({*said.values(), *own.values()})
        self._by_id = log.deployments(names) if names else {}
        by_id = {one.id: one for one in incidents}
        self.corrected = self._resolved(by_id, said)
        self.linked = self._resolved(by_id, own)

    def leads_to(self, incident: str, service: str, environment: str) -> bool:
        """Whether it names a deployment of that service."""
        found = (self.corrected.get(incident), self.linked.get(incident))
        return any(one is not None and (one.service, one.environment) == (service, environment) for one in found)

    def _resolved(
        self, incidents: Mapping[str, DeliveryIncident], names: Mapping[str, str]
    ) -> Mapping[str, Deployment]:
        found = ((id_, self._meant(incidents[id_], name)) for id_, name in sorted(names.items()) if id_ in incidents)
        return {id_: one for id_, one in found if one is not None}

    def _meant(self, incident: DeliveryIncident, name: str) -> Deployment | None:
        exact = self._by_id.get(name)
        if exact is not None:
            return None if exact.kind is DeploymentKind.REMOVED else exact
        before = incident.started_at + looks.ROLLOUT_AT_MOST
        last = self._log.last_deployments_before(incident.service, incident.environment, before, looks.VERSIONS)
        begun = [one for one in last if begin(one) <= incident.started_at and one.kind is not DeploymentKind.REMOVED]
        fitting = [one for one in begun if is_named(one, name)]
        return max(fitting, key=lambda one: (begin(one), one.at, one.id), default=None)
