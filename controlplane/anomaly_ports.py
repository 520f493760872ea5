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
        """Keep each, in place of what stands under the same detector and chunk."""
        ...

    def models(self, detector: str) -> list[StoredModel]:
        """Those of a detector, by chunk."""
        ...

    def drop_models(self, detector: str, *, chunks_from: int = 0) -> int:
        """Forget those of a detector whose chunk is not below; how many there were."""
        ...

    def modelled_detectors(self) -> list[str]:
        """Names of detectors that have models, sorted."""
        ...

    def put_episodes(self, episodes: Sequence[Episode]) -> None:
        """Keep each, in place of what stands under the same id."""
        ...

    def open_episodes(self, detector: str | None = None) -> list[Episode]:
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

    def add_feedback(self, feedback: Feedback) -> bool:
        """Keep it; False where its id is known."""
        ...

    def feedback(self, detector: str | None = None, *, since: datetime | None = None) -> list[Feedback]:
        """What was said, the newest first; `since`: of times that end later."""
        ...

    def withdraw_feedback(self, identity: str) -> bool:
        """Take it back; False where there is none."""
        ...

    def forget(self, before: datetime) -> int:
        """Drop episodes that ended, and feedback whose time ended, before; how many."""
        ...
