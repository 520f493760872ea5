"""`python -m benchmarks [NAME …]`: those named below, all of them by default; `conformance` takes folders."""

import sys
from importlib import import_module
from typing import Final

NAMES: Final = (
    "anomaly_cycle",
    "anomaly_daily",
    "anomaly_faults",
    "anomaly_fit",
    "anomaly_kpis",
    "anomaly_reading",
    "backfill",
    "budget_rules",
    "command_line",
    "cost_ledger",
    "delivery",
    "deployment_effects",
    "dora_windows",
    "edit_to_live",
    "forecast",
    "indicators",
    "journeys",
    "ladder_visibility",
    "ladder_simulation",
    "large_workspaces",
    "nab",
    "page_storm",
    "pages",
    "parity",
    "plan",
    "price_rules",
    "probe_parity",
    "prober",
    "proofs",
    "provider_outage",
    "repositories",
    "rules",
    "slo_replay",
    "status_page",
    "usage",
)


def main(chosen: list[str]) -> int:
    """Run those named, or `conformance` on folders; return the exit status."""
    if chosen[:1] == ["conformance"]:
        from benchmarks import conformance

        return conformance.run(chosen[1:])
    unknown = sorted(set(chosen) - set(NAMES))
    if unknown:
        print(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    for name in chosen or NAMES:
        import_module(f"benchmarks.{name}").run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
