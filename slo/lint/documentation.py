"""Lint rules as Markdown: docs/reference/lint.md, and what `flyball check --explain` prints."""

from typing import Final

from slo.lint.rule import LintRule
from slo.lint.rules import RULES

_INTRODUCTION: Final = """\
# Lint rules

`flyball check` also tells of habits that cost something later: an SLO that nobody owns, an alert that can never fire,
a metric that is not there. These are warnings; they stop nothing. Each names its rule at the end of the line:

```
slo.yaml:4:9: warning: metadata.name: nobody owns this SLO  [missing-owner]
```

`flyball check --explain RULE` prints the section about a rule, `flyball check --explain all` lists them. The name is
also in `--format json` (`rule`) and `--format github` (the title).

## Live rules

Those marked *live* ask a Prometheus, and only when it is named: `flyball check --prometheus http://127.0.0.1:9090`
(`http://user:password@…` where it wants one). They read names, labels and a sample of last week's traffic, in a number
of queries that grows with the number of metrics, not of SLOs. What was not measured is said on standard error. When
Prometheus cannot be asked, everything else is still told, and the exit status is 3. SLOs in files with mistakes are
left out.

## Changing what a rule counts as

For a workspace, in `flyball.yaml`:

```yaml
apiVersion: flyball.dev/v1
kind: Workspace
spec:
  lint:
    missing-runbook: error     # off, warning or error
    odd-window: off
```

For one document, with an annotation (in OpenSLO, in Pyrra, and in Sloth's PrometheusServiceLevel):

```yaml
metadata:
  annotations:
    flyball.dev/lint-ignore: odd-window, suspicious-objective
```

A name that no rule has is an error (`lint-settings`). Mistakes that keep a file from being used are no lint rules and
cannot be switched off: [Problems](problems.md) lists them, `duplicate-name` among them.

"""


def explained(rule: LintRule) -> str:
    """The section about one rule."""
    live = ", *live*" if rule.needs_server else ""
    return f"## {rule.name}\n\n**{rule.summary}** ({rule.level.value}{live})\n\n{rule.why}\n\n{rule.way_out}\n"


def page() -> str:
    """The whole page."""
    return _INTRODUCTION + "\n".join(explained(rule) for rule in RULES)
