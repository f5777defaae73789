"""``alicia query``: ask the collector a PromQL expression."""

from typing import Any

from alicia.cli import reading, words
from alicia.cli.context import Context
from alicia.cli.exits import Exit, Usage
from alicia.cli.parsing import Group

_POINTS = 100  # of a range without --step


def configure(group: Group) -> None:
    """Describe the arguments."""
    parser = group.alone(query)
    parser.add_argument("expression", metavar="EXPR", help='cpu_percent{service="stt_service"}')
    parser.add_argument("--time", metavar="TIME", help="instant to ask about (now)")
    parser.add_argument("--start", metavar="TIME", help="begin of a range: -1h, RFC 3339, epoch")
    parser.add_argument("--end", metavar="TIME", help="end of the range (now)")
    parser.add_argument("--step", metavar="DURATION", help=f"(1/{_POINTS} of the range)")


def query(context: Context) -> int:
    """Ask for an instant, or for a range where ``--start`` is given."""
    if context.get("start") is None:
        if context.get("end") or context.get("step"):
            raise Usage("--end and --step belong to a range: give --start too, such as -1h")
        target, asked = "/api/v1/query", _instant(context)
    else:
        target, asked = "/api/v1/query_range", _range(context)
    reply = context.collector.get(target, asked)
    if context.json:
        context.out.json(reply)
        return Exit.DONE
    for warning in reply.get("warnings") or ():
        context.out.line(f"warning: {words.clean(warning)}")
    _show(context, reply["data"])
    return Exit.DONE


def _instant(context: Context) -> dict[str, Any]:
    asked = {"query": context.get("expression")}
    if context.get("time") is not None:
        asked["time"] = _seconds(context, "time")
    return asked


def _range(context: Context) -> dict[str, Any]:
    start = _seconds(context, "start")
    given_end = context.get("end")
    end = context.clock.now_ms() / 1000 if given_end is None else _seconds(context, "end")
    if end < start:
        raise Usage("--end: lies before --start; swap them")
    step = context.get("step")
    return {
        "query": context.get("expression"),
        "start": start,
        "end": end,
        "step": max(1.0, (end - start) / _POINTS)
        if step is None
        else reading.duration_seconds(step, flag="--step"),
    }


def _seconds(context: Context, name: str) -> float:
    now_ms = context.clock.now_ms()
    return reading.instant_ms(context.get(name), flag=f"--{name}", now_ms=now_ms) / 1000


def _show(context: Context, data: dict[str, Any]) -> None:
    result = data["result"]
    rows: list[tuple[str, ...]]
    match data["resultType"]:
        case "vector":
            rows = [(_series(row["metric"]), _number(_value(row)[1])) for row in result]
            columns = ["series", "value"]
        case "matrix":
            rows = [_range_row(row) for row in result]
            columns = ["series", "points", "min", "avg", "max", "last"]
        case _:
            context.out.line(_number(result[1]))
            return
    if rows:
        context.out.table(columns, rows)
    else:
        context.out.line("no series match")


def _value(row: dict[str, Any]) -> Any:
    return row.get("value") or row.get("histogram") or (0, "-")


def _series(metric: dict[str, str]) -> str:
    name = words.clean(metric.get("__name__", ""))
    return name + words.labels(metric, without=["__name__"]) or "{}"


def _range_row(row: dict[str, Any]) -> tuple[str, ...]:
    values = [float(value) for _, value in row.get("values") or ()]
    if not values:
        return (_series(row["metric"]), "0", "-", "-", "-", "-")
    figures = (min(values), sum(values) / len(values), max(values), values[-1])
    return (_series(row["metric"]), str(len(values)), *map(words.number, figures))


def _number(text: object) -> str:
    try:
        return words.number(float(str(text)))
    except ValueError:
        return words.clean(text)
