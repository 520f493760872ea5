"""What people say of an anomaly: kept, told to the other features, and audited, in one transaction."""

from datetime import datetime, timedelta
from typing import Final

from alerts.anomaly.feedback.saying import event_of, feedback_on
from controlplane import conventions as names
from controlplane.model.anomaly import Episode, Feedback, Verdict
from controlplane.ports import Store, Transaction

SAID: Final = "anomaly.feedback"  # in the audit log
WITHDRAWN: Final = "anomaly.feedback.withdraw"
_MOMENT: Final = timedelta(seconds=1)


def say(
    store: Store,
    identity: str,
    verdict: Verdict,
    *,
    detector: str = "",
    actor: str,
    now: datetime,
    note: str = "",
    is_learnt: bool | None = None,
) -> tuple[Episode, Feedback] | None:
    """Say it of an episode's whole time; None where there is none of that id, or it is another detector's.

    Raises `Transient`, `Permanent`. The same said twice is kept once. It takes effect when models are next fitted; an
    open episode that was expected ends with the detector's next cycle.
    """
    with store.transaction() as transaction:
        episode = transaction.anomalies.episode(identity)
        if episode is None or detector not in ("", episode.detector):
            return None
        said = feedback_on(
            episode, verdict, actor=actor, said_at=_later_than(episode, now), is_learnt=is_learnt, note=note
        )
        if transaction.anomalies.add_feedback(said):
            _tell(transaction, episode, said, now)
        return episode, said


def withdraw(store: Store, identity: str, *, detector: str, actor: str, now: datetime) -> bool:
    """Take it back; False where nothing of that id was said of the detector. Raises `Transient`, `Permanent`."""
    with store.transaction() as transaction:
        log = transaction.anomalies
        known = any(each.id == identity for each in log.feedback(detector))
        found = known and log.withdraw_feedback(identity)
        if found:
            transaction.audit.append(
                at=now, actor=actor, action=WITHDRAWN, subject=detector, detail={"feedback": identity}
            )
        return found


def _tell(transaction: Transaction, episode: Episode, said: Feedback, now: datetime) -> None:
    service = episode.labels.get(names.SERVICE, "")
    transaction.events.append_all([event_of(said, service=service)], now)
    transaction.audit.append(
        at=now,
        actor=said.actor,
        action=SAID,
        subject=said.detector,
        detail={
            "episode": episode.id,
            "series": said.series,
            "verdict": said.verdict.value,
            "is_learnt": said.is_learnt,
            "start": said.start.isoformat(),
            "end": said.end.isoformat(),
            "note": said.note,
            "feedback": said.id,
        },
    )


def _later_than(episode: Episode, now: datetime) -> datetime:
    """Clocks differ: what is said of an open episode is said after it began."""
    return max(now, episode.started_at + _MOMENT) if episode.ended_at is None else now
