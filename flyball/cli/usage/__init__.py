"""`flyball usage`: metered usage, its months, and what tenants are billed."""

from typing import Final

import typer

from flyball.cli.usage import close, conflicts, credits_, export, ingest, retry, status, verify

_HELP: Final = """Meter usage per tenant, close months, and export what is billed.

\b
Examples:
  flyball usage ingest events.ndjson
  flyball usage status
  flyball usage close --period 2026-11
  flyball usage export --period 2026-11 -o invoices/
  flyball usage verify invoices/usage-2026-11.csv
"""

app = typer.Typer(no_args_is_help=True, help=_HELP)
app.command("ingest")(ingest.ingest)
app.command("status")(status.status)
app.command("conflicts")(conflicts.conflicts)
app.command("retry")(retry.retry)
app.command("close")(close.close)
app.command("credits")(credits_.credits_)
app.command("export")(export.export)
app.command("verify")(verify.verify)
