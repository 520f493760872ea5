"""Which tenants have counters of their own on /metrics: the largest, without swapping at every turn. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from controlplane.model.usage import UsageCounter

SHOWN: Final = 50
_LARGER: Final = 2  # how many times as many events a tenant must have had to take another one's place


def to_show(counters: Sequence[UsageCounter], now_shown: Mapping[str, bool], most: int = SHOWN) -> list[str]:
    """At most `most` tenants by their events of all meters, sorted by name.

    Whoever is shown stays, unless another one has become twice as large: every change ends one series and begins
    another.
    """
    events: Counter[str] = Counter(dict.fromkeys(now_shown, 0))
    for counter in counters:
        if counter.tenant:
            events[counter.tenant] += counter.events
    weights = {tenant: count * (_LARGER if now_shown.get(tenant) else 1) for tenant, count in events.items()}
    return sorted(sorted(weights, key=lambda tenant: (-weights[tenant], tenant))[:most])
