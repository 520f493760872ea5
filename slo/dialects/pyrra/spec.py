"""Pyrra's documents, field for field.

Source: github.com/pyrra-dev/pyrra, kubernetes/api/v1alpha1/servicelevelobjective_types.go.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue
from pydantic.alias_generators import to_camel

from slo.dialects.kubernetes import KubernetesMetadata
from slo.dialects.texts import Labels
from slo.openslo.spec import Number


def _nothing_as_list(value: object) -> object:
    return [] if value is None else value


def _nothing_as_text(value: object) -> object:
    return "" if value is None else value


def _nothing_as_mapping(value: object) -> object:
    return {} if value is None else value


Names = Annotated[list[str], BeforeValidator(_nothing_as_list)]
Text = Annotated[str, BeforeValidator(_nothing_as_text)]


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, alias_generator=to_camel, validate_by_alias=True
    )


class Metric(_Part):
    """One metric."""

    metric: str = Field(description="A metric's name and matchers, without a function.")


class Ratio(_Part):
    """Errors among all requests."""

    errors: Metric
    total: Metric
    grouping: Names = Field(default_factory=list)


class Latency(_Part):
    """Requests that were fast enough among all, by buckets of a histogram."""

    success: Metric
    total: Metric
    grouping: Names = Field(default_factory=list)


class LatencyNative(_Part):
    """Requests that were fast enough, by a native histogram."""

    latency: str = Field(description="Such as 200ms.")
    total: Metric
    grouping: Names = Field(default_factory=list)


class BoolGauge(_Part):
    """A gauge that is 1 while all is well."""

    metric: str
    grouping: Names = Field(default_factory=list)


class Indicator(_Part):
    """How to measure: exactly one of these."""

    ratio: Ratio | None = None
    latency: Latency | None = None
    latency_native: LatencyNative | None = None
    bool_gauge: BoolGauge | None = Field(None, alias="bool_gauge")


class Severities(_Part):
    """The label `severity` of each kind of alert."""

    absent: str = ""
    fast_burn: str = ""
    medium_burn: str = ""
    slow_burn: str = ""
    long_term_burn: str = ""


class Alerting(_Part):
    """Which alerts there are, and how they are called."""

    disabled: bool | None = None
    burnrates: bool | None = None
    absent: bool | None = None
    name: str = ""
    absent_name: str = ""
    severities: Severities | None = None


class RuleOutput(_Part):
    """Labels of the objects that Pyrra writes."""

    short_rules_labels: Labels = Field(default_factory=dict)
    long_rules_labels: Labels = Field(default_factory=dict)
    enable_description_as_label: bool = False


class Spec(_Part):
    """An objective and its indicator."""

    description: Text = ""
    target: Number = Field(description="Per cent of good events, 0 < target < 100.")
    window: str = Field(description="Such as 28d or 4w.")
    indicator: Indicator
    alerting: Annotated[Alerting, BeforeValidator(_nothing_as_mapping)] = Alerting()
    partial_response_strategy: Literal["abort", "warn", ""] = Field("abort", alias="partial_response_strategy")
    performance_over_accuracy: bool = False
    rule_output: RuleOutput | None = None


class ServiceLevelObjective(_Part):
    """kind: ServiceLevelObjective."""

    api_version: Literal["pyrra.dev/v1alpha1"]
    kind: Literal["ServiceLevelObjective"]
    metadata: KubernetesMetadata
    spec: Spec
    status: JsonValue = None
