"""Detectors that are declared no more: what is open ends, models go."""

from collections.abc import Collection
from datetime import datetime, timedelta

from alerts.anomaly.episodes.model import Reason
from alerts.anomaly.episodes.telling import About, ended_episode, ended_event
from controlplane.ports import HeldLease, Store

_UNKNOWN_STEP = timedelta(minutes=1)  # the event says when it ended, no step is asked for


def remove_undeclared(store: Store, declared: Collection[str], now: datetime, lease: HeldLease | None) -> int:
    """End open episodes of detectors that are not declared, and drop their models; how many episodes ended.

    Raises Transient and LeaseLost. Writes nothing where there is nothing to remove.
    """
    with store.transaction(read_only=True) as transaction:
        log = transaction.anomalies
        names = set(log.modelled_detectors()) | {episode.detector for episode in log.open_episodes()}
    gone = sorted(names - set(declared))
    if not gone:
        return 0
    count = 0
    with store.transaction(lease=lease) as transaction:
        log = transaction.anomalies
        for name in gone:
            log.drop_models(name)
            about = About(name, name, "", _UNKNOWN_STEP)
            ended = [ended_episode(each, now, Reason.GONE) for each in log.open_episodes(name)]
            log.put_episodes(ended)
            transaction.events.append_all([ended_event(each, about, now, Reason.GONE) for each in ended], now)
            count += len(ended)
    return count
