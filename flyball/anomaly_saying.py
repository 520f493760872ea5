"""What people say of anomalies, from the command line: kept once, told to the other features, audited, at once."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from alerts.anomaly.feedback.saying import event_of, feedback_on
from controlplane import conventions as names
from controlplane.model.anomaly import Feedback, Verdict
from controlplane.ports import Store, Transaction

SAID: Final = "anomaly.feedback"  # in the audit log
WITHDRAWN: Final = "anomaly.feedback.withdraw"
_MOMENT: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Kept:
    """What stands now; `is_new` False where the same was said before."""

    feedback: Feedback
    is_new: bool


def say_of_episode(
    store: Store,
    identity: str,
    verdict: Verdict,
    *,
    actor: str,
    now: datetime,
    note: str = "",
    is_learnt: bool | None = None,
) -> Kept | None:
    """Of an episode's whole time, of an open one up to now; None where there is none of that id.

    Raises `Transient` and `Permanent`.
    """
    with store.transaction() as transaction:
        episode = transaction.anomalies.episode(identity)
        if episode is None:
            return None
        at = max(now, episode.started_at + _MOMENT)  # clocks differ: an open one is spoken of after it began
        said = feedback_on(episode, verdict, actor=actor, said_at=at, is_learnt=is_learnt, note=note)
        is_open = episode.ended_at is None
        return _kept(transaction, said, now, service=episode.labels.get(names.SERVICE, ""), is_open=is_open)


def keep(store: Store, said: Feedback, now: datetime) -> Kept:
    """What somebody says of a time. Raises `Transient` and `Permanent`."""
    with store.transaction() as transaction:
        return _kept(transaction, said, now)


def _kept(transaction: Transaction, said: Feedback, now: datetime, *, service: str = "", is_open: bool = False) -> Kept:
    for each in transaction.anomalies.feedback(said.detector):
        if each.series not in (said.series, "") or each.start >= said.end or each.end <= said.start:
            continue
        if _same(each, said, is_open=is_open):
            return Kept(each, is_new=False)
        break  # the newest word on that time says something else: this one corrects it
    if transaction.anomalies.add_feedback(said):
        transaction.events.append_all([event_of(said, service=service)], now)
        transaction.audit.append(
            at=now, actor=said.actor, action=SAID, subject=said.detector, detail=_detail(said)
        )  # fmt: skip
    return Kept(said, is_new=True)


def _same(known: Feedback, said: Feedback, *, is_open: bool) -> bool:
    """All but who said it and when; of an open episode its end moves on."""
    end = known.end if is_open else said.end
    other = replace(said, id=known.id, actor=known.actor, said_at=known.said_at, note=known.note, end=end)
    return other == known


def _detail(said: Feedback) -> dict[str, str | bool]:
    return {
        "series": said.series,
        "verdict": said.verdict.value,
        "is_learnt": said.is_learnt,
        "start": said.start.isoformat(),
        "end": said.end.isoformat(),
        "note": said.note,
        "feedback": said.id,
    }


def take_back(store: Store, identity: str, *, actor: str, now: datetime) -> bool:
    """Withdraw it; False where nothing of that id was said. Raises `Transient` and `Permanent`."""
    with store.transaction() as transaction:
        found = next((each for each in transaction.anomalies.feedback() if each.id == identity), None)
        if found is None or not transaction.anomalies.withdraw_feedback(identity):
            return False
        transaction.audit.append(
            at=now, actor=actor, action=WITHDRAWN, subject=found.detector, detail={"feedback": identity}
        )
        return True
