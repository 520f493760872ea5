"""The kind `AnomalyDetector`: series that have a daily and weekly shape, and when it is told that they left it."""

from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StringConstraints, WithJsonSchema
from pydantic.alias_generators import to_camel

from alerts.anomaly.model import MOST_SERIES, STANDARD_MOST_SERIES

MOST_CALENDARS: Final = 20
MOST_DATES: Final = 200
MOST_NAMES: Final = 20


def _listed(value: object) -> object:
    """One value stands for a list of one."""
    return [value] if isinstance(value, str) else value


Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Query = Annotated[str, StringConstraints(strip_whitespace=False, max_length=10_000)]
Length = Annotated[str, StringConstraints(max_length=20)]
Share = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=20),
    WithJsonSchema({"anyOf": [{"type": "string", "maxLength": 20}, {"type": "number"}]}),
]
"""A share as `10%` or as 0.1."""
Texts = Annotated[
    list[Annotated[str, StringConstraints(max_length=200)]],
    BeforeValidator(_listed, json_schema_input_type=str | list[str]),
    Field(min_length=1, max_length=1000),
]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, alias_generator=to_camel, validate_by_alias=True
    )


class AnomalyDetectorMetadata(_Part):
    """What every object carries."""

    name: str = Field(description="Up to 63 characters: lower-case letters, digits and `-`.")
    display_name: Annotated[str, StringConstraints(max_length=200)] = Field("", description="Left out: its name.")
    labels: dict[str, str] = Field(default_factory=dict, description="Copied to its alerts.")
    annotations: dict[str, str] = Field(
        default_factory=dict, description="flyball.dev/runbook-url, flyball.dev/owner, and any of your own."
    )


class CostPart(_Part):
    """What was spent a day, one series for each combination of values of `by`."""

    ledger: Literal["billed", "estimated"] = Field(
        description="billed: what cost files say, late and exact; estimated: usage × prices, early."
    )
    by: Annotated[list[Line], Field(max_length=MOST_NAMES)] = Field(
        default_factory=list, description="Dimensions such as service, account, region, or a tag. Left out: all in one."
    )
    where: dict[Line, Texts] = Field(
        default_factory=dict, description='Only rows with one of these values, by dimension; "" stands for "has none".'
    )
    currency: Line | None = Field(None, description="Such as USD. Left out: each currency is a series of its own.")


class SeasonPart(_Part):
    """In whose day and week the series lives."""

    time_zone: Line = Field("UTC", description="An IANA name such as Europe/Berlin: clocks that change do no harm.")
    daily: StrictBool = True
    weekly: StrictBool = True


class LeastDeviationPart(_Part):
    """Deviations that are smaller than either are none."""

    absolute: Annotated[Decimal, Field(ge=0)] | None = Field(None, description="In the unit of the values.")
    relative: Share | None = Field(None, description="Of what is expected: 10% or 0.1.")


class DenominatorPart(_Part):
    """What a ratio is a share of."""

    query: Query = Field(description="PromQL whose series have the labels of the query's.")
    least: Annotated[Decimal, Field(gt=0)] = Field(description="Below it there is no score.")


class CalendarPart(_Part):
    """Time that is scored, but not learnt from. Exactly one of holidays, dates and deployments."""

    holidays: Line | None = Field(None, description="A country as ISO 3166 has it, with or without a part: DE, DE-BY.")
    dates: Annotated[list[Line], Field(min_length=1, max_length=MOST_DATES)] | None = Field(
        None, description="Days as 2026-11-27, or 2026-12-24/2026-12-26 with both ends, in the season's time zone."
    )
    deployments: Length | None = Field(None, description="For so long after each deployment, such as 30m.")
    service: Line | None = Field(
        None, description="Of deployments: whose. Left out: of the service that the series' label `service` names."
    )
    name: Line | None = Field(None, description="What explanations call these days.")
    like: Weekday | None = Field(
        None, description="The weekday that they resemble. Left out: their own; they are compared with it."
    )


class GroupingPart(_Part):
    """Series that are judged together, as a series of their own, too."""

    by: Annotated[list[Line], Field(max_length=MOST_NAMES)] = Field(
        default_factory=list, description="Labels that members of a group have in common. Left out: one group of all."
    )
    aggregate: Literal["sum", "mean"] = "sum"
    false_discovery_rate: Annotated[Decimal, Field(gt=0, le=1)] = Field(
        Decimal("0.05"),
        description="The share of members' alerts that may be false (Benjamini–Hochberg). 1: each is judged by itself.",
    )


class OpenPart(_Part):
    """When an anomaly begins and ends."""

    steps: Annotated[int, Field(ge=1, le=60)] = Field(1, description="How many anomalous steps open one …")
    of: Annotated[int, Field(ge=1, le=60)] | None = Field(
        None, description="… among the last so many. Left out: one after the other."
    )
    close_after: Annotated[int, Field(ge=1, le=100)] = Field(
        3, description="It closes after so many steps below 0.6 of the threshold, one after the other."
    )


class AnomalyDetectorSpec(_Part):
    """Exactly one of query and cost, what is usual about it, and who is told."""

    query: Query | None = Field(None, description="PromQL that yields an instant vector: one series for each result.")
    cost: CostPart | None = Field(None, description="Daily spend of a ledger.")
    step: Length | None = Field(
        None,
        description="How far samples are apart: 1m to 1d, a whole number of them a day. Left out: 5m; 1d of cost.",
    )
    season: SeasonPart = Field(default_factory=SeasonPart)
    values: Literal["gauge", "counter", "count", "ratio"] = Field(
        "gauge",
        description="What the numbers are. counter: only ever rises, made into a rate; count: events a step, whose "
        "noise grows with them; ratio: a share of something.",
    )
    direction: Literal["both", "above", "below"] = "both"
    least_deviation: LeastDeviationPart = Field(default_factory=LeastDeviationPart)
    denominator: DenominatorPart | None = None
    sensitivity: Literal["low", "medium", "high"] = "medium"
    output: Literal["point", "sustained", "both"] = Field(
        "point", description="What opens anomalies: single steps, what goes on for longer, or either."
    )
    calendars: Annotated[list[CalendarPart], Field(max_length=MOST_CALENDARS)] = Field(default_factory=list)
    grouping: GroupingPart | None = None
    open: OpenPart = Field(default_factory=OpenPart)
    severity: Literal["page", "ticket", "info"] = "ticket"
    max_series: Annotated[int, Field(ge=1, le=MOST_SERIES)] = Field(
        STANDARD_MOST_SERIES, description="A query that finds more is cut off there, and that is told."
    )


class AnomalyDetectorDocument(_Part):
    """kind: AnomalyDetector."""

    api_version: Literal["flyball.dev/v1"]
    kind: Literal["AnomalyDetector"]
    metadata: AnomalyDetectorMetadata
    spec: AnomalyDetectorSpec
