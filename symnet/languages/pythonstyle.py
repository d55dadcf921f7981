"""Python code as `ruff format` and Black leave it: spaces, and where long statements are broken.

Only what generated kernels are made of: functions of assignments, returns and deletions, whose
expressions are sums, products, calls and lists. What a formatter would write as a staircase, such
as a long polynomial of Horner's, gets names for its parts; nothing else is computed, or otherwise.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from itertools import count

from symnet.breaking import WIDTH

_TAB = "    "
_ROOM = WIDTH - 14  # letters of a term in brackets, after its sign, or of a part after its name
_POWER = re.compile(r"(?<![\w.)\]])([\w.]+) \*\* (-?[\w.]+)(?![\w.(\[])")
_EXPONENT = re.compile(r"(?<=[0-9])(e)[+](?=[0-9])")
_SUMS, _PRODUCTS = (" + ", " - "), (" * ", " / ", " @ ", " // ", " % ")


def styled(code: str) -> str:
    """The code, which means the same, in the style of a formatter; without comments."""
    parts: list[str] = []
    function = False
    for node in ast.parse(code).body:
        lines = _defined(node) if isinstance(node, ast.FunctionDef) else _statement(node, "")
        apart = "\n\n\n" if function or isinstance(node, ast.FunctionDef) else "\n"
        parts += [apart if parts else "", "\n".join(lines)]
        function = isinstance(node, ast.FunctionDef)
    return "".join(parts) + "\n"


def _defined(node: ast.FunctionDef) -> list[str]:
    head = _broken(f"def {node.name}(", [a.arg for a in node.args.args], "):", "")
    names = (f"part{k}" for k in count(1))
    body = (step for inner in node.body for step in _in_parts(inner, names))
    return [*head, *(line for step in body for line in _statement(step, _TAB))]


def _in_parts(node: ast.stmt, names: Iterator[str]) -> Iterator[ast.stmt]:
    """A statement after others that give names to parts of it, where it is deeply nested."""
    while isinstance(node, (ast.Assign, ast.Return)) and node.value is not None:
        if not _is_deep(_bare(node.value), _ROOM):
            break
        inner = [e for e in ast.walk(node.value) if isinstance(e, ast.BinOp)]
        inner = [e for e in inner if e is not node.value and len(_text(e)) <= _ROOM]
        if not inner:
            break
        part = max(inner, key=lambda e: len(_text(e)))
        name = next(names)
        yield ast.Assign([ast.Name(name)], part)
        node = _Named(part, name).visit(node)
    yield node


class _Named(ast.NodeTransformer):
    """A name in the place of a part."""

    def __init__(self, part: ast.expr, name: str) -> None:
        self.part, self.name = ast.dump(part), name

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        if ast.dump(node) == self.part:
            return ast.Name(self.name)
        self.generic_visit(node)
        return node


def _is_deep(text: str, room: int) -> bool:
    """Whether a sum's term, or an argument, is no call and too long for a line."""
    if len(text) <= room:
        return False
    inner = _cut(text, (", ",))
    if len(inner) == 1:
        inner = _split(text)
    if len(inner) == 1:
        call = _call(text)
        return call is None or any(_is_deep(item, room - len(_TAB)) for item in call[1])
    return any(len(term) > room and not _is_called(term) for term in inner) or any(
        _is_deep(term, room) for term in inner if _is_called(term)
    )


def _is_called(term: str) -> bool:
    call = _call(term)
    return call is not None and re.fullmatch(r"([-+] )?[\w.]+[(]", call[0]) is not None


def _statement(node: ast.stmt, indent: str) -> list[str]:
    match node:
        case ast.Assign(targets=[target], value=value):
            return _value(f"{indent}{_bare(target)} = ", value, indent)
        case ast.Return(value=ast.expr() as value):
            return _value(f"{indent}return ", value, indent)
        case ast.Delete(targets=targets):
            return _value(f"{indent}del ", ast.Tuple(targets, ast.Load()), indent)
    raise TypeError(f"{type(node).__name__} is no statement of a kernel")


