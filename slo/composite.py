"""Composites: several indicators as one pair, so that the budget burns at the weighted mean of the parts' burn rates.

Events of different parts cannot be added: a million requests would drown a thousand jobs. So each part is measured in
*usual* five minutes: its events over those that 5 minutes of the window have on average. A part's bad events count
the more, the smaller its own budget. Over the window the composite's burn rate is then the weighted mean of theirs. A
part without data at a moment adds nothing to either side then.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import duration, number
from controlplane.model.slo import SLO, CompositeIndicator, CompositePart
from slo.event_query import aggregated
from slo.newborn import counts_births
from slo.pairs import EventPair, Place, computed

_MINUTES: Final = 5
_LOOKBACK: Final = "15m"  # written every 5 minutes, read every minute: over two missed evaluations
_STEP: Final = "5m"


def recorded_composite(slo: SLO, composite: CompositeIndicator) -> EventPair:
    """The pair, from the recorded pairs of its parts and from what is usual for each."""

    def events(part: CompositePart, event: str) -> str:
        place = f'{names.SLO}="{slo.name}",{names.PART}="{part.name}"'
        pair = (f'{names.PART_EVENTS}{{{place},{names.EVENT}="{each}"}}' for each in (names.EVENT_ALL, names.EVENT_BAD))
        every, bad = pair
        wanted, other = (every, bad) if event == names.EVENT_ALL else (bad, every)
        usual = f"last_over_time({names.PART_USUAL}{{{place}}}[{_LOOKBACK}]) > 0"
        first = f"sum without ({names.EVENT}) ({every} > 0)"  # while nothing is usual yet
        known = f"({wanted} and ignoring ({names.EVENT}) {other})"
        return f"{known} / ignoring ({names.EVENT}) ({usual} or {first})"

    return _pair(slo, composite, events)


def computed_composite(slo: SLO, composite: CompositeIndicator, at: str) -> EventPair:
    """The same without anything recorded; what is usual is the mean of the window that ends `at` (`@ end()`)."""

    def events(part: CompositePart, event: str) -> str:
        pair = computed(part.indicator, slo.groups, since_birth=counts_births(slo))
        usual = f"avg_over_time(({pair.all})[{duration(slo.window.length)}:{_STEP}] {at}) > 0"
        wanted, other = (pair.all, pair.bad) if event == names.EVENT_ALL else (pair.bad, pair.all)
        scaled = f"(({wanted}) and ({other})) / ({usual})"
        return f'label_replace({scaled}, "{names.PART}", "{part.name}", "", "")'

    return _pair(slo, composite, events)


def usual_events(slo: SLO) -> str:
    """What 5 minutes of the window have on average, of each part."""
    ledger = f'{names.PART_LEDGER}{{{names.SLO}="{slo.name}",{names.EVENT}="{names.EVENT_ALL}"}}'
    return f"sum without ({names.EVENT}) (avg_over_time({ledger}[{duration(slo.window.length)}]))"


def part_places(slo: SLO, composite: CompositeIndicator) -> Sequence[tuple[CompositePart, Place]]:
    """The parts and where each is recorded."""
    return [(part, Place(slo.name, part.name)) for part in composite.parts]


def _pair(slo: SLO, composite: CompositeIndicator, events: Callable[[CompositePart, str], str]) -> EventPair:
    whole = sum((part.weight for part in composite.parts), Decimal(0))

    def together(event: str) -> str:
        terms = []
        for part in composite.parts:
            factor = _MINUTES * part.weight / whole
            if event == names.EVENT_BAD:
                factor *= slo.budget_ratio / (1 - part.objective)
            terms.append(f"{number(factor)} * {events(part, event)}")
        return f"{aggregated('sum', slo.groups)} (\n  " + "\n  or\n  ".join(terms) + "\n)"

    return EventPair(together(names.EVENT_ALL), together(names.EVENT_BAD))
