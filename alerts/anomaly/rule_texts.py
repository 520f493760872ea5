"""What alerts of detectors say: templates that Prometheus fills in when they fire (LOOK.md, "Words").

Labels of series are known only then, so templates go through them. Each alert asks once, however many figures it tells.
"""

from typing import Final

from alerts.anomaly.labels import RESERVED
from alerts.anomaly.model import AnomalyDetector, Direction
from controlplane import anomaly_names
from controlplane import conventions as names
from controlplane.model.rule import Labels
from controlplane.wording import duration

_METRIC: Final = "__name__"
_NOT_TOLD: Final = (_METRIC, anomaly_names.DETECTOR, anomaly_names.OUTPUT, anomaly_names.GROUP)
_RENAMED: Final = f"^exported_({'|'.join(sorted(RESERVED))})$"  # by us, or by a scrape
_FIGURES: Final = {
    "$now": anomaly_names.VALUE,
    "$expected": anomaly_names.EXPECTED,
    "$lower": anomaly_names.LOWER,
    "$upper": anomaly_names.UPPER,
    "$point": anomaly_names.SCORE,
    "$sustained": anomaly_names.SUSTAINED_SCORE,
}
_LISTED: Final = 5
_IN_QUOTES: Final = """reReplaceAll "'" `'\\''`"""  # what a shell reads between single quotes
_SHOWN: Final = (  # a number: digits that matter, and no exponent where people write none
    '{{ $shown := printf "%.4g" .Value }}'
    '{{ if or (ge .Value 1000.0) (le .Value -1000.0) }}{{ $shown = printf "%.0f" .Value }}{{ end }}'
)
_COUNTED: Final = '{{ $value | printf "%.0f" }}'
_END: Final = "{{ end }}"
_IF_SUSTAINED: Final = f'{{{{ if eq $labels.{anomaly_names.OUTPUT} "sustained" }}}}'
_USUAL: Final = {
    Direction.BOTH: "{{ $lower }} to {{ $upper }}",
    Direction.ABOVE: "at most {{ $upper }}",
    Direction.BELOW: "at least {{ $lower }}",
}


def literal(text: str) -> str:
    """A user's text inside of a template: nothing in it is an action."""
    return text.replace("{{", '{{ "{{" }}')


def of_series(detector: AnomalyDetector) -> Labels:
    """Of one series that is unusual."""
    return (
        (names.SUMMARY, f"{_target(detector)}{_who(detector)}{_told('$labels')} is unusual"),
        (names.DESCRIPTION, _figures(detector)),
        (names.EXPLAIN, _command(detector)),
    )


def of_group(detector: AnomalyDetector) -> Labels:
    """Of series that are unusual together, and which of them are farthest off."""
    members = _selector("$members", _METRIC, anomaly_names.OUTPUT, anomaly_names.GROUP)
    asked = f'(printf `topk({_LISTED}, {anomaly_names.SCORE}{{%s{anomaly_names.GROUP}=""}})` $members)'
    description = (
        f"{_target(detector)}{_figures(detector)} Farthest off of its members, by score:{members}{_listed(asked)}."
    )
    return (
        (names.SUMMARY, f"{_target(detector)}{_who(detector)}{_told('$labels')} is unusual as a whole"),
        (names.DESCRIPTION, description),
        (names.EXPLAIN, _told_so_far(detector)),
    )


def of_many(detector: AnomalyDetector) -> Labels:
    """Of so many series that one alert stands for all."""
    farthest = _listed(f"`topk({_LISTED}, {anomaly_names.SCORE}{{{_members(detector)}}})`")
    description = (
        f"{_target(detector)}This alert stands for all of them: look for what they have in common."
        f" Farthest off:{farthest}."
    )
    return (
        (names.SUMMARY, f"{_who(detector)}: {_COUNTED} series are unusual at once"),
        (names.DESCRIPTION, description),
        (names.EXPLAIN, _told_so_far(detector)),
    )


def of_missing(detector: AnomalyDetector) -> Labels:
    """Of a series without samples."""
    description = (
        "Samples that used to come do not come any more: whether it is as usual cannot be told until they do."
        " Look at what is measured first, then at its exporter."
    )
    return (
        (names.SUMMARY, f"{_target(detector)}{_who(detector)}{_told('$labels')} has no samples any more"),
        (names.DESCRIPTION, description),
        (names.EXPLAIN, _command(detector)),
    )


def of_many_missing(detector: AnomalyDetector) -> Labels:
    """Of so many series without samples that one alert stands for all."""
    some = _listed(f"`topk({_LISTED}, {anomaly_names.GAP}{{{_members(detector)}}} == 1)`", scores=False)
    description = f"{_target(detector)}This alert stands for all of them: look at what exports them. Some are:{some}."
    return (
        (names.SUMMARY, f"{_who(detector)}: {_COUNTED} series have no samples any more"),
        (names.DESCRIPTION, description),
        (names.EXPLAIN, f"flyball anomaly show {detector.name}"),
    )


