"""What the gauges show, out of what was measured."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from exporters.dora.measuring.windows import Level, for_scopes
from exporters.dora.model import DoraMetrics
from exporters.dora.policy.model import DeliveryPolicy

if TYPE_CHECKING:
    from controlplane.delivery_ports import DeliveryLog


def measure_services(
    deliveries: "DeliveryLog", now: datetime, windows: Mapping[str, timedelta], policy: DeliveryPolicy
) -> Mapping[str, Sequence[DoraMetrics]]:
    """Of every service and environment with anything in the last time, for each window. Sheets are read once."""
    longest = max(windows.values())
    sheets = deliveries.sheets((now - longest).astimezone(UTC).date(), now.astimezone(UTC).date())
    return {
        name: for_scopes(sheets, now - length, now, policy, [Level.SERVICE]) for name, length in windows.items()
    }  # fmt: skip
