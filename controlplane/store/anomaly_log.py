"""Models of series, anomalies, and what people said of them."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, Select, delete, or_, select

from controlplane.model.anomaly import Episode, Feedback, StoredModel, Verdict
from controlplane.ports import Permanent
from controlplane.store import anomaly_tables as tables
from controlplane.store.batches import batches, insert_new
from controlplane.store.plain_rows import Row, number, plain
from controlplane.store.usage_sums import upsert
from controlplane.store.write_order import WriteOrder

MOST_MODEL_BYTES: Final = 16 * 1024 * 1024  # of a chunk
_MOST_CHUNKS: Final = 1000  # of a detector: 10,000 series are 40
_FIGURES: Final = ("value", "expected", "lower", "upper", "score")


class SqlAnomalyLog:
    """Implements `controlplane.anomaly_ports.AnomalyLog`.

    Models take no part in the order of writers: only who holds a detector's lease writes its models, they may be
    large, and no alert should wait for them. Write them before anything else of the transaction.
    """

    def __init__(self, connection: Connection, order: WriteOrder) -> None:
        self._connection = connection
        self._order = order

    # --- models -------------------------------------------------------------------------------------------------------
    def put_models(self, models: Sequence[StoredModel]) -> None:
        """Keep each, in place of what stands under the same detector and chunk. `Permanent` for one beyond 16 MiB."""
        for model in models:
            if len(model.body) > MOST_MODEL_BYTES:
                size = f"{len(model.body) / 1024**2:.1f} MiB"
                raise Permanent(f"models of {model.detector}, chunk {model.chunk}: {size}, at most 16 MiB are kept")
        for model in sorted(models, key=lambda each: (each.detector, each.chunk)):  # one by one: they are large
            upsert(self._connection, tables.models, [plain(model)])

    def models(self, detector: str) -> list[StoredModel]:
        """Those of a detector, by chunk; all bodies at once."""
        columns = tables.models.c
        query = select(tables.models).where(columns.detector == detector).order_by(columns.chunk).limit(_MOST_CHUNKS)
        return [_model_of(row) for row in self._connection.execute(query).mappings()]

    def model(self, detector: str, chunk: int) -> StoredModel | None:
        """One of them."""
        columns = tables.models.c
        query = select(tables.models).where(columns.detector == detector, columns.chunk == chunk)
        row = self._connection.execute(query).mappings().one_or_none()
        return None if row is None else _model_of(row)

    def chunks(self, detector: str) -> list[int]:
        """Numbers of its chunks, sorted."""
        columns = tables.models.c
        query = select(columns.chunk).where(columns.detector == detector).order_by(columns.chunk).limit(_MOST_CHUNKS)
        return list(self._connection.scalars(query))

    def drop_models(self, detector: str, *, chunks_from: int = 0) -> int:
        """Forget those of a detector whose chunk is not below; how many there were."""
        columns = tables.models.c
        gone = delete(tables.models).where(columns.detector == detector, columns.chunk >= chunks_from)
        return self._connection.execute(gone).rowcount

    def modelled_detectors(self) -> list[str]:
        """Names of detectors that have models, sorted."""
        return sorted(self._connection.scalars(select(tables.models.c.detector).distinct()))

    # --- episodes -----------------------------------------------------------------------------------------------------
    def put_episodes(self, episodes: Sequence[Episode]) -> None:
        """Keep each, in place of what stands under the same id; of one id twice the last."""
        if not episodes:  # as in most cycles, which then wait for nobody
            return
        self._order.take()
        latest = {each.id: each for each in episodes}
        upsert(self._connection, tables.episodes, [_episode_row(latest[key]) for key in sorted(latest)])

    def open_episodes(self, detector: str | None = None, *, limit: int = 50_000) -> list[Episode]:
        """Those that have not ended, the oldest first."""
        columns = tables.episodes.c
        query = select(tables.episodes).where(tables.IS_OPEN)
        query = query if detector is None else query.where(columns.detector == detector)
        return self._episodes(query.order_by(columns.started_at, columns.id).limit(limit))

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
        columns = tables.episodes.c
        goes_on = or_(columns.ended_at.is_(None), columns.ended_at > start, columns.started_at >= start)
        query = select(tables.episodes).where(columns.started_at < end, goes_on)
        query = query if detector is None else query.where(columns.detector == detector)
        query = query if series is None else query.where(columns.series == series)
        return self._episodes(query.order_by(columns.started_at.desc(), columns.id.desc()).limit(limit))

    def episode(self, identity: str) -> Episode | None:
        """One of them."""
        found = self.episodes_of([identity])
        return found[0] if found else None

    def episodes_of(self, identities: Sequence[str]) -> list[Episode]:
        """Those of these ids that are there, in any order."""
        column = tables.episodes.c.id
        found: list[Episode] = []
        for batch in batches(sorted(set(identities))):
            found += self._episodes(select(tables.episodes).where(column.in_(batch)))
        return found

    # --- feedback -----------------------------------------------------------------------------------------------------
    def add_feedback(self, feedback: Feedback) -> bool:
        """Keep it; False where its id is known."""
        if feedback.start >= feedback.end:
            raise ValueError("feedback is on a time that ends after it starts")
        self._order.take()
        return insert_new(self._connection, tables.feedback, [_feedback_row(feedback)]) == 1

    def feedback(
        self, detector: str | None = None, *, since: datetime | None = None, limit: int = 10_000
    ) -> list[Feedback]:
        """What was said, the newest first; `since`: of times that end later."""
        columns = tables.feedback.c
        query = select(tables.feedback)
        query = query if detector is None else query.where(columns.detector == detector)
        query = query if since is None else query.where(columns.end_at > since)
        ordered = query.order_by(columns.said_at.desc(), columns.id.desc()).limit(limit)
        return [_feedback_of(row) for row in self._connection.execute(ordered).mappings()]

    def withdraw_feedback(self, identity: str) -> bool:
        """Take it back; False where there is none."""
        self._order.take()
        gone = delete(tables.feedback).where(tables.feedback.c.id == identity)
        return self._connection.execute(gone).rowcount > 0

    def forget(self, before: datetime) -> int:
        """Drop episodes that ended, and feedback whose time ended, before; how many."""
        self._order.take()
        ended = delete(tables.episodes).where(tables.episodes.c.ended_at < before)
        past = delete(tables.feedback).where(tables.feedback.c.end_at < before)
        return sum(self._connection.execute(gone).rowcount for gone in (ended, past))

    def _episodes(self, query: Select[Any]) -> list[Episode]:
        return [_episode_of(row) for row in self._connection.execute(query).mappings()]


def _model_of(row: RowMapping) -> StoredModel:
    return StoredModel(**dict(row) | {"body": bytes(row["body"])})


def _episode_row(episode: Episode) -> Row:
    figures = {name: getattr(episode, name) for name in _FIGURES}
    written = {name: None if value is None else number(value) for name, value in figures.items()}
    return plain(episode) | {"labels": dict(episode.labels)} | written


def _episode_of(row: RowMapping) -> Episode:
    figures = {name: None if row[name] is None else Decimal(row[name]) for name in _FIGURES}
    return Episode(**dict(row) | figures)


def _feedback_row(feedback: Feedback) -> Row:
    row = plain(feedback) | {"verdict": feedback.verdict.value}
    row["start_at"], row["end_at"] = row.pop("start"), row.pop("end")
    return row


def _feedback_of(row: RowMapping) -> Feedback:
    values = dict(row) | {"verdict": Verdict(row["verdict"])}
    values["start"], values["end"] = values.pop("start_at"), values.pop("end_at")
    return Feedback(**values)
