"""The small graph that IntelGraph's pages begin with: fictional companies, people and places, and who is linked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

KINDS: Final = ("person", "company", "place", "account")


@dataclass(frozen=True, slots=True)
class Entity:
    """A node of the graph."""

    id: str
    name: str
    kind: str


HUB: Final = "e1"  # what users write is linked to it
_LINKS: Final = (
    ("e1", "e2"), ("e1", "e3"), ("e1", "e4"), ("e2", "e5"), ("e2", "e6"), ("e3", "e7"), ("e4", "e8"), ("e5", "e9"),
    ("e7", "e10"), ("e8", "e11"), ("e9", "e12"),
)  # fmt: skip


def _both_ways() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for one, other in _LINKS:
        found[one] = (*found.get(one, ()), other)
        found[other] = (*found.get(other, ()), one)
    return found


SEED: Final[Mapping[str, Entity]] = {
    it.id: it
    for it in (
        Entity("e1", "Northwind Shipping", "company"),
        Entity("e2", "Ada Marsh", "person"),
        Entity("e3", "Rotterdam", "place"),
        Entity("e4", "Harbour Trust", "company"),
        Entity("e5", "Account 4711", "account"),
        Entity("e6", "Bo Lindqvist", "person"),
        Entity("e7", "Meridian Freight", "company"),
        Entity("e8", "Chidi Okafor", "person"),
        Entity("e9", "Account 0815", "account"),
        Entity("e10", "Singapore", "place"),
        Entity("e11", "Account 1312", "account"),
        Entity("e12", "Dana Petrov", "person"),
    )
}
EDGES: Final = _both_ways()
