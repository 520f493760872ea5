"""What alerts about ladders say: what happened, what it means, what to do next (LOOK.md, "Words")."""

from controlplane import conventions as names
from controlplane.model.rule import Labels
from controlplane.wording import duration
from finops.ladder.model import Ladder, Tier

_TIER = "{{ $labels.tier }}"


def literal(text: str) -> str:
    """A user's text inside of a template: nothing in it is an action."""
    return text.replace("{{", '{{ "{{" }}')


def reduced(ladder: Ladder, tier: Tier) -> Labels:
    """A tier is in force."""
    description = (
        f"{literal(tier.description) or 'Service is reduced.'} Alerts that this explains are inhibited meanwhile."
        " Nothing has to be done: the ladder steps back up by itself when spend allows. To end it now:"
        f' flyball ladder step {ladder.name} --to {tier.number - 1} --why "…".'
    )
    summary = f"{_who(ladder)}: service is reduced on purpose, tier {tier.number} ({literal(tier.name)})"
    return _annotations(ladder, summary, description)


def reduced_beyond(ladder: Ladder) -> Labels:
    """A tier is in force that is not declared."""
    description = (
        f"The file declares {ladder.top} tiers. The ladder does not move by itself; what it changed is recorded."
        f' Go down by hand: flyball ladder step {ladder.name} --to {ladder.top} --why "…".'
    )
    return _annotations(ladder, f"{_who(ladder)}: tier {_TIER} is in force and not declared", description)


def no_data(ladder: Ladder) -> Labels:
    """A signal or a brake cannot be used."""
    description = (
        "It is missing, stale or contradicts itself. The ladder stays where it is, in both directions, until it can be"
        f" read again. See why: flyball ladder explain {ladder.name}. Look for the exporter or the rules behind it."
    )
    return _annotations(ladder, f"{_who(ladder)}: nothing reliable is known of {{{{ $labels.signal }}}}", description)


def asks(ladder: Ladder) -> Labels:
    """A step waits for somebody."""
    description = (
        f"Spend asks for the step, and it may not be made without you. Read why: flyball ladder explain {ladder.name}."
        f' Allow it: flyball ladder approve {ladder.name} --tier {_TIER} --for 4h --why "…". Do nothing, and service'
        " stays as it is while money goes on."
    )
    return _annotations(ladder, f"{_who(ladder)} asks for approval of tier {_TIER}", description)


def yielded(ladder: Ladder) -> Labels:
    """A person changed a flag of a tier in force."""
    description = (
        "Somebody changed flags that the ladder had set. They are theirs now: the ladder moves in neither direction"
        f" until you say whose value shall stand. See which: flyball ladder status {ladder.name}. Keep theirs:"
        f' flyball ladder resume {ladder.name} --keep-theirs --why "…". Set the tier\'s values again:'
        f' flyball ladder resume {ladder.name} --take-back --why "…".'
    )
    return _annotations(ladder, f"{_who(ladder)}: a person changed {{{{ $value }}}} of its flags", description)


def failed(ladder: Ladder) -> Labels:
    """A step was undone."""
    description = (
        "A step was tried and undone {{ $value | humanizeDuration }} ago: clients did not see the flags, or a journey"
        " was red. Flags are as they were, and money goes on as fast as before."
        f" See what went wrong: flyball ladder status {ladder.name}. It is tried again after"
        f" {duration(ladder.limits.retry_after)}, later each time. Stop that: flyball ladder hold {ladder.name}"
        ' --for 2h --why "…".'
    )
    return _annotations(ladder, f"{_who(ladder)}: a step was undone", description)


def stuck(ladder: Ladder) -> Labels:
    """A step does not end."""
    description = (
        "A step began {{ $value | humanizeDuration }} ago and can be neither finished nor undone: flags of two tiers"
        f" may be set. See its phase and what it waits for: flyball ladder status {ladder.name}. Is the kill switch"
        " set, does somebody lead, does the database answer? Flags may be put right by hand in the flag store: the"
        " ladder takes that for yours and asks."
    )
    return _annotations(ladder, f"{_who(ladder)}: a step neither ends nor is undone", description)


def store_down(ladder: Ladder) -> Labels:
    """The flag store does not answer."""
    description = (
        f"The flag store {literal(ladder.store)} has not answered for {{{{ $value | humanizeDuration }}}}. The ladder"
        " holds and asks again every turn; service stays as the flags have it. Bring the flag store back, or change"
        f" flags by hand. You are not told again. See: flyball ladder status {ladder.name}."
    )
    return _annotations(ladder, f"{_who(ladder)}: its flag store does not answer", description)


def expires(ladder: Ladder) -> Labels:
    """A tier may not stand for much longer."""
    description = (
        "In {{ $value | humanizeDuration }} the ladder steps down from it, and then enters it only with an approval."
        f" Let it stand longer: flyball ladder approve {ladder.name} --tier {_TIER} --extend --for 8h"
        ' --why "…". Do nothing, and service comes back whatever is spent.'
    )
    return _annotations(ladder, f"{_who(ladder)}: tier {_TIER} expires soon or has", description)


def saves_nothing(ladder: Ladder) -> Labels:
    """A tier does not pay."""
    description = (
        "With 90 % certainty it saves less than a quarter of what was predicted, and users bear it for nothing."
        f" See the receipt: flyball ladder status {ladder.name}. Leave it"
        f' (flyball ladder step {ladder.name} --to N --why "…"), correct its saving in the file, or take it out.'
    )
    return _annotations(ladder, f"{_who(ladder)}: tier {_TIER} does not save what it should", description)


def silent(ladder: Ladder) -> Labels:
    """Nobody judges it."""
    description = (
        f"The ladder should be judged every {duration(ladder.every)}. Nobody steps it up or down now: whatever tier is"
        " in force stays. Is flyball up running, does it lead, does its database answer?"
        f" See: flyball ladder status {ladder.name}."
    )
    return _annotations(ladder, f"{_who(ladder)} is not judged any more", description)


def stranded(ladder: Ladder) -> Labels:
    """A tier is in force that the ladder may not leave."""
    description = (
        f"Tier {{{{ $value }}}} is in force, and the ladder is in shadow mode: it will not leave it. Go down by hand:"
        f' flyball ladder step {ladder.name} --to 0 --why "…", or set its mode to enforce.'
    )
    return _annotations(ladder, f"{_who(ladder)}: a tier is in force that only people can leave", description)


def _who(ladder: Ladder) -> str:
    return literal(ladder.display_name or ladder.name)


def _annotations(ladder: Ladder, summary: str, description: str) -> Labels:
    more = (
        (names.EXPLAIN, f"flyball ladder explain {ladder.name}"),
        (names.RUNBOOK_URL, literal(ladder.runbook_url)),
    )
    return ((names.SUMMARY, summary), (names.DESCRIPTION, description), *((key, text) for key, text in more if text))
