"""Upper bounds of histogram buckets, in seconds. As data: each contains the bounds by which reports cluster teams.

Bounds of a counter are for ever: one that is added later starts at zero, so it would say that nothing came before.
"""

from collections.abc import Mapping
from typing import Final

from controlplane import delivery_names as names

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_LONG: Final = (
    _HOUR,  # 1 h, 1 d, 1 week, 1 and 6 months: DORA's bounds of lead times since 2014
    4 * _HOUR,
    12 * _HOUR,
    _DAY,
    2 * _DAY,
    4 * _DAY,
    7 * _DAY,
    14 * _DAY,
    30 * _DAY,
    90 * _DAY,
    182 * _DAY,
)
_SHORT: Final = (
    5 * _MINUTE,
    15 * _MINUTE,
    30 * _MINUTE,
    _HOUR,  # 1 h, 1 d, 1 week, 1 month: DORA's bounds of recovery times
    2 * _HOUR,
    4 * _HOUR,
    12 * _HOUR,
    _DAY,
    2 * _DAY,
    7 * _DAY,
    30 * _DAY,
)
BUCKETS: Final[Mapping[str, tuple[int, ...]]] = {
    names.LEAD_TIME: _LONG,
    names.STAGE_TIME: (5 * _MINUTE, 15 * _MINUTE, *_LONG),
    names.RECOVERY_TIME: _SHORT,
    names.RESTORE_TIME: _SHORT,
}
INFINITE: Final = "+Inf"


def bucket(metric: str, seconds: float) -> str:
    """The label `le` of the bucket into which a duration falls: the first bound that it does not exceed."""
    return next((str(bound) for bound in BUCKETS[metric] if seconds <= bound), INFINITE)
