"""OpenSLO v1alpha as published: the shape of its documents, field for field.

Source: the validation of OpenSLO's Go SDK (pkg/openslo/v1alpha), made as generous as Sloth is, which reads it too:
`isRolling` and `value` may be left out.
"""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from slo.openslo import spec as v1

_SECONDS: Final = 60


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, alias_generator=to_camel, validate_by_alias=True
    )


class Metadata(_Part):
    """What every object carries."""

    name: str = Field(description="Up to 63 characters: lower-case letters, digits and `-` (RFC 1123).")
    display_name: v1.Text = Field("", description="The name that people read.")


class Metric(_Part):
    """One query."""

    source: v1.Name = Field(description="prometheus")
    query_type: str = Field("", description="promql")
    query: v1.Name = Field(description="PromQL of a counter.")


class RatioMetrics(_Part):
    """Good events, and all of them."""

    incremental: bool | None = Field(None, description="true: the queries give counters.")
    good: Metric
    total: Metric


class Indicator(_Part):
    """A metric that objectives compare with a value."""

    threshold_metric: Metric


class TimeWindow(_Part):
    """The period of an objective."""

    unit: Annotated[
        Literal["Second", "Day", "Week", "Month", "Quarter"],
        BeforeValidator(lambda text: text.capitalize() if isinstance(text, str) else text),
    ]
    count: Annotated[int, Field(gt=0, le=1_000_000_000)]
    is_rolling: bool | None = None
    calendar: v1.Calendar | None = None

    @model_validator(mode="after")
    def _whole_minutes(self) -> "TimeWindow":
        if self.unit == "Second" and self.count % _SECONDS:
            raise ValueError(f"{self.count} seconds are no whole minutes")
        return self


class Objective(_Part):
    """How much of it must be good."""

    display_name: v1.Text = ""
    value: v1.Number | None = None
    op: v1.Operator | None = Field(None, description="How the metric stands to `value` while all is well.")
    target: v1.Number | None = Field(None, description="Share of good events, 0 < target < 1.")
    time_slice_target: v1.Number | None = None
    ratio_metrics: RatioMetrics | None = None


class SLOSpec(_Part):
    """Objectives and their metrics."""

    description: v1.Description = ""
    service: str
    indicator: Indicator | None = None
    time_windows: list[TimeWindow] = Field(default_factory=list, description="Exactly one.")
    budgeting_method: Literal["Occurrences", "Timeslices"] | None = None
    objectives: list[Objective] = Field(min_length=1)

    @model_validator(mode="after")
    def _one_kind_of_metric(self) -> "SLOSpec":
        ratios = [objective.ratio_metrics is not None for objective in self.objectives]
        if any(ratios) and self.indicator is not None:
            raise ValueError("indicator and ratioMetrics are both given: remove one of them")
        if self.indicator is None and not all(ratios):
            raise ValueError("no metric: write ratioMetrics in every objective, or indicator: with a thresholdMetric")
        return self


class SLODocument(_Part):
    """kind: SLO."""

    api_version: Literal["openslo/v1alpha"]
    kind: Literal["SLO"]
    metadata: Metadata
    spec: SLOSpec


class ServiceDocument(_Part):
    """kind: Service."""

    api_version: Literal["openslo/v1alpha"]
    kind: Literal["Service"]
    metadata: Metadata
    spec: v1.ServiceSpec | None = None
