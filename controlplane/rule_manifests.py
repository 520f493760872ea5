"""Rule files in the forms in which other systems take them; always the same bytes for the same rules.

Each form wraps the text of a rule file, indented: the rules stay as `controlplane.rulefile` wrote them.

- `PrometheusRule`: monitoring.coreos.com/v1, for the Prometheus operator.
- `VMRule`: operator.victoriametrics.com/v1beta1, for the VictoriaMetrics operator.
- `ConfigMap`: v1, to be mounted where Prometheus reads rule files.
- Mimir and Cortex: a file with `namespace:`, as `mimirtool rules load` and `cortextool rules load` read it.
- vmalert: a rule file as it is.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from controlplane.model.generation import TextFile
from controlplane.model.rule_form import RuleForm, Target
from controlplane.rulefile import scalar

# Kubernetes refuses objects over 1 MiB in a ConfigMap's data, and etcd requests over 1.5 MiB; the rest is metadata.
MOST_BYTES: Final = 1_000_000
_MOST_NAME: Final = 253  # a DNS-1123 subdomain, the name of an object
_LABEL: Final = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_LABEL_PREFIX: Final = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_NAMESPACE: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_MANAGED_BY: Final = ("app.kubernetes.io/managed-by", "flyball")


_OBJECTS: Final = {
    RuleForm.PROMETHEUS_RULE: ("monitoring.coreos.com/v1", "PrometheusRule"),
    RuleForm.VM_RULE: ("operator.victoriametrics.com/v1beta1", "VMRule"),
}
KUBERNETES: Final = (*_OBJECTS, RuleForm.CONFIG_MAP)


class TooLarge(Exception):
    """One rule file alone is larger than an object may be; the message names it."""


def in_form(form: RuleForm, files: Mapping[str, str], target: Target) -> tuple[TextFile, ...]:
    """The rule files (by name, such as `slo-checkout.yaml`) in a form. Raises `TooLarge`."""
    match form:
        case RuleForm.RULES | RuleForm.VMALERT:
            return tuple(TextFile(name, text) for name, text in files.items())
        case RuleForm.MIMIR:
            head = f"namespace: {scalar(target.ruler_namespace)}\n"
            return tuple(TextFile(name, head + text) for name, text in files.items())
        case RuleForm.CONFIG_MAP:
            return tuple(_config_maps(files, target))
    api_version, kind = _OBJECTS[form]
    made = (_rule_object(api_version, kind, name, text, target) for name, text in files.items())
    return tuple(_fitting(file) for file in made)


def problems_with(target: Target) -> Iterator[str]:
    """What Kubernetes or Mimir would refuse about names, in words."""
    if target.namespace and not _NAMESPACE.fullmatch(target.namespace):
        yield f"`{target.namespace}` is not a Kubernetes namespace: lower-case letters, digits and `-`, at most 63"
    for key, value in target.labels.items():
        prefix, slash, name = key.rpartition("/")
        if not _LABEL.fullmatch(name) or (slash and not _LABEL_PREFIX.fullmatch(prefix)):
            yield f"`{key}` is not the key of a Kubernetes label"
        if value and not _LABEL.fullmatch(value):
            yield f"`{value}` is not the value of a Kubernetes label: letters, digits, `-`, `_`, `.`, at most 63"
    if not target.ruler_namespace or "/" in target.ruler_namespace:
        yield "a ruler's namespace must not be empty or hold a `/`"


def object_name(file_name: str) -> str:
    """`slo-checkout.yaml` → `slo-checkout`: lower-case letters, digits, `-` and `.`, the same in every run.

    What Kubernetes does not take is replaced, and a digest keeps names apart that would become one.
    """
    stem = file_name.removesuffix(".yaml")
    plain = re.sub(r"[^a-z0-9.-]+", "-", stem.lower()).strip("-.")
    if plain == stem and len(stem) <= _MOST_NAME:
        return stem
    return f"{plain[: _MOST_NAME - 9].strip('-.')}-{hashlib.sha256(stem.encode()).hexdigest()[:8]}"


def _rule_object(api_version: str, kind: str, name: str, text: str, target: Target) -> TextFile:
    body = _indented(text, 2)
    head = _head(api_version, kind, object_name(name), target)
    return TextFile(f"{object_name(name)}.yaml", f"{head}spec:\n{body}")


def _config_maps(files: Mapping[str, str], target: Target) -> Iterator[TextFile]:
    """As few objects as hold all files, filled in their order."""
    for number, names in enumerate(_packed(files)):
        name = f"flyball-rules-{number:03d}"
        data = "".join(f"  {scalar(each)}: |\n{_indented(files[each], 4)}" for each in names)
        text = f"{_head('v1', 'ConfigMap', name, target)}data:\n{data}"
        yield _fitting(TextFile(f"{name}.yaml", text))


def _packed(files: Mapping[str, str]) -> Iterable[Sequence[str]]:
    part, size = list[str](), 0
    for name, text in files.items():
        length = len(_indented(text, 4).encode()) + len(name) + 8
        if part and size + length > MOST_BYTES - 4096:
            yield part
            part, size = [], 0
        part.append(name)
        size += length
    if part:
        yield part


def _head(api_version: str, kind: str, name: str, target: Target) -> str:
    labels = dict([_MANAGED_BY]) | dict(target.labels)
    lines = [f"apiVersion: {api_version}", f"kind: {kind}", "metadata:", f"  name: {_quoted(name)}"]
    lines += [f"  namespace: {_quoted(target.namespace)}"] if target.namespace else []
    lines += ["  labels:", *(f"    {_quoted(key)}: {_quoted(value)}" for key, value in sorted(labels.items()))]
    return "".join(f"{line}\n" for line in lines)


def _quoted(text: str) -> str:
    """Always a string, whatever YAML would make of it."""
    return f'"{text}"'


def _indented(text: str, spaces: int) -> str:
    margin = " " * spaces
    return "".join(f"{margin}{line}\n" if line else "\n" for line in text.removesuffix("\n").split("\n"))


def _fitting(file: TextFile) -> TextFile:
    size = len(file.text.encode())
    if size > MOST_BYTES:
        raise TooLarge(f"{file.name} would have {size:,} bytes; an object of Kubernetes may have {MOST_BYTES:,}")
    return file
