"""Between steps: whether the flags of the tiers in force are still as they were written."""

from controlplane.model.ladder import LadderState
from finops.ladder.acting import plan, writing
from finops.ladder.acting.act import Act
from finops.ladder.acting.flag_calls import StoreDown, StoreRefused
from finops.ladder.acting.hands import same
from finops.ladder.acting.journal import STORE_DOWN


def watch(act: Act, state: LadderState) -> list[str]:
    """Flags that a person changed since the last look, which are theirs from now on. Nothing is written to the store.

    A store that does not answer is told of once; the tiers stay as they are.
    """
    forced = plan.in_force(state)
    journal = act.journal
    try:
        found = act.flags.read_each(forced or act.flags.any_one())
        changed = {flag: value for flag, value in forced.items() if not same(found[flag].value, value)}
        by = writing.who(act, changed, state)
    except (StoreDown, StoreRefused) as error:
        silent(act, str(error))
        return []
    if not changed and not (state.told or {}).get(STORE_DOWN):
        return []
    now = journal.clock.now()
    with journal.store.transaction(lease=journal.lease) as transaction:
        transaction.ladders.lock()
        present = transaction.ladders.state(journal.name)
        believed = plan.in_force(present)
        journal.answered(transaction, now)
        still = {flag: value for flag, value in changed.items() if same(believed.get(flag), value)}
        return journal.yield_flags(transaction, still, now, who=by)


def silent(act: Act, why: str) -> None:
    """The flag store does not answer."""
    journal = act.journal
    with journal.store.transaction(lease=journal.lease) as transaction:
        transaction.ladders.lock()
        journal.unanswered(transaction, why, journal.clock.now())
