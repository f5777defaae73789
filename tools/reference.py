"""Write the reference pages from the source, so that they cannot drift from it.

``python tools/reference.py`` writes ``docs/settings.md``, ``docs/errors.md``, ``docs/api.md`` and
``docs/commands.md``; with ``--check`` it writes nothing and exits with 1 where a page is old.
"""

import argparse
import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "alicia"
CODE_ENUMS = ("Verdict", "Reason")
METHODS = ("get", "post", "put", "delete", "patch", "api_route")
NOTE = "<!-- Written by `make docs` from the source; edit that instead. -->\n"


@dataclass(frozen=True)
class Code:
    """One stable error or reject code: where it arises and how its message reads."""

    name: str
    message: str
    module: str


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Every module of the source with its tree."""
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE).with_suffix("").as_posix()
        yield name, ast.parse(path.read_text(encoding="utf-8"))


def settings_page() -> str:
    """One heading for each key of contract.md §2."""
    from alicia.adapters.settings import load_settings, setting_keys, show_settings

    nothing = load_settings(environment={}, folder=ROOT / "docs")  # no settings files there
    shown = {row["key"]: row["value"] for row in show_settings(nothing)}
    shown["DATA_DIR"] = "`$XDG_DATA_HOME/alicia` or `~/.local/share/alicia`"
    shown["TIMEZONE"] = "the machine's"
    lines = [
        "# Settings",
        NOTE,
        "Flag > environment > `.env` > `alicia.toml` > default. In the environment and in `.env`"
        " a key is written `ALICIA_KEY`, in `alicia.toml` in lower case. Durations: `500ms 30s 5m"
        " 1h 7d 2w 1y` or a number of seconds. `alicia config show` prints what is in force and"
        " where it came from.",
    ]
    for key, item in setting_keys().items():
        value = shown[key]
        default = "none" if value in (None, "", False) else value
        meaning = item.metadata["meaning"]
        lines += [f"\n## {key}", f"{meaning[0].upper()}{meaning[1:]}. Default: {default}."]
    return "\n".join(lines) + "\n"


def template(node: ast.expr | None) -> str:
    """A message as its author wrote it, with the inserted values in braces."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(
            part.value if isinstance(part, ast.Constant) else "{" + ast.unparse(part.value) + "}"
            for part in node.values
            if isinstance(part, ast.Constant | ast.FormattedValue)
        )
    return ""


def class_code(node: ast.ClassDef, module: str) -> Code | None:
    """The code of an error class, with its docstring's first sentence."""
    for item in node.body:
        target = item.targets[0] if isinstance(item, ast.Assign) else getattr(item, "target", None)
        value = getattr(item, "value", None)
        if (
            isinstance(target, ast.Name)
            and target.id == "code"
            and isinstance(value, ast.Constant)
            and isinstance(value.value, str)
        ):
            first = (ast.get_docstring(node) or "").split("\n\n")[0].replace("\n", " ")
            return Code(value.value, first, module)
    return None


def call_code(node: ast.Call, module: str) -> Code | None:
    """The code that a call gives to a fault: ``reason="…"``, ``code="…"`` or ``Reject(i, "…")``."""
    named = {k.arg: k.value for k in node.keywords if k.arg}
    given = named.get("reason") or named.get("code")
    name = getattr(node.func, "id", getattr(node.func, "attr", ""))
    if given is None and name == "Reject" and len(node.args) > 1:
        given = node.args[1]
    if not (isinstance(given, ast.Constant) and isinstance(given.value, str) and given.value):
        return None
    if not given.value.replace("_", "").isalnum() or not given.value.islower():
        return None
    texts = [template(argument) for argument in [*node.args, named.get("detail")]]
    message = max((text for text in texts if " " in text), key=len, default="")
    return Code(given.value, message, module)


def enum_codes(node: ast.ClassDef, module: str) -> Iterator[Code]:
    """Verdicts on samples and reasons of executions: enums whose values are codes."""
    if node.name not in CODE_ENUMS:
        return
    about = f"One of the values of `{node.name}`."
    for item in node.body:
        if isinstance(item, ast.Assign) and isinstance(item.value, ast.Constant):
            yield Code(str(item.value.value), about, module)


def codes() -> dict[str, list[Code]]:
    """All codes by name."""
    found: dict[str, list[Code]] = {}
    for module, tree in modules():
        for node in ast.walk(tree):
            code = None
            if isinstance(node, ast.ClassDef):
                code = class_code(node, module)
                for each in enum_codes(node, module):
                    found.setdefault(each.name, []).append(each)
            elif isinstance(node, ast.Call):
                code = call_code(node, module)
            if code is not None:
                found.setdefault(code.name, []).append(code)
    return dict(sorted(found.items()))


