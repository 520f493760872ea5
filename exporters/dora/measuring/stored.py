"""Metrics straight from the store, for reports and for /metrics."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from controlplane.collection import collection_paused
from controlplane.model.delivery import SheetKey
from exporters.dora.measuring.loading import Columns, load
from exporters.dora.measuring.measurer import Coverage
from exporters.dora.measuring.windows import Level, measured
from exporters.dora.model import DoraMetrics
from exporters.dora.policy.model import DeliveryPolicy

if TYPE_CHECKING:
    from controlplane.delivery_ports import DeliveryLog

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_INSTANT: Final = timedelta(microseconds=1)


def _forget(_: Iterable[SheetKey]) -> None:
    """Nobody measures them again."""


class StoredMetrics:
    """Reads sheets and measures. `on_unreadable` is told of days that must be measured again (`MeasureDaemon.suspect`).

    What was not measured yet is in no number: `DeliveryLog.count_stale` says how many days that are.
    """

    def __init__(self, on_unreadable: Callable[[Iterable[SheetKey]], None] = _forget) -> None:
        self._on_unreadable = on_unreadable

    def __call__(
        self,
        deliveries: "DeliveryLog",
        start: datetime,
        end: datetime,
        policy: DeliveryPolicy,
        levels: Sequence[Level] = (Level.SERVICE,),
        *,
        environment: str = "",
        service: str = "",
    ) -> list[DoraMetrics]:
        """Of every scope of these levels with anything in [start, end), in order. Raises Transient."""
        first, last = start.astimezone(UTC).date(), (end - _INSTANT).astimezone(UTC).date()
        with collection_paused():
            sheets = deliveries.sheets(first, last, service=service, environment=environment)
            columns = load(sheets, start, end, policy)
            del sheets
            if columns.unreadable:
                self._on_unreadable(columns.unreadable)
            return measured(columns, policy, levels, _coverage(deliveries, columns))


def _coverage(deliveries: "DeliveryLog", columns: Columns) -> Coverage:
    """The first deployment ever of each service that occurs."""
    coverage: dict[tuple[str, str], datetime] = {}
    for place in columns.places:
        for one in deliveries.first_deployments_after(place.service, place.environment, _EPOCH, 1):
            coverage[place.service, place.environment] = one.at
    return coverage
