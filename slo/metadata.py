"""Names, labels and annotations of OpenSLO objects."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from controlplane import conventions as names
from controlplane.problems import Problem, Severity
from controlplane.specfile import Document, did_you_mean
from slo import own_settings
from slo.openslo.spec import Metadata
from slo.own_settings import OwnSettings, listed

MAX_NAME: Final = 63
_SLO: Final = "SLO"  # the kind, in every version of OpenSLO
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_LABEL_KEY: Final = re.compile(r"[a-zA-Z0-9]([-._a-zA-Z0-9]{0,61}[a-zA-Z0-9])?")
_QUALIFIED_KEY: Final = re.compile(r"([a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?/)?" + _LABEL_KEY.pattern)
_LABEL_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
RESERVED: Final = frozenset(
    {
        names.SLO,
        names.SERVICE,
        names.EVENT,
        names.SEVERITY,
        names.SHARD,
        "alertname",
        "alertstate",
        "objective",
        "window",
    }
)
_OURS: Final = (
    names.ANNOTATION_OWNER,
    names.ANNOTATION_RUNBOOK,
    names.ANNOTATION_WORST_BY,
    names.ANNOTATION_RENAMED_FROM,
    names.ANNOTATION_LINT_IGNORE,
    *own_settings.ANNOTATIONS,
)
OUR_PREFIX: Final = "flyball.dev/"


class QualifiedMetadata(Metadata):
    """Metadata as Kubernetes has it: keys of labels may begin with a domain (`example.com/team`)."""


@dataclass(frozen=True, slots=True)
class About:
    """Metadata as the model wants it; labels carry names that Prometheus accepts, sorted."""

    labels: tuple[tuple[str, str], ...]
    owner: str
    runbook_url: str
    worst_by: tuple[str, ...]
    renamed_from: tuple[str, ...]
    settings: OwnSettings
    problems: tuple[Problem, ...]


def checked(document: Document, metadata: Metadata, *, makes_slos: bool = False) -> About:
    """Read the metadata of a document, and say what is wrong with it. What `makes_slos` may have settings."""
    annotations = metadata.annotations
    problems = [*name_problems(document, metadata.name), *_annotation_problems(document, annotations)]
    labels, label_problems = _labels(document, metadata)
    worst_by = listed(annotations.get(names.ANNOTATION_WORST_BY, ""))
    renamed_from = listed(annotations.get(names.ANNOTATION_RENAMED_FROM, ""))
    problems += _display_name_problems(document, metadata.display_name)
    settings = own_settings.settings_in(document, annotations)
    problems += (*_earlier_name_problems(document, renamed_from), *settings.problems)
    if not makes_slos:
        problems += _of_slos_only(document, annotations)
    for label in worst_by:
        if not _LABEL_NAME.fullmatch(label):
            problems.append(
                _problem(
                    document,
                    "annotations",
                    names.ANNOTATION_WORST_BY,
                    message=f"`{label}` is not a label's name",
                    hint="labels, separated by commas",
                )
            )
    return About(
        labels=tuple(sorted(labels.items())),
        owner=annotations.get(names.ANNOTATION_OWNER, ""),
        runbook_url=annotations.get(names.ANNOTATION_RUNBOOK, ""),
        worst_by=tuple(label for label in worst_by if _LABEL_NAME.fullmatch(label)),
        renamed_from=tuple(name for name in renamed_from if _NAME.fullmatch(name)),
        settings=settings,
        problems=(*problems, *label_problems),
    )


def _of_slos_only(document: Document, annotations: dict[str, str]) -> Iterator[Problem]:
    """Settings of SLOs on something else: they would be dropped in silence."""
    if document.kind.name == _SLO:
        return
    for key in annotations:
        if key in own_settings.ANNOTATIONS:
            yield _problem(
                document, "annotations", key, message="changes nothing here", hint="write it at the SLO itself",
                severity=Severity.WARNING,
            )  # fmt: skip


def _earlier_name_problems(document: Document, earlier: tuple[str, ...]) -> Iterator[Problem]:
    for name in earlier:
        if not _NAME.fullmatch(name):
            message, hint = f"`{name}` is not the name of an SLO", "earlier names, separated by commas"
            yield _problem(document, "annotations", names.ANNOTATION_RENAMED_FROM, message=message, hint=hint)


def _display_name_problems(document: Document, name: str) -> Iterator[Problem]:
    if len(name) > MAX_NAME:
        message = f"has {len(name)} characters; OpenSLO's own tools take {MAX_NAME} at most"
        yield _problem(document, "displayName", message=message, hint="shorten it", severity=Severity.WARNING)


def name_problems(document: Document, name: str) -> Iterator[Problem]:
    """Why the `metadata.name` of a document is none."""
    if len(name) > MAX_NAME:
        yield _problem(document, "name", message=f"has {len(name)} characters, at most {MAX_NAME} are allowed")
    elif not _NAME.fullmatch(name):
        suggestion = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        hint = f"for example `{suggestion}`" if suggestion else ""
        message = (
            f"`{name}` is not a name: lower-case letters, digits and `-`, beginning and ending with one of the former"
        )
        yield _problem(document, "name", message=message, hint=hint)


def _annotation_problems(document: Document, annotations: dict[str, str]) -> Iterator[Problem]:
    for key, value in annotations.items():
        if not _QUALIFIED_KEY.fullmatch(key):
            message = (
                f"`{key[:80]}` is not an annotation's key: a name of at most 63 characters, after a domain and `/`"
            )
            hint = "letters, digits, `-`, `_` and `.`; the domain may be left out"
            yield _problem(document, "annotations", key, message=message, hint=hint)
        if key.startswith(OUR_PREFIX) and key not in _OURS:
            meant = did_you_mean(key, _OURS)
            message = f"unknown annotation `{key}`" + (f", did you mean `{meant}`?" if meant else "")
            yield _problem(
                document, "annotations", key, message=message, hint="" if meant else f"known: {', '.join(_OURS)}"
            )
        if key == names.ANNOTATION_RUNBOOK and not value.startswith(("http://", "https://")):
            yield _problem(document, "annotations", key, message="not a web address", hint="begin it with https://")


def prometheus_labels(
    document: Document, path: tuple[str | int, ...], written: Mapping[str, str | list[str]], rule: str = "metadata"
) -> tuple[dict[str, str], list[Problem]]:
    """The labels that stand at `path`, under names that Prometheus takes; what cannot be one is left out and told."""
    labels: dict[str, str] = {}
    problems = []
    for key, value in written.items():
        name = re.sub(r"[^a-zA-Z0-9_]", "_", key)
        name = f"_{name}" if name[:1].isdigit() else name
        if name in RESERVED or name in labels or not name:
            reason = (
                "Flyball sets this label itself"
                if name in RESERVED
                else f"another label is also `{name}` in Prometheus"
            )
            message = f"left out: {reason}" if name else "left out: a label needs a name"
            problem = document.problem(
                *path, key, message=message, hint="rename it", severity=Severity.WARNING, rule=rule, on_key=True
            )
            problems.append(problem)
            continue
        labels[name] = value if isinstance(value, str) else ",".join(value)
    return labels, problems


def _labels(document: Document, metadata: Metadata) -> tuple[dict[str, str], list[Problem]]:
    written, problems = metadata.labels, []
    pattern = _QUALIFIED_KEY if isinstance(metadata, QualifiedMetadata) else _LABEL_KEY
    fitting = {key: value for key, value in written.items() if pattern.fullmatch(key)}
    for key in written.keys() - fitting.keys():
        message = f"`{key}` is not a label's key: letters, digits, `-`, `_` and `.`, at most 63"
        problems.append(_problem(document, "labels", key, message=message))
    labels, further = prometheus_labels(document, ("metadata", "labels"), fitting)
    return labels, [*problems, *further]


def _problem(
    document: Document, *path: str, message: str, hint: str = "", severity: Severity = Severity.ERROR
) -> Problem:
    on_key = path[0] == "labels"
    return document.problem(
        "metadata", *path, message=message, hint=hint, severity=severity, rule="metadata", on_key=on_key
    )
