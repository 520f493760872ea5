"""The ladders of a backtest: those of a workspace, and others that they are compared with."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from controlplane.adapters.files import read_folder
from controlplane.problems import Problem, has_errors, in_order
from controlplane.specfile import Document, SourceFile
from finops.flags.kinds import KINDS as FLAG_KINDS
from finops.flags.report import Report
from finops.flags.spec import FlagStoreDocument
from finops.ladder.declared import RULE, declared
from finops.ladder.kinds import KINDS as LADDER_KINDS
from finops.ladder.model import Ladder, Mode
from finops.ladder.reading.ladders import ladder_of
from finops.ladder.spec import LadderDocument
from flyball.anomalies.declared import KINDS as ANOMALY_KINDS
from flyball.money.declared import KINDS as MONEY_KINDS
from flyball.money.declared import MoneyDeclared, money_of
from flyball.reading_kinds import read_kinds
from flyball.synthetics.declared import KINDS as CHECK_KINDS

_KINDS = tuple(dict.fromkeys((*LADDER_KINDS, *FLAG_KINDS, *MONEY_KINDS, *CHECK_KINDS, *ANOMALY_KINDS)))


@dataclass(frozen=True, slots=True)
class Policy:
    """One ladder under test, and the money that its signals are about."""

    label: str
    ladder: Ladder
    money: MoneyDeclared


@dataclass(frozen=True, slots=True)
class Found:
    """Policies, and what is wrong with the files that they come from."""

    policies: tuple[Policy, ...] = ()
    problems: tuple[Problem, ...] = ()
    to_check: int = 0  # what `flyball check` has to say about ladders that can be read


def of_workspace(folder: Path) -> Found:
    """Every ladder of a workspace, by name."""
    files, unreadable = read_folder(folder)
    documents, broken = read_kinds(files, _KINDS)
    return _found(documents, [*unreadable, *broken])


def of_other(path: Path, folder: Path) -> Found:
    """The ladders of another workspace (a folder), or of a file that stands in place of the workspace's own ladders.

    What a file does not hold itself (budgets, unit costs, flag stores) is the workspace's. Raises OSError.
    """
    if path.is_dir():
        found = of_workspace(path)
        return replace(found, policies=tuple(replace(each, label=_label(each, path)) for each in found.policies))
    own, broken = read_kinds([SourceFile(str(path), path.read_bytes())], _KINDS)
    files, unreadable = read_folder(folder)
    theirs, _ = read_kinds([each for each in files if Path(each.path).absolute() != path.absolute()], _KINDS)
    documents = (*own, *_beside(theirs, own))
    found = _found(documents, [*unreadable, *broken])
    return replace(found, policies=tuple(replace(each, label=_label(each, path)) for each in found.policies))


def _beside(documents: Iterable[Document], own: Sequence[Document]) -> list[Document]:
    """What a workspace adds to a file: no ladder, and no store that the file has itself."""
    stores = {each.value.metadata.name for each in own if isinstance(each.value, FlagStoreDocument)}
    return [
        each
        for each in documents
        if not isinstance(each.value, LadderDocument)
        and not (isinstance(each.value, FlagStoreDocument) and each.value.metadata.name in stores)
    ]


def _label(policy: Policy, path: Path) -> str:
    """`shop (careful.yaml)`."""
    return f"{policy.ladder.name} ({path.name or path.absolute().name})"


def _found(documents: Sequence[Document], problems: Sequence[Problem]) -> Found:
    """What can be read is simulated, whatever `flyball check` has to say about it: drafts are tried, too."""
    ladders: dict[str, Ladder] = {}
    broken = list(problems)
    for document in documents:
        if isinstance(document.value, LadderDocument):
            report = Report(document, RULE)
            ladder = ladder_of(report, document.value, documents)
            broken += report.problems
            ladders.setdefault(ladder.name, ladder)
    money, _ = money_of(documents)
    if has_errors(broken):
        return Found(problems=tuple(in_order(broken)))
    warned = sum(1 for each in declared(documents).problems if each not in broken)
    found = tuple(Policy(name, ladders[name], money) for name in sorted(ladders))
    return Found(found, tuple(in_order(broken)), warned)


def as_if_enforced(policy: Policy) -> Policy:
    """The same in mode enforce, whatever its file says."""
    return replace(policy, ladder=replace(policy.ladder, mode=Mode.ENFORCE))
