"""Rules compiled and written once: after an edit, those of SLOs that did not change are taken as they are."""

from collections.abc import Callable, Sequence

from controlplane.model.rule import RuleFile
from controlplane.model.slo import SLO
from slo.compiler import CompileOptions, rule_file, shared_files, subjects
from slo.passes import Subject


class RememberedRules:
    """`slo.compiler.compile_rules`, which remembers the files of its last call."""

    def __init__(self) -> None:
        self._files: dict[Subject, RuleFile] = {}

    def compile(self, slos: Sequence[SLO], options: CompileOptions) -> tuple[RuleFile, ...]:
        """The rule files of a workspace."""
        known = self._files
        self._files = {each: known.get(each) or rule_file(each) for each in subjects(slos, options)}
        return (*self._files.values(), *shared_files(slos))


class RememberedTexts:
    """What `to_yaml` made of the latest rule file of each name."""

    def __init__(self, to_yaml: Callable[[RuleFile], str]) -> None:
        self._to_yaml = to_yaml
        self._texts: dict[str, tuple[RuleFile, str]] = {}

    def __call__(self, file: RuleFile) -> str:
        """The file's text."""
        known = self._texts.get(file.name)
        if known is None or known[0] != file:
            known = self._texts[file.name] = (file, self._to_yaml(file))
        return known[1]
