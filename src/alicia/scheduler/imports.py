"""Many events from one text: a crontab, or a YAML or JSON list. A bad one never costs the others.

Source: contract.md §4, ``POST /events/import``.
"""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from alicia.adapters.http.content_types import YAML
from alicia.base.errors import AliciaError, BadField
from alicia.scheduler.desk import Desk
from alicia.scheduling.crontab import TEXT_BYTES_MAX, read_crontab
from alicia.scheduling.event import EventRecord
from alicia.wire.json import decode_bounded

EVENTS_MAX: Final = 10_000
JSON: Final = "application/json"
_LIST_START: Final = re.compile(r"\s*(?:#[^\n]*\n\s*)*(?:-\s|events:|\[|\{|---)")


@dataclass(frozen=True, slots=True)
class Batch:
    """Bodies of events with the place each came from, and what could not even be read."""

    bodies: tuple[tuple[int, Mapping[str, object]], ...]
    faults: tuple[Mapping[str, object], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import stored, or would store."""

    records: tuple[EventRecord, ...]
    faults: tuple[Mapping[str, object], ...]
    notes: tuple[str, ...]


def read_batch(body: bytes, media_type: str, *, system: bool) -> Batch:
    """The events of a text; plain text that looks like a list is read as YAML.

    Raises:
        BadField: it is too long, no text, or no list.
        Undecodable: it is declared as JSON and is none.
    """
    if media_type == JSON:
        return _from_value(decode_bounded(body))
    if len(body) > TEXT_BYTES_MAX:
        raise BadField("body", f"body: longer than {TEXT_BYTES_MAX} bytes", reason="too_long")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadField(
            "body", f"body: not UTF-8 at byte {error.start}", reason="bad_utf8"
        ) from None
    if media_type in YAML or _LIST_START.match(text):
        return _from_value(_load_yaml(text))
    crontab = read_crontab(text, system=system)
    faults = tuple({"line": f.line, "code": f.code, "detail": f.detail} for f in crontab.faults)
    return Batch(tuple(enumerate(crontab.bodies)), faults, crontab.notes)


async def import_batch(desk: Desk, batch: Batch, *, dry_run: bool) -> Imported:
    """Store every event that can be stored, in order."""
    records: list[EventRecord] = []
    faults = list(batch.faults)
    taken: set[str] = set()
    for index, body in batch.bodies:
        await asyncio.sleep(0)  # a body that is refused waits for nothing else
        try:
            record = await (desk.rehearse(body, taken) if dry_run else desk.create(body))
            taken.add(record.event.event_id)
            records.append(record)
        except AliciaError as error:
            found = error.errors()
            faults.append(
                {
                    "index": index,
                    "code": found[0].code if len(found) == 1 else error.code,
                    "detail": str(error),
                }
            )
    return Imported(tuple(records), tuple(faults), batch.notes)


def _from_value(value: object) -> Batch:
    if isinstance(value, dict):
        value = value.get("events", [value])
    if not isinstance(value, list):
        raise BadField(
            "body", "body: must be a list of events, or an object with events", reason="not_a_list"
        )
    if len(value) > EVENTS_MAX:
        raise BadField(
            "body", f"body: more than {EVENTS_MAX} events; import them in parts", reason="too_long"
        )
    return Batch(
        bodies=tuple((i, item) for i, item in enumerate(value) if isinstance(item, dict)),
        faults=tuple(
            {"index": i, "code": "not_an_object", "detail": f"entry {i} is no object"}
            for i, item in enumerate(value)
            if not isinstance(item, dict)
        ),
    )


# What an unquoted word is, by its first character; every other one is a text.
_NULL: Final = ("tag:yaml.org,2002:null", re.compile(r"(?:~|null|Null|NULL|)\Z"))
_BOOL: Final = ("tag:yaml.org,2002:bool", re.compile(r"(?:[tT]rue|TRUE|[fF]alse|FALSE)\Z"))
_WHOLE: Final = ("tag:yaml.org,2002:int", re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z"))
_BROKEN: Final = (
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?\Z"),
)


class _Loader(yaml.SafeLoader):
    """Plain values as JSON has them, written as in YAML 1.2: ``on`` and ``10:30`` are texts.

    No aliases: nine lines of them can stand for a billion items.
    """

    yaml_implicit_resolvers = {  # noqa: RUF012 - the library declares it so
        **{start: [_NULL] for start in ("", "~", "n", "N")},
        **{start: [_BOOL] for start in "tTfF"},
        **{start: [_WHOLE, _BROKEN] for start in "-+.0123456789"},
    }

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases (*name) are not read; write the value out")
        return super().compose_node(parent, index)


def _load_yaml(text: str) -> object:
    """The value, through the door of JSON, whose bounds then hold for it too."""
    try:
        written = json.dumps(_read_one(text), allow_nan=False)
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())[:300]
    except RecursionError:
        reason = "nested too deeply"
    except (TypeError, ValueError):
        reason = "it holds a value that JSON has no word for; write it as a text"
    else:
        return decode_bounded(written.encode())
    raise BadField("body", f"body: not YAML: {reason}", reason="bad_yaml") from None


def _read_one(text: str) -> object:
    loader = _Loader(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()
