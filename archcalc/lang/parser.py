"""Tokens to tree, by recursive descent. After a fault the parser resumes at the next statement."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn, TypeVar

from archcalc.lang.errors import Fault, did_you_mean, quoted
from archcalc.lang.lexer import Token, tokenize
from archcalc.lang.source import Source, Span
from archcalc.lang.syntax import (
    Arch,
    Argument,
    Between,
    Binary,
    Block,
    BlockCall,
    Body,
    Broken,
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

DEEPEST = 100
MOST_OPERATORS = 200
MERGES = ("add", "concat", "mul")
KEYWORDS = (
    *("arch", "block", "else", "expect", "from", "if", "input", "let", "note", "output", "repeat", "source", "use"),
    *("year", *MERGES, "and", "or", "not", "as"),
)
_ENDS = ("newline", ";", "|", "}", "end")
_LEVELS = (("or",), ("and",), ("==", "!=", "<=", ">=", "<", ">"), ("+", "-"), ("*", "//", "%"))
_TO_NEXT_ARCH = ("arch",)
_RELATIONS = ("=", "~", "<=", ">=")


_T = TypeVar("_T")


class _Unreadable(Exception):
    """Leaves a statement that cannot be read; carries its fault."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


def parse(source: Source) -> tuple[Body, list[Fault]]:
    """The tree of a whole text, and its faults; what could not be read stands in the tree as `Broken`."""
    return _Parser(source).run()


def parse_call(source: Source) -> tuple[str, tuple[Argument, ...], list[Fault]]:
    """`name` or `name(a, b=2)`, as a net is asked for on the command line."""
    parser = _Parser(source)
    try:
        name = parser.expect_name("the name of a net")
        args = parser.call_args() if parser.at("(") else ()
        if not parser.at("end"):
            parser.fail(f"unexpected {parser.shown()} after {quoted(name.id)}")
    except _Unreadable as unreadable:
        return "", (), [*parser.faults, unreadable.fault]
    return name.id, args, parser.faults


def parse_size(source: Source) -> tuple[Expr | None, list[Fault]]:
    """`224x224x3`, as a size is given on the command line."""
    parser = _Parser(source)
    try:
        size = parser.size()
        if not parser.at("end"):
            parser.fail(f"unexpected {parser.shown()} after the size")
    except _Unreadable as unreadable:
        return None, [*parser.faults, unreadable.fault]
    return size, parser.faults


