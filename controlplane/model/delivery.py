"""Changes on their way to users: events as they were taken in, and the facts that follow from them.

A fact is a function of the *set* of all events about one thing (its entity), so that neither the order in which they
came nor how often they came plays a part. Times are aware UTC. What is not known is None or empty, never zero.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum

from controlplane.model.event import JSON


@dataclass(frozen=True, slots=True)
class DeliveryEvent:
    """A CloudEvent that was accepted. (source, id) is unique for ever.

    `entity` is the thing that it is about, `KIND:KEY` with a kind of `EntityKind`; empty for an event that is only
    kept (`is_known` is False then). `time` is when it happened, `sender` the way that it came (`cloudevents`, `github`,
    `collector:NAME`, …). `body` is the event in the CloudEvents JSON format, `digest` the SHA-256 of what it says.
    """

    source: str
    id: str
    type: str
    subject: str
    time: datetime
    entity: str
    sender: str
    digest: bytes
    body: bytes
    trace_id: str = ""

    @property
    def is_known(self) -> bool:
        """Whether it says something about a change, a deployment, an incident or an artifact."""
        return bool(self.entity)


@dataclass(frozen=True, slots=True)
class StoredDeliveryEvent:
    """An event with its place in the log (`sequence` grows without bound) and the time at which it came."""

    sequence: int
    received_at: datetime
    event: DeliveryEvent


class EntityKind(Enum):
    """What an event can be about."""

    DEPLOYMENT = "deployment"
    CHANGE = "change"
    ARTIFACT = "artifact"
    INCIDENT = "incident"


@dataclass(frozen=True, slots=True)
class EventReceipt:
    """What became of a batch. `conflicts` are (source, id) of events that say something else than the one known."""

    accepted: int
    duplicates: int
    unknown: int  # of the accepted ones: kept, but of a type that we make nothing of
    conflicts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class EventQuery:
    """Which stored events; empty and None: any. Newest first (by sequence), those below `before_sequence`."""

    type_prefix: str = ""
    source: str = ""
    subject: str = ""
    entity: str = ""
    sender: str = ""
    since: datetime | None = None
    until: datetime | None = None
    only_unknown: bool = False
    before_sequence: int | None = None
    limit: int = 50


class DeploymentKind(Enum):
    """What a deployment did to the service. REMOVED takes it away and is no deployment of a change."""

    DEPLOYED = "deployed"
    UPGRADED = "upgraded"
    ROLLED_BACK = "rolledback"
    REMOVED = "removed"


class DeploymentOutcome(Enum):
    """How the roll-out itself ended. FAILED: it reached users and was stopped or undone by the deployer."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Deployment:
    """One service put into one environment. `id` is its entity's key; `at` is when it had finished there.

    `changes` are ids of changes that it names itself; otherwise they follow from `artifacts` or `revision`.
    `undoes` names what a rollback takes back: a deployment's id, a version, or a revision. `remedies` is the id of the
    incident because of which it was made. `run` is common to deployments of several services made by one release.
    """

    id: str
    service: str
    environment: str
    at: datetime
    kind: DeploymentKind
    outcome: DeploymentOutcome = DeploymentOutcome.SUCCEEDED
    started_at: datetime | None = None
    version: str = ""
    artifacts: tuple[str, ...] = ()
    repository: str = ""
    revision: str = ""
    changes: tuple[str, ...] = ()
    undoes: str = ""
    remedies: str = ""
    is_unplanned: bool = False  # said by whoever deployed it: a hotfix
    run: str = ""
    url: str = ""
    trace_id: str = ""

    @property
    def is_rollback(self) -> bool:
        """Whether it puts something older back."""
        return self.kind is DeploymentKind.ROLLED_BACK


@dataclass(frozen=True, slots=True)
class Change:
    """A change that was merged: a pull request, a merge request or a commit. `id` is its entity's key.

    `services` are those that it touches (empty: all of its repository). `reverts` names what it takes back: a change's
    id or a revision. `first_commit_at` is when work on it began, as far as its commits tell (author dates).
    """

    id: str
    repository: str
    merged_at: datetime
    revision: str = ""
    first_commit_at: datetime | None = None
    opened_at: datetime | None = None
    approved_at: datetime | None = None
    services: tuple[str, ...] = ()
    reverts: str = ""
    is_hotfix: bool = False
    remedies: str = ""
    title: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Artifact:
    """What was built from which change. `id` is its package URL (or whatever its builder calls it)."""

    id: str
    change: str = ""
    repository: str = ""
    revision: str = ""


@dataclass(frozen=True, slots=True)
class DeliveryIncident:
    """An incident as DORA sees it: of a service, from `started_at` until `resolved_at` (None: it goes on).

    `deployment` is what somebody said was its cause: a deployment's id, or a version. `is_counted` is False for drills
    and for priorities that the policy leaves out.
    """

    id: str
    service: str
    environment: str
    started_at: datetime
    resolved_at: datetime | None = None
    deployment: str = ""
    name: str = ""
    title: str = ""
    priority: str = ""
    url: str = ""
    is_counted: bool = True


class AttributionReason(Enum):
    """Why an incident is held against a deployment, the strongest first."""

    CORRECTED = "corrected"  # a person said so
    LINKED = "linked"  # the incident names the deployment, or the other way round
    ROLLED_BACK = "rolled_back"  # the deployment was taken back while the incident went on
    WINDOW = "window"  # it was the service's last deployment, not long before
    NONE = "none"  # nothing fits: no deployment is to blame


@dataclass(frozen=True, slots=True)
class Attribution:
    """Which deployment an incident is held against: at most one. `deployment` is empty for none. `text` in words."""

    incident: str
    deployment: str
    reason: AttributionReason
    text: str = ""


@dataclass(frozen=True, slots=True)
class Correction:
    """What a person said about an incident's cause; the last word counts. `deployment` empty: none is to blame."""

    incident: str
    deployment: str
    actor: str
    at: datetime
    note: str = ""
    is_withdrawn: bool = False  # the automatic attribution holds again


@dataclass(frozen=True, slots=True, order=True)
class SheetKey:
    """A day (UTC) of one service in one environment."""

    service: str
    environment: str
    day: date


@dataclass(frozen=True, slots=True)
class Sheet:
    """What was measured of such a day, packed by the feature that measures (`exporters.dora.sheets`)."""

    key: SheetKey
    body: bytes


@dataclass(frozen=True, slots=True)
class CounterRow:
    """A counter that never falls: `name` of its series, `labels` beyond service and environment (sorted JSON).

    `exemplar` are the labels of the newest example and its value.
    """

    name: str
    service: str
    environment: str
    labels: str
    value: Decimal
    exemplar: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredEffect:
    """What a deployment did to one SLO or unit cost. `body` is the feature's own; `score` sorts, worst first.

    `state`: `waiting` (its time after the deployment is not over), `measured`, or `unknown` (no data).
    """

    deployment: str
    subject: str  # `slo:NAME` or `unit_cost:NAME`
    service: str
    environment: str
    at: datetime  # of the deployment
    state: str
    score: Decimal | None
    body: Mapping[str, JSON]
