"""Incidents: what alerts belong together, who has them, what happened, and what it costs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import Enum

from controlplane.model.event import JSON


class Priority(Enum):
    """How bad it is. P0 wakes up everybody in turn, P4 is for the record."""

    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"

    @property
    def rank(self) -> int:
        """0 for P0, the most urgent."""
        return int(self.value[1])

    @property
    def is_critical(self) -> bool:
        """Whether it pages: P0 and P1."""
        return self.rank <= 1


class IncidentState(Enum):
    """Where an incident stands. Acknowledged: somebody has it, nobody else is woken up."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Origin(Enum):
    """How an incident came to be."""

    ALERTS = "alerts"
    DECLARED = "declared"  # a person opened it
    DRILL = "drill"


@dataclass(frozen=True, slots=True)
class PriceTag:
    """What an incident cost up to `as_of`. What is not known is None or missing, never zero.

    `budget_burned`: share of the period's error budget by SLO. `extra_spend`: money beyond what was expected, by
    budget: (budget, amount, currency). `failed_operations`: bad events of the SLOs.
    """

    as_of: datetime
    budget_burned: tuple[tuple[str, Decimal], ...] = ()
    extra_spend: tuple[tuple[str, Decimal, str], ...] = ()
    failed_operations: Decimal | None = None
    note: str = ""  # why something is not known


@dataclass(frozen=True, slots=True)
class Suspect:
    """A change shortly before an incident. `score` in 0 … 1, the most suspicious first; `reasons` say why, in words."""

    at: datetime
    kind: str  # of its event, such as `deployment.finished`
    subject: str
    text: str
    score: Decimal
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident. `id` follows from `key` and its first alert, so that it is the same without a database.

    `number` is for people (INC-7), given by the store (0 until then). `routes` are those that Alertmanager (or we)
    chose, `receivers` who is told by them and by escalation. `version` grows with each change that people are told of.
    `opened_at`, `acknowledged_at` and `resolved_at` are database times, `started_at` is the start of the first alert.
    """

    id: str
    key: str
    title: str
    priority: Priority
    state: IncidentState
    origin: Origin
    started_at: datetime
    opened_at: datetime
    updated_at: datetime
    number: int = 0
    version: int = 1
    service: str = ""
    summary: str = ""
    policy: str = ""  # of escalation; empty: nobody else is told
    routes: tuple[str, ...] = ()
    receivers: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)  # what all of its alerts have
    roles: Mapping[str, str] = field(default_factory=dict)  # such as commander: ann
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    resolved_at: datetime | None = None
    resolved_by: str = ""
    resolution: str = ""
    quiet_since: datetime | None = None  # since when no alert of it fires; None while one does, or none ever did
    repeats: str = ""  # the id of the last incident of the same key
    price: PriceTag | None = None
    suspects: tuple[Suspect, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether it goes on, acknowledged or not."""
        return self.state is not IncidentState.RESOLVED

    @property
    def is_drill(self) -> bool:
        """Whether it is an exercise."""
        return self.origin is Origin.DRILL

    @property
    def name(self) -> str:
        """What people call it: INC-7."""
        return f"INC-{self.number}"


@dataclass(frozen=True, slots=True)
class IncidentAlert:
    """An alert's membership in an incident; an alert belongs to one incident only. `ended_at` None: it fires."""

    incident: str
    fingerprint: str
    starts_at: datetime
    joined_at: datetime
    ended_at: datetime | None = None


class TimelineKind(Enum):
    """What a line of the timeline is about."""

    OPENED = "opened"
    ALERT = "alert"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    ESCALATED = "escalated"
    TOLD = "told"  # a message arrived, was given up or took another way
    NOTE = "note"
    MESSAGE = "message"  # written by people in a chat's thread
    ROLE = "role"
    PRIORITY = "priority"
    DEPLOYMENT = "deployment"
    FLAG = "flag"
    TIER = "tier"
    RULES = "rules"
    COST = "cost"
    ANOMALY = "anomaly"
    PROBE = "probe"
    STATUS = "status"
    RUNBOOK = "runbook"
    TICKET = "ticket"
    ACTION = "action"


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """A line. `id` makes writing it twice harmless (of an event: `event:` and its id, within the incident)."""

    id: str
    incident: str
    at: datetime
    kind: TimelineKind
    text: str
    actor: str = ""
    data: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DueStep:
    """A step of an incident's escalation. `round` counts repetitions of the policy; `fired_at` None: not yet.

    `targets` are `receiver:NAME` and `schedule:NAME` as the policy said when the incident opened; who that is (the
    schedule's person on call) is looked up when it fires, and `told` are the receivers that were told.
    """

    incident: str
    policy: str
    round: int
    step: int
    due_at: datetime
    targets: tuple[str, ...]
    fired_at: datetime | None = None
    cancelled_at: datetime | None = None  # acknowledged or resolved before
    told: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OutsideObject:
    """Something that we opened outside, owned by this row until it is closed there: a page, a message, a thread.

    One per incident and channel. `outside_id`: the dedup key, a Slack message's `ts`, … ; `place`: where, such as the
    id of a Slack channel. `told_version`: the incident's version that is shown there. `data` is the adapter's own.
    """

    incident: str
    channel: str
    outside_id: str
    opened_at: datetime
    updated_at: datetime
    place: str = ""
    url: str = ""
    told_version: int = 0
    closed_at: datetime | None = None
    data: Mapping[str, JSON] = field(default_factory=dict)


class AttemptOutcome(Enum):
    """How an attempt to deliver ended."""

    DELIVERED = "delivered"
    RETRIED = "retried"
    POSTPONED = "postponed"  # a rate limit
    GIVEN_UP = "given_up"
    OTHER_WAY = "other_way"  # it took the next channel
    SPOOLED = "spooled"  # left through the local spool while the database was away


@dataclass(frozen=True, slots=True)
class DeliveryAttempt:
    """One attempt, for `flyball alerts why`. `incident` is empty where the message was about none."""

    message: str
    channel: str
    incident: str
    at: datetime
    outcome: AttemptOutcome
    detail: str = ""
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class AlertReceipt:
    """That Alertmanager delivered an alert to one of its receivers (which are our routes), how often and when."""

    fingerprint: str
    starts_at: datetime
    route: str
    group_key: str
    first_at: datetime
    last_at: datetime
    deliveries: int = 1
