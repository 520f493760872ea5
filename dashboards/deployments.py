"""Deployments as marks: those that were told of, beside the versions that came up by themselves."""

from typing import Any, Final

from controlplane import conventions as names
from controlplane import delivery_names as ours
from dashboards import palette
from dashboards.frame import mark

OF_MANY: Final = "Deployed {{service}} {{version}}"
OF_ONE: Final = "Deployed {{version}}"  # where a dashboard is about one service
_SHOWN_SECONDS: Final = 300  # a mark is that wide: long enough to be seen in a month's chart, short enough to be exact


def deployed(*matchers: str) -> str:
    """When something was deployed: a series by service, environment and version for five minutes."""
    by = f"{names.SERVICE}, {ours.ENVIRONMENT}"
    chosen = f"{{{','.join(matchers)}}}" if matchers else ""
    lately = f"max by ({by}) ({ours.LAST_DEPLOYMENT}{chosen} > time() - {_SHOWN_SECONDS})"
    return f"(max by ({by}, version) ({ours.DEPLOYMENT_INFO}{chosen}) * on ({by}) group_left () {lately})"


def deployments_mark(seen: str = "", *matchers: str, title: str = OF_MANY) -> dict[str, Any]:
    """Deployments, drawn across every chart. `seen` is a query of versions that came up without anybody telling."""
    told = deployed(*matchers)
    return mark("Deployments", f"{seen} or {told}" if seen else told, palette.ON_PURPOSE, title, "service,version")
