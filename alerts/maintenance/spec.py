"""The kind `MaintenanceWindow`: times in which routes, or alerts, are kept quiet."""

from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from alerts.routing.spec import Matchers, Metadata, Part
from alerts.schedules.spec import DayTimesPart

MOST_SPANS: Final = 500
MOST_HOURS: Final = 50
MOST_RULES: Final = 20
MOST_GROUPS: Final = 50
MOST_MINUTES: Final = 7 * 24 * 60

Moment = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]


class SpanPart(Part):
    """Once."""

    start: Moment = Field(alias="from", description="By the clocks of the time zone, or with an offset of its own.")
    end: Moment = Field(alias="until")


class RecurringPart(Part):
    """Again and again."""

    start: Moment = Field(description="The first time, by the clocks of the time zone, such as 2026-01-04T02:00.")
    minutes: Annotated[int, Field(ge=1, le=MOST_MINUTES)] = Field(description="How long it takes.")
    rule: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)] = Field(
        description="An RFC 5545 rule such as FREQ=MONTHLY;BYDAY=1SU."
    )


class MaintenanceWindowSpec(Part):
    """When, and of which alerts."""

    time_zone: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=63)] = Field(
        "UTC", description="An IANA name such as Europe/Berlin."
    )
    weekly: Annotated[list[DayTimesPart], Field(max_length=MOST_HOURS)] = Field(default_factory=list)
    spans: Annotated[list[SpanPart], Field(max_length=MOST_SPANS)] = Field(default_factory=list)
    recurring: Annotated[list[RecurringPart], Field(max_length=MOST_RULES)] = Field(default_factory=list)
    match: Annotated[list[Matchers], Field(max_length=MOST_GROUPS)] = Field(
        default_factory=list,
        description="Alerts that all matchers of any of these lists match are silenced then. Left out: none are; "
        "routes name the window under muteDuring or activeDuring.",
    )
    why: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = ""


class MaintenanceWindowDocument(Part):
    """kind: MaintenanceWindow."""

    api_version: Literal["flyball.dev/v1"]
    kind: Literal["MaintenanceWindow"]
    metadata: Metadata
    spec: MaintenanceWindowSpec
