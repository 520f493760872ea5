"""OpenSLO v2alpha as published: the shape of its documents, field for field.

Source: github.com/OpenSLO/OpenSLO, enhancements/v2alpha.md, and the validation of its Go SDK.
"""

import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, model_validator
from pydantic.alias_generators import to_camel

from slo.openslo import spec as v1

_UNEVEN: Final = {"M": "months", "Q": "quarters", "Y": "years"}
_LABEL_VALUE: Final = re.compile(r"([A-Za-z0-9]([-._A-Za-z0-9]{0,61}[A-Za-z0-9])?)?")


def _even(text: str) -> str:
    match = re.fullmatch(r"[0-9]+([MQY])", text)
    if match is not None:
        raise ValueError(f"v2alpha has no {_UNEVEN[match[1]]}: write days or weeks")
    return text


def _is_label_value(text: str) -> str:
    if not _LABEL_VALUE.fullmatch(text):
        raise ValueError("a label's value is at most 63 letters, digits, `-`, `_` and `.`")
    return text


Duration = Annotated[str, AfterValidator(_even)]
LabelValue = Annotated[str, AfterValidator(_is_label_value)]


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, alias_generator=to_camel, validate_by_alias=True
    )


class Metadata(_Part):
    """What every object carries."""

    name: str = Field(description="Up to 63 characters: lower-case letters, digits and `-` (RFC 1123).")
    labels: dict[str, LabelValue] | None = Field(None, description="Copied to every alert.")
    annotations: dict[str, str] | None = Field(None, description="`flyball.dev/owner`, `…/runbook-url`, …")


class Metric(_Part):
    """One query, and where it is asked."""

    data_source_ref: str | None = None
    data_source_spec: v1.DataSourceSpec | None = None
    spec: dict[str, JsonValue] = Field(default_factory=dict, description="`query`: PromQL.")

    @model_validator(mode="after")
    def _one_source(self) -> "Metric":
        if (self.data_source_ref is None) == (self.data_source_spec is None):
            raise ValueError("exactly one of dataSourceRef and dataSourceSpec is needed")
        return self


class RatioMetric(_Part):
    """Good or bad events, and all of them."""

    counter: bool | None = Field(None, description="true: the queries give counters.")
    good: Metric | None = None
    bad: Metric | None = None
    total: Metric | None = None
    raw_type: Literal["success", "failure"] | None = None
    raw: Metric | None = None


class SLISpec(_Part):
    """How to measure."""

    description: v1.Description = ""
    threshold_metric: Metric | None = None
    ratio_metric: RatioMetric | None = None


class InlineSLI(_Part):
    """An indicator inside of an SLO."""

    metadata: Metadata | None = None
    spec: SLISpec


class TimeWindow(_Part):
    """The period of an objective."""

    duration: Duration = Field(description="A number and m, h, d or w, such as 30d.")
    is_rolling: bool | None = None
    calendar: v1.Calendar | None = None


class Objective(_Part):
    """How much of it must be good."""

    display_name: v1.Text = ""
    op: v1.Operator | None = Field(None, description="How a thresholdMetric stands to `value` while all is well.")
    value: v1.Number | None = None
    target: v1.Number | None = Field(None, description="Share of good events, 0 < target < 1.")
    target_percent: v1.Number | None = Field(None, description="The same in per cent.")
    time_slice_target: v1.Number | None = None
    time_slice_window: Duration | None = Field(None, description="A duration, or a number of minutes.")
    sli: InlineSLI | None = None
    sli_ref: str | None = None
    composite_weight: v1.Number | None = None


class Condition(_Part):
    """A burn rate over one window."""

    kind: Literal["burnrate"]
    op: v1.Operator = Field(description="gte or gt: the alert fires when the budget burns so fast.")
    threshold: v1.Number = Field(description="1: the budget would be spent when the window ends.")
    lookback_window: Duration = Field(description="Such as 1h.")
    alert_after: Duration = Field(description="How long it must last, such as 5m.")


class AlertConditionSpec(_Part):
    """When to alert, and how urgent it is."""

    description: v1.Description = ""
    severity: v1.Name = Field(description="page, critical, … or ticket, warning, …")
    condition: Condition


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
    spec: v1.AlertNotificationTargetSpec | None = None


class AlertPolicySpec(_Part):
    """When to alert, and whom."""

    description: v1.Description = ""
    alert_when_no_data: bool | None = None
    alert_when_breaching: bool | None = None
    alert_when_resolved: bool | None = None
    conditions: list[AlertConditionItem] = Field(min_length=1, max_length=1, description="Exactly one.")
    notification_targets: list[AlertTargetItem] = Field(min_length=1)


class AlertPolicyItem(_Part):
    """An alert policy of an SLO: `alertPolicyRef`, or the object itself."""

    alert_policy_ref: str | None = None
    kind: Literal["AlertPolicy"] | None = None
    metadata: Metadata | None = None
    spec: AlertPolicySpec | None = None


class SLOSpec(_Part):
    """An objective and its indicator."""

    description: v1.Description = ""
    service_ref: str | None = None
    service: str | None = Field(None, description="The same as serviceRef, as the specification's text has it.")
    sli: InlineSLI | None = None
    sli_ref: str | None = None
    time_window: list[TimeWindow] = Field(default_factory=list, description="Exactly one.")
    budgeting_method: Literal["Occurrences", "Timeslices", "RatioTimeslices"] | None = None
    objectives: list[Objective] = Field(min_length=1)
    alert_policies: list[AlertPolicyItem] | None = Field(None, description="In place of the standard alerts.")

    @model_validator(mode="after")
    def _one_service(self) -> "SLOSpec":
        if self.service is not None and self.service_ref is not None:
            raise ValueError("service and serviceRef say the same thing: remove one of them")
        return self


class ServiceDocument(_Part):
    """kind: Service."""

    api_version: Literal["openslo.com/v2alpha"]
    kind: Literal["Service"]
    metadata: Metadata
    spec: v1.ServiceSpec | None = None


class SLIDocument(_Part):
    """kind: SLI."""

    api_version: Literal["openslo.com/v2alpha"]
    kind: Literal["SLI"]
    metadata: Metadata
    spec: SLISpec


class SLODocument(_Part):
    """kind: SLO."""

    api_version: Literal["openslo.com/v2alpha"]
    kind: Literal["SLO"]
    metadata: Metadata
    spec: SLOSpec


class DataSourceDocument(_Part):
    """kind: DataSource."""

    api_version: Literal["openslo.com/v2alpha"]
    kind: Literal["DataSource"]
    metadata: Metadata
    spec: v1.DataSourceSpec


class AlertConditionDocument(_Part):
    """kind: AlertCondition."""

    api_version: Literal["openslo.com/v2alpha"]
    kind: Literal["AlertCondition"]
    metadata: Metadata
    spec: AlertConditionSpec


class AlertNotificationTargetDocument(_Part):
    """kind: AlertNotificationTarget."""

    api_version: Literal["openslo.com/v2alpha"]
    kind: Literal["AlertNotificationTarget"]
    metadata: Metadata
    spec: v1.AlertNotificationTargetSpec


class AlertPolicyDocument(_Part):
    """kind: AlertPolicy."""

    api_version: Literal["openslo.com/v2alpha"]
    kind: Literal["AlertPolicy"]
    metadata: Metadata
    spec: AlertPolicySpec
