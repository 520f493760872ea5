"""OpenSLO v1 as published: the shape of its documents, field for field.

Source: github.com/OpenSLO/OpenSLO, README "Specification", and the validation of its Go SDK. What a document means, and
which parts of it we do not support yet, is decided in `slo.resolve`.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, StringConstraints, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticKnownError

from controlplane.problems import Severity
from controlplane.specfile import Document, Kind, Path

OPENSLO_V1: Final = "openslo/v1"
PROMETHEUS: Final = "prometheus"  # `type` of a metric source, in any letter case
_DESCRIPTION_LENGTH: Final = 1050
_NUMBER: Final = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,4})?")


def _nothing_as(empty: Callable[[], object]) -> BeforeValidator:
    """A key without a value (`labels:`) means what a missing key means, as OpenSLO's own SDK takes it."""
    return BeforeValidator(lambda value: empty() if value is None else value)


Text = Annotated[str, _nothing_as(str)]
Description = Annotated[str, StringConstraints(max_length=_DESCRIPTION_LENGTH), _nothing_as(str)]


def _as_yaml_writes_it(value: object) -> object:
    """Python would also read `1_0` and digits of other scripts as numbers."""
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise PydanticKnownError("decimal_parsing")
    return value


Number = Annotated[Decimal, BeforeValidator(_as_yaml_writes_it)]


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, alias_generator=to_camel, validate_by_alias=True
    )


Name = Annotated[str, StringConstraints(min_length=1)]
Operator = Literal["lte", "gte", "lt", "gt"]


class Metadata(_Part):
    """What every object carries."""

    name: str = Field(description="Up to 63 characters: lower-case letters, digits and `-` (RFC 1123).")
    display_name: Text = Field("", description="The name that people read.")
    labels: Annotated[dict[str, str | list[str]], _nothing_as(dict)] = Field(
        default_factory=dict, description="Copied to every alert."
    )
    annotations: Annotated[dict[str, str], _nothing_as(dict)] = Field(
        default_factory=dict, description="`flyball.dev/owner`, `…/runbook-url`, `…/worst-by`."
    )


class MetricSource(_Part):
    """Where a metric is read, and the query; `spec` holds `query` (or `promql`)."""

    metric_source_ref: str | None = None
    type: str | None = Field(None, description="Prometheus")
    spec: dict[str, JsonValue] = Field(description="`query`: PromQL of a counter.")


class Metric(_Part):
    """One query."""

    metric_source: MetricSource


class RatioMetric(_Part):
    """Good or bad events, and all of them."""

    counter: bool | None = Field(None, description="true: the queries give counters.")
    good: Metric | None = None
    bad: Metric | None = None
    total: Metric | None = None
    raw_type: Literal["success", "failure"] | None = None
    raw: Metric | None = None
    metric_source: MetricSource | None = Field(
        None, description="A short form: `type` names a template, `spec` holds its parameters."
    )


class SLISpec(_Part):
    """How to measure."""

    description: Description = ""
    threshold_metric: Metric | None = None
    ratio_metric: RatioMetric | None = None


class InlineSLI(_Part):
    """An indicator inside of an SLO."""

    metadata: Metadata | None = None
    spec: SLISpec


class Calendar(_Part):
    """A window aligned to the calendar."""

    start_time: str
    time_zone: str


class TimeWindow(_Part):
    """The period of an objective."""

    duration: str = Field(description="A number and m, h, d or w, such as 30d.")
    is_rolling: bool | None = None
    calendar: Calendar | None = None


class Objective(_Part):
    """How much of it must be good."""

    display_name: Text = ""
    op: Operator | None = Field(None, description="How a thresholdMetric stands to `value` while all is well.")
    value: Number | None = None
    target: Number | None = Field(None, description="Share of good events, 0 < target < 1.")
    target_percent: Number | None = Field(None, description="The same in per cent.")
    time_slice_target: Number | None = None
    time_slice_window: str | None = Field(None, description="A duration, or a number of minutes.")
    indicator: InlineSLI | None = None
    indicator_ref: str | None = None
    composite_weight: Number | None = None


class BurnRateCondition(_Part):
    """A burn rate over one window."""

    kind: Literal["burnrate"] = "burnrate"
    op: Operator = Field(description="gte or gt: the alert fires when the budget burns so fast.")
    threshold: Number = Field(description="1: the budget would be spent when the window ends.")
    lookback_window: str = Field(description="A multiple of 5m, such as 1h.")
    alert_after: str | None = Field(None, description="How long it must last, such as 5m.")


class AlertConditionSpec(_Part):
    """When to alert, and how urgent it is."""

    description: Description = ""
    severity: Name = Field(description="page, critical, … or ticket, warning, …")
    condition: BurnRateCondition


class AlertNotificationTargetSpec(_Part):
    """Whom to tell; Alertmanager's own configuration says how."""

    description: Description = ""
    target: Name = Field(description="slack, email, …")


