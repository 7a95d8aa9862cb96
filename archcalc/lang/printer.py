"""Tree to canonical text: two spaces a level, one between words, comments and shared lines kept."""

from __future__ import annotations

import re

from archcalc.lang.syntax import (
    Arch,
    Argument,
    Between,
    Binary,
    Block,
    BlockCall,
    Body,
    Call,
    Expect,
    Expr,
    Fact,
    From,
    If,
    Input,
    Item,
    Layer,
    Let,
    Merge,
    Name,
    Number,
    Output,
    Param,
    Repeat,
    Sizes,
    Slashed,
    Statement,
    Unary,
    Use,
)

INDENT = "  "
_STRENGTH = {"or": 1, "and": 2, "not": 3, "**": 8}
_STRENGTH |= dict.fromkeys(("==", "!=", "<", ">", "<=", ">="), 4)
_STRENGTH |= dict.fromkeys("+-", 5) | dict.fromkeys(("*", "//", "%"), 6)
_COMPARING, _SIGN, _ATOM = 4, 7, 9
_SYMBOL = re.compile(r"[A-Z][A-Z0-9_]*|\?[A-Za-wyz]?")
_AFTER_SYMBOL = re.compile(r"[A-Z0-9(?]")


def print_tree(tree: Body) -> str:
    """The canonical text of a whole file; empty for an empty tree."""
    return "".join(line.rstrip() + "\n" for line in _lines(tree, ""))


def print_expr(expr: Expr, tight: bool = False) -> str:
    """The canonical text of an expression; `tight` where spaces part arguments."""
    return _expr(expr, tight, 0)


def print_statement(statement: Statement) -> str:
    """The canonical text of one statement."""
    return "\n".join(_statement(statement, ""))


def _lines(body: Body, indent: str) -> list[str]:
    """The lines of a body that has lines of its own."""
    lines: list[str] = []
    pieces: list[str] = []  # of the line at hand, which more may join
    for item in body.items:
        text = _item(item, indent)
        if item.joined and pieces:
            pieces += " ; ", text[0]
        else:
            lines += ["".join(pieces)] if pieces else []
            lines += [indent + comment if comment else "" for comment in item.leading]
            pieces = [indent, text[0]]
        if len(text) > 1:
            lines += "".join(pieces), *text[1:-1]
            pieces = [text[-1]]
        if item.trailing:
            lines.append("".join((*pieces, "  ", item.trailing)))
            pieces = []
    lines += ["".join(pieces)] if pieces else []
    return lines + [indent + comment if comment else "" for comment in body.tail]


def _item(item: Item, indent: str) -> list[str]:
    label = f"{item.label.id}: " if item.label else ""
    first, *rest = _statement(item.statement, indent)
    return [label + first, *rest]


def _statement(statement: Statement, indent: str) -> list[str]:
    """The lines of a statement; the first without its indent."""
    match statement:
        case Layer(type=type_, args=args):
            return [" ".join([type_.id, *(_argument(arg, tight=True) for arg in args)])]
        case BlockCall(block=block, args=args, times=times):
            listed = ", ".join(_argument(arg, tight=False) for arg in args)
            repeated = f" * {_expr(times, False, _ATOM)}" if times else ""
            return [f"{block.id}({listed}){repeated}"]
        case Merge(type=type_, branches=(), names=names):
            return [f"{type_.id} {', '.join(name.id for name in names)}"]
        case Merge(type=type_, branches=branches):
            return _braced(f"{type_.id}", branches, indent)
        case Repeat(count=count, index=index, body=body):
            named = f" as {index.id}" if index else ""
            return _braced(f"repeat {_expr(count, False, 0)}{named}", (body,), indent)
        case If():
            return _if(statement, indent)
        case From(name=name):
            return [f"from {name.id}"]
        case Input(size=size):
            return [f"input {_expr(size, True, 0)}"]
        case Output(name=name, origin=origin, body=body):
            head = f"output {name.id}" + (f" from {origin.id}" if origin else "")
            return _braced(head, (body,), indent) if body else [head]
        case Let(name=name, value=value):
            return [f"let {name.id} = {_expr(value, False, 0)}"]
        case Fact(key=key, value=value):
            return [f"{key} {value if key == 'year' else _text(value)}"]
        case Block(name=name, params=params, body=body):
            return _braced(f"block {name.id}{_params(params)}", (body,), indent)
        case Arch():
            return _arch(statement, indent)
        case Use(name=name):
            return [f"use {name.id}"]
        case Expect(target=target, rule=rule, relation=relation, value=value):
            named = f"[{rule}]" if rule else ""
            return [f"expect {target.id}{named} {relation} {_expr(value, True, 0)}"]
    raise AssertionError(f"no canonical text for {type(statement).__name__}")


