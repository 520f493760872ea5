"""What is marked in the chart of a series: its anomalies, new levels, missing samples, deployments of its service."""

from datetime import datetime

from controlplane import wording
from controlplane.model.anomaly import Episode
from flyball.web import anomaly_words as words
from flyball.web.anomaly_charts import Happening
from flyball.web.anomaly_gathering import KeptOfSeries

_KINDS = {"gap": "gap", "level_shift": "shift"}
_LABELS = {"gap": "missing", "shift": "new level", "anomaly": "anomaly"}


def happenings(kept: KeptOfSeries, now: datetime) -> list[Happening]:
    """In order of time."""
    found = [_of_episode(each, now) for each in kept.episodes]
    found += [
        Happening("deployment", each.at, None, each.version, f"deployment of {each.version}: {wording.utc(each.at)}")
        for each in kept.deployments
    ]
    return sorted(found, key=lambda each: each.start)


def _of_episode(it: Episode, now: datetime) -> Happening:
    kind = _KINDS.get(it.kind, "anomaly")
    until = "goes on" if it.ended_at is None else f"to {wording.utc(it.ended_at)}"
    told = f"{words.kind(it)}: {wording.utc(it.started_at)} {until}, {words.lasted(it, now)}"
    end = it.started_at if kind == "shift" else it.ended_at
    return Happening(kind, it.started_at, end, _LABELS[kind], told)
