"""Which alerts are muted while a tier is in force that explains them.

`ServiceReducedOnPurpose` carries the tier that is in force; each tier adds to those below it, so that what tier 2
explains is explained by tiers 3, 4, … as well.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from controlplane import conventions as names
from finops.ladder.model import Ladder

_MATCHER: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(=~|=)(.*)", re.DOTALL)
_ONE_DIGIT: Final = 9


@dataclass(frozen=True, slots=True)
class Explains:
    """While an alert fires that all of `source` matches, those that `target` matches are muted: a field each of
    `slo.inhibition.Inhibition`, whose `equal` is empty."""

    source: tuple[str, ...]
    target: tuple[str, ...]


def explained(ladders: Sequence[Ladder]) -> tuple[Explains, ...]:
    """For each tier of each ladder and each alert that it explains, in order, each once."""
    found = dict.fromkeys(
        Explains(_source(ladder, tier.number), tuple(map(_matcher, each.matchers)))
        for ladder in sorted(ladders, key=lambda each: each.name)
        for tier in ladder.tiers
        for each in tier.explains
    )
    return tuple(found)


def _source(ladder: Ladder, tier: int) -> tuple[str, ...]:
    return (
        f"alertname={json.dumps(names.ALERT_REDUCED)}",
        f"{names.LADDER}={json.dumps(ladder.name)}",
        f"{names.TIER}=~{json.dumps(_at_least(tier, ladder.top))}",
    )


def _at_least(tier: int, top: int) -> str:
    """A regular expression for numbers from a tier's on; those above the top are of tiers that were taken out."""
    if tier > _ONE_DIGIT:
        return "|".join(str(number) for number in range(tier, top + 1))
    return f"{'9' if tier == _ONE_DIGIT else f'[{tier}-9]'}|[1-9][0-9]+"


def _matcher(text: str) -> str:
    """`name=value` with the value as Alertmanager quotes it."""
    found = _MATCHER.fullmatch(text)
    if found is None:
        raise ValueError(f"no matcher: {text}")
    name, operator, value = found.groups()
    return f"{name}{operator}{json.dumps(value, ensure_ascii=False)}"
