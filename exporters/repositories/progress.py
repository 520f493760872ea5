"""How far the collecting of a repository has come, as the store keeps it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256

from controlplane.model.event import JSON
from controlplane.ports import Transaction
from exporters.repositories.model import Repository
from exporters.repositories.ports import Position


@dataclass(frozen=True, slots=True)
class Progress:
    """`since` is where the first reading began. `digest` is of what the document says, `edition` counts its changes.

    `collected_at` is when it was last read to the end. `failures` in a row, since `failing_since`, with the last
    `error`; nothing is tried again before `retry_at`. `note` says where a reading stands that is not at its end.
    """

    position: Position = field(default_factory=dict)
    since: datetime | None = None
    digest: str = ""
    edition: int = 0
    collected_at: datetime | None = None
    failing_since: datetime | None = None
    failures: int = 0
    error: str = ""
    retry_at: datetime | None = None
    note: str = ""

    @property
    def is_failing(self) -> bool:
        """Whether the last try failed."""
        return self.failures > 0

    def begun(self, repository: Repository, now: datetime) -> "Progress":
        """What a reading goes on from: the beginning, when the document says something else or reaches further back."""
        digest, since = _digest(repository), now - repository.since
        if self.since is None:
            return replace(self, digest=digest, since=since)
        if self.digest != digest:
            since, edition = min(since, self.since), self.edition + 1
            return replace(self, position={}, digest=digest, since=since, edition=edition, note="")
        return replace(self, position={}, since=since, note="") if since < self.since else self


def progress_of(transaction: Transaction, repository: str) -> Progress:
    """What is known of a repository's collecting, by the name of its document."""
    row = transaction.delivery.progress(_name(repository)) or {}
    position, edition, failures = row.get("position"), row.get("edition"), row.get("failures")
    return Progress(
        position=position if isinstance(position, dict) else {},
        since=_time(row, "since"),
        digest=_text(row, "digest"),
        edition=edition if isinstance(edition, int) else 0,
        collected_at=_time(row, "collectedAt"),
        failing_since=_time(row, "failingSince"),
        failures=failures if isinstance(failures, int) else 0,
        error=_text(row, "error"),
        retry_at=_time(row, "retryAt"),
        note=_text(row, "note"),
    )


def put_progress(transaction: Transaction, repository: str, progress: Progress) -> None:
    """Remember it."""
    row: dict[str, JSON] = {
        "position": dict(progress.position),
        "since": _written(progress.since),
        "digest": progress.digest,
        "edition": progress.edition,
        "collectedAt": _written(progress.collected_at),
        "failingSince": _written(progress.failing_since),
        "failures": progress.failures,
        "error": progress.error,
        "retryAt": _written(progress.retry_at),
        "note": progress.note,
    }
    transaction.delivery.put_progress(_name(repository), row)


def _digest(repository: Repository) -> str:
    """Of all that decides what events say; not of how often and how far back it is read."""
    place = repository.place
    said = (
        place.host, place.name, place.address, place.branch, repository.services, repository.deployments,
        repository.changes,
    )  # fmt: skip
    return sha256(repr(said).encode()).hexdigest()[:16]


def _name(repository: str) -> str:
    return f"repository {repository}"


def _text(row: Mapping[str, JSON], key: str) -> str:
    value = row.get(key)
    return value if isinstance(value, str) else ""


def _time(row: Mapping[str, JSON], key: str) -> datetime | None:
    text = _text(row, key)
    return datetime.fromisoformat(text) if text else None


def _written(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
