"""`flyball anomaly faults`: how well injected faults are found, and how often nothing is taken for something."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated, Final

import typer

from flyball.cli.asking import printed

_MOST: Final = 400  # series of each fault: some 2 GiB of scores
_MOST_A_MINUTE: Final = 80


def faults(
    series: Annotated[int, typer.Option("--series", metavar="N", min=1, max=_MOST, help="So many of each fault.")] = 40,
    seed: Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Another one draws other series.")] = 1,
    step: Annotated[int, typer.Option("--step", metavar="MINUTES", help="Between two values: 1, 5 or 15.")] = 5,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Tables as docs/reference/anomaly-faults.md has.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Inject faults into generated series and say which share is found, how soon, and how often nothing is told of.

    Five weeks of eight kinds of series (requests, orders, latencies, ratios, …) with noise, trends and gaps; the
    fault comes in the fifth week. Then bills of 45 to 400 days, with faults of their own. Rolling z-scores and the
    rules of Grafana's PromQL framework judge the same series. How it is counted: docs/reference/anomaly-faults.md.

    Exit status: 0, 2 when an option is wrong.

    \b
    Examples:
      flyball anomaly faults
      flyball anomaly faults --series 100 --seed 7
      flyball anomaly faults --step 1 --series 16
      flyball anomaly faults --json | jq '.faults."level shift".point'
    """
    if step not in (1, 5, 15):
        raise typer.BadParameter("1, 5 or 15 minutes", param_hint="--step")
    if step == 1 and series > _MOST_A_MINUTE:
        raise typer.BadParameter(f"at most {_MOST_A_MINUTE} with a step of a minute", param_hint="--series")
    if markdown and as_json:
        raise typer.BadParameter("say one of --json and --markdown", param_hint="--markdown")
    from alerts.anomaly.faults.daily_measuring import daily_labels, measure_daily
    from alerts.anomaly.faults.daily_views import costs_data, costs_markdown, costs_text
    from alerts.anomaly.faults.measuring import labels, measure
    from alerts.anomaly.faults.views import measured_data, measured_markdown, measured_text

    with _advancing(sum(1 for part in (labels, daily_labels) for _ in part(series))) as advance:
        measured = measure(series, seed, timedelta(minutes=step), advance)
        costs = measure_daily(series, seed, advance)
    if markdown:
        typer.echo(f"{measured_markdown(measured)}\n\n{costs_markdown(costs)}")
    else:
        data = {**measured_data(measured), "daily_costs": costs_data(costs)}
        printed(data, f"{measured_text(measured)}\n\n{costs_text(costs)}", as_json=as_json)


@contextmanager
def _advancing(total: int) -> Iterator[Callable[[str], None]]:
    """A bar with an estimate where somebody looks at it."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with typer.progressbar(length=total, label="Measuring", file=sys.stderr) as bar:
        yield lambda _: bar.update(1)
