"""What an event does, from the fields of a request.

Source: contract.md §4, "action"; security.md decides later which HTTP targets may be reached.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from alicia.base.limits import TOPIC_LEVELS_MAX
from alicia.scheduling.event import Action, BusTrigger, HttpAction, MqttAction, RemindAction
from alicia.scheduling.fields import Fields

TOPIC_BYTES_MAX: Final = 65_535
_URL_CHARS_MAX: Final = 2048
_HEADERS_MAX: Final = 50
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_TRIGGERS_MAX: Final = 20


class ActionType(StrEnum):
    """The kinds of action; there is no shell, on purpose."""

    MQTT = "mqtt"
    HTTP = "http"
    REMIND = "remind"


def read_action(fields: Fields, *, topic_prefix: str) -> Action:
    """The action, or the one that ``target_topic``, ``target_service`` and ``payload`` mean."""
    given = fields.inner("action")
    given_type = given.choice("type", ActionType, default=ActionType.MQTT)
    if given_type is ActionType.REMIND:
        return RemindAction()
    if given_type is ActionType.HTTP:
        return _read_http(given)
    return _read_mqtt(fields, given, topic_prefix)


def read_triggers(fields: Fields) -> tuple[BusTrigger, ...]:
    """The bus messages that start the event."""
    found = []
    for item in fields.items("triggers", count_max=_TRIGGERS_MAX):
        topic = _topic(item, "topic", wildcards=True)
        match = item.mapping("match") or {}
        found.append(BusTrigger(topic, tuple((str(key), value) for key, value in match.items())))
    return tuple(found)


def _read_mqtt(fields: Fields, given: Fields, topic_prefix: str) -> MqttAction:
    service = fields.text("target_service", chars_max=256)
    if service and any(char in service for char in "/+#"):
        fields.fault("target_service", "must be a service's name, without / + or #")
    if given.has("topic"):
        topic = _topic(given, "topic")
    elif fields.has("target_topic") and fields.raw("target_topic") != "":
        topic = _topic(fields, "target_topic")
    elif service:
        topic = f"{topic_prefix}/{service}/command"
    else:
        topic = ""
        fields.fault(
            "target_topic",
            "nothing to do; write target_topic, target_service, or an action of type mqtt, http"
            " or remind",
            reason="missing",
        )
    return MqttAction(
        topic=topic,
        message=_message(given.raw("message"), fields.raw("payload")),
        qos=given.whole("qos", low=0, high=1, default=1),
        retain=given.flag("retain", default=False),
    )


def _message(message: object, payload: object) -> Mapping[str, object]:
    """The object to publish; anything else travels as its ``message`` key."""
    value = payload if message is None else message
    if value is None:
        return {}
    return dict(value) if isinstance(value, Mapping) else {"message": value}


def _topic(fields: Fields, name: str, *, wildcards: bool = False) -> str:
    topic = fields.text(name, chars_max=TOPIC_BYTES_MAX, required=True)
    if len(topic.encode(errors="surrogatepass")) > TOPIC_BYTES_MAX:
        fields.fault(name, f"is longer than {TOPIC_BYTES_MAX} bytes", reason="too_long")
    elif topic.count("/") >= TOPIC_LEVELS_MAX:
        fields.fault(name, f"has more than {TOPIC_LEVELS_MAX} levels", reason="bad_topic")
    elif not wildcards and ("+" in topic or "#" in topic):
        fields.fault(name, "has a wildcard; name one topic", reason="bad_topic")
    elif topic.startswith("$"):
        fields.fault(name, "topics that begin with $ belong to the broker", reason="bad_topic")
    elif wildcards and not _good_filter(topic):
        fields.fault(name, "has a misplaced wildcard; write a/+/b or a/#", reason="bad_topic")
    return topic


def _good_filter(pattern: str) -> bool:
    levels = pattern.split("/")
    whole = all(len(level) == 1 or ("+" not in level and "#" not in level) for level in levels)
    return whole and "#" not in levels[:-1]


def _read_http(given: Fields) -> HttpAction:
    url = given.text("url", chars_max=_URL_CHARS_MAX, required=True)
    if url and not _good_url(url):
        given.fault("url", "must be http://host… or https://host…", reason="bad_url")
    method = given.text("method", chars_max=16, default="POST").upper()
    if method not in _METHODS:
        given.fault("method", "must be one of " + " ".join(_METHODS), reason="unknown_word")
    return HttpAction(method, url, _headers(given), given.raw("body"))


def _good_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is no number
    except ValueError:
        return False
    printable = all(32 < ord(char) < 127 for char in url)
    return printable and parts.scheme in ("http", "https") and bool(parts.hostname)


def _headers(given: Fields) -> tuple[tuple[str, str], ...]:
    headers = given.mapping("headers") or {}
    for name, value in headers.items():
        good = isinstance(value, str) and _HEADER_NAME.fullmatch(name)
        if not good or any(ord(char) < 32 or ord(char) > 255 for char in str(value)):
            given.fault("headers", f"{str(name)[:40]!r} must be a header name with a text of"
                        " visible characters")  # fmt: skip
            return ()
    if len(headers) > _HEADERS_MAX:
        given.fault("headers", f"more than {_HEADERS_MAX}", reason="too_long")
        return ()
    return tuple((name, str(value)) for name, value in headers.items())
