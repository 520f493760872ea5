"""What IntelGraph's own pages remember: who is signed in, a small graph, workflows that run. Bounded, in memory."""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypeVar

from flyball.demo.platform.app_graph import EDGES, HUB, SEED, Entity

T = TypeVar("T")
MAX_SESSIONS: Final = 500
MAX_ENTITIES: Final = 1_000  # written by users; the oldest go
MAX_RUNS: Final = 500
MAX_RESULTS: Final = 50
WORKFLOWS: Final[Mapping[str, timedelta]] = {
    "hello-world": timedelta(seconds=3),
    "hello-case": timedelta(seconds=20),
}


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who may sign in, and the standing token of programs. Made anew for each demo."""

    user: str
    password: str = field(repr=False)
    api_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An entity, and how many edges away it is."""

    entity: Entity
    hop: int


@dataclass(frozen=True, slots=True)
class WorkflowRun:
    """A workflow under way; it is done at `done_at`."""

    id: str
    workflow: str
    started_at: datetime
    done_at: datetime


class AppState:
    """Everything that a request may read or change. Safe to use from several threads."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._lock = threading.Lock()
        self._sessions: OrderedDict[str, str] = OrderedDict()
        self._entities: OrderedDict[str, Entity] = OrderedDict()
        self._runs: OrderedDict[str, WorkflowRun] = OrderedDict()
        self._written = 0

    def sign_in(self, user: str, password: str) -> str | None:
        """A new session's token; None for wrong credentials."""
        known = secrets.compare_digest(user.encode(), self._credentials.user.encode())
        right = secrets.compare_digest(password.encode(), self._credentials.password.encode())
        if not (known and right):
            return None
        token = secrets.token_urlsafe(24)
        with self._lock:
            _remember(self._sessions, token, user, MAX_SESSIONS)
        return token

    def user_of(self, token: str) -> str | None:
        """Whose session it is; None when there is no such session (any more)."""
        with self._lock:
            return self._sessions.get(token)

    def is_allowed(self, bearer: str) -> bool:
        """Whether a program may come in: with a session's token, or with the standing one."""
        standing = secrets.compare_digest(bearer.encode(), self._credentials.api_token.encode())
        return standing or self.user_of(bearer) is not None

    def sign_out(self, token: str) -> None:
        """End a session."""
        with self._lock:
            self._sessions.pop(token, None)

    def search(self, text: str) -> list[Entity]:
        """Entities whose name or kind contains the text, the newest of the written ones first."""
        wanted = text.casefold()
        with self._lock:
            every = [*reversed(self._entities.values()), *SEED.values()]
        return [it for it in every if wanted in it.name.casefold() or wanted in it.kind][:MAX_RESULTS]

    def add(self, name: str, kind: str) -> Entity:
        """Write an entity; it is linked to the graph's hub."""
        with self._lock:
            self._written += 1
            entity = Entity(f"w{self._written}", name, kind)
            _remember(self._entities, entity.id, entity, MAX_ENTITIES)
        return entity

    def entity(self, entity_id: str) -> Entity | None:
        """One entity, None when there is none (any more)."""
        with self._lock:
            return SEED.get(entity_id) or self._entities.get(entity_id)

    def neighbours(self, entity_id: str, hops: int) -> list[Neighbour]:
        """Everything within so many edges, nearest first; each once."""
        seen, frontier = {entity_id}, [entity_id]
        found: list[Neighbour] = []
        for hop in range(1, hops + 1):
            frontier = list(dict.fromkeys(it for one in frontier for it in self._linked(one) if it not in seen))
            seen.update(frontier)
            found += [Neighbour(it, hop) for it in map(self.entity, frontier) if it]
        return found[:MAX_RESULTS]

    def start(self, workflow: str, now: datetime, late: timedelta) -> WorkflowRun:
        """Begin a workflow; raises KeyError for an unknown one."""
        run = WorkflowRun(secrets.token_hex(8), workflow, now, now + WORKFLOWS[workflow] + late)
        with self._lock:
            _remember(self._runs, run.id, run, MAX_RUNS)
        return run

    def run(self, run_id: str) -> WorkflowRun | None:
        """A run that was begun not too long ago."""
        with self._lock:
            return self._runs.get(run_id)

    def _linked(self, entity_id: str) -> Sequence[str]:
        return EDGES.get(entity_id, (HUB,))


def _remember(among: OrderedDict[str, T], key: str, value: T, most: int) -> None:
    among[key] = value
    while len(among) > most:
        among.popitem(last=False)
