"""What collecting came to, for terminals and machines."""

from collections.abc import Sequence

from controlplane.model.event import JSON
from exporters.repositories.collecting import Collected


def collected_text(collected: Sequence[Collected], *, is_preview: bool = False) -> str:
    """One paragraph for each repository: what was found, since when, and what did not work."""
    return "\n".join(line for each in collected for line in _lines(each, is_preview=is_preview))


def collected_data(collected: Collected) -> dict[str, JSON]:
    """The same as JSON; times in RFC 3339, null where there is none."""
    return {
        "repository": collected.repository,
        "changes": collected.changes,
        "deployments": collected.deployments,
        "first": None if collected.first is None else collected.first.isoformat(),
        "last": None if collected.last is None else collected.last.isoformat(),
        "taken": collected.taken,
        "duplicates": collected.duplicates,
        "conflicts": collected.conflicts,
        "refused": collected.refused,
        "complete": collected.is_complete,
        "error": collected.error,
        "retryAt": None if collected.retry_at is None else collected.retry_at.isoformat(),
    }


def _lines(found: Collected, *, is_preview: bool) -> list[str]:
    what = f"{_counted(found.changes, 'change')} and {_counted(found.deployments, 'deployment')}"
    new = "would be told of" if is_preview else "new"
    if found.first is None or found.last is None:
        lines = [f"{found.repository}: nothing new"] if not found.error else []
    else:
        lines = [f"{found.repository}: {what} {new}, {found.first:%Y-%m-%d} … {found.last:%Y-%m-%d} UTC"]
    if found.conflicts:
        lines.append(f"  {found.conflicts:,} events say something else than before: what was told first stays")
    if found.refused:
        lines.append(f"  {found.refused:,} events were refused; the log says why")
    if found.error:
        lines.append(f"{found.repository}: not read to its end: {found.error}")
        if found.retry_at is not None:
            lines.append(f"  What was read is kept; the daemon goes on at {found.retry_at:%H:%M:%S} UTC.")
    return lines


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