def _if(statement: If, indent: str) -> list[str]:
    lines = _braced(f"if {_expr(statement.condition, False, 0)}", (statement.then,), indent)
    if statement.orelse is None:
        return lines
    items = statement.orelse.items
    if len(items) == 1 and isinstance(items[0].statement, If) and items[0].label is None and _bare(statement.orelse):
        rest = _if(items[0].statement, indent)
        rest[0] = f"else {rest[0]}"
    else:
        rest = _braced("else", (statement.orelse,), indent)
    return [*lines[:-1], f"{lines[-1]} {rest[0]}", *rest[1:]]


def _bare(body: Body) -> bool:
    return body.inline and not (body.head or body.tail or body.items[0].leading or body.items[0].trailing)


def _arch(statement: Arch, indent: str) -> list[str]:
    title = f" {_text(statement.title)}" if statement.title else ""
    head = f"arch {statement.name.id}{_params(statement.params)}{title}"
    if statement.braced:
        return _braced(head, (statement.body,), indent)
    body = statement.body
    return [f"{head}  {body.head}" if body.head else head, *_lines(body, indent)]


def _braced(head: str, bodies: tuple[Body, ...], indent: str) -> list[str]:
    """`head { … | … }`, on one line where it stood on one."""
    if all(body.inline for body in bodies):
        return [f"{head} {{{' |'.join(map(_inline, bodies))} }}"]
    lines = [f"{head} {{"]
    for number, body in enumerate(bodies):
        inner = _lines(body, indent + INDENT)
        if number and inner and not body.head and inner[0].lstrip()[0] != "#":  # a comment there would be the head
            inner[0] = f"{indent}| {inner[0].lstrip()}"
        elif number:
            lines.append(f"{indent}|")
        if body.head:
            lines[-1] += f"  {body.head}"
        lines += inner
    return [*lines, f"{indent}}}"]


def _inline(body: Body) -> str:
    """The statements of a body on one line, a space before them."""
    texts = []
    for item in body.items:
        texts += _item(item, "")
    return f" {' ; '.join(texts)}" if texts else ""


def _params(params: tuple[Param, ...]) -> str:
    listed = [param.name + (f"={_expr(param.default, True, 0)}" if param.default else "") for param in params]
    return f"({', '.join(listed)})" if params else ""


def _argument(arg: Argument, tight: bool) -> str:
    named = f"{arg.name}=" if arg.name else ""
    return named + _expr(arg.value, tight or bool(arg.name), 0)


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _expr(expr: Expr, tight: bool, strength: int) -> str:
    """`strength` is that of what stands around it: weaker expressions get brackets."""
    match expr:
        case Number(text=text):
            return text
        case Name(id=id_):
            return id_
        case Call(function=function, args=args):
            return f"{function}({', '.join(_expr(arg, tight, 0) for arg in args)})"
        case Unary(op="not", operand=operand):
            return _bracketed(f"not {_expr(operand, tight, 3)}", strength > 3)
        case Unary(op=op, operand=operand):
            return _bracketed(f"{op}{_expr(operand, tight, _SIGN)}", strength > _SIGN)
        case Binary(op=op, left=left, right=right):
            own = _STRENGTH[op]
            # `**` binds to the right and takes a sign on its right; a comparison does not chain
            sides = (own + 1, _SIGN) if op == "**" else (own + (own == _COMPARING), own + 1)
            space = "" if (tight and not op.isalpha()) or op == "**" else " "
            text = f"{_expr(left, tight, sides[0])}{space}{op}{space}{_expr(right, tight, sides[1])}"
            return _bracketed(text, strength > own)
        case Sizes(parts=parts):
            return _sizes(parts)
        case Between(before=before, after=after):
            return f"{_expr(before, True, _ATOM)}:{_expr(after, True, _ATOM)}"
        case Slashed(parts=parts):
            return "/".join(_expr(part, True, _ATOM) for part in parts)
    raise AssertionError(f"no canonical text for {type(expr).__name__}")


def _sizes(parts: tuple[Expr, ...]) -> str:
    """`h x w`, from the last to the first: what a part looks like depends on what follows its `x`."""
    shown = [_expr(parts[-1], True, _ATOM)]
    for part in reversed(parts[:-1]):
        shown.append(_before_x(part, shown[-1]))
    return "x".join(reversed(shown))


def _before_x(part: Expr, following: str) -> str:
    """A part with an `x` behind it: a name that would run into it gets brackets."""
    if isinstance(part, Between):
        return f"{_expr(part.before, True, _ATOM)}:{_before_x(part.after, following)}"
    text = _expr(part, True, _ATOM)
    runs_on = isinstance(part, Name) and not (_SYMBOL.fullmatch(text) and _AFTER_SYMBOL.match(following))
    return f"({text})" if runs_on else text


def _bracketed(text: str, needed: bool) -> str:
    return f"({text})" if needed else text
