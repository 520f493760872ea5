"""Who is scored: the series of a buffer, by row, and the groups that they are in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from alerts.anomaly.exposition.labels import written
from alerts.anomaly.groups.model import Groups, group
from alerts.anomaly.model import Grouping
from alerts.anomaly.scoring.bank import Rows, Table
from controlplane import anomaly_names as names

NOBODY: Final[Mapping[str, str]] = {}


def series_text(labels: Mapping[str, str]) -> str:
    """A series' labels as `controlplane.model.anomaly.Episode.series` has them: `{region="eu",service="checkout"}`."""
    return f"{{{written(labels)}}}"


@dataclass(frozen=True, slots=True)
class Lineup:
    """`occupied` are the rows of the buffer that belong to a series; arrays of all have those first, then groups.

    `keys` and `labels` are those of all. A group's labels have `group="1"`, so that it is never taken for a series.
    """

    source: tuple[Mapping[str, str] | None, ...]
    members: Table
    member_labels: tuple[Mapping[str, str], ...]  # by row; of a free one none
    occupied: Rows
    groups: Groups | None
    group_table: Table
    group_labels: tuple[Mapping[str, str], ...]
    keys: tuple[str, ...]
    labels: tuple[Mapping[str, str], ...]

    @property
    def own(self) -> int:
        """How many are series: the first ones of all."""
        return len(self.occupied)


def lineup_of(
    source: Sequence[Mapping[str, str] | None], grouping: Grouping | None, known: Lineup | None = None
) -> Lineup:
    """Of a buffer's rows; `known` where they are the same as then."""
    rows = tuple(source)
    if known is not None and known.source == rows:
        return known
    members = tuple("" if labels is None else series_text(labels) for labels in rows)
    occupied = np.array([row for row, labels in enumerate(rows) if labels is not None], dtype=np.int64)
    member_labels = tuple(NOBODY if labels is None else labels for labels in rows)
    groups = None if grouping is None else group([member_labels[row] for row in occupied], grouping.by)
    group_labels = () if groups is None else tuple({**labels, names.GROUP: "1"} for labels in groups.labels)
    group_keys = tuple(series_text(labels) for labels in group_labels)
    return Lineup(
        source=rows,
        members=Table(members),
        member_labels=member_labels,
        occupied=occupied,
        groups=groups,
        group_table=Table(group_keys),
        group_labels=group_labels,
        keys=(*(members[row] for row in occupied), *group_keys),
        labels=(*(member_labels[row] for row in occupied), *group_labels),
    )
