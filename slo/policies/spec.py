"""The kind `SLOPolicy`: how missing data is read and when somebody is told, for many SLOs of any dialect at once."""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from controlplane.conventions import API_VERSION
from controlplane.specfile import Kind
from slo.openslo.spec import Number
from slo.selecting import Selection

Length = Annotated[str, StringConstraints(max_length=40)]
Share = Annotated[Number, Field(gt=0, le=1)]
Rate = Annotated[Number, Field(gt=0, le=1_000_000_000_000)]
Events = Annotated[Number, Field(ge=0, le=1_000_000_000_000)]
Severity = Literal["page", "ticket"]


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, alias_generator=to_camel, validate_by_alias=True
    )


class PolicyMetadata(_Part):
    """What every object carries."""

    name: str = Field(description="Up to 63 characters: lower-case letters, digits and `-`. SLOs may ask for it.")
    display_name: str = ""
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class TierChange(_Part):
    """What is different about a tier."""

    budget_share: Share | None = Field(None, description="Share of the budget that must have gone, such as 0.02.")
    long: Length | None = Field(None, description="The window that sets the threshold, such as 1h.")
    short: Length | None = Field(None, description="The window over which it must still burn, such as 5m.")
    spent_within: list[Length] | None = Field(
        None,
        description="Windows in one of which the share must have gone. Left out: `long`, and 5m where short is 5m.",
    )
    burn_rate: Rate | None = Field(None, description="A threshold in place of budgetShare × window ÷ long.")
    hold: Length | None = Field(None, alias="for", description="How long it must last, such as 2m.")


class TierPart(TierChange):
    """One alerting condition."""

    severity: Severity
    budget_share: Share
    long: Length
    short: Length


class TextPart(_Part):
    """What is added to the alerts of one urgency."""

    name: str | None = Field(None, description="The alert's name in place of SLOErrorBudgetBurn.")
    severity: str | None = Field(None, description="The label `severity` in place of page or ticket.")
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict, description="May use Prometheus templates.")


class AlertsPart(_Part):
    """When somebody is told, and in what words."""

    method: Literal["budget", "burn-rate"] | None = Field(
        None, description="What the long window asks: how much of the budget went, or only how fast it burned."
    )
    fewest_bad_events: Events | None = Field(None, description="Nobody is told of fewer (method budget).")
    tiers: list[TierPart] | None = Field(None, description="In place of the standard four.")
    drop: list[str] = Field(default_factory=list, description="page, ticket, or single tiers such as page-6h.")
    change: dict[str, TierChange] = Field(default_factory=dict, description="By the tier's name, such as page-6h.")
    page: TextPart | None = None
    ticket: TextPart | None = None
    absence: TextPart | None = Field(None, description="Of the alert that says that the series are gone.")


class PolicySpec(_Part):
    """Which SLOs, and what is different about them."""

    select: Selection | None = Field(None, description="Left out: only SLOs that ask for it (flyball.dev/policy).")
    no_traffic: Literal["good", "excluded", "bad"] | None = Field(
        None, description="What time without any event counts as."
    )
    absent: Literal["ignore", "ticket", "page"] | None = Field(
        None, description="What happens when the series are gone."
    )
    absent_after: Length | None = Field(None, description="How long they must be gone, such as 15m.")
    up: str | None = Field(
        None, description="PromQL, 1 while the service is there: then absence means idle. Or `auto`."
    )
    keep_names: Literal["sloth", "pyrra"] | None = Field(
        None, description="Record the series that this tool would, too, so that its dashboards live on."
    )
    alerts: AlertsPart | None = None


class PolicyDocument(_Part):
    """kind: SLOPolicy."""

    api_version: Literal["flyball.dev/v1"]
    kind: Literal["SLOPolicy"]
    metadata: PolicyMetadata
    spec: PolicySpec


POLICY: Final = Kind(API_VERSION, "SLOPolicy", PolicyDocument)
