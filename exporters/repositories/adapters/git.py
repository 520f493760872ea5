"""A git repository as a source of deliveries: a clone that is kept, or one on this machine that is only read."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Final

from controlplane.model.event import JSON
from controlplane.ports import Transient
from exporters.repositories.adapters.clones import Clone
from exporters.repositories.adapters.git_command import Git
from exporters.repositories.adapters.git_reading import GitReading, RawTag
from exporters.repositories.history.seen import Deliveries
from exporters.repositories.model import ChangesFrom, DeploymentsFrom, Repository
from exporters.repositories.ports import Page, Position, Reading

TIP: Final = "tip"
TAGS: Final = "tags"
REWRITTEN: Final = "rewritten"


class GitSource:
    """Implements `DeliverySource`.

    Position: `tip`, the newest commit whose change was told; `tags`, a digest of those that were looked at;
    `rewritten`, commits that are copies of ones told before.
    """

    def __init__(self, repository: Repository, git: Git, clone: Clone | None) -> None:
        self._repository = repository
        self._git = git
        self._clone = clone

    def close(self) -> None:
        """Nothing is kept open."""

    def pages(self, position: Position, reading: Reading) -> Iterator[Page]:
        """Changes of the branch, oldest first, then tags by the time at which they were made."""
        try:
            yield from self._pages(position, reading)
        except OSError as error:
            raise Transient(f"the clone cannot be kept: {error.strerror or type(error).__name__}") from None

    def _pages(self, position: Position, reading: Reading) -> Iterator[Page]:
        with self._clone.locked() if self._clone else nullcontext():
            branch = self._repository.place.branch
            if self._clone is not None:
                branch = self._clone.fetch(branch)
                opened = GitReading(self._git.at(self._clone.path))
            else:
                assert self._git.repository is not None
                opened = GitReading(self._git)
            opened.ensure_whole()
            yield from _Turn(self._repository, opened, position, reading).pages(opened.tip(branch))
            if self._clone is not None:
                self._clone.keep(self._repository.name, opened.tip(branch))


class _Turn:
    """One reading from a position on."""

    def __init__(self, repository: Repository, opened: GitReading, position: Position, reading: Reading) -> None:
        self._repository = repository
        self._opened = opened
        self._reading = reading
        self._position: dict[str, JSON] = dict(position)
        self._deliveries = Deliveries(repository, opened, reading)

    def pages(self, tip: str) -> Iterator[Page]:
        if self._repository.changes is not ChangesFrom.NONE:
            yield from self._changes(tip)
        else:
            self._position[TIP] = tip
        if self._repository.deployments.source is DeploymentsFrom.TAGS:
            yield from self._tags(self._opened.tags())
        yield Page((), dict(self._position), "")

    def _changes(self, tip: str) -> Iterator[Page]:
        before = self._position.get(TIP)
        if before == tip:
            return
        excluded = ""
        if isinstance(before, str) and self._opened.has(before):
            excluded = self._opened.common(before, tip)
            if excluded != before:
                self._remember_copies(before, tip, excluded)
        if not excluded:
            line, excluded = self._opened.line_since(tip, self._reading.since)
            if not line:
                self._position[TIP] = tip
                return
        for events, newest, note in self._deliveries.changes(tip, excluded, self._copies()):
            self._position[TIP] = newest
            yield Page(events, dict(self._position), note)
        self._position[TIP] = tip

    def _tags(self, tags: list[RawTag]) -> Iterator[Page]:
        digest = hashlib.sha256(json.dumps([[each.name, each.sha, each.tagged] for each in tags]).encode()).hexdigest()
        if self._position.get(TAGS) == digest:
            return
        for events, note in self._deliveries.releases(tags, self._copies()):
            yield Page(events, dict(self._position), note)
        self._position[TAGS] = digest

    def _copies(self) -> dict[str, str]:
        known = self._position.get(REWRITTEN)
        return {new: str(old) for new, old in known.items()} if isinstance(known, dict) else {}

    def _remember_copies(self, before: str, tip: str, common: str) -> None:
        """History was rewritten: commits that were only moved are the changes that they were before."""
        copies = self._deliveries.copies(before, tip, common, self._copies())
        self._position[REWRITTEN] = dict[str, JSON](copies)
