"""What was applied last, and whether it is what runs."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from controlplane import conventions as names
from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.adapters.rule_folder import RuleFolderOnDisk
from controlplane.model.generation import TextFile
from controlplane.ports import LoadedGroup, Permanent, RuleEngine, Transient
from flyball.alerting.reading import RECORD_FILE as ALERT_RECORD_FILE
from flyball.anomalies.reading import RECORD_FILE as ANOMALY_RECORD_FILE
from flyball.delivery.reading import RECORD_FILE as DELIVERY_RECORD_FILE
from flyball.money.reading import RECORD_FILE
from flyball.synthetics.reading import RECORD_FILE as CHECK_RECORD_FILE
from slo import manifest
from slo.apply import id_of
from slo.generation import MARKER_FILE, MARKER_GROUP, is_whole, live_groups
from slo.manifest import Manifest, read_manifest

MOST_QUERIES: Final = 200  # about series and samples; more would make a plan of a large change slow
_READ_WHOLE: Final = 1000  # SLOs; of more, what runs is told from the marker's series alone
_GROUP: Final = re.compile(r"^- name: (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Applied:
    """A generation of rules: what it was made from (None for rules of an older Flyball), and its files when asked.

    `money_record`, `check_record`, `alert_record`, `delivery_record` and `anomaly_record` are what it says about money,
    checks from outside, who is told, deliveries, and anomalies. `generation` is empty, and so is everything else, when
    nothing was applied.
    """

    generation: str = ""
    manifest: Manifest | None = None
    files: Callable[[], tuple[TextFile, ...]] = tuple
    notes: tuple[str, ...] = ()
    money_record: str = ""
    check_record: str = ""
    alert_record: str = ""
    delivery_record: str = ""
    anomaly_record: str = ""


def applied_in(rules_directory: Path) -> Applied:
    """What the rules directory points to."""
    folder = RuleFolderOnDisk(rules_directory)
    copy = folder.current()
    if copy is None:
        return Applied()
    good = folder.last_good()
    unverified = good is None or good.copy != copy
    notes = ("the last apply did not end well: its rules were never seen to run",) if unverified else ()
    text = folder.read_one(copy, manifest.FILE_NAME)
    record = folder.read_one(copy, RECORD_FILE) or ""
    checks = folder.read_one(copy, CHECK_RECORD_FILE) or ""
    return Applied(
        id_of(copy),
        read_manifest(text) if text else None,
        lambda: folder.read(copy),
        notes,
        record,
        checks,
        folder.read_one(copy, ALERT_RECORD_FILE) or "",
        folder.read_one(copy, DELIVERY_RECORD_FILE) or "",
        folder.read_one(copy, ANOMALY_RECORD_FILE) or "",
    )


def new_slos(before: Applied, after: Applied) -> tuple[str, ...]:
    """The names of SLOs that were not applied before; none where the rules of either tell no SLOs."""
    if after.manifest is None or (before.manifest is None and before.generation):
        return ()
    old = set(before.manifest.lines) if before.manifest else set[str]()
    changed = [_name(line) for line in after.manifest.lines if line not in old and not _has_earlier_names(line)]
    known = {_name(line) for line in old - set(after.manifest.lines)}
    return tuple(name for name in changed if name not in known)


def _has_earlier_names(line: str) -> bool:
    return bool(json.loads(line).get("renamed_from"))


def _name(line: str) -> str:
    return str(json.loads(line)["name"])


def compiled_in(out: Path) -> Applied:
    """What `flyball compile` wrote to a folder."""
    path = out / manifest.FILE_NAME
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    rules = out / names.RULES_SUBFOLDER

    def files() -> tuple[TextFile, ...]:
        return tuple(
            TextFile(each.name, each.read_text(errors="surrogateescape")) for each in sorted(rules.glob("*.yaml"))
        )

    def record(name: str) -> str:
        path = out / name
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""

    return Applied(
        str(out),
        read_manifest(text) if text else None,
        files,
        money_record=record(RECORD_FILE),
        check_record=record(CHECK_RECORD_FILE),
        alert_record=record(ALERT_RECORD_FILE),
        delivery_record=record(DELIVERY_RECORD_FILE),
        anomaly_record=record(ANOMALY_RECORD_FILE),
    )


@dataclass(slots=True)
class AskedEngine:
    """Who plans ask: `backend` about series, `rules` about what runs, where that is another server (a ruler).

    After the first failure the backend is not asked again; `failure` says why.
    """

    backend: PrometheusBackend
    now: datetime
    rules: RuleEngine | None = None
    failure: str = ""
    queries: int = 0
    _known: dict[str, float | None] = field(default_factory=dict)

    def largest(self, query: str) -> float | None:
        """The largest value of a query, None without data or answer."""
        if query in self._known or self.failure or self.queries >= MOST_QUERIES:
            return self._known.get(query)
        self.queries += 1
        try:
            values = [sample.value for sample in self.backend.query(query, self.now)]
        except Transient as error:
            self.failure = str(error)
            return None
        except Permanent:  # such as a query that only a newer engine understands
            values = []
        self._known[query] = max(values, default=None)
        return self._known[query]

    def samples(self, selector: str) -> float | None:
        """The samples that a selector reads, with its range or without; 0 when there are no such series."""
        query = f"sum(count_over_time({selector}))" if selector.endswith("]") else f"count({selector})"
        found = self.largest(query)
        return 0 if found is None and query in self._known else found

    def generation(self) -> str:
        """The generation whose marker was evaluated last, empty when there is none."""
        try:
            found = self.backend.query(f"topk(1, timestamp({names.RULES_GENERATION}))", self.now)
        except (Transient, Permanent) as error:
            self.failure = str(error)
            return ""
        return found[0].labels.get("generation", "") if found else ""


def drift(applied: Applied, engine: AskedEngine, slos: int) -> tuple[str, ...]:
    """How what runs differs from what was applied, in words; empty when it does not, or nobody answers."""
    if not applied.generation or (slos > _READ_WHOLE and engine.generation() == applied.generation):
        return ()
    if engine.failure and engine.rules is None:
        return ()
    try:
        loaded = (engine.rules or engine.backend).loaded_groups()
    except (Transient, Permanent) as error:
        engine.failure = str(error)
        return ()
    return tuple(_differences(applied, loaded, deep=slos <= _READ_WHOLE))


def _differences(applied: Applied, loaded: list[LoadedGroup], *, deep: bool) -> list[str]:
    live = live_groups(applied.generation, loaded)
    if not live:
        others = [expr for group in loaded if group.name == MARKER_GROUP for _, expr in group.rules]
        runs = re.search(r"[0-9a-f]{64}", others[0]) if others else None
        found = f"generation {runs[0][:12]}" if runs else "none of ours"
        return [f"generation {applied.generation[:12]} was applied last, but {found} runs: `flyball apply` mends that"]
    if not deep:
        return []
    files = applied.files()
    said = []
    if not is_whole(applied.generation, files):
        said.append("the applied rule files were altered by hand: `flyball apply` mends that")
    wanted = {group.strip("'\"") for file in files if file.name != MARKER_FILE for group in _GROUP.findall(file.text)}
    runs_now = {group.name for group in live if group.name != MARKER_GROUP}
    if missing := sorted(wanted - runs_now):
        said.append(f"applied, but not running: {_named(missing)}")
    if besides := sorted(runs_now - wanted):
        said.append(f"running, but not applied: {_named(besides)}")
    return said


def _named(groups: list[str]) -> str:
    more = f" and {len(groups) - 1} more" if len(groups) > 1 else ""
    return f"group {groups[0]}{more}"
