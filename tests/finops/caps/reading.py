"""Documents of the tests."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from controlplane.problems import Problem
from controlplane.specfile import Declared, Kind, SourceFile, read
from finops.caps.declared import declared
from finops.caps.kinds import KINDS
from finops.caps.model import AutoscalingCap


class _Named(BaseModel):
    model_config = ConfigDict(extra="allow")
    name: str


class _Other(BaseModel):
    """A Budget or PriceMap: only its name counts here."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)
    metadata: _Named


OTHERS = (Kind("flyball.dev/v1", "Budget", _Other), Kind("flyball.dev/v1", "PriceMap", _Other))
BUDGET = """
---
apiVersion: flyball.dev/v1
kind: Budget
metadata: {name: infrastructure}
---
apiVersion: flyball.dev/v1
kind: PriceMap
metadata: {name: live}
"""
GOOD = """
apiVersion: flyball.dev/v1
kind: AutoscalingCap
metadata:
  name: connector
  labels: {team: ingest}
spec:
  target: {namespace: connectors, name: jdbc-connector}
  budget: infrastructure
  share: 0.02
  costPerReplicaHour: {amount: 0.096}
  replicas: {p0Minimum: 1, ceiling: 20, idle: zero}
  cooldown: 10m
  triggers:
    - prometheus:
        serverAddress: http://prometheus:9090
        query: sum(rate(connector_rows_total[2m]))
        threshold: 500
        activationThreshold: 0.5
"""
HPA = """
---
apiVersion: flyball.dev/v1
kind: AutoscalingCap
metadata: {name: gateway}
spec:
  target: {namespace: edge, name: graphql-gateway}
  scaler: hpa
  budget: infrastructure
  share: 0.05
  costPerReplicaHour: {amount: 0.107}
  replicas: {p0Minimum: 3, ceiling: 24}
  triggers:
    - cpu: {utilization: 65}
    - memory: {utilization: 80}
"""


def declared_in(text: str, *, check_names: bool = True) -> Declared[AutoscalingCap]:
    result = read([SourceFile("caps.yaml", text.encode())], (*KINDS, *OTHERS))
    made = declared(result.documents, lambda _: not check_names)
    return Declared(made.values, (*result.problems, *made.problems))


def shown(problems: Sequence[Problem]) -> list[str]:
    return [f"{one.field}: {one.message}" + (f" ({one.hint})" if one.hint else "") for one in problems]
