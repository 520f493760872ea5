"""Alerting tiers as users write them: made, dropped and changed."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from controlplane.burn_rate import LEDGER_INTERVAL, duration, tier_name
from controlplane.model.alerting import Tier, Urgency
from controlplane.specfile import did_you_mean
from slo.policies.spec import TierChange, TierPart

SHORTEST: Final = timedelta(minutes=5)  # what one value of the rolling pair counts
LONGEST: Final = timedelta(days=366)
_LENGTH: Final = re.compile(r"([0-9]{1,7})([mhdw])")
_UNITS: Final = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_FROM_LEDGER: Final = timedelta(days=1)  # sums of this length and more are made of entries of five minutes


class TierFault(Exception):
    """Why there can be no such tier: the key that is at fault (empty: the tier as a whole), what, and the way out."""

    def __init__(self, key: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.key, self.message, self.hint = key, message, hint


def tier_from(part: TierPart) -> Tier:
    """A tier as written; raises `TierFault`."""
    short, long = _window("short", part.short), _window("long", part.long)
    blank = Tier(Urgency(part.severity), part.budget_share, short, long, ())
    return _with(blank, part)


def changed(tiers: Sequence[Tier], name: str, change: TierChange) -> tuple[Tier, ...]:
    """The tiers with a change of the one that has this name; raises `TierFault`."""
    _known(tiers, name, ())
    return tuple(_with(tier, change) if tier_name(tier) == name else tier for tier in tiers)


def without(tiers: Sequence[Tier], name: str) -> tuple[Tier, ...]:
    """The tiers without one, or without all of an urgency; raises `TierFault`."""
    urgencies = tuple(urgency.value for urgency in Urgency)
    if name not in urgencies:
        _known(tiers, name, urgencies)
    return tuple(tier for tier in tiers if name not in (tier.urgency.value, tier_name(tier)))


def length_of(key: str, text: str, shortest: timedelta = timedelta(minutes=1)) -> timedelta:
    """A duration such as `90m`, `6h` or `3d`; raises `TierFault`."""
    match = _LENGTH.fullmatch(text)
    if match is None:
        raise TierFault(key, f"`{text}` is not a duration", "a whole number and m, h, d or w, as in 5m, 6h or 3d")
    length = min(int(match[1]) * _UNITS[match[2]], 2 * LONGEST)
    if not shortest <= length <= LONGEST:
        raise TierFault(key, f"must be between {duration(shortest)} and {duration(LONGEST)}")
    return length


def _with(tier: Tier, change: TierChange) -> Tier:
    short = _window("short", change.short) if change.short else tier.short
    long = _window("long", change.long) if change.long else tier.long
    if short >= long:
        raise TierFault("short" if change.short else "long", "the short window must be shorter than the long one")
    within = tier.spent_within
    if change.spent_within is not None:
        within = tuple(sorted({_window("spentWithin", text) for text in change.spent_within}))
    elif change.long or change.short or not within:
        within = (short, long) if short == SHORTEST else (long,)
    if not within:
        raise TierFault("spentWithin", "must not be empty")
    return replace(
        tier,
        short=short,
        long=long,
        spent_within=within,
        budget_share=tier.budget_share if change.budget_share is None else change.budget_share,
        burn_rate=tier.burn_rate if change.burn_rate is None else change.burn_rate,
        hold=tier.hold if change.hold is None else _hold(change.hold),
    )


def _window(key: str, text: str) -> timedelta:
    length = length_of(key, text, SHORTEST)
    if length >= _FROM_LEDGER and length % LEDGER_INTERVAL:
        raise TierFault(key, "a window of a day or more must be a multiple of 5 minutes")
    return length


def _hold(text: str) -> timedelta:
    return timedelta(0) if re.fullmatch(r"0[smhdw]?", text) else length_of("for", text)


def _known(tiers: Sequence[Tier], name: str, also: Sequence[str]) -> None:
    known = [*map(tier_name, tiers), *also]
    if name not in known:
        meant = did_you_mean(name, known)
        message = f"no tier is named `{name}`" + (f", did you mean `{meant}`?" if meant else "")
        raise TierFault("", message, "" if meant else f"there are {', '.join(known)}" if known else "there are none")
