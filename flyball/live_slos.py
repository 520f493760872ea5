"""The SLOs behind the rules that were applied last, as kept beside those rules."""

from collections.abc import Sequence
from pathlib import Path

from controlplane.adapters.rule_folder import RuleFolderOnDisk
from controlplane.model.slo import SLO
from slo.manifest import FILE_NAME, read_manifest, slo_of


def live_slos(rules_directory: Path) -> Sequence[SLO] | None:
    """What runs, without places in files; None where nothing was applied, or by a version that kept nothing."""
    folder = RuleFolderOnDisk(rules_directory)
    copy = folder.current()
    text = folder.read_one(copy, FILE_NAME) if copy else None
    manifest = read_manifest(text) if text else None
    if manifest is None:
        return None
    try:
        return tuple(slo_of(line) for line in manifest.lines)
    except ValueError:  # written by a version that knows more
        return None