def errors_page() -> str:
    """One heading for each stable code."""
    lines = [
        "# Errors and reject codes",
        NOTE,
        "Every fault has a permanent code: the `type` of a problem document, the `code` of a field"
        " in its `errors`, the `reason` of a rejected sample or of an execution. Messages may be"
        " reworded, codes may not. Words in braces are filled in.",
    ]
    for name, places in codes().items():
        lines.append(f"\n## {name}")
        messages = dict.fromkeys(place.message for place in places if place.message)
        lines += [f"- {' '.join(message.split())}" for message in messages]
        lines.append(f"\nFrom: {', '.join(dict.fromkeys(f'`{p.module}`' for p in places))}.")
    return "\n".join(lines) + "\n"


def routes(service: str) -> Iterator[tuple[str, str, str]]:
    """Method, path and first sentence of every route of a service."""
    for module, tree in modules():
        if not module.startswith((f"{service}/", "adapters/http/")):
            continue
        for node in ast.walk(tree):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            for decorator in node.decorator_list:
                if (
                    isinstance(decorator, ast.Call)
                    and isinstance(decorator.func, ast.Attribute)
                    and decorator.func.attr in METHODS
                    and decorator.args
                    and template(decorator.args[0])
                ):
                    first = (ast.get_docstring(node) or "").split("\n\n")[0].replace("\n", " ")
                    yield method_of(decorator), template(decorator.args[0]), first


def method_of(decorator: ast.Call) -> str:
    """``GET``, or the list of an ``api_route``."""
    assert isinstance(decorator.func, ast.Attribute)
    if decorator.func.attr != "api_route":
        return decorator.func.attr.upper()
    listed = next((k.value for k in decorator.keywords if k.arg == "methods"), None)
    if isinstance(listed, ast.List):
        return ", ".join(template(item) for item in listed.elts)
    return "any"


def api_page() -> str:
    """One heading for each route."""
    lines = [
        "# HTTP API",
        NOTE,
        "Each running service shows the same list with its parameters at `/docs`, and the OpenAPI"
        " document at `/openapi.json`.",
    ]
    for service, port in (("collector", 8024), ("scheduler", 8025)):
        lines.append(f"\n# {service.capitalize()} (port {port})")
        for method, path, sentence in sorted(
            set(routes(service)), key=lambda row: (row[1], row[0])
        ):
            lines += [f"\n## {method} {path}", sentence]
    return "\n".join(lines) + "\n"


def commands_page() -> str:
    """One heading for each command, with the help it prints."""
    from alicia.cli.main import build_parser

    root = build_parser()
    parsers = dict(sorted(leaves(root)))
    shared = set.intersection(*(set(options(parser)) for parser in parsers.values()))
    lines = [
        "# Commands",
        NOTE,
        "Exit codes: 0 done, 1 failed, 2 usage, 3 a service is unreachable. Every command takes:\n",
    ]
    # Only the help of ``alicia`` itself says what they mean.
    lines += [row for flag, row in options(root).items() if flag in shared]
    for name, parser in parsers.items():
        about = parser.description or ""
        lines += [f"\n## {name}", f"{about[:1].upper()}{about[1:]}.\n"]
        lines += [row for flag, row in options(parser).items() if flag not in shared]
    return "\n".join(lines) + "\n"


def options(parser: argparse.ArgumentParser) -> dict[str, str]:
    """A line for each argument of a command, by its first name."""
    rows = {}
    for action in parser._actions:
        names = ", ".join(action.option_strings) or str(action.metavar or action.dest)
        value = action.metavar or ("|".join(action.choices) if action.choices else action.dest)
        shown = names if action.nargs == 0 or not action.option_strings else f"{names} {value}"
        rows[names] = f"- `{shown}` {action.help or ''}".rstrip()
    return rows


def leaves(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command that can be run, by its full name."""
    groups = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    if not groups:
        yield parser.prog, parser
    for group in groups:
        for child in group.choices.values():
            yield from leaves(child)


PAGES = {
    "settings.md": settings_page,
    "errors.md": errors_page,
    "api.md": api_page,
    "commands.md": commands_page,
}


def main() -> int:
    """Write the pages, or compare them."""
    check = "--check" in sys.argv[1:]
    old = []
    for name, write in PAGES.items():
        path, text = ROOT / "docs" / name, write()
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        old.append(name)
        if not check:
            path.write_text(text, encoding="utf-8")
    if check and old:
        print(f"old reference pages: {', '.join(old)}; run make docs", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
