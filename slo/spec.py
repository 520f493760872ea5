"""OpenSLO v1 as published: the shape of its documents, field for field.

Source: github.com/OpenSLO/OpenSLO, README "Specification", and the validation of its Go SDK. What a document means, and
which parts of it we do not support yet, is decided in `slo.resolve`.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, StringConstraints
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticKnownError

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
    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, validate_by_alias=True)


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
    op: Literal["lte", "gte", "lt", "gt"] | None = None
    value: Number | None = None
    target: Number | None = Field(None, description="Share of good events, 0 < target < 1.")
    target_percent: Number | None = Field(None, description="The same in per cent.")
    time_slice_target: Number | None = None
    time_slice_window: str | None = None
    indicator: InlineSLI | None = None
    indicator_ref: str | None = None
    composite_weight: Number | None = None


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
    alert_policies: Annotated[list[JsonValue], _nothing_as(list)] = Field(default_factory=list)


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


class UnsupportedDocument(_Part):
    """A published kind that we know and do not use yet; `slo.resolve` says so."""

    api_version: Literal["openslo/v1"]
    kind: Literal["DataSource", "AlertPolicy", "AlertCondition", "AlertNotificationTarget"]
    metadata: JsonValue = None
    spec: JsonValue = None


_OUR_ALERTS: Final = "every SLO has the standard multi-window burn-rate alerts (page and ticket)"
SET_ASIDE: Final = {
    "DataSource": "flyball.yaml names the Prometheus that all queries go to",
    "AlertPolicy": _OUR_ALERTS,
    "AlertCondition": _OUR_ALERTS,
    "AlertNotificationTarget": "Alertmanager's own configuration says who is told",
}

KINDS: Final = (
    Kind(OPENSLO_V1, "SLO", SLODocument),
    Kind(OPENSLO_V1, "SLI", SLIDocument),
    Kind(OPENSLO_V1, "Service", ServiceDocument),
    *(Kind(OPENSLO_V1, name, UnsupportedDocument) for name in SET_ASIDE),
)
