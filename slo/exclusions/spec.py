"""The kind `SLOExclusion`: time that does not count, with somebody who answers for it, a reason and an end."""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from controlplane.conventions import API_VERSION
from controlplane.specfile import Kind
from slo.selecting import Selection

_Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
_Time = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, alias_generator=to_camel, validate_by_alias=True
    )


class ExclusionMetadata(_Part):
    """What every object carries."""

    name: str = Field(description="Up to 63 characters: lower-case letters, digits and `-`.")
    display_name: str = ""
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class Once(_Part):
    """A single interval."""

    start: _Time = Field(description="2026-11-22 01:00 by the clocks of timeZone, or with its own: 2026-11-22T01:00Z.")
    end: _Time = Field(description="The first moment that counts again.")


class Recurring(_Part):
    """An interval that comes back."""

    rrule: _Line = Field(description="RFC 5545, such as FREQ=WEEKLY;BYDAY=SU: DAILY, WEEKLY, MONTHLY or YEARLY.")
    start: _Time = Field(description="The first one, by the clocks of timeZone.")
    duration: _Time = Field(description="How long each lasts, such as 2h or 90m.")


class ExclusionSpec(_Part):
    """Which SLOs, when, and on whose account. Exactly one of `once` and `recurring`."""

    select: Selection
    owner: _Line = Field(description="Who answers for it.")
    reason: _Line = Field(description="Why this time must not count.")
    expires: _Time = Field(description="From then on nothing is excluded; at most two years after the start.")
    time_zone: str = Field("UTC", description="Name of the IANA database, such as Europe/Berlin.")
    once: Once | None = None
    recurring: Recurring | None = None


class ExclusionDocument(_Part):
    """kind: SLOExclusion."""

    api_version: Literal["flyball.dev/v1"]
    kind: Literal["SLOExclusion"]
    metadata: ExclusionMetadata
    spec: ExclusionSpec


EXCLUSION: Final = Kind(API_VERSION, "SLOExclusion", ExclusionDocument)
