"""``alicia push``: send samples from a shell."""

from typing import Any

from alicia.cli import reading
from alicia.cli.context import Context
from alicia.cli.exits import Exit
from alicia.cli.parsing import Group

_TYPES = ("gauge", "counter", "histogram", "summary")
_STRUCTURED = _TYPES[2:]


def configure(group: Group) -> None:
    """Describe the arguments."""
    parser = group.alone(push)
    parser.add_argument(
        "samples",
        nargs="+",
        metavar="NAME=VALUE",
        help='temperature=21.5; of a histogram: lat=\'{"count":2,"sum":0.3,"buckets":{"+Inf":2}}\'',
    )
    parser.add_argument("--service", default="cli", help="whose samples they are (cli)")
    parser.add_argument("--instance", help="which copy of the service")
    parser.add_argument("--label", action="append", metavar="NAME=VALUE", help="room=kitchen")
    parser.add_argument("--type", choices=_TYPES, default="gauge", help="(gauge)")
    parser.add_argument("--at", metavar="TIME", help="RFC 3339, epoch seconds, or -5m (now)")


def push(context: Context) -> int:
    """Send all samples in one request; fails if one of them is refused."""
    body = _body(context)
    reply = context.collector.post("/metrics", body)
    rejected = reply.get("rejected") or []
    if context.json:
        context.out.json(reply)
    else:
        context.out.line(f"accepted {reply.get('accepted')}, rejected {len(rejected)}")
        names = [metric["name"] for metric in body["metrics"]]
        for item in rejected:
            context.out.line(f"  {names[item['index']]}: {item.get('detail') or item['reason']}")
    return Exit.FAILED if rejected else Exit.DONE


def _body(context: Context) -> dict[str, Any]:
    given = [
        reading.pair(text, flag="NAME=VALUE", example="temperature=21.5")
        for text in context.get("samples")
    ]
    shared: dict[str, Any] = {"metric_type": context.get("type")}
    labels = reading.pairs(context.get("label"), flag="--label", example="room=kitchen")
    if labels:
        shared["labels"] = labels
    if context.get("at") is not None:
        at_ms = reading.instant_ms(context.get("at"), flag="--at", now_ms=context.clock.now_ms())
        shared["timestamp"] = at_ms / 1000
    body: dict[str, Any] = {
        "service_name": context.get("service"),
        "metrics": [
            {"name": name, "value": _value(name, value, context.get("type")), **shared}
            for name, value in given
        ],
    }
    if context.get("instance"):
        body["instance_id"] = context.get("instance")
    return body


def _value(name: str, text: str, metric_type: str) -> float | dict[str, Any]:
    """A number; of a histogram or summary the object that the API takes."""
    if metric_type in _STRUCTURED:
        return reading.json_object(text, flag=name)
    return reading.number(text, flag=name)
