"""Labels of series and of alerts: which names are our own, and may not be anybody else's."""

import re
from collections.abc import Collection, Mapping
from typing import Final

from alerts.reporting import Report
from controlplane import anomaly_names
from controlplane import conventions as names

Path = tuple[str | int, ...]
OF_SCRAPE: Final = ("instance", "job")
RESERVED: Final = frozenset(
    {
        anomaly_names.DETECTOR, anomaly_names.OUTPUT, anomaly_names.BASELINE, anomaly_names.GROUP, anomaly_names.STATE,
        names.SEVERITY, "alertname", "alertstate", *OF_SCRAPE,
    }
)  # fmt: skip
"""Labels that Flyball and Prometheus set on metrics and alerts of detectors.

`instance` and `job` are those of Flyball's own scrape, whether or not it honours labels."""
STANDS_FOR: Final = "series"  # `all` on an alert that stands for many series
LABEL_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,127}", re.ASCII)
_KEY: Final = re.compile(r"[a-zA-Z0-9]([-._a-zA-Z0-9]{0,61}[a-zA-Z0-9])?", re.ASCII)


def tell_renamed(report: Report, labels: Collection[str], path: Path) -> None:
    """Report labels of series that our own take the place of; of `job` and `instance` that is what people know."""
    for label in sorted(RESERVED.intersection(labels).difference(OF_SCRAPE)):
        message = (
            f"Flyball sets the label `{label}` itself: its metrics and alerts have that of the series under a new name"
        )
        report.warning(*path, message=message, hint=f"write `exported_{label}` in rules and routes")


def alert_labels(report: Report, written: Mapping[str, str], kept: Collection[str] | None) -> dict[str, str]:
    """`metadata.labels` under names that Prometheus takes. `kept`: labels that series are known to have."""
    found: dict[str, str] = {}
    for key, value in written.items():
        at: Path = ("metadata", "labels", key)
        name = re.sub(r"[^a-zA-Z0-9_]", "_", key)
        name = f"_{name}" if name[:1].isdigit() else name
        if not _KEY.fullmatch(key) or name.startswith("__"):
            message = f"`{key[:80]}` is not a label's key: letters, digits, `-`, `_` and `.`, at most 63"
            report.error(*at, message=message, rule="metadata", on_key=True)
        elif name in RESERVED or name == STANDS_FOR:
            message = f"`{name}` is a label that Flyball sets itself on alerts of detectors"
            report.error(*at, message=message, hint="another name", rule="metadata", on_key=True)
        elif name in (kept or ()):
            message = f"the series have their own label `{name}`, which alerts would lose"
            report.error(*at, message=message, hint="another name", rule="metadata", on_key=True)
        elif name in found:
            message = f"another label is `{name}` in Prometheus, too"
            report.error(*at, message=message, hint="remove one", rule="metadata", on_key=True)
        else:
            found[name] = value
    return dict(sorted(found.items()))
