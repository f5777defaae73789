"""``alicia rules``: what makes an alert."""

from typing import Any

from alicia.cli import reading, words
from alicia.cli.api import path
from alicia.cli.context import Context
from alicia.cli.exits import Exit, Usage
from alicia.cli.parsing import Group, Parser
from alicia.cli.rule_form import add_arguments, rule_body


def configure(group: Group) -> None:
    """Describe the arguments."""
    group.add("list", list_rules, "all rules and their conditions")
    add_arguments(group.add("add", add, "store a rule"))
    _named(group.add("show", show, "one rule whole"))
    _named(group.add("enable", enable, "evaluate it again"))
    _named(group.add("disable", disable, "keep it, but do not evaluate it"))
    _named(group.add("remove", remove, "delete it; its alerts resolve"))
    parser = group.add("test", test, "when a rule that is not stored would have fired")
    add_arguments(parser)
    _window(parser)
    parser = _named(group.add("backtest", backtest, "when a stored rule would have fired"))
    _window(parser)


def _named(parser: Parser) -> Parser:
    parser.add_argument("rule", metavar="NAME", help="of a stored rule")
    return parser


def _window(parser: Parser) -> None:
    parser.add_argument("--window", metavar="DURATION", help="how far back (1h)")
    parser.add_argument("--start", metavar="TIME", help="begin: -6h, RFC 3339, epoch seconds")
    parser.add_argument("--end", metavar="TIME", help="end (now)")


def list_rules(context: Context) -> int:
    """List the rules."""
    reply = context.collector.get("/alerts/rules")
    if context.json:
        context.out.json(reply)
        return Exit.DONE
    rows = [
        (
            rule.get("name"),
            rule.get("severity"),
            rule.get("expr"),
            rule.get("for"),
            rule.get("state") if rule.get("enabled", True) else "off",
        )
        for rule in reply["rules"]
    ]
    context.out.table(["name", "severity", "expression", "for", "state"], rows)
    return Exit.DONE


def add(context: Context) -> int:
    """Store a rule."""
    reply = context.collector.post("/alerts/rules", rule_body(context))
    text = f"added {words.clean(reply.get('name'))}: {words.clean(reply.get('expr'))}"
    context.out.answer(reply, text)
    return Exit.DONE


def show(context: Context) -> int:
    """Show one rule."""
    rule = _stored(context)
    if context.json:
        context.out.json(rule)
    else:
        context.out.pairs([(k, v) for k, v in rule.items() if v not in (None, "", [], {})])
    return Exit.DONE


def enable(context: Context) -> int:
    """Let a rule be evaluated."""
    return _switch(context, on=True)


def disable(context: Context) -> int:
    """Keep a rule without evaluating it."""
    return _switch(context, on=False)


def _switch(context: Context, *, on: bool) -> int:
    rule = _stored(context)
    reply = context.collector.put(_path(context), rule | {"enabled": on})
    done = "enabled" if on else "disabled"
    context.out.answer(reply, f"{done} {words.clean(rule['name'])}")
    return Exit.DONE


def remove(context: Context) -> int:
    """Delete a rule."""
    name = context.get("rule")
    reply = context.collector.delete(_path(context))
    context.out.answer(reply or {"deleted": name}, f"removed {words.clean(name)}")
    return Exit.DONE


def test(context: Context) -> int:
    """Ask when a rule would have fired in the past."""
    return _ask(context, rule_body(context))


def backtest(context: Context) -> int:
    """Ask when a stored rule would have fired in the past."""
    return _ask(context, _stored(context))


def _ask(context: Context, rule: dict[str, Any]) -> int:
    reply = context.collector.post("/alerts/rules/test", {"rule": rule, **_span(context)})
    context.out.json(reply) if context.json else _show_test(context, reply)
    return Exit.DONE


def _span(context: Context) -> dict[str, float]:
    given = {
        name: reading.instant_ms(text, flag=f"--{name}", now_ms=context.clock.now_ms()) / 1000
        for name in ("start", "end")
        if (text := context.get(name)) is not None
    }
    window = context.get("window")
    if window is None:
        return given
    if "start" in given:
        raise Usage("--start and --window: give one of them")
    return given | {"window": reading.duration_seconds(window, flag="--window")}


def _stored(context: Context) -> dict[str, Any]:
    rule: dict[str, Any] = context.collector.get(_path(context))
    return rule


def _path(context: Context) -> str:
    name: str = context.get("rule")
    if not name:
        raise Usage("NAME: is empty; alicia rules list shows all")
    return path("alerts", "rules", name)


def _show_test(context: Context, reply: dict[str, Any]) -> None:
    now_ms = context.clock.now_ms()
    seen = f"{reply['evaluations']} evaluations of {reply['series']} series"
    if not reply["fired"]:
        context.out.line(f"would not have fired ({seen})")
        return
    rows = [
        (
            words.labels(alert["labels"]),
            words.relative(alert["fired_at"], now_ms),
            words.span(alert["duration_seconds"] * 1000),
            words.relative(alert.get("resolved_at"), now_ms),
            alert["message"],
        )
        for alert in reply["fired"]
    ]
    context.out.table(["labels", "fired", "for", "resolved", "message"], rows)
    context.out.line(seen)
