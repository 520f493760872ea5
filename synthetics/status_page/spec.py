"""The kind `StatusPage`: what the public is told, and what that is made from."""

import re
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticKnownError

_NUMBER: Final = re.compile(r"[-+]?(?:[0-9]{1,30}\.?[0-9]{0,30}|\.[0-9]{1,30})")


def _as_yaml_writes_it(value: object) -> object:
    """Python would also read `1_0`, `NaN` and digits of other scripts as numbers."""
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise PydanticKnownError("decimal_parsing")
    return value


Weight = Annotated[Decimal, BeforeValidator(_as_yaml_writes_it), Field(ge=0, le=1)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=10_000)]
Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=253)]
Length = Annotated[str, StringConstraints(max_length=20)]
Moment = Annotated[str, StringConstraints(max_length=40)]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$")]
Address = Annotated[str, StringConstraints(max_length=500)]
Words = dict[Language, Line]


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, alias_generator=to_camel, validate_by_alias=True
    )


class StatusPageMetadata(_Part):
    """What every object carries."""

    name: str = Field(
        description="Up to 63 characters: lower-case letters, digits and `-`. Part of the page's address."
    )
    display_name: str = ""
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class GroupPart(_Part):
    """Components under one heading."""

    id: Id
    name: Line
    names: Words = Field(default_factory=dict, description="The name in other languages.")
    description: Text = ""
    components: list[Id] = Field(default_factory=list, description="Ids, in their order on the page.", max_length=200)


class SourcesPart(_Part):
    """What a component's status is made from."""

    slos: list[Name] = Field(default_factory=list, max_length=100)
    probes: list[Name] = Field(default_factory=list, max_length=100)
    journeys: list[Name] = Field(default_factory=list, max_length=100)


class WeightsPart(_Part):
    """What a second counts as downtime, from 0 to 1. The names are Statuspage's, as they are."""

    degraded_performance: Weight = Field(Decimal(0), alias="degraded_performance")
    partial_outage: Weight = Field(Decimal("0.3"), alias="partial_outage")
    major_outage: Weight = Field(Decimal(1), alias="major_outage")


class UptimePart(_Part):
    """The bars of 90 days."""

    show: bool = True
    weights: WeightsPart = WeightsPart()


class ComponentPart(_Part):
    """One line of the page."""

    id: Id = Field(description="Stable: history, addresses and subscribers hang on it.")
    name: Line
    names: Words = Field(default_factory=dict, description="The name in other languages.")
    description: Text = ""
    group: Id | None = None
    sources: SourcesPart = Field(SourcesPart(), alias="from")
    only_show_if_degraded: bool = False
    uptime: UptimePart = UptimePart()


class TemplatesPart(_Part):
    """Texts of automatic updates. They may hold {components}, {impact}, {since} and {next}."""

    name: Line | None = Field(None, description="The incident's title.")
    investigating: Text | None = None
    update: Text | None = Field(None, description="While it goes on.")
    monitoring: Text | None = None
    resolved: Text | None = None


class IncidentsPart(_Part):
    """What happens when a component fails, and how often the public hears of it."""

    automatic: Literal["off", "draft", "publish"] = "draft"
    approval: Literal["required", "none"] = "required"
    update_every: Length = Field("15m", description="In the first hour; afterwards every hour.")
    merge_within: Length = Field("10m", description="Components that fail within this time are one incident.")
    wait: Length = Field("0m", description="How long a component must fail before an incident is begun.")
    calm_for: Length = Field("10m", description="How long all must be well before it counts as resolved.")
    templates: TemplatesPart = TemplatesPart()


class MaintenancePart(_Part):
    """Planned work: start and end once, or start, duration and rrule."""

    id: Id
    title: Line
    start: Moment = Field(description="2026-12-05 22:00 by the clocks of the page's time zone, or with an offset.")
    end: Moment | None = None
    rrule: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        None,
        description="RFC 5545: FREQ=DAILY, WEEKLY, MONTHLY or YEARLY; INTERVAL, BYDAY, BYMONTHDAY, BYMONTH, UNTIL.",
    )
    duration: Length | None = None
    components: list[Id] = Field(min_length=1, max_length=200)
    body: Text = ""
    announce: Length = Field("7d", description="How long before its start it is on the page.")
    excluded: bool = Field(True, description="Leaves uptime, if it was on the page before it began.")
    expects: Literal["operational", "degraded_performance", "partial_outage", "major_outage"] = Field(
        "major_outage", description="The worst that it explains; what is worse is shown, and counts."
    )


class CorrectionPart(_Part):
    """What is counted differently from what was measured, and why."""

    component: Id
    start: Moment
    end: Moment
    status: Literal["operational", "degraded_performance", "partial_outage", "major_outage", "unknown"]
    reason: Line


class TierPart(_Part):
    """What a tier of the downshift ladder means in public."""

    tier: Annotated[int, Field(ge=1, le=9)]
    text: Line
    components: list[Id] = Field(default_factory=list, description="Left out: all.", max_length=200)


class SeveritiesPart(_Part):
    """What an alert about an SLO makes of its components."""

    page: Literal["none", "degraded_performance", "partial_outage", "major_outage"] = "degraded_performance"
    ticket: Literal["none", "degraded_performance", "partial_outage", "major_outage"] = "none"


class EmailPart(_Part):
    """Mail to subscribers."""

    sender: Annotated[str, StringConstraints(max_length=320)] = Field(alias="from", description="The sender's address.")
    reply_to: Annotated[str, StringConstraints(max_length=320)] | None = None


class SubscribersPart(_Part):
    """How people may subscribe; feeds need no subscription."""

    webhook: bool = False
    email: EmailPart | None = None
    subscribe_url: Address | None = Field(
        None, description="Where the control plane answers /status/PAGE/subscribe for the public."
    )


class StatusPageSpec(_Part):
    """The page, and nothing that it does not name goes out."""

    title: Line
    url: Address = Field(description="Where it is published, https://status.example.com.")
    time_zone: Annotated[str, StringConstraints(max_length=60)] = Field("UTC", description="IANA name.")
    languages: list[Language] = Field(default=["en"], min_length=1, max_length=20)
    description: Text = ""
    support_url: Address = ""
    components: list[ComponentPart] = Field(min_length=1, max_length=200)
    groups: list[GroupPart] = Field(default_factory=list, max_length=50)
    regions: dict[Name, Line] = Field(default_factory=dict, description="Public names of regions; others are not told.")
    slos: SeveritiesPart = SeveritiesPart()
    incidents: IncidentsPart = IncidentsPart()
    maintenances: list[MaintenancePart] = Field(default_factory=list, max_length=200)
    corrections: list[CorrectionPart] = Field(default_factory=list, max_length=1000)
    tiers: list[TierPart] = Field(default_factory=list, max_length=20)
    subscribers: SubscribersPart = SubscribersPart()
    retention: Length = Field("400d", description="How long spans, incidents and ended subscriptions are kept.")


class StatusPageDocument(_Part):
    """kind: StatusPage."""

    api_version: Literal["flyball.dev/v1"]
    kind: Literal["StatusPage"]
    metadata: StatusPageMetadata
    spec: StatusPageSpec
