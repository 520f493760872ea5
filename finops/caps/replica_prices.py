"""What a replica costs for an hour, as far as files tell it, and what must be asked of Prometheus."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Final

from finops.caps.model import AutoscalingCap, FixedPrice, PriceOfItem, QueriedPrice
from finops.pricing.model import PriceMap
from finops.pricing.schedule import price_at

_DIGITS: Final = 50


def known_prices(
    caps: Iterable[AutoscalingCap], price_maps: Iterable[PriceMap], now: datetime
) -> Mapping[str, Decimal]:
    """Money for an hour of a replica, by the cap's name; caps whose price must be asked, or is not there, are absent.

    A price that is not in the schedule at `now` is not known.
    """
    items = {(one.name, item.name): item for one in price_maps for item in one.items}
    found: dict[str, Decimal] = {}
    for cap in caps:
        match cap.price:
            case FixedPrice(amount):
                found[cap.name] = amount
            case PriceOfItem(price_map, name, units):
                item = items.get((price_map, name))
                price = price_at(item.schedule, now) if item else None
                if price is not None:
                    with localcontext() as context:
                        context.prec = _DIGITS
                        found[cap.name] = units * price.amount / price.per
    return found


def price_queries(caps: Iterable[AutoscalingCap]) -> Mapping[str, str]:
    """PromQL for the prices that files do not tell, by the cap's name."""
    return {cap.name: cap.price.query for cap in caps if isinstance(cap.price, QueriedPrice)}
