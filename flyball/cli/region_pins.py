"""What names stand for in a region."""

from pathlib import Path

from flyball.cli.declared import one_or_exit, values_or_exit


def pins_or_exit(folder: Path, region: str) -> dict[str, str]:
    """`host:port` to `address:port`, where the workspace declares the region; empty for the local one."""
    from synthetics.checks import LOCAL_REGION

    if region == LOCAL_REGION:
        return {}
    from synthetics.regions.declared import declared
    from synthetics.regions.kinds import KINDS

    known = {each.name: each for each in values_or_exit(folder, declared, KINDS)}
    return dict(one_or_exit(known, region, "Region").resolve)