def of_stale(detector: AnomalyDetector) -> Labels:
    """Of a detector that does not look any more. `$value` is 1 where nothing is known of it at all."""
    description = (
        "{{ if gt $value 1.0 }}The newest step that was scored is {{ $value | humanizeDuration }} old; "
        f"a step is {duration(detector.step)} long. Its samples cannot be read, or no worker takes its turn."
        "{{ else }}Nothing is known of it: `flyball up` does not run, or has not loaded this detector.{{ end }}"
        " Until then nothing that is unusual is told."
    )
    return (
        (names.SUMMARY, f"{_who(detector)}: nobody looks for what is unusual"),
        (names.DESCRIPTION, description),
        (names.EXPLAIN, f"flyball anomaly show {detector.name}"),
    )


def _who(detector: AnomalyDetector) -> str:
    return literal(detector.display_name or detector.name)


def _members(detector: AnomalyDetector) -> str:
    return f'{anomaly_names.DETECTOR}="{detector.name}",{anomaly_names.GROUP}=""'


def _figures(detector: AnomalyDetector) -> str:
    """What it is, what was expected, and how far off that is, by one query."""
    metrics = "|".join(_FIGURES.values())
    taken = "".join(
        _do(f'{"else if" if number else "if"} eq $name "{metric}"') + _do(f"{variable} = $shown")
        for number, (variable, metric) in enumerate(_FIGURES.items())
    )
    looked_up = (
        _selector("$series", _METRIC, anomaly_names.OUTPUT)
        + "".join(_do(f'{variable} := "?"') for variable in _FIGURES)
        + _do(f'range query (printf `{{%s{_METRIC}=~"{metrics}"}}` $series)')
        + _do(f'$name := label "{_METRIC}" .')
        + f"{_SHOWN}{taken}{_END}{_END}"
    )
    unit = f" {detector.cost.currency}" if detector.cost is not None and detector.cost.currency else ""
    lasting = f"{_IF_SUSTAINED}It has been off for a while, and is now{{{{ else }}}}It is{_END}"
    score = f"{_IF_SUSTAINED}{_do('$sustained')}{{{{ else }}}}{_do('$point')}{_END}"
    return (
        f"{looked_up}{lasting} {_do('$now')}{unit}; expected {_do('$expected')}, usual {_USUAL[detector.direction]}."
        f" Score {score}: above 1 is anomalous."
    )


def _selector(variable: str, *left_out: str) -> str:
    """Sets a variable to the alert's labels as PromQL's matchers, each with a comma behind it."""
    added = _do(f'{variable} = printf "%s%s=%q," {variable} $k $v')
    return _do(f'{variable} := ""') + _do("range $k, $v := $labels") + _unless(left_out) + added + _END + _END


def _told(labels: str) -> str:
    """The labels that tell series apart, each with a blank before it."""
    return _of_series(labels, f" {_name()}={_do('$v')}")


def _of_series(labels: str, text: str) -> str:
    """A text for each label `$k`, `$v` that is the series' own: job and instance of Flyball's scrape are not."""
    target = _do("$is_own := true") + _do("range $target") + _do("if eq (index .Labels $k) $v")
    target += _do("$is_own = false") + _END + _END
    return (
        _do(f"range $k, $v := {labels}") + _unless(_NOT_TOLD) + target + _do("if $is_own") + text + _END + _END + _END
    )


def _target(detector: AnomalyDetector) -> str:
    """Sets `$target` to a metric of Flyball's that has the scrape's labels only."""
    return _do(f'$target := query `{anomaly_names.SCORED_AT}{{{anomaly_names.DETECTOR}="{detector.name}"}}`')


def _name() -> str:
    """What the series calls its label `$k`."""
    return _do(f'$k | reReplaceAll "{_RENAMED}" "$1"')


def _listed(query: str, *, scores: bool = True) -> str:
    """What a query finds: labels, and the value in brackets."""
    value = """ ({{ printf "%.3g" .Value }})""" if scores else ";"
    return _do(f"range query {query}") + _told(".Labels") + value + _END


def _command(detector: AnomalyDetector) -> str:
    """The command that tells more of a series; what a label holds cannot break out of its quotes."""
    if detector.cost is not None:
        chosen = f" --where '{_name()}={_do(f'$v | {_IN_QUOTES}')}'"
        by_dimension = _of_series("$labels", _do(f'if ne $k "{names.CURRENCY}"') + chosen + _END)
        return f"{_target(detector)}flyball cost explain --ledger {detector.cost.ledger.value}{by_dimension}"
    added = _do(f'$own = printf "%s,%s=%q" $own (reReplaceAll "{_RENAMED}" "$1" $k) $v')
    collected = _target(detector) + _do('$own := ""') + _of_series("$labels", added)
    quoted = _do(f'$own | reReplaceAll "^," "" | {_IN_QUOTES}')
    opening = _do('"{"')  # a brace before an action would be read as a part of it
    option = f"{_do('if $own')} --series '{opening}{quoted}}}'{_END}"
    return f"{collected}flyball anomaly explain {detector.name}{option}"


def _told_so_far(detector: AnomalyDetector) -> str:
    """The command that lists everything of the detector that is open."""
    return f"flyball anomaly episodes {detector.name} --open"


def _unless(left_out: tuple[str, ...]) -> str:
    return _do(f'if not (match "^({"|".join(left_out)})$" $k)')


def _do(action: str) -> str:
    return f"{{{{ {action} }}}}"
