"""The kind `DeliveryPolicy`: names, teams, and the rules by which deliveries are judged."""

from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StringConstraints
from pydantic.alias_generators import to_camel

MOST_NAMES: Final = 100
MOST_SERVICES: Final = 5000


def _listed(value: object) -> object:
    """One value stands for a list of one."""
    return [value] if isinstance(value, str) else value


def _of(most: int) -> tuple[BeforeValidator, object]:
    return BeforeValidator(_listed, json_schema_input_type=str | list[str]), Field(max_length=most)


Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Length = Annotated[str, StringConstraints(max_length=20)]
Lines = Annotated[list[Line], *_of(MOST_NAMES)]
ServiceNames = Annotated[list[Line], *_of(MOST_SERVICES)]


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, alias_generator=to_camel, validate_by_alias=True
    )


class DeliveryPolicyMetadata(_Part):
    """What every object carries."""

    name: str = Field(description="Up to 63 characters: lower-case letters, digits and `-`.")
    display_name: str = ""
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class EnvironmentPart(_Part):
    """An environment."""

    names: Lines = Field(default_factory=list, description="How senders call it, too; cases don't matter.")
    is_production: StrictBool | None = Field(
        None, description="Whether reports show it unless told otherwise. Left out: whether it is called production."
    )


class ServicePart(_Part):
    """A service, as everything here calls it."""

    name: Line
    also_known_as: Lines = Field(default_factory=list, description="How senders call it, too.")
    team: Line | None = Field(None, description="Who owns it.")


class AttributionPart(_Part):
    """Which deployment an incident is held against, where nobody says."""

    window: Length = Field("4h", description="The service's last deployment so long before it; at most 7d.")
    rollback_window: Length = Field(
        "1d", description="A deployment that is rolled back within it has failed; at most 7d."
    )
    priorities: Lines = Field(
        default_factory=lambda: ["P0", "P1", "P2"], description="Of incidents that count; cases don't matter."
    )
    counts_without_priority: StrictBool = Field(True, description="Whether incidents without a priority count.")


class HotfixPart(_Part):
    """What a hotfix is known by; cases don't matter, `*` stands for anything."""

    labels: Lines = Field(default_factory=lambda: ["hotfix"])
    branches: Lines = Field(default_factory=lambda: ["hotfix/*"])
    titles: Lines = Field(default_factory=lambda: ["hotfix:*", "hotfix(*):*"])


class EffectsPart(_Part):
    """How the effect of a deployment is measured."""

    window: Length = Field("1h", description="So long before it is compared with so long after; 10m to 1d.")
    settle: Length = Field("5m", description="Time after it that is left out; at most 1h.")
    confidence: Annotated[Decimal, Field(ge=Decimal("0.8"), le=Decimal("0.99"), decimal_places=3)] = Field(
        Decimal("0.95"), description="Of the intervals."
    )


class DeliveryPolicySpec(_Part):
    """What is left out is as without a policy."""

    environments: Annotated[dict[Line, EnvironmentPart | None], Field(min_length=1, max_length=MOST_NAMES)] | None = (
        Field(None, description="By our name. Left out: production, which is called prod and live, too.")
    )
    services: Annotated[list[ServicePart], Field(max_length=MOST_SERVICES)] = Field(default_factory=list)
    teams: Annotated[dict[Line, ServiceNames], Field(max_length=MOST_SERVICES)] = Field(
        default_factory=dict, description="Services by team."
    )
    attribution: AttributionPart = Field(default_factory=AttributionPart)
    hotfix: HotfixPart = Field(default_factory=HotfixPart)
    time_zone: Line = Field("UTC", description="Of days and weeks in reports, such as Europe/Berlin.")
    clusters: Line = Field(
        "2024", description="The edition of the report whose clusters performance is compared with, or none."
    )
    effects: EffectsPart = Field(default_factory=EffectsPart)


class DeliveryPolicyDocument(_Part):
    """kind: DeliveryPolicy."""

    api_version: Literal["flyball.dev/v1"]
    kind: Literal["DeliveryPolicy"]
    metadata: DeliveryPolicyMetadata
    spec: DeliveryPolicySpec
