"""Silences: who is quiet, from when to when, and whether that comes again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Final, Literal

from alicia.alerting.form import Form, text_fault
from alicia.base.errors import BadField
from alicia.base.limits import LABEL_VALUE_BYTES_MAX, LABELS_MAX, NAME_BYTES_MAX
from alicia.base.times import datetime_ms, seconds
from alicia.series.labels import LabelSet
from alicia.series.matchers import Matcher, MatchOp, matches_all

_DAY: Final = timedelta(days=1)
SilenceState = Literal["active", "pending", "expired"]


class Recurrence(StrEnum):
    """How a silence comes again, by the calendar of its zone."""

    DAILY = "daily"
    WEEKLY = "weekly"


_WEEK_MS: Final = 7 * 86_400_000
_PERIOD_MS: Final = {Recurrence.DAILY: 86_400_000, Recurrence.WEEKLY: _WEEK_MS}


@dataclass(frozen=True, slots=True)
class Silence:
    """No notices for alerts that satisfy all matchers while it is active.

    Active for ``start_ms <= t < end_ms``; with a recurrence also in every later period at the
    same time of day in ``zone``, until ``until_ms`` (exclusive; None: for ever).
    """

    silence_id: str
    matchers: tuple[Matcher, ...]
    start_ms: int
    end_ms: int
    comment: str
    author: str
    created_ms: int
    recurrence: Recurrence | None = None
    until_ms: int | None = None
    zone_name: str = "UTC"
    zone: tzinfo = UTC

    def covers(self, labels: Mapping[str, str]) -> bool:
        """Whether an alert of these labels is meant."""
        return matches_all(self.matchers, labels)

    def active(self, now_ms: int) -> bool:
        """Whether it is quiet now."""
        if self.recurrence is None:
            return self.start_ms <= now_ms < self.end_ms
        if now_ms < self.start_ms or (self.until_ms is not None and now_ms >= self.until_ms):
            return False
        length_ms = self.end_ms - self.start_ms
        return any(begin <= now_ms < begin + length_ms for begin in self._begins(now_ms))

    def state(self, now_ms: int) -> SilenceState:
        """Active now, pending (once or again), or expired for good."""
        if self.active(now_ms):
            return "active"
        last_ms = self.end_ms if self.recurrence is None else self.until_ms
        return "expired" if last_ms is not None and now_ms >= last_ms else "pending"

    def _begins(self, now_ms: int) -> list[int]:
        """Beginnings of the periods around ``now_ms``, counted in days of the zone's calendar."""
        # Of silences stored before their years were bounded: the same time and day of 1970.
        start_ms = self.start_ms if self.start_ms >= 0 else self.start_ms % _WEEK_MS
        first = datetime.fromtimestamp(start_ms / 1000, self.zone)
        today = datetime.fromtimestamp(now_ms / 1000, self.zone).date()
        step = 1 if self.recurrence is Recurrence.DAILY else 7
        passed = (today - first.date()).days // step * step
        return [datetime_ms(first + _DAY * days) for days in (passed - step, passed) if days >= 0]


def ended_silence(silence: Silence, *, now_ms: int) -> Silence:
    """The silence, over from now on."""
    if silence.recurrence is not None:
        return replace(silence, until_ms=min(now_ms, silence.until_ms or now_ms))
    return replace(silence, end_ms=max(silence.start_ms, min(now_ms, silence.end_ms)))


FIELDS: Final = frozenset(
    {
        "matchers", "start", "end", "duration", "recurrence", "until", "timezone", "comment",
        "author",
    }
)  # fmt: skip


def parse_silence(
    body: object,
    *,
    silence_id: str,
    now_ms: int,
    default_author: str,
    zones: Callable[[str], tzinfo],
) -> Silence:
    """The silence that a request means; without ``start`` it begins now.

    Raises:
        BadField: the body is no object.
        BadRequest: fields are wrong; all of them are told.
    """
    form = Form(body, noun="silence")
    form.only(FIELDS)
    start_ms = form.time("start", default_ms=now_ms)
    end_ms = _end(form, start_ms, now_ms)
    recurrence = _recurrence(form)
    if recurrence and end_ms - start_ms > _PERIOD_MS[recurrence]:
        form.note("end", f"the silence is longer than its {recurrence} period", "too_long")
    zone_name, zone = _zone(form, zones)
    silence = Silence(
        silence_id=silence_id,
        matchers=_matchers(form),
        start_ms=start_ms,
        end_ms=end_ms,
        comment=form.text("comment"),
        author=form.text("author", bytes_max=NAME_BYTES_MAX) or default_author,
        created_ms=now_ms,
        recurrence=recurrence,
        until_ms=None if form.given("until") is None else form.time("until", default_ms=now_ms),
        zone_name=zone_name,
        zone=zone,
    )
    form.finish()
    return silence


