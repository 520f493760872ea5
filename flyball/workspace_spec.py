"""The kind `Workspace`: what `flyball.yaml` may say. Names of backends and paths, never secrets."""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from controlplane.conventions import API_VERSION
from controlplane.specfile import Kind
from slo.lint.rule import Level

MIN_LEASE_SECONDS: Final = 2
MAX_LEASE_SECONDS: Final = 300


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True, alias_generator=to_camel)


class PrometheusPart(_Part):
    """Where rules are evaluated and queried."""

    url: str | None = Field(None, description="Base URL of the Prometheus-compatible query API.")
    rules_directory: str | None = Field(None, description="Folder that Prometheus reads rule files from.")


class RulesPart(_Part):
    """What evaluates our rules, where it is not the Prometheus that reads the rules directory."""

    target: Literal["prometheus", "mimir", "cortex"] | None = Field(
        None, description="prometheus reads rulesDirectory; mimir and cortex have a ruler API."
    )
    url: str | None = Field(None, description="Base URL of the ruler: of Mimir with its prefix, as in …/prometheus.")
    namespace: str | None = Field(None, description="The ruler's namespace that is ours alone; flyball by default.")
    tenant: str | None = Field(None, description="Sent as X-Scope-OrgID.")


class AlertmanagerPart(_Part):
    """Who sends us alerts."""

    url: str | None = Field(None, description="Base URL of Alertmanager, for links and to ask what still fires.")
    webhook_url: str | None = Field(
        None, description="Our base URL as Alertmanager reaches it; console.externalUrl by default."
    )
    webhook_token_file: str | None = Field(
        None, description="Path, on Alertmanager's machine, of the file with the webhook's token."
    )


class GrafanaPart(_Part):
    """Where dashboards are shown."""

    url: str | None = Field(None, description="Base URL of Grafana, for links.")
    dashboards_directory: str | None = Field(None, description="Folder that Grafana's file provisioning reads.")


class ConsolePart(_Part):
    """The web console and the endpoints beside it."""

    listen: str | None = Field(None, description="HOST:PORT. An address that is not loopback needs a console token.")
    external_url: str | None = Field(None, description="How people reach the console; alerts link to it.")


class StorePart(_Part):
    """The database."""

    url: str | None = Field(None, description="SQLAlchemy URL without a password: sqlite:///… or postgresql://….")
    lease_seconds: Annotated[int, Field(ge=MIN_LEASE_SECONDS, le=MAX_LEASE_SECONDS)] | None = Field(
        None, description="How long a silent leader keeps the lease."
    )
    event_days: Annotated[int, Field(ge=1, le=36_500)] | None = Field(
        None, description="How many days the event log goes back."
    )


class CostPart(_Part):
    """Where what was billed is kept."""

    directory: str | None = Field(None, description="Folder of the billed ledger; .flyball/cost-ledger by default.")


class ChecksPart(_Part):
    """Checks from outside, and the prober that runs them."""

    region: str | None = Field(None, description="The region that this process probes from; `local` by default.")
    report_to: str | None = Field(None, description="Base URL of the control plane that a prober reports to.")
    directory: str | None = Field(
        None, description="Folder of what a prober has not reported yet, and of artifacts; .flyball/checks by default."
    )
    result_days: Annotated[int, Field(ge=1, le=400)] | None = Field(
        None, description="How many days single results are kept."
    )


class StatusPart(_Part):
    """Public status pages."""

    directory: str | None = Field(
        None, description="Folder or bucket (s3://…) that pages are published to; .flyball/status by default."
    )
    allow_private_webhooks: bool | None = Field(
        None, description="Whether subscribers' webhooks may have addresses that are not public."
    )


class LadderPart(_Part):
    """Downshift ladders."""

    stop_file: str | None = Field(
        None, description="While this file is there no flag is written; .flyball/ladder.stop by default."
    )


class AlertsPart(_Part):
    """How alerts are told."""

    spool_directory: str | None = Field(
        None, description="Folder of critical pages that came while the database was away; .flyball/spool by default."
    )
    commands_file: str | None = Field(None, description="YAML file of the commands that runbooks may run.")
    allow_private_webhooks: bool | None = Field(
        None, description="Whether Receivers' webhooks may have addresses that are not public."
    )
    pagerduty_url: str | None = Field(
        None, description="Base URL of the Events API, such as https://events.eu.pagerduty.com."
    )
    slack_url: str | None = Field(None, description="Base URL of the Web API; https://slack.com/api by default.")
    mail_from: str | None = Field(None, description="Whom mails about incidents are from.")


class EventsPart(_Part):
    """The event intake, and collectors of deliveries."""

    clock_tolerance_seconds: Annotated[int, Field(ge=0, le=86_400)] | None = Field(
        None, description="By how much the time of an event may lie ahead of our clock."
    )
    kept_days: Annotated[int, Field(ge=1, le=36_500)] | None = Field(
        None, description="How many days raw events are kept; what follows from them stays."
    )
    repositories_directory: str | None = Field(
        None, description="Folder of clones that collectors keep; .flyball/repositories by default."
    )


class SLOPart(_Part):
    """Defaults for SLOs."""

    runbook_url: str | None = Field(None, description="Template with {service} and {slo}.")
    shared_above: Annotated[int, Field(ge=0)] | None = Field(
        None, description="Number of SLOs above which a shard of them shares its rules."
    )


class TracingPart(_Part):
    """Where our own traces go."""

    endpoint: str | None = Field(None, description="Base URL of an OTLP/HTTP receiver.")


class WorkspaceSpec(_Part):
    """The backends of a workspace; everything has a default."""

    prometheus: PrometheusPart = Field(default_factory=PrometheusPart)
    rules: RulesPart = Field(default_factory=RulesPart)
    alertmanager: AlertmanagerPart = Field(default_factory=AlertmanagerPart)
    grafana: GrafanaPart = Field(default_factory=GrafanaPart)
    console: ConsolePart = Field(default_factory=ConsolePart)
    store: StorePart = Field(default_factory=StorePart)
    cost: CostPart = Field(default_factory=CostPart)
    checks: ChecksPart = Field(default_factory=ChecksPart)
    status: StatusPart = Field(default_factory=StatusPart)
    ladder: LadderPart = Field(default_factory=LadderPart)
    alerts: AlertsPart = Field(default_factory=AlertsPart)
    events: EventsPart = Field(default_factory=EventsPart)
    slo: SLOPart = Field(default_factory=SLOPart)
    tracing: TracingPart = Field(default_factory=TracingPart)
    lint: dict[str, Level] = Field(
        default_factory=dict, description="off, warning or error, by the name of a rule (docs/reference/lint.md)."
    )


class WorkspaceMetadata(_Part):
    """What the workspace is called."""

    name: str = ""
    display_name: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class Workspace(_Part):
    """The whole document."""

    api_version: Literal["flyball.dev/v1"]
    kind: Literal["Workspace"]
    metadata: WorkspaceMetadata = Field(default_factory=WorkspaceMetadata)
    spec: WorkspaceSpec = Field(default_factory=WorkspaceSpec)


WORKSPACE: Final = Kind(API_VERSION, "Workspace", Workspace)