class _Parser:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.tokens, self.faults = tokenize(source)
        self.at_token = 0
        self.depth = 0  # of braces and brackets together
        self.round = 0  # of round brackets, in which a line may end
        self.operators = 0  # of the statement
        self.loose = False  # the expression just read is neither an atom nor in brackets
        self.comments: list[str] = []  # met inside the statement that is being read
        self.statements: dict[str, Callable[[Token], Statement]] = {
            "arch": self.arch,
            "block": self.block,
            "expect": self.expect,
            "from": self.from_,
            "if": self.if_,
            "input": self.input,
            "let": self.let,
            "note": self.fact,
            "output": self.output,
            "repeat": self.repeat,
            "source": self.fact,
            "use": self.use,
            "year": self.fact,
            **dict.fromkeys(MERGES, self.merge),
        }

    def run(self) -> tuple[Body, list[Fault]]:
        body = self.body(("end",))
        return body, self.faults

    # ------------------------------------------------------------ tokens

    @property
    def token(self) -> Token:
        """The next token; comments inside a statement, and line ends inside round brackets, are stepped over."""
        while True:
            token = self.tokens[self.at_token]
            if token.kind == "comment" and self.round:
                self.comments.append(token.text)
            elif not (token.kind == "newline" and self.round):
                return token
            self.at_token += 1

    def at(self, *kinds: str) -> bool:
        return self.token.kind in kinds

    def at_word(self, *words: str) -> bool:
        return self.token.kind == "name" and self.token.text in words

    def take(self) -> Token:
        token = self.token
        self.at_token += token.kind != "end"
        return token

    def span(self, first: Token, last: Token | None = None) -> Span:
        return Span(self.source, first.start, (last or first).end)

    def since(self, first: Token) -> Span:
        """From a token to the last one taken."""
        return Span(self.source, first.start, max(first.end, self.tokens[self.at_token - 1].end))

    def shown(self) -> str:
        """The next token, as a fault names it."""
        names = {"newline": "the end of the line", "end": "the end of the text", "comment": "the end of the line"}
        return names.get(self.token.kind) or quoted(self.token.text)

    def fail(self, message: str, token: Token | None = None, help: str = "") -> NoReturn:
        raise _Unreadable(Fault(message, self.span(token or self.token), help=help))

    def require(self, kind: str, why: str, help: str = "") -> Token:
        if not self.at(kind):
            self.fail(f"expected `{kind}` {why}, not {self.shown()}", help=help)
        return self.take()

    def expect_name(self, what: str) -> Name:
        token = self.token
        if token.kind != "name":
            self.fail(f"expected {what}, not {self.shown()}")
        if token.text in KEYWORDS:
            self.fail(f"`{token.text}` is a word of the language and cannot be {what}")
        self.take()
        return Name(self.span(token), token.text)

    def reference(self, what: str) -> Name:
        """A volume's name, dotted where groups qualify it."""
        first = self.token
        if first.kind not in ("name", "number") or first.text in KEYWORDS:
            self.fail(f"expected {what}, not {self.shown()}")
        self.take()
        while self.at(".") and not self.token.spaced:
            self.take()
            if not self.at("name", "number"):
                self.fail(f"expected a name after `.`, not {self.shown()}")
            self.take()
        span = self.since(first)
        return Name(span, self.source.text[span.start : span.end])

    def deeper(self, token: Token) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            self.fail(f"nested more than {DEEPEST} deep", token)

    # ------------------------------------------------------------ bodies and statements

    def braced(self, why: str) -> Body:
        """`{ … }`"""
        return self.braces(why, ("}",))[0]

    def braces(self, why: str, ends: tuple[str, ...]) -> list[Body]:
        """`{ … }`, cut at the bars if `ends` holds them."""
        opening = self.require("{", why)
        self.deeper(opening)
        was_round, self.round = self.round, 0
        bodies = [self.body(ends)]
        while self.at("|"):
            self.take()
            bodies.append(self.body(ends))
        if not self.at("}"):
            self.faults.append(Fault("this `{` is never closed", self.span(opening), help="close it with `}`"))
        else:
            self.take()
        self.depth -= 1
        self.round = was_round
        return bodies

    def body(self, ends: tuple[str, ...]) -> Body:
        """Statements up to one of `ends`, which is left to be taken."""
        start, items, head, above = self.at_token, list[Item](), "", list[str]()
        gap, joined, after_last = 0, False, start  # line ends since the last thing; `;` since it; where it ended
        if ends != ("end",) and self.at("comment"):
            head = self.take().text
            after_last = self.at_token
        while not self.at("end", *ends) and not (ends == _TO_NEXT_ARCH and self.at_word("arch")):
            token = self.token
            if token.kind in ("newline", ";"):
                self.take()
                gap += token.kind == "newline"
                joined = token.kind == ";" and bool(items) and gap == 0
                continue
            if token.kind in ("}", "|"):
                closes = "`}` closes nothing" if token.kind == "}" else "`|` stands outside the braces of a merge"
                self.faults.append(Fault(closes, self.span(token)))
                self.take()
                continue
            if gap > 1 and (items or above):
                above.append("")
            gap = 0
            if token.kind == "comment":
                above.append(self.take().text)
            else:
                items.append(self.item(joined, tuple(above)))
                above, after_last = [], self.at_token
        inline = not any(token.kind == "newline" for token in self.tokens[start : self.at_token])
        if ends == _TO_NEXT_ARCH:  # comments above the next `arch` are its own
            self.at_token, above = after_last, []
        first = self.tokens[max(0, start - 1)]
        return Body(self.span(first), tuple(items), inline and ends != ("end",) and ends != _TO_NEXT_ARCH, head, tuple(above))

    def item(self, joined: bool, leading: tuple[str, ...]) -> Item:
        """One statement, its label and its trailing comment."""
        first, depth = self.token, self.depth
        self.operators = 0
        outer, self.comments = self.comments, []
        label: Name | None = None
        statement: Statement
        try:
            label = self.label()
            statement = self.statement()
            if not self.at(*_ENDS, "comment"):
                self.fail(f"unexpected {self.shown()}", help="end a statement with a new line or `;`")
        except _Unreadable as unreadable:
            self.faults.append(unreadable.fault)
            self.depth, self.round = depth, 0
            self.skip()
            statement = Broken(self.span(first))
        if self.at("comment"):
            self.comments.append(self.take().text)
        trailing = " ".join(self.comments)
        self.comments = outer
        return Item(self.since(first), label, statement, joined, leading, trailing)

    def skip(self) -> None:
        """To the end of the statement: braces that it opens are skipped with what they hold."""
        open_braces = 0
        while not self.at("end"):
            kind = self.token.kind
            if not open_braces and kind in ("newline", ";", "|", "}", "comment"):
                return
            open_braces += (kind == "{") - (kind == "}")
            self.take()

    def label(self) -> Name | None:
        token = self.token
        if token.kind != "name" or self.tokens[self.at_token + 1].kind != ":":
            return None
        name = self.expect_name("a label")
        self.take()
        if self.at(*_ENDS, "comment"):
            self.fail(f"the label {quoted(name.id)} stands before nothing", token, help="write the statement behind it")
        return name

    def statement(self) -> Statement:
        token = self.token
        if token.kind != "name":
            self.fail(f"expected a layer, a block or a keyword, not {self.shown()}")
        if token.text in ("else", "as", "and", "or", "not"):
            self.fail(f"`{token.text}` does not start a statement")
        self.take()
        rule = self.statements.get(token.text)
        if rule:
            return rule(token)
        name = Name(self.span(token), token.text)
        if self.at("(") and not self.token.spaced:
            args = self.call_args()
            times = None
            if self.at("*"):
                self.take()
                times = self.expr()
            return BlockCall(self.span(token), name, args, times)
        return Layer(self.span(token), name, self.layer_args())

    # ------------------------------------------------------------ keywords

    def arch(self, token: Token) -> Statement:
        if self.depth:
            self.fail("`arch` cannot stand inside braces", token)
        name = self.expect_name("the name of an architecture")
        params = self.params() if self.at("(") else ()
        title = self.text() if self.at("text") else ""
        if self.at("{"):
            return Arch(self.span(token), name, params, title, self.braced(""), True)
        if not self.at("newline", ";", "comment", "end"):
            self.fail(f"expected `{{` or the end of the line, not {self.shown()}")
        return Arch(self.span(token), name, params, title, self.body(_TO_NEXT_ARCH), False)

    def block(self, token: Token) -> Statement:
        name = self.expect_name("the name of a block")
        params = self.params() if self.at("(") else ()
        return Block(self.span(token), name, params, self.braced("after the name of the block"))

    def expect(self, token: Token) -> Statement:
        if self.at_word("output"):
            target = Name(self.span(self.token), self.take().text)
        else:
            target = self.reference("what is expected")
        rule = ""
        if self.at("["):
            opening = self.take()
            while not self.at("]", *_ENDS):
                self.take()
            rule = self.source.text[opening.end : self.require("]", "after the name of the rule").start].strip()
        if not self.at(*_RELATIONS):
            self.fail(f"expected `=`, `~`, `<=` or `>=`, not {self.shown()}")
        relation = self.take().kind
        return Expect(self.span(token), target, rule, relation, self.part())

    def from_(self, token: Token) -> Statement:
        return From(self.span(token), self.reference("the name of a volume"))

    def if_(self, token: Token) -> Statement:
        condition = self.expr()
        then = self.braced("after the condition")
        orelse = None
        if self.at_word("else"):
            self.take()
            if self.at_word("if"):
                second = self.take()
                self.deeper(second)
                orelse = Body(self.span(second), (Item(self.span(second), None, self.if_(second)),), True)
                self.depth -= 1
            else:
                orelse = self.braced("after `else`")
        return If(self.span(token), condition, then, orelse)

    def input(self, token: Token) -> Statement:
        return Input(self.span(token), self.size())

    def output(self, token: Token) -> Statement:
        name = self.expect_name("the name of an output")
        origin, body = None, None
        if self.at_word("from"):
            self.take()
            origin = self.reference("the name of a volume")
        if self.at("{"):
            body = self.braced("")
        return Output(self.span(token), name, origin, body)

    def let(self, token: Token) -> Statement:
        name = self.expect_name("a name")
        self.require("=", f"after {quoted(name.id)}")
        return Let(self.span(token), name, self.expr())

    def fact(self, token: Token) -> Statement:
        if token.text == "year":
            year = self.token
            if year.kind != "number" or not year.text.isdigit():
                self.fail(f"expected a year, not {self.shown()}")
            return Fact(self.span(token), token.text, self.take().text)
        return Fact(self.span(token), token.text, self.text())

    def repeat(self, token: Token) -> Statement:
        count, index = self.expr(), None
        if self.at_word("as"):
            self.take()
            index = self.expect_name("a name for the count")
        return Repeat(self.span(token), count, index, self.braced("after the count"))

    def merge(self, token: Token) -> Statement:
        name = Name(self.span(token), token.text)
        if self.at("{"):
            return Merge(self.span(token), name, tuple(self.braces("", ("|", "}"))), ())
        if self.at(*_ENDS, "comment"):
            self.fail(
                f"`{token.text}` needs branches or names", token, help=f"`{token.text} {{ … | … }}` or `{token.text} a, b`"
            )
        names = [self.reference("the name of a volume")]
        while self.at(","):
            self.take()
            names.append(self.reference("the name of a volume"))
        return Merge(self.span(token), name, (), tuple(names))

    def use(self, token: Token) -> Statement:
        return Use(self.span(token), self.expect_name("the name of a family"))

    # ------------------------------------------------------------ arguments

    def text(self) -> str:
        token = self.token
        if token.kind != "text":
            self.fail(f"expected a text in quotes, not {self.shown()}")
        self.take()
        inner = token.text[1:-1] if len(token.text) > 1 and token.text.endswith('"') else token.text[1:]
        return inner.replace('\\"', '"').replace("\\\\", "\\")

    def params(self) -> tuple[Param, ...]:
        def param() -> Param:
            name = self.expect_name("a parameter")
            default = None
            if self.at("="):
                self.take()
                default = self.expr()
            return Param(name.span, name.id, default)

        params = self.listed(param)
        seen: set[str] = set()
        for found in params:
            if found.name in seen:
                self.faults.append(Fault(f"the parameter {quoted(found.name)} is there twice", found.span))
            seen.add(found.name)
        return params

    def call_args(self) -> tuple[Argument, ...]:
        return self.listed(lambda: self.argument(self.expr))

    def listed(self, one: Callable[[], _T]) -> tuple[_T, ...]:
        """`(a, b, c)`, over several lines if need be."""
        opening = self.take()
        self.round += 1
        self.deeper(opening)
        found = []
        while not self.at(")"):
            found.append(one())
            if not self.at(")"):
                self.require(",", "or `)`") if self.at(",") else self.fail(f"expected `,` or `)`, not {self.shown()}")
        self.close()
        return tuple(found)

    def close(self) -> None:
        """Takes the `)` at hand; from here on the line may end again."""
        self.take()
        self.depth -= 1
        self.round -= 1

    def argument(self, value: Callable[[], Expr]) -> Argument:
        """`value` or `name=value`."""
        first = self.token
        name = None
        if first.kind == "name" and self.tokens[self.at_token + 1].kind == "=":
            name = self.take().text
            self.take()
        found = value()
        return Argument(self.since(first), name, found)

    def layer_args(self) -> tuple[Argument, ...]:
        args = []
        while not self.at(*_ENDS, "comment"):
            if self.at("{"):
                self.fail("expected an argument or the end of the line, not `{`", help="a block is called as `name(…)`")
            args.append(self.argument(self.slashed))
            if self.at(","):
                self.fail("arguments of a layer are parted by spaces, not by `,`")
        return tuple(args)

    def slashed(self) -> Expr:
        """`f/S/P`; what stands beside a slash is an atom or a bracket."""
        first = self.token
        parts = [self.part()]
        while self.at("/"):
            self.tight("/", first)
            self.take()
            parts.append(self.part(atoms=True))
        return parts[0] if len(parts) == 1 else Slashed(self.since(first), tuple(parts))

    def part(self, atoms: bool = False) -> Expr:
        """`h x w`, each of them `n` or `before:after`."""
        first = self.token
        sides = [self.side(atoms)]
        while self.at("x"):
            self.tight("x", first)
            self.take()
            sides.append(self.side(atoms=True))
        return sides[0] if len(sides) == 1 else Sizes(self.since(first), tuple(sides))

    def side(self, atoms: bool) -> Expr:
        first, self.loose = self.token, False
        before = self.atom() if atoms else self.expr(in_args=True)
        if not self.at(":"):
            return before
        self.tight(":", first)
        self.take()
        return Between(self.since(first), before, self.atom())

    def tight(self, mark: str, first: Token) -> None:
        """Refuses `a+b/2`, which a reader may take in two ways."""
        if self.loose:
            message = f"only a number, a name or a bracket may stand before `{mark}`"
            raise _Unreadable(Fault(message, self.since(first), help="put it in brackets"))

    def size(self) -> Expr:
        """`227x227x3`, `HxWx3`, `784`."""
        first = self.token
        parts = [self.atom()]
        while self.at("x") or self.at_word("x"):
            self.take()
            parts.append(self.atom())
        return parts[0] if len(parts) == 1 else Sizes(self.since(first), tuple(parts))

    # ------------------------------------------------------------ expressions

    def expr(self, in_args: bool = False) -> Expr:
        """An expression. Among arguments that spaces part, ` -1` starts the next one."""
        return self.level(0, in_args)

    def level(self, level: int, in_args: bool) -> Expr:
        if level == len(_LEVELS):
            return self.unary(in_args)
        if level == 2 and self.at_word("not"):
            token = self.take()
            self.deeper(token)
            operand = self.level(2, in_args)
            self.depth -= 1
            self.loose = True
            return Unary(self.since(token), "not", operand)
        first = self.token
        left = self.level(level + 1, in_args)
        while self.at_operator(level, in_args):
            operator = self.take()
            self.count_operator(operator)
            right = self.level(level + 1, in_args)
            left = Binary(self.since(first), operator.text, left, right)
            self.loose = True
            if level == 2 and self.at_operator(2, in_args):
                self.fail("comparisons do not chain", help="write `a < b and b < c`")
        return left

    def at_operator(self, level: int, in_args: bool) -> bool:
        token = self.token
        if level < 2:
            return self.at_word(*_LEVELS[level])
        if token.kind not in _LEVELS[level]:
            return False
        following = self.tokens[self.at_token + 1]
        sign = in_args and not self.round and token.kind in ("+", "-") and token.spaced and not following.spaced
        return not sign

    def count_operator(self, token: Token) -> None:
        self.operators += 1
        if self.operators > MOST_OPERATORS:
            self.fail(f"more than {MOST_OPERATORS} operators in one statement", token, help="name parts of it with `let`")

    def unary(self, in_args: bool) -> Expr:
        token = self.token
        if token.kind not in ("-", "+"):
            return self.power(in_args)
        self.take()
        self.deeper(token)
        operand = self.unary(in_args)
        self.depth -= 1
        self.loose = True
        return Unary(self.since(token), token.kind, operand)

    def power(self, in_args: bool) -> Expr:
        first = self.token
        base = self.atom()
        if not self.at("**"):
            return base
        operator = self.take()
        self.count_operator(operator)
        self.deeper(operator)
        exponent = self.unary(in_args)
        self.depth -= 1
        self.loose = True
        return Binary(self.since(first), "**", base, exponent)

    def atom(self) -> Expr:
        token = self.token
        if token.kind == "number":
            self.take()
            return Number(self.span(token), token.text)
        if token.kind == "(":
            return self.bracket()
        if token.kind == "name" and token.text not in KEYWORDS:
            self.take()
            if self.at("(") and not self.token.spaced:
                args = self.listed(self.expr)
                self.loose = False
                return Call(self.since(token), token.text, args)
            return Name(self.span(token), token.text)
        self.fail(f"expected a value, not {self.shown()}")

    def bracket(self) -> Expr:
        opening = self.take()
        self.round += 1
        self.deeper(opening)
        inner = self.expr()
        if not self.at(")"):
            self.fail(f"expected `)`, not {self.shown()}")
        self.close()
        self.loose = False
        return _spanning(inner, self.since(opening))


def _spanning(expr: Expr, span: Span) -> Expr:
    return expr.replace(span=span)
