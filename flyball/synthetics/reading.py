"""What a workspace's files say about checks from outside, where the files are known to be right."""

from collections.abc import Iterable

from controlplane.model.slo import SLO
from controlplane.specfile import SourceFile
from flyball.reading_kinds import read_kinds
from flyball.synthetics.declared import KINDS, NO_CHECKS, ChecksDeclared, checks_of


def checks_in(files: Iterable[SourceFile], slos: Iterable[SLO]) -> ChecksDeclared:
    """What the files say; mistakes in them are told elsewhere (`flyball.examining`)."""
    documents, _ = read_kinds(files, KINDS)
    return checks_of(documents, frozenset(slo.name for slo in slos))[0] if documents else NO_CHECKS
