"""Which language models occur, so that those that nobody listed get the catalogue's price, too."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from controlplane.ports import MetricsBackend
from finops.pricing.model import PriceMap

_LONGEST_NAME: Final = 200  # longer is no model but an accident


def models_seen(
    price_maps: Sequence[PriceMap], backend: MetricsBackend, now: datetime
) -> Mapping[str, tuple[str, ...]]:
    """Models of the last day by price item, sorted; items without a catalogue are left out.

    `token_catalogue.with_models` takes the answer. Errors as in `MetricsBackend`.
    """
    found: dict[str, tuple[str, ...]] = {}
    for price_map in price_maps:
        for item in price_map.items:
            if item.catalogue is not None and item.usage is not None:
                label = item.catalogue.model_label
                samples = backend.query(f"group by ({label}) (last_over_time({item.usage.text}[1d]))", now)
                names = {sample.labels.get(label, "") for sample in samples}
                found[item.name] = tuple(sorted(name for name in names if 0 < len(name) <= _LONGEST_NAME))
    return found
