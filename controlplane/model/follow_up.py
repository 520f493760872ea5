"""What is left to do after incidents: actions, tickets, runs of runbooks; and who may do what in the console."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum

from controlplane.model.event import JSON


class ActionState(Enum):
    """Where an action stands."""

    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Action:
    """Something that somebody shall do so that an incident does not happen again."""

    id: str
    incident: str
    title: str
    owner: str
    due: date
    created_at: datetime
    created_by: str
    state: ActionState = ActionState.OPEN
    ended_at: datetime | None = None
    ended_by: str = ""
    why: str = ""
    reported_at: datetime | None = None  # that it is overdue


@dataclass(frozen=True, slots=True)
class Ticket:
    """An issue in a tracker that we own. `key` is what it is about (`cost:…`, `action:…`): one ticket each.

    `outside_id` and `url` are empty until it was opened there. `cause`: why it was closed.
    `wanted_version` grows with each change, `told_version` is what the tracker shows.
    """

    key: str
    tracker: str
    title: str
    body: str
    labels: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    is_open: bool = True
    cause: str = ""
    outside_id: str = ""
    url: str = ""
    wanted_version: int = 1
    told_version: int = 0
    data: Mapping[str, JSON] = field(default_factory=dict)


class RunState(Enum):
    """Where a run of a runbook stands."""

    WAITING = "waiting"  # for an approval of its next step
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class RunbookRun:
    """A run of a runbook's steps; `next_step` is the index of the one that is next, `results` are those so far."""

    id: str
    runbook: str
    incident: str
    actor: str
    is_dry: bool
    state: RunState
    created_at: datetime
    updated_at: datetime
    next_step: int = 0
    results: tuple[Mapping[str, JSON], ...] = ()
    steps_hash: str = ""  # of the steps as they were when it began: an edited runbook is not run on
    why: str = ""


class Role(Enum):
    """What somebody may do in the console: read; acknowledge, resolve and note; and everything."""

    VIEWER = "viewer"
    RESPONDER = "responder"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        """Who may more has the higher one."""
        return ("viewer", "responder", "admin").index(self.value)


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A bearer token of one person or program. Only `digest` is kept: SHA-256 of 256 random bits needs no salt."""

    name: str
    role: Role
    digest: str
    created_at: datetime
    created_by: str = ""
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
