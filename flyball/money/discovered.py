"""Language models that nobody listed: found in Prometheus, and priced as those that are."""

import threading
from collections.abc import Hashable, Mapping, Sequence
from datetime import datetime

from controlplane.ports import MetricsBackend
from finops.pricing.discovering import models_seen
from finops.pricing.model import PriceMap
from finops.pricing.token_catalogue import with_models


class DiscoveredModels:
    """What was seen last, by price item. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: Mapping[str, tuple[str, ...]] = {}

    def look(self, price_maps: Sequence[PriceMap], backend: MetricsBackend, now: datetime) -> int:
        """Ask again; how many models occur. What was seen stays known. Raises what the backend raises."""
        found = models_seen(price_maps, backend, now)
        with self._lock:
            known = self._seen
            self._seen = {item: tuple(sorted({*known.get(item, ()), *models})) for item, models in found.items()}
            return sum(map(len, self._seen.values()))

    def priced(self, price_maps: Sequence[PriceMap]) -> tuple[PriceMap, ...]:
        """The price maps, with prices for what was seen."""
        with self._lock:
            seen = self._seen
        return with_models(price_maps, seen) if seen else tuple(price_maps)

    def fingerprint(self) -> Hashable:
        """Changes when another model occurs."""
        with self._lock:
            return tuple(sorted(self._seen.items()))
