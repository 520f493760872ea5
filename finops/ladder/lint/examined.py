"""What each lint is given: a ladder, the file that it stands in, and what else is declared."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from controlplane.specfile import Document
from finops.flags.model import DeclaredStore
from finops.flags.report import Report
from finops.ladder.model import Condition, Ladder, Tier
from finops.ladder.spec import LadderSpec

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Ground:
    """What is declared beside ladders. `slos` None: not known, so that nothing is said about them.

    `may_be_declared`: whether a document that could not be read may carry a name.
    """

    documents: Sequence[Document]
    slos: Collection[str] | None
    may_be_declared: Callable[[str], bool]

    def named(self, kind: str) -> dict[str, Document]:
        """Documents of a kind by name; of two with one name the first."""
        found: dict[str, Document] = {}
        for document in self.documents:
            if document.kind.name == kind:
                found.setdefault(name_of(document), document)
        return found


@dataclass(frozen=True, slots=True)
class Examined:
    """One ladder, as far as it could be read; `store` is its FlagStore, None when there is none of that name."""

    report: Report
    ladder: Ladder
    spec: LadderSpec
    store: DeclaredStore | None
    ground: Ground

    def conditions(self) -> Iterator[tuple[Tier, str, Path, Condition]]:
        """Of every tier `enter` and `exit`, and where their thresholds stand."""
        for tier in self.ladder.tiers:
            yield tier, "enter", thresholds_of(tier, "enter"), tier.enter
            yield tier, "exit", thresholds_of(tier, "exit"), tier.exit


def at_tier(number: int) -> Path:
    """Where a tier stands."""
    return ("spec", "tiers", number - 1)


def thresholds_of(tier: Tier, which: str) -> Path:
    """Where the thresholds of a condition of a tier stand: below `any` or `all`."""
    condition = tier.enter if which == "enter" else tier.exit
    return (*at_tier(tier.number), which, "all" if condition.needs_all else "any")


def called(tier: Tier) -> str:
    """A tier in a sentence."""
    return f"tier {tier.number} `{tier.name}`"


def name_of(document: Document) -> str:
    """The name of a document of any kind."""
    return str(getattr(getattr(document.value, "metadata", None), "name", ""))
