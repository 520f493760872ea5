"""The example's ladder, detectors and effects of deployments at the demo's pace, and its flags in the demo's folder.

The example has figures of production: an hour of burning money before the first step, a day at a tier. Nobody who tries
the demo wants to wait for that, so the copied workspace runs the same tiers, thresholds and flags on the last five
minutes, asks every few seconds, and acts.
"""

import json
import re
import shutil
from typing import Final

from flyball.demo.folder import DemoFolder

_FLAGS: Final = "flags.flagd.json"
_TITLE: Final = "# The ladder of examples/intelgraph at the demo's pace: it acts, and in minutes instead of hours.\n"
_CHANGES: Final = (
    (r"^  mode: \w+.*$", "  mode: enforce"),
    (r"^  every: \w+$", "  every: 10s"),
    (r"\bwindow: \w+", "window: 5m"),
    (r"\bcoolDown: \w+", "coolDown: 45s"),
    (r"\bretryAfter: \w+", "retryAfter: 2m"),
    (r"\bchangesPerDay: \d+", "changesPerDay: 200"),
    (r"\bvisibleWithin: \w+", "visibleWithin: 10s"),
    (r"\bsettle: \w+", "settle: 2s"),
    (r"(enter: .*)\bsamples: \d+", r"\1samples: 2"),
    (r"(exit: .*)\bsamples: \d+", r"\1samples: 4"),
    (r"^      dwell: \w+", "      dwell: 45s"),
    # Units are counted every five minutes: whether use grows would be known too late.
    (r"^  growth: .*\n", ""),
    (r"^    - .*unitCost: .*\n", ""),
)


_STEPS: Final = (r"^  step: 5m$", "  step: 1m  # five minutes where nobody sits and waits")
_EFFECTS: Final = (r"^  effects: .*$", "  effects: {window: 15m, settle: 2m}  # an hour where nobody sits and waits")


def put_flags(folder: DemoFolder) -> None:
    """Move the flags out of the workspace: the platform, the ladder and people change them there, not by editing it."""
    money = folder.workspace / "money"
    folder.flags.parent.mkdir()
    shutil.move(money / _FLAGS, folder.flags)
    declared = money / "flags.yaml"
    declared.write_text(declared.read_text().replace(f"money/{_FLAGS}", json.dumps(str(folder.flags))))


def quicken(folder: DemoFolder) -> None:
    """Let the copied workspace's ladder and detectors run at the demo's pace, and judge releases in half an hour."""
    path = folder.workspace / "money" / "ladder.yaml"
    path.write_text(at_pace(path.read_text()))
    policy = folder.workspace / "delivery" / "policy.yaml"
    policy.write_text(re.sub(*_EFFECTS, policy.read_text(), flags=re.MULTILINE))
    detectors = folder.workspace / "anomalies" / "detectors.yaml"
    detectors.write_text(re.sub(*_STEPS, detectors.read_text(), flags=re.MULTILINE))


def at_pace(text: str) -> str:
    """A ladder's file with shorter times; whatever else stands in it stays, comments too."""
    for pattern, replacement in _CHANGES:
        text = re.sub(pattern, replacement, text, flags=re.MULTILINE)
    return _TITLE + text[text.index("apiVersion:") :]
