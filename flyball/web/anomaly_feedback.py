"""What people say of an anomaly on its page: as from the command line, of the detector whose page it is."""

from datetime import datetime

from controlplane.model.anomaly import Episode, Feedback, Verdict
from controlplane.ports import Store
from flyball.anomaly_saying import say_of_episode, take_back


def say(
    store: Store,
    identity: str,
    verdict: Verdict,
    *,
    detector: str,
    actor: str,
    now: datetime,
    note: str = "",
    is_learnt: bool | None = None,
) -> tuple[Episode, Feedback] | None:
    """Say it of an episode's whole time; None where there is none of that id, or it is another detector's.

    Raises `Transient`, `Permanent`. The same said twice is kept once. It takes effect when models are next fitted; an
    open episode that was expected ends with the detector's next cycle.
    """
    with store.transaction(read_only=True) as transaction:
        episode = transaction.anomalies.episode(identity)
    if episode is None or episode.detector != detector:
        return None
    kept = say_of_episode(store, identity, verdict, actor=actor, now=now, note=note, is_learnt=is_learnt)
    return None if kept is None else (episode, kept.feedback)


def withdraw(store: Store, identity: str, *, detector: str, actor: str, now: datetime) -> bool:
    """Take it back; False where nothing of that id was said of the detector. Raises `Transient`, `Permanent`."""
    with store.transaction(read_only=True) as transaction:
        is_known = any(each.id == identity for each in transaction.anomalies.feedback(detector))
    return is_known and take_back(store, identity, actor=actor, now=now)
