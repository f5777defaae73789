"""Whatever is sent: an answer or a typed error, and never anything else."""

from datetime import datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from alicia.adapters.zones import load_zone
from alicia.alerting.rule import parse_rule, rule_to_api
from alicia.alerting.silence import Recurrence, Silence, parse_silence, silence_to_api
from alicia.base.errors import BadField, BadRequest
from alicia.base.times import datetime_ms, seconds
from alicia.promql.condition import read_condition
from alicia.promql.errors import BadExpression
from alicia.promql.format import format_expr
from alicia.promql.parser import parse
from alicia.wire.envelope import Unwrapped
from alicia.wire.fleet import decode_sightings
from alicia.wire.ports import Message
from alicia.wire.topics import Topics

PIECES = [
    "a", "cpu", "value", "bool", "on", "and", "by", "inf", "1", ".5", "0x1f", "5m", "1e3", "(", ")",
    "{", "}", "[", "]", ",", "=", "==", "!=", "=~", "!~", "<", ">=", "+", "-", "*", "/", "%", "^",
    '"a.b"', "'x'", "`y`", '"', " ", "\n", "#c\n", "@", "offset", ":", "é", "\x00", "\ud800",
]  # fmt: skip
EXPRESSIONS = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=20,
)
RULE_FIELDS = (
    "name", "condition", "threshold", "operator", "severity", "enabled", "for", "labels",
    "resolve_threshold", "missing_for", "interval", "annotations", "depends_on", "metric_name",
)  # fmt: skip
SILENCE_FIELDS = ("matchers", "start", "end", "duration", "recurrence", "until", "timezone")
NOW = 1_792_800_000_000  # in a week of which summer time ends in Europe
DAY = 86_400_000
INSTANTS = st.integers(NOW - 20 * DAY, NOW + 20 * DAY)
MATCHERS = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from(("service", "x")), "op": st.sampled_from(("=", "!=")),
         "value": st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1)}
    ),
    max_size=3,
).map(lambda found: [{"name": "service", "value": "a"}, *found])  # fmt: skip
ONCE = st.fixed_dictionaries(
    {
        "start": INSTANTS.map(seconds),
        "end": st.integers(NOW + 20 * DAY + 1, NOW + 40 * DAY).map(seconds),
    }
)
AGAIN = st.fixed_dictionaries(
    {"start": INSTANTS.map(seconds), "duration": st.integers(1, DAY).map(seconds),
     "recurrence": st.sampled_from(("daily", "weekly")),
     "until": st.none() | INSTANTS.map(seconds)}
)  # fmt: skip
SILENCES = st.builds(
    lambda matchers, times, zone: {"matchers": matchers, "timezone": zone, **times},
    MATCHERS,
    ONCE | AGAIN,
    st.sampled_from(("UTC", "Europe/Riga", "America/New_York", "Pacific/Apia")),
)
TOPICS = (
    "system/health/a", "system/discovery/register", "services/a/status", "services/register",
    "metrics/collect", "voice/a/request", "health/heartbeat/a", "", "system",
)  # fmt: skip


@given(EXPRESSIONS | st.text(max_size=60))
def test_an_expression_is_a_tree_or_a_fault_with_a_position(text: str) -> None:
    try:
        tree = parse(text)
    except BadExpression as error:
        assert 0 <= error.offset <= len(text)
        assert str(error).startswith(f"{error.line}:{error.column}: ")
        return
    canonical = format_expr(tree)
    assert format_expr(parse(canonical)) == canonical


@given(
    st.dictionaries(st.sampled_from(RULE_FIELDS), JSON | EXPRESSIONS)
    | st.builds(
        lambda condition, rest: {"name": "n", "severity": "info", "condition": condition, **rest},
        EXPRESSIONS,
        st.dictionaries(st.sampled_from(("threshold", "operator", "metric_name")), JSON),
    )
)
def test_a_rule_is_whole_or_refused(body: dict[str, object]) -> None:
    try:
        rule = parse_rule(body, read=read_condition, interval_ms=1000)
    except (BadRequest, BadField) as error:
        assert error.errors()
        return
    assert parse_rule(rule_to_api(rule), read=read_condition, interval_ms=1) == rule


def silence_of(body: dict[str, object]) -> Silence:
    return parse_silence(body, silence_id="s", now_ms=NOW, default_author="x", zones=load_zone)


@given(SILENCES, INSTANTS)
def test_a_silence_is_quiet_in_its_periods_and_never_after_its_end(
    body: dict[str, object], t_ms: int
) -> None:
    silence = silence_of(body)
    length_ms = silence.end_ms - silence.start_ms
    first = datetime.fromtimestamp(silence.start_ms / 1000, silence.zone)
    days = {None: [0], Recurrence.DAILY: range(70), Recurrence.WEEKLY: range(0, 70, 7)}
    begins = [datetime_ms(first + timedelta(days=n)) for n in days[silence.recurrence]]
    quiet = any(begin <= t_ms < begin + length_ms for begin in begins)
    if silence.until_ms is not None:
        quiet = quiet and t_ms < silence.until_ms
    assert silence.active(t_ms) is quiet
    assert (silence.state(t_ms) == "active") is quiet
    if silence.state(t_ms) == "expired":
        assert not any(silence.active(begin) for begin in begins if begin >= t_ms)
    shown = silence_to_api(silence, now_ms=t_ms)
    assert silence_of({name: shown[name] for name in SILENCE_FIELDS if name in shown}) == silence


@given(SILENCES, st.dictionaries(st.sampled_from(SILENCE_FIELDS), JSON, max_size=2))
def test_a_silence_is_whole_or_refused(body: dict[str, object], wrong: dict[str, object]) -> None:
    try:
        silence = silence_of({**body, **wrong})
    except BadRequest as error:
        assert error.errors()
        return
    assert silence.state(NOW) in ("active", "pending", "expired")
    assert silence.start_ms < silence.end_ms


@given(st.sampled_from(TOPICS), JSON, st.text(max_size=20), st.booleans())
def test_a_message_of_the_fleet_never_raises(
    topic: str, value: object, source: str, retained: bool
) -> None:
    message = Message(f"alicia/{topic}", b"", retained=retained)
    body = {"service_name": "a", "uptime": value, "capabilities": value, "port": value}
    for each in (value, body):
        sightings = decode_sightings(
            message, Unwrapped(each, source=source), topics=Topics(), received_ms=10**12
        )
        assert len(sightings) <= 2
        msgspec.json.encode([sighting.service for sighting in sightings])
