"""`flyball anomaly`: what leaves its daily and weekly shape, and why."""

from typing import Final

import typer

from flyball.cli.anomaly import backtest, explain, faults, feedback, listing, scoring

_HELP: Final = """Seasonal anomalies: score files, look at detectors, see what they would have told.

\b
Examples:
  flyball anomaly score requests.csv
  flyball anomaly list
  flyball anomaly explain gateway-traffic
  flyball anomaly backtest gateway-traffic --since 30d
  flyball anomaly feedback EPISODE expected
"""

app = typer.Typer(no_args_is_help=True, help=_HELP)
app.command("score")(scoring.score)
app.command("list")(listing.list_)
app.command("show")(listing.show)
app.command("episodes")(listing.episodes)
app.command("explain")(explain.explain)
app.command("backtest")(backtest.backtest)
app.command("feedback")(feedback.feedback)
app.command("faults")(faults.faults)
