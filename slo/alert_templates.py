"""Templates that users write into labels and annotations of alerts, checked before Prometheus refuses a whole file.

What Prometheus knows: its documentation, "Template reference", and Go's text/template.
"""

import re
from typing import Final

from controlplane.specfile import did_you_mean

_ACTION: Final = re.compile(r"\{\{-?(.*?)-?\}\}", re.DOTALL)
_STRING: Final = re.compile(r"\"(?:\\.|[^\"\\\n])*\"|`[^`]*`|'(?:\\.|[^'\\\n])+'")
_WORD: Final = re.compile(r"(?<![\w.$])[a-zA-Z_]\w*")
_OPENS: Final = frozenset({"if", "with", "range", "block", "define"})
_KNOWN: Final = frozenset(
    {
        *_OPENS, "else", "end", "template", "break", "continue", "nil", "true", "false",
        "and", "or", "not", "call", "html", "index", "js", "len", "print", "printf", "println", "slice", "urlquery",
        "eq", "ne", "lt", "le", "gt", "ge",
        "query", "first", "label", "value", "sortByLabel", "strvalue", "args", "tmpl", "safeHtml",
        "humanize", "humanize1024", "humanizeDuration", "humanizePercentage", "humanizeTimestamp", "toTime",
        "title", "toUpper", "toLower", "match", "reReplaceAll", "graphLink", "tableLink", "parseDuration",
        "stripPort", "stripDomain", "externalURL", "pathPrefix",
    }
)  # fmt: skip
_VARIABLES: Final = frozenset({"labels", "value", "externalLabels", "externalURL"})
_VARIABLE: Final = re.compile(r"\$(\w*)")


def template_fault(text: str) -> str:
    """Why Prometheus would not take the text as a template; empty when nothing is wrong with it.

    Only what is wrong by its form is found: braces, blocks, names of functions and variables.
    """
    if "{{" not in text:
        return ""
    rest = _ACTION.sub("", text)
    if "{{" in rest:
        return "`{{` is never closed"
    depth, declared = 0, set(_VARIABLES) | {""}
    for match in _ACTION.finditer(text):
        action = _STRING.sub('""', match[1]).strip()
        if action.startswith("/*"):
            continue
        fault = _unknown_name(action, declared)
        if fault:
            return fault
        first = action.split(None, 1)[0] if action else ""
        if not action:
            return "`{{ }}` is empty"
        depth += (first in _OPENS) - (first == "end")
        if depth < 0 or (first == "else" and depth == 0):
            return f"`{first}` without `if`, `with` or `range`"
    return "`end` is missing" if depth else ""


def _unknown_name(action: str, declared: set[str]) -> str:
    head, assigned, _ = action.partition(":=")
    if assigned:
        declared |= set(_VARIABLE.findall(head))
    for name in _VARIABLE.findall(action):
        if name not in declared:
            return f"unknown variable `${name}`{_meant(name, declared - {''}, '$')}"
    for word in _WORD.findall(action):
        if word not in _KNOWN:
            return f"unknown function `{word}`{_meant(word, _KNOWN)}"
    return ""


def _meant(name: str, known: "set[str] | frozenset[str]", mark: str = "") -> str:
    meant = did_you_mean(name, known)
    return f", did you mean `{mark}{meant}`?" if meant else ""


def literal(text: str) -> str:
    """A user's text inside of a template: nothing in it is an action."""
    return text.replace("{{", '{{ "{{" }}')


def usable(text: str) -> str:
    """A user's template, as it is where Prometheus takes it, else as plain text."""
    return literal(text) if template_fault(text) else text
