"""The kind `AutoscalingCap`: a workload whose maximum is what the rest of a budget still pays."""

import re
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticKnownError

_NUMBER: Final = re.compile(r"[-+]?(?:[0-9]{1,30}\.?[0-9]{0,30}|\.[0-9]{1,30})")
_MOST_REPLICAS: Final = 1_000_000
_MOST_TRIGGERS: Final = 20


def _as_yaml_writes_it(value: object) -> object:
    """Python would also read `1_0`, `NaN` and digits of other scripts as numbers."""
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise PydanticKnownError("decimal_parsing")
    return value


_Number = Annotated[Decimal, BeforeValidator(_as_yaml_writes_it)]
_Amount = Annotated[_Number, Field(gt=0, le=1_000_000_000)]
_Replicas = Annotated[int, Field(ge=0, le=_MOST_REPLICAS)]
_Name = Annotated[str, StringConstraints(min_length=1, max_length=253)]
_Length = Annotated[str, StringConstraints(max_length=40)]
_Query = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)]


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, alias_generator=to_camel, validate_by_alias=True
    )


class CapMetadata(_Part):
    """What every object carries."""

    name: str = Field(description="Up to 63 characters: lower-case letters, digits and `-`. Also the manifest's name.")
    display_name: str = ""
    labels: dict[str, str] = Field(default_factory=dict, description="Copied to the manifest.")
    annotations: dict[str, str] = Field(default_factory=dict)


class TargetPart(_Part):
    """What is scaled."""

    namespace: _Name
    name: _Name
    api_version: _Name = "apps/v1"
    kind: _Name = "Deployment"


class PriceItemPart(_Part):
    """So many units an hour of an item of a PriceMap."""

    price_map: _Name
    item: _Name
    units: _Amount = Field(Decimal(1), description="Units that a replica uses in an hour.")


class ReplicaCostPart(_Part):
    """What a replica costs for an hour, in the budget's currency. Exactly one of these."""

    amount: _Amount | None = None
    query: _Query | None = Field(None, description="PromQL with one value.")
    price: PriceItemPart | None = None


class ReplicasPart(_Part):
    """How many there may be."""

    p0_minimum: _Replicas = Field(description="The maximum never falls below it, whatever the budget says.")
    minimum: _Replicas | None = Field(None, description="While there is work. Left out: p0Minimum, at least 1.")
    ceiling: Annotated[int, Field(ge=1, le=_MOST_REPLICAS)] = Field(
        description="The maximum never rises above it, whatever the budget would pay."
    )
    idle: Literal["zero", "minimum"] = Field("minimum", description="How many run while there is nothing to do.")


class PrometheusTriggerPart(_Part):
    """One replica for each `threshold`."""

    server_address: Annotated[str, StringConstraints(pattern=r"^https?://\S{1,500}$")] = Field(
        description="Where the cluster finds Prometheus, such as http://prometheus.monitoring:9090."
    )
    query: _Query
    threshold: _Amount
    activation_threshold: Annotated[_Number, Field(ge=0)] | None = Field(
        None, description="Up to this there is nothing to do: the workload may rest."
    )


class ResourceTriggerPart(_Part):
    """As much of what replicas ask for."""

    utilization: Annotated[int, Field(ge=1, le=1000)] = Field(description="Percent of the request, on the average.")


class TriggerPart(_Part):
    """Exactly one of these."""

    prometheus: PrometheusTriggerPart | None = None
    cpu: ResourceTriggerPart | None = None
    memory: ResourceTriggerPart | None = None


class CapSpec(_Part):
    """A workload, a budget, and what connects the two."""

    target: TargetPart
    scaler: Literal["keda", "hpa"] = "keda"
    budget: _Name = Field(description="The name of the Budget that it draws on.")
    share: Annotated[_Number, Field(gt=0, le=1)] = Field(
        description="The part of what is left of the budget that it may spend, such as 0.05."
    )
    cost_per_replica_hour: ReplicaCostPart
    replicas: ReplicasPart
    triggers: list[TriggerPart] = Field(min_length=1, max_length=_MOST_TRIGGERS)
    polling_interval: _Length = "30s"
    cooldown: _Length = Field("5m", description="How long nothing must be to do before it rests (KEDA).")
    stabilization: _Length = Field("5m", description="How long less must be enough before replicas go; at most 1h.")
    hysteresis: Annotated[_Number, Field(ge=0, le=10)] = Field(
        Decimal("0.1"), description="How much more than the next higher maximum must be paid for before it is raised."
    )
    stale_after: _Length = Field("10m", description="How old what is known of the budget may be.")


class CapDocument(_Part):
    """kind: AutoscalingCap."""

    api_version: Literal["flyball.dev/v1"]
    kind: Literal["AutoscalingCap"]
    metadata: CapMetadata
    spec: CapSpec
