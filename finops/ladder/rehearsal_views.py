"""What a drill would meet, as text of at most 80 columns and as JSON."""

from collections.abc import Iterator

from controlplane.model.event import JSON
from controlplane.model.ladder import FlagValue
from finops.ladder.acting.rehearsing import Rehearsal
from finops.ladder.lines import table, wrapped


def rehearsal_text(told: Rehearsal) -> str:
    """What it would set, how its journeys are, and what is in the way."""
    lines = ["Nothing was written. A drill would set:"]
    rows = [(str(each.tier), each.flag, _value(each.present), _value(each.after)) for each in told.flags]
    lines += table(("TIER", "FLAG", "IS", "WOULD BE"), rows)
    if told.journeys:
        walked = [(each.check, each.outcome.value, f"{each.duration_seconds:.1f} s") for each in told.journeys]
        lines += ["", "Its journeys, walked now:", *table(("JOURNEY", "IS", "TOOK"), walked)]
    lines += ["", *_verdict(told)]
    return "\n".join(lines)


def rehearsal_data(told: Rehearsal) -> dict[str, JSON]:
    """The same as JSON."""
    return {
        "ladder": told.ladder,
        "from": told.from_tier,
        "to": told.to_tier,
        "flags": [
            {
                "tier": each.tier,
                "flag": each.flag,
                "is": each.present,
                "would_be": each.after,
                "seen_by_clients": each.seen_by_clients,
                "problem": each.problem,
            }
            for each in told.flags
        ],
        "journeys": [
            {"journey": each.check, "outcome": each.outcome.value, "reason": each.reason, "detail": each.detail}
            for each in told.journeys
        ],
        "problems": list(told.problems),
    }


def _verdict(told: Rehearsal) -> Iterator[str]:
    if not told.problems:
        yield f"Flags and journeys are ready for a drill up to tier {told.to_tier} now."
        return
    yield "In the way of a drill now:"
    for problem in told.problems:
        yield from wrapped(problem, "- ", "  ")


def _value(value: FlagValue | None) -> str:
    return "absent" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
