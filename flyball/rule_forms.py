"""The rules of a workspace in the forms that `flyball compile --format` writes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from controlplane.conventions import RULES_SUBFOLDER
from controlplane.model.rule import RuleFile
from controlplane.model.rule_form import RuleForm, Target
from controlplane.model.slo import SLO
from controlplane.rule_manifests import KUBERNETES, in_form
from controlplane.rulefile import to_yaml
from flyball.in_parallel import Run, rule_texts
from slo.compiler import CompileOptions

# An object of Kubernetes holds 1 MiB; the rules of 500 SLOs with long queries would not fit.
_SHARD_IN_KUBERNETES: Final = 100

SUBFOLDERS: Final[Mapping[RuleForm, str]] = {
    RuleForm.RULES: RULES_SUBFOLDER,
    RuleForm.PROMETHEUS_RULE: "kubernetes/prometheusrules",
    RuleForm.VM_RULE: "kubernetes/vmrules",
    RuleForm.CONFIG_MAP: "kubernetes/configmaps",
    RuleForm.MIMIR: "mimir/rules",
    RuleForm.VMALERT: "vmalert/rules",
}


def rules_in_forms(
    compiled: tuple[Sequence[SLO], Sequence[RuleFile]],
    forms: Sequence[RuleForm],
    options: CompileOptions,
    target: Target,
    run: Run,
) -> Iterator[tuple[str, str]]:
    """Each file of SLOs, and of further rules, by its path below OUT, and its text.

    Raises `controlplane.rule_manifests.TooLarge`.
    """
    slos, others = compiled
    further = {file.name: to_yaml(file) for file in others}
    smaller = replace(options, shard_size=_SHARD_IN_KUBERNETES)
    shared = len(slos) > options.shared_above
    texts: dict[bool, Mapping[str, str]] = {}
    for form in dict.fromkeys(forms):
        small = shared and form in KUBERNETES
        if small not in texts:
            texts[small] = rule_texts(slos, smaller if small else options, run) | further
        for file in in_form(form, texts[small], target):
            yield f"{SUBFOLDERS[form]}/{file.name}", file.text