def silence_to_api(silence: Silence, *, now_ms: int) -> dict[str, object]:
    """The silence as the API answers it."""
    return {
        "silence_id": silence.silence_id,
        "matchers": [
            {"name": each.name, "op": each.op.value, "value": each.value}
            for each in silence.matchers
        ],
        "start": seconds(silence.start_ms),
        "end": seconds(silence.end_ms),
        "recurrence": silence.recurrence.value if silence.recurrence else None,
        "until": None if silence.until_ms is None else seconds(silence.until_ms),
        "timezone": silence.zone_name,
        "comment": silence.comment,
        "author": silence.author,
        "created_at": seconds(silence.created_ms),
        "state": silence.state(now_ms),
    }


def silenced_by(silences: Mapping[str, Silence], labels: LabelSet, now_ms: int) -> tuple[str, ...]:
    """Ids of the silences that keep an alert quiet now."""
    return tuple(
        silence_id
        for silence_id, silence in silences.items()
        if silence.covers(labels) and silence.active(now_ms)
    )


def _end(form: Form, start_ms: int, now_ms: int) -> int:
    given, length = form.given("end"), form.given("duration")
    if (given is None) == (length is None):
        form.note("end", "write either end or duration", "missing")
        return start_ms
    if given is None:
        end_ms = start_ms + form.duration("duration", default_ms=1)
    else:
        end_ms = form.time("end", default_ms=start_ms + 1)
    if form.has_fault("start", "end", "duration"):
        return end_ms
    if end_ms <= start_ms:
        form.note("end", "is not after the start", "reversed_range")
    elif end_ms <= now_ms and form.given("recurrence") is None:
        form.note("end", "lies in the past, so the silence would do nothing", "end_past")
    return end_ms


def _recurrence(form: Form) -> Recurrence | None:
    if form.given("recurrence") is None:
        return None
    word = form.choice("recurrence", [item.value for item in Recurrence], default=None)
    return Recurrence(word)


def _zone(form: Form, zones: Callable[[str], tzinfo]) -> tuple[str, tzinfo]:
    name = form.text("timezone", bytes_max=NAME_BYTES_MAX) or "UTC"
    try:
        return name, zones(name)
    except BadField as error:
        form.note("timezone", str(error).removeprefix("timezone: "), error.reason)
        return "UTC", UTC


def _matchers(form: Form) -> tuple[Matcher, ...]:
    """Either ``{label: value}`` or a list of ``{name, op?, value}``.

    Alertmanager's ``isRegex`` and ``isEqual`` are understood in place of ``op``.
    """
    given = form.given("matchers")
    items: object = given
    if isinstance(given, dict):
        items = [{"name": name, "value": value} for name, value in given.items()]
    if not isinstance(items, list) or not items:
        form.note("matchers", 'write at least one: [{"name":"service","value":"x"}]', "missing")
        return ()
    if len(items) > LABELS_MAX:
        form.note("matchers", f"at most {LABELS_MAX} fit", "too_many")
        return ()
    found = tuple(filter(None, (_matcher(form, item) for item in items)))
    if found and not form.has_fault("matchers") and all(each.matches("") for each in found):
        form.note("matchers", "would silence everything; name a value", "matches_everything")
    return found


def _matcher(form: Form, item: object) -> Matcher | None:
    if not isinstance(item, dict):
        form.note("matchers", 'each is an object {"name","op","value"}', "bad_matcher")
        return None
    name, value = item.get("name"), item.get("value")
    if not isinstance(name, str) or not name or not isinstance(value, str):
        form.note("matchers", "each needs name and value as texts", "bad_matcher")
        return None
    fault = text_fault(name, NAME_BYTES_MAX) or text_fault(value, LABEL_VALUE_BYTES_MAX)
    op = _match_op(item)
    if fault or op is None:
        form.note("matchers", fault or "op is one of = != =~ !~", "bad_matcher")
        return None
    try:
        return Matcher(name, op, value)
    except BadField as error:
        form.note("matchers", str(error), error.reason)
        return None


def _match_op(item: Mapping[str, object]) -> MatchOp | None:
    if "op" in item:
        ops = {op.value: op for op in MatchOp}
        word = item["op"]
        return ops.get(word) if isinstance(word, str) else None
    pattern, equal = item.get("isRegex", False), item.get("isEqual", True)
    if pattern:
        return MatchOp.REGEX if equal else MatchOp.NOT_REGEX
    return MatchOp.EQUAL if equal else MatchOp.NOT_EQUAL
