"""Every document about deliveries, as values; each part reads its own kinds."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from controlplane.problems import Problem
from controlplane.specfile import Document, Kind
from exporters.dora.policy import kinds as policy_kinds
from exporters.dora.policy.model import DeliveryPolicy
from exporters.repositories import kinds as repository_kinds

if TYPE_CHECKING:  # their readers take time to import: they are for workspaces that have such documents
    from exporters.repositories.model import Repository

KINDS: Final[tuple[Kind, ...]] = (*policy_kinds.KINDS, *repository_kinds.KINDS)


@dataclass(frozen=True, slots=True)
class DeliveryDeclared:
    """What is declared. Without a `DeliveryPolicy` its defaults hold, and `has_policy` is False."""

    policy: DeliveryPolicy = field(default_factory=DeliveryPolicy)
    repositories: "tuple[Repository, ...]" = ()
    has_policy: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether no document is about deliveries."""
        return not (self.has_policy or self.repositories)

    def in_words(self) -> str:
        """How much is declared: `2 repositories`; empty where nothing is."""
        count = len(self.repositories)
        return f"{count:,} repositor{'y' if count == 1 else 'ies'}" if count else ""


NO_DELIVERY: Final = DeliveryDeclared()


def is_about_delivery(document: Document) -> bool:
    """Whether it is of one of these kinds."""
    return document.kind in KINDS


def delivery_of(documents: Sequence[Document]) -> tuple[DeliveryDeclared, tuple[Problem, ...]]:
    """What the documents declare, those of other kinds aside, and what is wrong with it."""
    own = [document for document in documents if is_about_delivery(document)]
    if not own:
        return NO_DELIVERY, ()
    from exporters.dora.policy.declared import declared as policies_of
    from exporters.repositories.declared import declared as repositories_of

    policies, repositories = policies_of(own), repositories_of(own)
    policy = next(iter(policies.values), None)
    declared = DeliveryDeclared(policy or DeliveryPolicy(), repositories.values, policy is not None)
    return declared, (*policies.problems, *repositories.problems)
