"""Rule files as one generation, and how to see that a rule engine runs exactly that one.

An engine prints expressions in its own normal form, so they cannot be compared with what was written. Each generation
therefore carries a marker: one rule whose expression holds the hash of all the other files. Files are switched as a
whole and the marker is read together with them, so an engine that shows the marker after a reload runs that generation.
"""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import Final

from controlplane import conventions
from controlplane.model.generation import Generation, TextFile
from controlplane.model.rule import AlertingRule, Rule, RuleFile
from controlplane.ports import LoadedGroup

MARKER_FILE: Final = "flyball-generation.yaml"
MARKER_GROUP: Final = "flyball-generation"


def generation_of(
    files: Sequence[RuleFile], to_yaml: Callable[[RuleFile], str], *beside: TextFile | None
) -> Generation:
    """The files as text, with the marker among them. Raises ValueError for names that the engine would not read.

    Texts `beside` them are read by no engine: what the rules were made from.
    """
    texts = [TextFile(_checked(file.name), to_yaml(file)) for file in files]
    texts += [text for text in beside if text]
    if len({text.name for text in texts}) != len(texts):
        raise ValueError("two rule files have the same name")
    identity = _hash(texts)
    return Generation(identity, _sorted([*texts, _marker(identity)]))


def is_whole(identity: str, files: Sequence[TextFile]) -> bool:
    """Whether these are the files of that generation, none missing, added or altered."""
    content = [file for file in files if file.name != MARKER_FILE]
    return _hash(content) == identity and _sorted(files) == _sorted([*content, _marker(identity)])


def live_groups(identity: str, loaded: Sequence[LoadedGroup]) -> tuple[LoadedGroup, ...]:
    """The groups that an engine has loaded from this generation, marker included; empty when it does not run it.

    The folder may have another path where the engine runs (containers), so it is found by the marker in it.
    """
    folders = {
        PurePosixPath(group.file).parent
        for group in loaded
        if group.name == MARKER_GROUP and any(identity in expr for _, expr in group.rules)
    }
    if not folders:
        return ()
    folder = min(folders)  # more than one only when two workspaces with the same content share an engine
    return tuple(group for group in loaded if PurePosixPath(group.file).parent == folder)


def difference(files: Sequence[RuleFile], live: Sequence[LoadedGroup]) -> str:
    """What an engine runs otherwise than `files` say, in words; empty when groups, intervals and rules agree."""
    wanted = {
        (file.name, group.name): (group.interval, tuple(_name(rule) for rule in group.rules))
        for file in files
        for group in file.groups
    }
    found = {
        (PurePosixPath(group.file).name, group.name): (group.interval, tuple(name for name, _ in group.rules))
        for group in live
        if group.name != MARKER_GROUP
    }
    for sentence, keys in (
        ("it did not load {}", wanted.keys() - found.keys()),
        ("it also loaded {}", found.keys() - wanted.keys()),
        ("it loaded {} with another interval or other rules", {key for key in wanted if wanted[key] != found.get(key)}),
    ):
        if keys:
            return sentence.format(_named(keys))
    return ""


def _named(keys: set[tuple[str, str]]) -> str:
    file, group = min(keys)
    more = f" and {len(keys) - 1} more" if len(keys) > 1 else ""
    return f"group {group} of {file}{more}"


def _name(rule: Rule) -> str:
    return rule.alert if isinstance(rule, AlertingRule) else rule.record


def _checked(name: str) -> str:
    if "/" in name or name.startswith(".") or not name.endswith(".yaml") or name == MARKER_FILE:
        raise ValueError(f"not a name for a rule file: {name!r}")
    return name


def _sorted(files: Sequence[TextFile]) -> tuple[TextFile, ...]:
    return tuple(sorted(files, key=lambda file: file.name))


def _hash(files: Sequence[TextFile]) -> str:
    digest = hashlib.sha256()
    for file in _sorted(files):
        for part in (file.name.encode(), file.text.encode("utf-8", "surrogateescape")):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def _marker(identity: str) -> TextFile:
    expression = f'label_replace(vector(1), "generation", "{identity}", "", "")'
    return TextFile(
        MARKER_FILE,
        "# Written by `flyball apply`: names the generation of rules in this folder.\n"
        "groups:\n"
        f"- name: {MARKER_GROUP}\n"
        "  interval: 1m\n"
        "  rules:\n"
        f"  - record: {conventions.RULES_GENERATION}\n"
        f"    expr: '{expression}'\n",
    )
