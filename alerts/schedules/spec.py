"""The kind `Schedule`: who is on call when."""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

MOST_ROTATIONS: Final = 20
MOST_PARTICIPANTS: Final = 100
MOST_HOURS: Final = 20
MOST_OVERRIDES: Final = 500

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=63)]
Moment = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, alias_generator=to_camel, validate_by_alias=True
    )


class ScheduleMetadata(_Part):
    """What every object carries."""

    name: str = Field(description="Up to 63 characters: lower-case letters, digits and `-`.")
    display_name: Annotated[str, StringConstraints(max_length=200)] = ""
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class DayTimesPart(_Part):
    """Hours of some weekdays, by the clocks of the time zone."""

    days: Annotated[list[Name], Field(min_length=1, max_length=14)] = Field(
        default_factory=lambda: ["mon-sun"], description="Such as mon, sat-sun or mon-fri. Left out: every day."
    )
    start: Moment = Field("00:00", alias="from", description="Such as 09:00.")
    end: Moment = Field("24:00", alias="to", description="Such as 17:00; at `from` or before it means the next day.")


class RotationPart(_Part):
    """A layer: participants take turns."""

    name: Name
    participants: Annotated[list[Name], Field(min_length=1, max_length=MOST_PARTICIPANTS)] = Field(
        description="Receivers by name, in the order of their turns; one may stand there more than once."
    )
    start: Moment = Field(description="When the first turn begins, by the zone's clocks, such as 2026-01-05T09:00.")
    every: Moment = Field("1w", description="How long a turn is: 12h, 1d, 2w. Days and weeks are the calendar's.")
    until: Moment | None = Field(None, description="When the rotation ends. Left out: never.")
    only: Annotated[list[DayTimesPart], Field(max_length=MOST_HOURS)] = Field(
        default_factory=list, description="In which hours it applies. Left out: always."
    )


class OverridePart(_Part):
    """Somebody else for a while."""

    start: Moment = Field(alias="from", description="By the clocks of the zone, or with an offset of its own.")
    end: Moment = Field(alias="until")
    who: Name = Field(description="A Receiver by name.")
    why: Text = ""


class ScheduleSpec(_Part):
    """Rotations lie one over the other, later ones on top; overrides lie over all of them."""

    time_zone: Name = Field(description="An IANA name such as Europe/Berlin.")
    rotations: Annotated[list[RotationPart], Field(min_length=1, max_length=MOST_ROTATIONS)]
    overrides: Annotated[list[OverridePart], Field(max_length=MOST_OVERRIDES)] = Field(default_factory=list)


class ScheduleDocument(_Part):
    """kind: Schedule."""

    api_version: Literal["flyball.dev/v1"]
    kind: Literal["Schedule"]
    metadata: ScheduleMetadata
    spec: ScheduleSpec
