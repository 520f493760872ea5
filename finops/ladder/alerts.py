"""When people are told about a ladder, from the gauges that every replica exports: the highest of each counts.

One thing is told once: a step that cannot go on because the flag store is down is told as that, and a signal that was
just late not at all.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import number, seconds
from controlplane.model.rule import AlertingRule, Labels
from finops.ladder import alert_texts as texts
from finops.ladder.model import Ladder
from finops.pricing.selectors import quoted

SOON: Final = timedelta(hours=1)
"""A tier expires soon in the last tenth of its time or the last hour, but never before half of it."""
_TOLD_FOR: Final = timedelta(minutes=30)  # a step that was undone
_REMEMBERED: Final = "1h"  # the tier in force outlives the process that exports it
_LATE: Final = timedelta(minutes=5)
_FEW: Final = 5
_PAYS_NOT: Final = timedelta(minutes=30)
_JOURNEYS: Final = timedelta(minutes=15)  # what walking journeys and undoing may take
_STORE_PATIENCE: Final = timedelta(minutes=1)


def alerts(ladder: Ladder) -> Iterator[AlertingRule]:
    """All of them."""
    yield from _reduced(ladder)
    yield from _signals(ladder)
    yield from _waiting(ladder)
    yield from _steps(ladder)
    yield from _standing(ladder)


def in_force(ladder: Ladder) -> str:
    """PromQL: its tier; for an hour after nobody says it any more, what was said last."""
    tier = _of(ladder, names.LADDER_TIER)
    by = f"max by ({names.LADDER})"
    return f"({by} ({tier}) or {by} (last_over_time({tier}[{_REMEMBERED}])))"


def _reduced(ladder: Ladder) -> Iterator[AlertingRule]:
    for tier in ladder.tiers:
        yield AlertingRule(
            names.ALERT_REDUCED,
            f"{in_force(ladder)} == {tier.number}",
            (*_labels(ladder, names.SEVERITY_INFO), (names.TIER, str(tier.number))),
            texts.reduced(ladder, tier),
        )
    yield AlertingRule(
        names.ALERT_REDUCED,
        f'count_values by ({names.LADDER}) ("{names.TIER}", {in_force(ladder)} > {ladder.top})',
        _labels(ladder, names.SEVERITY_INFO),
        texts.reduced_beyond(ladder),
    )


def _signals(ladder: Ladder) -> Iterator[AlertingRule]:
    good = f"min by ({names.LADDER}, {names.SIGNAL}) ({_of(ladder, names.LADDER_SIGNAL_GOOD)})"
    yield _ticket(ladder, names.ALERT_LADDER_NO_DATA, f"{good} == 0", texts.no_data(ladder), _LATE)
    judged = f"max by ({names.LADDER}) ({_of(ladder, names.LADDER_SAMPLED_AT)})"
    late = number(seconds(max(_FEW * ladder.every, _LATE)))
    never = f"absent({_of(ladder, names.LADDER_SAMPLED_AT)})"
    expr = f"time() - {judged} > {late}\nor\n{never}"
    yield _ticket(ladder, names.ALERT_LADDER_SILENT, expr, texts.silent(ladder), _LATE)


def _waiting(ladder: Ladder) -> Iterator[AlertingRule]:
    asked = f"max by ({names.LADDER}, {names.TIER}) ({_of(ladder, names.LADDER_ASKS)})"
    yield _ticket(ladder, names.ALERT_LADDER_ASKS, f"{asked} == 1", texts.asks(ladder))
    theirs = f"max by ({names.LADDER}) ({_of(ladder, names.LADDER_THEIRS)})"
    yield _ticket(ladder, names.ALERT_LADDER_YIELDED, f"{theirs} > 0", texts.yielded(ladder))


def _steps(ladder: Ladder) -> Iterator[AlertingRule]:
    failed = f"max by ({names.LADDER}) ({_of(ladder, names.LADDER_FAILED_AT)})"
    since = f"time() - {failed} < {number(seconds(_TOLD_FOR))}"
    yield _page(ladder, names.ALERT_LADDER_STEP_FAILED, since, texts.failed(ladder))
    down = f"time() - min by ({names.LADDER}) ({_of(ladder, names.LADDER_STORE_DOWN_SINCE)})"
    begun = f"time() - min by ({names.LADDER}) ({_of(ladder, names.LADDER_OPEN_STEP)})"
    verified = ladder.verification.visible_within + ladder.verification.settle + _JOURNEYS
    stuck = f"{begun} > {number(seconds(verified))}\nunless on ({names.LADDER})\n{down}"
    yield _page(ladder, names.ALERT_LADDER_STUCK, stuck, texts.stuck(ladder))
    expr = f"{down} >= {number(seconds(_STORE_PATIENCE))}"
    yield _page(ladder, names.ALERT_FLAG_STORE_DOWN, expr, texts.store_down(ladder))


def _standing(ladder: Ladder) -> Iterator[AlertingRule]:
    if soon := list(_soon(ladder)):
        yield _ticket(ladder, names.ALERT_TIER_EXPIRES, "\nor\n".join(soon), texts.expires(ladder))
    whose = f"{names.LADDER}, {names.TIER}, {names.CURRENCY}"
    idle = f"max by ({whose}) ({_of(ladder, names.LADDER_SAVES_NOTHING)}) == 1"
    yield _ticket(ladder, names.ALERT_TIER_SAVES_NOTHING, idle, texts.saves_nothing(ladder), _PAYS_NOT)
    shadow = f'{names.LADDER_INFO}{{{_matcher(ladder)},{names.MODE}="shadow"}}'
    standing = f"max by ({names.LADDER}) ({_of(ladder, names.LADDER_TIER)}) > 0"
    stranded = f"{standing}\nand on ({names.LADDER})\n{shadow}"
    yield _ticket(ladder, names.ALERT_LADDER_STRANDED, stranded, texts.stranded(ladder), _LATE)


def _soon(ladder: Ladder) -> Iterator[str]:
    """What is left of each tier that expires soon; negative once it has."""
    for tier in ladder.tiers:
        if tier.expires_after is not None:
            soon = min(max(tier.expires_after / 10, SOON), tier.expires_after / 2)
            own = f'{names.LADDER_EXPIRES_AT}{{{_matcher(ladder)},{names.TIER}="{tier.number}"}}'
            yield f"min by ({names.LADDER}, {names.TIER}) ({own}) - time() <= {number(seconds(soon))}"


def _page(ladder: Ladder, alert: str, expr: str, annotations: Labels) -> AlertingRule:
    return AlertingRule(alert, expr, _labels(ladder, names.SEVERITY_PAGE), annotations)


def _ticket(ladder: Ladder, alert: str, expr: str, annotations: Labels, hold: timedelta = timedelta(0)) -> AlertingRule:
    return AlertingRule(alert, expr, _labels(ladder, names.SEVERITY_TICKET), annotations, hold)


def _labels(ladder: Ladder, severity: str) -> Labels:
    """Its own and its owner's; those that an alert brings with its series win over the owner's."""
    ours = {names.LADDER: ladder.name, names.SEVERITY: severity}
    taken = {*ours, names.TIER, names.SIGNAL, names.CURRENCY}
    theirs = {key: texts.literal(value) for key, value in ladder.labels if key not in taken}
    return tuple((ours | theirs).items())


def _matcher(ladder: Ladder) -> str:
    return f"{names.LADDER}={quoted(ladder.name)}"


def _of(ladder: Ladder, name: str) -> str:
    return f"{name}{{{_matcher(ladder)}}}"
