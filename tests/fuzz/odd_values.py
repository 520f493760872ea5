"""Values, as YAML text, that somebody or something may write in the place of another."""

from typing import Final

_NUMBERS: Final = (
    "0", "-0", "1", "-1", "100", "99.9", "0.999", "1e400", "-1e-400", ".inf", "-.inf", ".nan", "NaN", "0x1F", "1_000",
    "99.99999999999999999999999999", "0.00000000000000000000000001", "1" + "0" * 400, "1" + "0" * 5000, "٣", "1e",
    "1,5", "100 %", "+5", "1e1000000000", "0.1e-999999999",
)  # fmt: skip
_DURATIONS: Final = (
    "0s", "5m", "1h", "7m", "30d", "30D", "1M", "1Q", "1Y", "2w", "-1d", "1.5h", "1h30m", "99999999999d", "3650d",
    "3651d", "P1D", "1", "5", "1ms", "1 d", "∞", "1d1d", "4w2d", "0d", "1y", "100Y", "13M", "300ms",
)  # fmt: skip
_TIMES: Final = (
    "2026-11-22 02:00", "2026-11-22T02:00Z", "2026-02-30", "0001-01-01", "9999-12-31 23:59:59", "2026-03-29 02:30",
    "2026-11-22T02:00+23:59", "2026-11-22T02:00+99:00", "now", "1700000000", "2026-13-01", "2026-W10-1",
    "20261122T020000Z", "2026-11-22 24:00", "2026-11-22 02:00:00.123456789", "-2026-01-01", "2026-11-22",
)  # fmt: skip
_ZONES: Final = (
    "UTC", "Europe/Berlin", "America/St_Johns", "Mars/Base", "../../etc/passwd", "Europe", "/etc", "utc", "posixrules",
    "Asia/Kathmandu", "Local", "EST5EDT", "Africa/Casablanca", "a\0b", "zone.tab", "Pacific/Apia", "CON",
)  # fmt: skip
_RRULES: Final = (
    "FREQ=SECONDLY", "FREQ=MINUTELY;COUNT=5", "FREQ=DAILY", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=WEEKLY;BYDAY=XX", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;INTERVAL=99999999999",
    "FREQ=DAILY;UNTIL=19000101T000000Z", "RRULE:FREQ=DAILY", "FREQ=DAILY;COUNT=-1", "FREQ=DAILY;COUNT=999999999999",
    "FREQ=MONTHLY;BYDAY=53MO", "FREQ=YEARLY;BYEASTER=0", "FREQ=", "FREQ=MONTHLY;BYSETPOS=-366;BYDAY=MO,TU",
    "DTSTART:20261101T000000\nRRULE:FREQ=DAILY", "FREQ=DAILY;WKST=MO;BYHOUR=25", "FREQ=YEARLY;BYWEEKNO=54",
    "FREQ=YEARLY;BYYEARDAY=-400", "FREQ=DAILY;FREQ=WEEKLY", "FREQ=DAILY;BYSECOND=0,1,2,3,4,5",
    "FREQ=MONTHLY;BYMONTHDAY=31;BYMONTH=2,4,6,9,11", "INTERVAL=2", ";;;", "FREQ=DAILY;UNTIL=20270101",
)  # fmt: skip
_QUERIES: Final = (
    "", " ", "x", "1", "time()", "vector(1)", "x[5m]", "rate(x[5m])", "rate(x[0s])", "sum(rate(x[5m])) by (a) / 0",
    "x{", "x}", "x{}", "{}", '{__name__=~".+"}', 'x{a=~"(((((a*)*)*)*)*)b"}', 'x{a=~"["}', 'x{a=~"a{1000}{1000}"}',
    'x{a="\\xff"}', "x @ end()", "x offset -5m", "rate(x[5m:1m])", "sum(" * 50 + "x" + ")" * 50,
    "(" * 500 + "x" + ")" * 500, "x + " * 300 + "x", "-" * 400 + "x", "count_values('a', x)", "absent(x)",
    "histogram_quantile(0.9, x)", "topk(5, x)", "label_replace(x, 'a', '$1', 'b', '(')",
    'sum by (le) (rate(x_bucket{le="0.3"}[5m]))', 'x_bucket{le="NaN"}', 'x_bucket{le="+Inf"}', "ALERTS",
    "rate(x[{{.window}}])", "sum(rate(x[{{ .window }}])) or vector(0)", "x[$__rate_interval]",
    "increase(x[{{.window}}]) > bool 0", 'x # {a="b"', "x\n#\n", '"text"', "'", '"', "`x`", "NaN", "Inf", "-Inf * x",
    "x == x", "sgn(x)", 'x{job="a",job="b"}', 'x{job!~""}', '{"http.requests"}', "sum(rate(x[5m])) - sum(rate(y[5m]))",
    "x{a='\\u0000'}", "sum without () (x)", "avg_over_time(x[5m])", "x unless y", "rate(x)", "last_over_time(x[5m])",
    "x and on () y", "a / on (b) group_left () c", "clamp_max(rate(x[5m]), 1)", "sum_over_time(x[1y])",
)  # fmt: skip
_WORDS: Final = (
    "", " ", "a", "A", "-", "a" * 63, "a" * 64, "a" * 5000, "é", "ü" * 100, "\ufeff", "\u2028", "\x85", "\U0001f600",
    "\u202eabc", "a\nb", "\\", "{{", "}}", "{{ $labels.x }}", '{{ template "x" }}', "{{ .window }}", "{service}",
    "{slo}", "{0}", "%s", "${x}", "$1", "<b>", "a/b", "..", "~", "null", "true", "*", "[a-z", "**", "(a+)+$",
    "__name__", "le", "slo", "job", "instance", "tenant", "a,b", ",", "flyball.dev/", "//", "http://[", "quarter",
    "http://a:99999999", "javascript:alert(1)", "sqlite:///:memory:", "prometheus", "burn-rate", "budget", "page",
    "ticket", "page-1h", "good", "excluded", "bad", "ignore", "auto", "sloth", "pyrra", "Timeslices", "Occurrences",
    "RatioTimeslices", "success", "failure", "lt", "gte", "List", "99d", "=", "=~x", "!=", '"', "'", "`", "\t", "a\tb",
    "\r\n", "#", "# a", ": ", "- ", "? ", "|", ">", "!", "&", "@", "%",
)  # fmt: skip
STRUCTURES: Final = (
    "", "~", "{}", "[]", "[[]]", "[{}]", "{a: {b: []}}", "[~, ~]", "true", "false", "{'': ''}", "[a, [b, [c]]]", "*x",
    "&x [*x]", "&x {a: *x}", "!!python/object:os.system x", "!!binary aGk=", "!!set {a}", "!!int x", "! x",
    "{<<: {a: b}}", "{<<: [a]}", "{? [a] : b}", "{{}: a}", "{1: 2}", "[" * 70 + "]" * 70, "{a: " * 70 + "}" * 70,
    "{" + ", ".join(f"k{n}: v" for n in range(200)) + "}", "[" + "a, " * 300 + "]", "{a: 1, a: 2}", "&x x",
    "{labels: {slo: a}}", "{query: x}", "{metricSource: {type: prometheus, spec: {query: x}}}", "{name: a}",
    "{spec: {}}", "{metadata: {name: a}}", "{slos: ['*']}", "{duration: 1d}", "{metric: x}",
    "[{target: 0.9}, {target: 0.9}]", "[{target: 0.9}, {target: 0.900}]", "{target: 0.5, displayName: a}",
)  # fmt: skip
TEXTS: Final = (*_NUMBERS, *_DURATIONS, *_TIMES, *_ZONES, *_RRULES, *_QUERIES, *_WORDS)
TOKENS: Final = (
    *"ab:[]{},'\"|>#~\n\r\t\0\x85\ufeff\ud800\\()=!*&-0", ": ", "- ", "\n  ", "\n---\n", "...\n", "<<: ",
    "%YAML 1.2\n", "? ", "[5m]", "sum(", "rate(", " or ", " by (a) ", "{{.window}}", "{{", "=~", "offset 5m",
    "kind: List\n",
)  # fmt: skip
