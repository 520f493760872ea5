"""The kind `EscalationPolicy`: who is told, one after the other, until somebody acknowledges."""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

MOST_STEPS: Final = 20
MOST_TARGETS: Final = 20
MOST_REPEATS: Final = 20

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=63)]
Length = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20)]


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, alias_generator=to_camel, validate_by_alias=True
    )


class EscalationPolicyMetadata(_Part):
    """What every object carries."""

    name: str = Field(description="Up to 63 characters: lower-case letters, digits and `-`.")
    display_name: Annotated[str, StringConstraints(max_length=200)] = ""
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class TargetPart(_Part):
    """Who is told: exactly one of the two."""

    receiver: Name | None = None
    schedule: Name | None = Field(None, description="Whoever is on call by it at that time.")


class StepPart(_Part):
    """`after` the incident opened, all of these are told."""

    after: Length = Field(description="0m, 90s, 15m, 1h; each step later than the one before.")
    notify: Annotated[list[TargetPart], Field(min_length=1, max_length=MOST_TARGETS)]


class RepeatPart(_Part):
    """The steps once more, if nobody acknowledged by then."""

    times: Annotated[int, Field(ge=1, le=MOST_REPEATS)] = Field(1, description="How often after the first time.")
    every: Length | None = Field(
        None,
        description="From one begin to the next. Left out: as long after the last step as it waited itself.",
    )


class EscalationPolicySpec(_Part):
    """Steps in order of time. They end when somebody acknowledges or the incident is resolved."""

    steps: Annotated[list[StepPart], Field(min_length=1, max_length=MOST_STEPS)]
    repeat: RepeatPart | None = None
    acknowledged_for: Length | None = Field(
        None,
        description="How long an acknowledgement lasts while nobody notes anything: then the steps begin again. "
        "Left out: until the incident is resolved.",
    )


class EscalationPolicyDocument(_Part):
    """kind: EscalationPolicy."""

    api_version: Literal["flyball.dev/v1"]
    kind: Literal["EscalationPolicy"]
    metadata: EscalationPolicyMetadata
    spec: EscalationPolicySpec