def _value(opening: str, value: ast.expr, indent: str) -> list[str]:
    """What is assigned, returned or deleted after `opening`."""
    flat = opening + _bare(value)
    if len(flat) <= WIDTH:
        return [flat]
    if isinstance(value, ast.Tuple):
        return _each(opening + "(", list(map(_text, value.elts)), ")", indent)
    return _long(opening, _text(value), "", indent)


def _long(opening: str, text: str, closing: str, indent: str) -> list[str]:
    """An expression in several lines, in brackets of its own where a formatter adds them."""
    terms = _split(text)
    inner = indent + _TAB
    call = _call(terms[-1]) if len(terms) < 3 else None
    if call is not None:
        before = "".join(f"{term} " for term in terms[:-1])
        head, items, end = call
        first, whole = f"{opening}{before}{head}", f"{inner}{', '.join(items)}"
        if len(first) <= WIDTH and (len(terms) == 1 or len(whole) <= WIDTH):
            return _broken(first, items, end + closing, indent)
    if len(inner) + len(text) <= WIDTH:
        return [f"{opening}(", inner + text, f"{indent}){closing}"]
    return [f"{opening}(", *_terms(terms, inner), f"{indent}){closing}"]


def _terms(terms: Sequence[str], indent: str, closing: str = "") -> list[str]:
    """A term a line, those that are too long themselves in several."""
    lines: list[str] = []
    for k, term in enumerate(terms):
        end = closing if k + 1 == len(terms) else ""
        call = _call(term)
        if len(indent) + len(term) + len(end) <= WIDTH or call is None:
            lines.append(indent + term + end)
        else:
            lines += _broken(indent + call[0], call[1], call[2] + end, indent)
    return lines


def _broken(opening: str, items: Sequence[str], closing: str, indent: str) -> list[str]:
    """Arguments in the line, in a line of their own, or each in one."""
    flat = f"{opening}{', '.join(items)}{closing}"
    if len(flat) <= WIDTH:
        return [flat]
    inner = f"{indent}{_TAB}{', '.join(items)}"
    if len(inner) <= WIDTH and not opening.endswith("["):
        return [opening, inner, indent + closing]
    return _each(opening, items, closing, indent)


def _each(opening: str, items: Sequence[str], closing: str, indent: str) -> list[str]:
    inner = indent + _TAB
    lines = [opening]
    for item in items:
        whole = len(inner) + len(item) + 1 <= WIDTH
        lines += [f"{inner}{item},"] if whole else _terms(_split(item), inner, ",")
    return [*lines, indent + closing]


def _call(term: str) -> tuple[str, list[str], str] | None:
    """What opens a call, or a list, at the end of a term, its items, and what closes it."""
    if not term.endswith((")", "]")):
        return None
    depth = 0
    for place in range(len(term) - 1, -1, -1):
        depth += (term[place] in ")]") - (term[place] in "([")
        if depth == 0:
            return term[: place + 1], _cut(term[place + 1 : -1], (", ",)), term[-1]
    return None


def _split(text: str) -> list[str]:
    """A sum's terms, or a product's factors, each after its sign."""
    for signs in (_SUMS, _PRODUCTS):
        found = _cut(text, signs)
        if len(found) > 1:
            return found
    return [text]


def _cut(text: str, signs: Sequence[str]) -> list[str]:
    """The text at `signs` outside of all brackets; operators stay with what follows them."""
    parts, start, depth = [], 0, 0
    for place, letter in enumerate(text):
        depth += (letter in "([") - (letter in ")]")
        found = next((sign for sign in signs if text.startswith(sign, place)), None)
        if found and depth == 0:
            parts.append(text[start:place])
            start = place + (len(found) if found == ", " else 1)
    return [*parts, text[start:]]


def _bare(node: ast.expr) -> str:
    """A tuple without brackets."""
    if isinstance(node, ast.Tuple):
        return ", ".join(map(_text, node.elts))
    return _text(node)


def _text(node: ast.expr) -> str:
    """With spaces around operators, but those of powers of names and numbers."""
    return _EXPONENT.sub(r"\1", _POWER.sub(r"\1**\2", ast.unparse(node)))
