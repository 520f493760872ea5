"""`flyball dora`: the DORA metrics, from the events of deliveries."""

from typing import Final

import typer

from flyball.cli.dora import attributing, collect, definitions, effects, listing, report

_HELP: Final = """DORA metrics: lead time, frequency, fail rate, recovery and rework of deployments.

\b
Examples:
  flyball dora report
  flyball dora report --service checkout --compare-previous
  flyball dora deployments --failed
  flyball dora show 4.2.1
  flyball dora attribute INC-7 --to 4.2.1
  flyball dora effects
  flyball dora collect --git ../shop --service shop
  flyball dora definitions
"""

app = typer.Typer(no_args_is_help=True, help=_HELP)
app.command("report")(report.report)
app.command("deployments")(listing.deployments)
app.command("show")(listing.show)
app.command("incidents")(listing.incidents)
app.command("attribute")(attributing.attribute)
app.command("effects")(effects.effects)
app.command("collect")(collect.collect)
app.command("definitions")(definitions.definitions)
