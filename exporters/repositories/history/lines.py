"""Lines of history: the commits on a branch itself, and what each of them brought.

A branch's own line follows first parents. A merge on it brings all that its other parents have and the line before it
had not (`merge^1..merge^2`); any other commit brings itself.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from exporters.repositories.history.commits import Commit

Graph = Mapping[str, Commit]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A commit on the line, and those that came with it: of a merge the side commits, newest first; else itself."""

    commit: Commit
    brought: tuple[Commit, ...]


def line(graph: Graph, tip: str, until: Collection[str] = ()) -> list[Commit]:
    """The line that ends with `tip`, oldest first, as far as the graph knows it and before it meets `until`."""
    found: list[Commit] = []
    sha = tip
    while sha in graph and sha not in until:
        commit = graph[sha]
        found.append(commit)
        if not commit.parents:
            break
        sha = commit.parents[0]
    found.reverse()
    return found


def ancestors(graph: Graph, start: Iterable[str], known: set[str]) -> set[str]:
    """Everything in the graph that can be reached from `start`, itself included, without what is `known`."""
    found: set[str] = set()
    waiting = [sha for sha in start if sha in graph and sha not in known]
    while waiting:
        sha = waiting.pop()
        if sha in found:
            continue
        found.add(sha)
        waiting += [each for each in graph[sha].parents if each in graph and each not in found and each not in known]
    return found


def arrivals(graph: Graph, commits: Sequence[Commit]) -> Iterator[Arrival]:
    """What the commits of a line (oldest first, each the first parent of the next) brought, one after the other."""
    if not commits:
        return
    seen: set[str] = set()
    if any(commit.is_merge for commit in commits):
        seen = ancestors(graph, commits[0].parents[:1], seen)
    for commit in commits:
        side = ancestors(graph, commit.parents[1:], seen) if commit.is_merge else set()
        brought = sorted((graph[sha] for sha in side), key=lambda each: (each.committed, each.sha), reverse=True)
        seen |= side
        seen.add(commit.sha)
        yield Arrival(commit, tuple(brought) or (commit,))
