"""What the anomaly detector needs from the store, as a protocol. All of it is part of one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # every command imports this; few see a value of these types
    from controlplane.model.anomaly import Episode, Feedback, StoredModel


class AnomalyLog(Protocol):
    """Models, episodes and feedback."""

    def put_models(self, models: Sequence[StoredModel]) -> None:
        """Keep each, in place of what stands under the same detector and chunk. `Permanent` for one beyond 16 MiB.

        They take no part in the order of writers, for they are large: write them first in a transaction.
        """
        ...

    def models(self, detector: str) -> list[StoredModel]:
        """Those of a detector, by chunk; all bodies at once, which of thousands of series may be much."""
        ...

    def model(self, detector: str, chunk: int) -> StoredModel | None:
        """One of them."""
        ...

    def chunks(self, detector: str) -> list[int]:
        """Numbers of its chunks, sorted."""
        ...

    def drop_models(self, detector: str, *, chunks_from: int = 0) -> int:
        """Forget those of a detector whose chunk is not below; how many there were."""
        ...

    def modelled_detectors(self) -> list[str]:
        """Names of detectors that have models, sorted."""
        ...

    def put_episodes(self, episodes: Sequence[Episode]) -> None:
        """Keep each, in place of what stands under the same id; of one id twice the last."""
        ...

    def open_episodes(self, detector: str | None = None, *, limit: int = 50_000) -> list[Episode]:
        """Those that have not ended, the oldest first."""
        ...

    def episodes(
        self,
        start: datetime,
        end: datetime,
        *,
        detector: str | None = None,
        series: str | None = None,
        limit: int = 1000,
    ) -> list[Episode]:
        """Those that touch start … end, the newest first."""
        ...

    def episode(self, identity: str) -> Episode | None:
        """One of them."""
        ...

    def episodes_of(self, identities: Sequence[str]) -> list[Episode]:
        """Those of these ids that are there, in any order."""
        ...

    def add_feedback(self, feedback: Feedback) -> bool:
        """Keep it; False where its id is known. Raises `ValueError` for a time that does not end after its start."""
        ...

    def feedback(
        self, detector: str | None = None, *, since: datetime | None = None, limit: int = 10_000
    ) -> list[Feedback]:
        """What was said, the newest first; `since`: of times that end later."""
        ...

    def withdraw_feedback(self, identity: str) -> bool:
        """Take it back; False where there is none."""
        ...

    def forget(self, before: datetime) -> int:
        """Drop episodes that ended, and feedback whose time ended, before; how many."""
        ...