class AlertConditionItem(_Part):
    """A condition of a policy: `conditionRef`, or the object itself."""

    condition_ref: str | None = None
    kind: Literal["AlertCondition"] | None = None
    metadata: Metadata | None = None
    spec: AlertConditionSpec | None = None


class AlertTargetItem(_Part):
    """A target of a policy: `targetRef`, or the object itself."""

    target_ref: str | None = None
    kind: Literal["AlertNotificationTarget"] | None = None
    metadata: Metadata | None = None
    spec: AlertNotificationTargetSpec | None = None


class AlertPolicySpec(_Part):
    """When to alert, and whom."""

    description: Description = ""
    alert_when_no_data: bool | None = None
    alert_when_breaching: bool | None = None
    alert_when_resolved: bool | None = None
    conditions: list[AlertConditionItem] = Field(min_length=1, max_length=1, description="Exactly one.")
    notification_targets: list[AlertTargetItem] = Field(min_length=1)


class AlertPolicyItem(_Part):
    """An alert policy of an SLO: `alertPolicyRef` (or just the name), or the object itself."""

    alert_policy_ref: str | None = None
    kind: Literal["AlertPolicy"] | None = None
    metadata: Metadata | None = None
    spec: AlertPolicySpec | None = None

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, value: object) -> object:
        return {"alertPolicyRef": value} if isinstance(value, str) else value


class SLOSpec(_Part):
    """An objective and its indicator."""

    description: Description = ""
    service: str
    indicator: InlineSLI | None = None
    indicator_ref: str | None = None
    time_window: Annotated[list[TimeWindow], _nothing_as(list)] = Field(
        default_factory=list, description="Exactly one."
    )
    budgeting_method: Literal["Occurrences", "Timeslices", "RatioTimeslices"] | None = None
    objectives: list[Objective] = Field(min_length=1)
    alert_policies: Annotated[list[AlertPolicyItem], _nothing_as(list)] = Field(
        default_factory=list, description="In place of the standard alerts."
    )


class SLODocument(_Part):
    """kind: SLO."""

    api_version: Literal["openslo/v1"]
    kind: Literal["SLO"]
    metadata: Metadata
    spec: SLOSpec


class SLIDocument(_Part):
    """kind: SLI."""

    api_version: Literal["openslo/v1"]
    kind: Literal["SLI"]
    metadata: Metadata
    spec: SLISpec


class ServiceSpec(_Part):
    """What a service is."""

    description: Description = ""


class ServiceDocument(_Part):
    """kind: Service."""

    api_version: Literal["openslo/v1"]
    kind: Literal["Service"]
    metadata: Metadata
    spec: ServiceSpec | None = None


def sli_spec_at(document: Document, path: Path) -> SLISpec:
    """What stands at a path of an SLI document (`spec`), or of an SLO (`[spec.objectives[1].]indicator.spec`)."""
    match document.value, path:
        case SLIDocument(spec=spec), _:
            return spec
        case SLODocument(spec=SLOSpec(indicator=InlineSLI(spec=spec))), ("spec", "indicator", "spec"):
            return spec
        case SLODocument(spec=slo), ("spec", "objectives", int(index), *_):
            inline = slo.objectives[index].indicator
            if inline is not None:
                return inline.spec
    raise TypeError(f"no indicator at {path} in a {type(document.value).__name__}")


class DataSourceSpec(_Part):
    """Where metrics are read."""

    description: Description = ""
    type: Name = Field(description="Prometheus")
    connection_details: JsonValue = Field(None, description="Not used: flyball.yaml names the Prometheus.")


class DataSourceDocument(_Part):
    """kind: DataSource."""

    api_version: Literal["openslo/v1"]
    kind: Literal["DataSource"]
    metadata: Metadata
    spec: DataSourceSpec


class AlertConditionDocument(_Part):
    """kind: AlertCondition."""

    api_version: Literal["openslo/v1"]
    kind: Literal["AlertCondition"]
    metadata: Metadata
    spec: AlertConditionSpec


class AlertNotificationTargetDocument(_Part):
    """kind: AlertNotificationTarget."""

    api_version: Literal["openslo/v1"]
    kind: Literal["AlertNotificationTarget"]
    metadata: Metadata
    spec: AlertNotificationTargetSpec


class AlertPolicyDocument(_Part):
    """kind: AlertPolicy."""

    api_version: Literal["openslo/v1"]
    kind: Literal["AlertPolicy"]
    metadata: Metadata
    spec: AlertPolicySpec


SLO: Final = Kind(OPENSLO_V1, "SLO", SLODocument)
KINDS: Final = (
    SLO,
    Kind(OPENSLO_V1, "SLI", SLIDocument),
    Kind(OPENSLO_V1, "Service", ServiceDocument, repeated=Severity.WARNING),  # two that agree to exist do no harm
    Kind(OPENSLO_V1, "DataSource", DataSourceDocument),
    Kind(OPENSLO_V1, "AlertPolicy", AlertPolicyDocument),
    Kind(OPENSLO_V1, "AlertCondition", AlertConditionDocument),
    Kind(OPENSLO_V1, "AlertNotificationTarget", AlertNotificationTargetDocument),
)
