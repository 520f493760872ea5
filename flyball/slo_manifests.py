"""The manifest of a workspace's SLOs, with what their rules depend on besides."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from controlplane.burn_rate import duration
from controlplane.model.event import JSON
from controlplane.model.generation import TextFile
from controlplane.model.slo import SLO
from flyball.code_fingerprint import compiler_fingerprint
from slo import manifest
from slo.compiler import CompileOptions, is_usual

SHARING: Final = "sharing"


def basis_of(options: CompileOptions, sharing: Mapping[str, int]) -> dict[str, JSON]:
    """What the rules of every SLO depend on: with the same basis, the same SLO has the same rules.

    `sharing` is how many SLOs of each window could share theirs (`sharing_of`).
    """
    return {
        "compiler": compiler_fingerprint(),
        "externalUrl": options.external_url,
        "runbookUrl": options.runbook_url_template,
        "sharedAbove": options.shared_above,
        SHARING: dict(sorted(sharing.items())),
    }


def sharing_of(slos: Iterable[SLO]) -> Counter[str]:
    """The number of SLOs that may share rules, by their window."""
    return Counter(duration(slo.window.length) for slo in slos if is_usual(slo))


def manifest_file(
    slos: Sequence[SLO],
    options: CompileOptions,
    lines: Callable[[Sequence[SLO]], Iterable[str]] = lambda slos: map(manifest.line_of, slos),
) -> TextFile:
    """The manifest of these SLOs, as it lies beside their rules; `lines` makes theirs."""
    made = manifest.manifest_of(lines(slos), basis_of(options, sharing_of(slos)))
    return TextFile(manifest.FILE_NAME, made.text())
