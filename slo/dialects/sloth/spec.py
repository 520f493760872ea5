"""Sloth's documents, field for field: `version: prometheus/v1`, and the same as a Kubernetes resource.

Source: github.com/slok/sloth, pkg/prometheus/api/v1, pkg/kubernetes/api/sloth/v1, pkg/prometheus/alertwindows/v1. The
first writes fields with `_`, the others in camel case; here both are the same models.
"""

from typing import Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, JsonValue
from pydantic.alias_generators import to_camel

from slo.dialects.kubernetes import KubernetesMetadata
from slo.dialects.texts import Labels
from slo.openslo.spec import Number


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, validate_by_alias=True, validate_by_name=True
    )


class _CamelPart(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, alias_generator=to_camel, validate_by_alias=True
    )


class Raw(_Part):
    """An error ratio that the user computes."""

    error_ratio_query: str = Field(description="PromQL, 0 to 1, with [{{.window}}].")


class Events(_Part):
    """Bad events and all of them."""

    error_query: str = Field(description="PromQL of bad events, with [{{.window}}].")
    total_query: str = Field(description="PromQL of all events, with [{{.window}}].")


class Plugin(_Part):
    """A program of Sloth's that makes the query."""

    id: str
    options: Labels = Field(default_factory=dict)


class Indicator(_Part):
    """How to measure: exactly one of these."""

    raw: Raw | None = None
    events: Events | None = None
    plugin: Plugin | None = None


class Alert(_Part):
    """The alerts of one urgency."""

    disable: bool = False
    labels: Labels = Field(default_factory=dict)
    annotations: Labels = Field(default_factory=dict)


class Alerting(_Part):
    """When somebody is told, and in what words."""

    name: str = ""
    labels: Labels = Field(default_factory=dict)
    annotations: Labels = Field(default_factory=dict)
    page_alert: Alert = Field(Alert(), validation_alias=AliasChoices("page_alert", "pageAlert"))
    ticket_alert: Alert = Field(Alert(), validation_alias=AliasChoices("ticket_alert", "ticketAlert"))


class ChainLink(_Part):
    """One plugin of the chain that generates rules."""

    id: str
    config: JsonValue = None
    priority: int = 0


class Chain(_Part):
    """Plugins that change what is generated."""

    override_previous: bool = Field(False, alias="overridePrevious")
    chain: list[ChainLink] = Field(default_factory=list)


class Objective(_Part):
    """One SLO."""

    name: str
    description: str = ""
    objective: Number = Field(description="Per cent of good events, 0 < objective < 100.")
    plugins: Chain | None = None
    labels: Labels = Field(default_factory=dict)
    sli: Indicator
    alerting: Alerting = Alerting()


class ServiceLevels(_Part):
    """`version: prometheus/v1`: the SLOs of a service."""

    version: Literal["prometheus/v1"]
    service: str
    labels: Labels = Field(default_factory=dict)
    slo_plugins: Chain | None = None
    slos: list[Objective] = Field(min_length=1)


class _CamelRaw(_CamelPart, Raw):
    pass


class _CamelEvents(_CamelPart, Events):
    pass


class _CamelIndicator(Indicator):
    raw: _CamelRaw | None = None
    events: _CamelEvents | None = None


class _CamelAlerting(_CamelPart, Alerting):
    page_alert: Alert = Alert()
    ticket_alert: Alert = Alert()


class _CamelObjective(Objective):
    sli: _CamelIndicator
    alerting: _CamelAlerting = _CamelAlerting()


class PrometheusServiceLevelSpec(_CamelPart):
    """The SLOs of a service."""

    service: str
    labels: Labels = Field(default_factory=dict)
    slo_plugins: Chain | None = None
    slos: list[_CamelObjective] = Field(min_length=1)


class PrometheusServiceLevel(_CamelPart):
    """kind: PrometheusServiceLevel."""

    api_version: Literal["sloth.slok.dev/v1"]
    kind: Literal["PrometheusServiceLevel"]
    metadata: KubernetesMetadata
    spec: PrometheusServiceLevelSpec
    status: JsonValue = None


class Window(_CamelPart):
    """One alerting condition."""

    error_budget_percent: Number = Field(description="Per cent of the budget.")
    short_window: str
    long_window: str


class QuickAndSlow(_CamelPart):
    """The conditions of one urgency."""

    quick: Window
    slow: Window


class AlertWindowsSpec(_CamelPart):
    """The conditions for SLOs of one period."""

    slo_period: str
    page: QuickAndSlow
    ticket: QuickAndSlow


class AlertWindows(_CamelPart):
    """kind: AlertWindows."""

    api_version: Literal["sloth.slok.dev/v1"]
    kind: Literal["AlertWindows"]
    spec: AlertWindowsSpec
