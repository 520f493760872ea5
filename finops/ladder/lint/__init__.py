"""What is wrong with ladders beyond the shape of their files: each lint tells all that it finds, at its place."""

from collections.abc import Sequence

from finops.ladder.lint import blinding, conditions, explaining, flags, reachability, references, safeguards, savings
from finops.ladder.lint.examined import Examined, Ground

__all__ = ["Examined", "Ground", "lint"]


def lint(ladders: Sequence[Examined]) -> None:
    """Add what is wrong to each ladder's report; what two of them do to each other, to the later one's."""
    for it in ladders:
        references.check(it)
        conditions.check(it)
        reachability.check(it)
        flags.check(it)
        blinding.check(it)
        safeguards.check(it)
        savings.check(it)
        explaining.check(it)
    flags.check_shared(ladders)
