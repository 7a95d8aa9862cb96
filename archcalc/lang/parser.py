"""Tokens to tree, by recursive descent. After a fault the parser resumes at the next statement."""

from __future__ import annotations

import gc
import re
from bisect import bisect_left
from collections.abc import Callable
from functools import cached_property
from typing import NoReturn, TypeVar

from archcalc.lang.errors import Fault, did_you_mean, quoted
from archcalc.lang.lexer import MOST_FAULTS, SUFFIXES, Token, tokenize
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
_OPENERS = ("arch", "block", "else", "if", "output", "repeat")  # words with braces behind them, beside the merges
_STOPS = ("newline", ";", "|", "}", "end", "comment")  # a statement ends before these
_FILE, _BRACED, _BRANCHES = ("end",), ("end", "}"), ("end", "}", "|")  # a body ends before these
_TO_NEXT_ARCH = ("end", "arch")
_STRENGTH = {"or": 0, "and": 1, "+": 3, "-": 3, "*": 4, "//": 4, "%": 4}
_STRENGTH |= dict.fromkeys(("==", "!=", "<=", ">=", "<", ">"), 2)
_COMPARING, _ADDING = 2, 3
_TIMES = re.compile(r"x[0-9]*")
_RELATIONS = ("=", "~", "<=", ">=")
_MEANT = {
    "=": "`let k = 32` names a value, `expect params = 32` checks one",
    ",": "statements are parted by `;`, branches by `|`",
    "[": "a list is written without brackets: `3x3`",
    ":": "a label is one name at the start of a statement, a padding is `1:2`",
    ".": "a number starts with a digit: `0.5`",
    "{": f"braces follow {', '.join(f'`{word}`' for word in (*_OPENERS, *MERGES))}",
    "//": "a comment starts with `#`",
    "==": "write `=`",
    "<": "write `<=`",
    ">": "write `>=`",
}

_T = TypeVar("_T")


class _Unreadable(Exception):
    """Leaves a statement that cannot be read; carries its fault."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


def parse(source: Source) -> tuple[Body, list[Fault]]:
    """The tree of a whole text, and its faults; what could not be read stands in the tree as `Broken`."""
    collecting = gc.isenabled()
    gc.disable()  # a tree has no cycles, and walking it again and again while it grows takes longer than parsing
    try:
        return _Parser(source).run()
    finally:
        if collecting:
            gc.enable()


def parse_call(source: Source) -> tuple[str, tuple[Argument, ...], list[Fault]]:
    """`name` or `name(a, b=2)`, as a net is asked for on the command line."""
    parser = _Parser(source)
    try:
        name = parser.expect_name("the name of a net")
        args = parser.call_args() if parser.at("(") else ()
        if not parser.at("end"):
            parser.fail(f"unexpected {parser.shown()} after {quoted(name.id)}")
    except _Unreadable as unreadable:
        return "", (), parser.faults or [unreadable.fault]
    return name.id, args, parser.faults


def parse_size(source: Source) -> tuple[Expr | None, list[Fault]]:
    """`224x224x3`, as a size is given on the command line."""
    parser = _Parser(source)
    try:
        size = parser.size()
        if not parser.at("end"):
            parser.fail(f"unexpected {parser.shown()} after the size", help="write it as `224x224x3`")
    except _Unreadable as unreadable:
        return None, parser.faults or [unreadable.fault]
    return size, parser.faults


def parse_expect(source: Source) -> tuple[Expect | None, list[Fault]]:
    """`params <= 8M`: what an `expect` line says behind its first word; of an unknown too, `?f <= 7`."""
    parser = _Parser(source)
    try:
        if parser.at("end"):
            parser.fail("nothing is said here", help="such as `params <= 8M`")
        found = parser.expect(parser.token)
        if not parser.at("end"):
            unit = parser.token.text in SUFFIXES
            help = f"a unit stands right behind its number: `{parser.last.text}{parser.token.text}`" if unit else ""
            parser.fail(f"unexpected {parser.shown()} after the condition", help=help)
    except _Unreadable as unreadable:
        return None, parser.faults or [unreadable.fault]
    return found, parser.faults


class _Parser:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.tokens, self.faults = tokenize(source)
        self.unread = [fault.span.start for fault in self.faults if fault.span]  # where the lexer found faults
        self.skipped: set[int] = set()  # those of them that are not told
        self.at_token = 0
        self.token = self.last = self.tokens[0]  # the next one, and the last one taken
        self.unopened = 0  # `}` to come whose `{` was missed
        self.depth = 0  # of braces and brackets together
        self.round = 0  # of round brackets, in which a line may end
        self.operators = 0  # of the statement
        self.loose = False  # the expression just read is neither an atom nor in brackets
        self.comments: list[str] = []  # met inside the statement that is being read

    def run(self) -> tuple[Body, list[Fault]]:
        body = self.body(_FILE)
        starts = ((fault.span.start if fault.span else 0, fault) for fault in self.faults)
        told = sorted((pair for pair in starts if pair[0] not in self.skipped), key=lambda pair: pair[0])
        return body, [fault for _, fault in told]

    # ------------------------------------------------------------ tokens

    def move(self, at: int) -> None:
        """Makes another token the next one; inside round brackets, comments and line ends are stepped over."""
        token = self.tokens[at]
        while self.round and token.kind in ("comment", "newline"):
            if token.kind == "comment":
                self.comments.append(token.text)
            at += 1
            token = self.tokens[at]
        self.at_token, self.token = at, token

    def take(self) -> Token:
        self.last = token = self.token
        if token.kind != "end":
            self.move(self.at_token + 1)
        return token

    def at(self, *kinds: str) -> bool:
        return self.token.kind in kinds

    def at_word(self, *words: str) -> bool:
        return self.token.kind == "name" and self.token.text in words

    def at_new_arch(self) -> bool:
        """Whether an `arch` starts a line: inside braces, the sign that one of them was never closed."""
        starts_line = self.tokens[self.at_token - 1].kind == "newline"
        return starts_line and self.at_word("arch") and self.following.kind != ":"

    @property
    def following(self) -> Token:
        """The token after the next one."""
        return self.tokens[min(self.at_token + 1, len(self.tokens) - 1)]

    def span(self, token: Token) -> Span:
        return Span(self.source, token.start, token.end)

    def since(self, first: Token) -> Span:
        """From a token to the last one taken."""
        return Span(self.source, first.start, max(first.end, self.last.end))

    def shown(self) -> str:
        """The next token, as a fault names it."""
        names = {"newline": "the end of the line", "end": "the end of the text", "comment": "the end of the line"}
        return names.get(self.token.kind) or quoted(self.token.text)

    def fail(self, message: str, token: Token | None = None, help: str = "") -> NoReturn:
        raise _Unreadable(Fault(message, self.span(token or self.token), help=help))

    def unexpected(self, help: str) -> NoReturn:
        if self.token.kind == ")":
            self.fail("`)` closes nothing")
        self.fail(f"unexpected {self.shown()}", help=help)

    def require(self, kind: str, why: str, help: str = "") -> Token:
        if self.token.kind != kind:
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
        while self.token.kind == "." and not self.token.spaced:
            self.take()
            if not self.at("name", "number") or self.token.spaced:
                self.fail(f"expected a name after `.`, not {self.shown()}")
            self.take()
        span = self.since(first)
        return Name(span, self.source.text[span.start : span.end])

    def deeper(self, token: Token) -> None:
        # One bracket more, because the canonical text may need it: `(n)x3`.
        if self.depth >= DEEPEST and (self.round or token.kind != "("):
            self.fail(f"nested more than {DEEPEST} deep", token)
        self.depth += 1

    # ------------------------------------------------------------ faults

    def report(self, fault: Fault) -> None:
        """Keeps a fault; after `MOST_FAULTS` of them the text is read no further."""
        if len(self.faults) <= MOST_FAULTS:
            self.faults.append(fault)
            if len(self.faults) >= MOST_FAULTS:
                message = f"more than {MOST_FAULTS:,} faults: the text is read no further"
                self.faults.append(Fault(message, self.span(self.token)))
        if len(self.faults) > MOST_FAULTS:
            self.move(len(self.tokens) - 1)

    def give_up(self, first: Token, word: Token, fault: Fault) -> None:
        """Reports the fault of a statement and skips its rest; silent where the lexer's own fault is the cause."""
        at = bisect_left(self.unread, first.start)
        if at == len(self.unread) or self.unread[at] >= self.token.end:
            self.report(fault)
        start, opened = self.token.end, False
        while self.token is first or not (self.token.kind in _STOPS or self.at_new_arch()):
            if self.token.kind == "{":
                self.forget(start, self.token.start)
                self.skip_braces()
                start, opened = self.last.end, True
            else:
                self.take()
        self.forget(start, self.token.start)
        if self.token.kind == "newline" and self.next_line_opens():
            self.gap()
            self.skip_braces()
        elif word.text in (*_OPENERS, *MERGES) and not opened and self.at_token < self.paired[1]:
            self.unopened += 1

    def forget(self, start: int, end: int) -> None:
        """Takes back what the lexer told of a stretch that is skipped: prose without its quotes is one fault."""
        self.skipped.update(self.unread[bisect_left(self.unread, start) : bisect_left(self.unread, end)])

    def next_line_opens(self) -> bool:
        """Whether only line ends part the next token from a `{`."""
        at = self.at_token
        while self.tokens[at].kind == "newline":
            at += 1
        return self.tokens[at].kind == "{"

    def skip_braces(self) -> None:
        """Past `{ … }`: what it holds is read for its faults, if it looks like statements."""
        if self.depth < DEEPEST and self.at_token not in self.paired[0]:
            self.take()
            return
        if self.depth < DEEPEST and self.following.kind in ("newline", "comment", "name", "}"):
            self.take()
            self.depth += 1
            self.bodies(_BRANCHES)
            self.depth -= 1
            return
        inside = 0
        while not self.at("end"):
            inside += (self.token.kind == "{") - (self.token.kind == "}")
            self.take()
            if not inside:
                return

    @cached_property
    def paired(self) -> tuple[frozenset[int], int]:
        """The `{` that a `}` belongs to, and the last `}` that belongs to none, by their places among the tokens."""
        opened, found, stray = list[int](), list[int](), -1
        for at, token in enumerate(self.tokens):
            if token.kind == "{":
                opened.append(at)
            elif token.kind == "}" and opened:
                found.append(opened.pop())
            elif token.kind == "}":
                stray = at
        return frozenset(found), stray

    # ------------------------------------------------------------ bodies and statements

    def braced(self, why: str, help: str = "") -> Body:
        """`{ … }`"""
        return self.braces(why, _BRACED, help)[0]

    def braces(self, why: str, ends: tuple[str, ...], help: str = "") -> list[Body]:
        """`{ … }`, cut at the bars if bodies end there."""
        if self.token.kind == "{":
            self.deeper(self.token)
        elif self.next_line_opens():
            help = "write the `{` on the same line"
        opening = self.require("{", why, help)
        bodies, closed = self.bodies(ends)
        self.depth -= 1
        if not closed:
            self.report(Fault("this `{` is never closed", self.span(opening), help="close it with `}`"))
        if all(body.inline for body in bodies):
            return bodies
        return [body.replace(inline=False) if body.inline else body for body in bodies]

    def bodies(self, ends: tuple[str, ...]) -> tuple[list[Body], bool]:
        """The bodies between bars up to a `}`, which is taken, and whether it was there."""
        bodies = [self.body(ends)]
        while self.token.kind == "|":
            self.take()
            bodies.append(self.body(ends))
        return bodies, self.token.kind == "}" and bool(self.take())

    def body(self, ends: tuple[str, ...], head: str = "") -> Body:
        """Statements up to one of `ends`, which is left to be taken."""
        items, above, first = list[Item](), list[str](), self.last
        if ends != _FILE and self.token.kind == "comment":
            head = " ".join(filter(None, (head, self.take().text)))
        after_last = self.at_token
        lines, joined = self.gap()
        while not self.at_end_of(ends):
            if self.token.kind in ("}", "|"):
                self.stray()
                after_last = self.at_token
            else:
                if lines > 1 and (items or above):
                    above.append("")
                if self.token.kind == "comment":
                    above.append(self.take().text)
                else:
                    joined = joined and bool(items) and not _ends_in_comment(items[-1])
                    items.append(self.item(joined, tuple(above)))
                    above, after_last = [], self.at_token
            lines, joined = self.gap()
        if ends == _TO_NEXT_ARCH:  # comments above the next `arch` are its own
            self.move(after_last)
            above = []
        inline = ends in (_BRACED, _BRANCHES) and self.source.text.find("\n", first.start, self.token.start) < 0
        return Body(self.span(first), tuple(items), inline, head, tuple(above))

    def gap(self) -> tuple[int, bool]:
        """Takes line ends and semicolons: how many line ends, and whether there were semicolons alone."""
        first, lines = self.at_token, 0
        while self.token.kind in ("newline", ";"):
            lines += self.take().kind == "newline"
        return lines, self.at_token > first and not lines

    def at_end_of(self, ends: tuple[str, ...]) -> bool:
        """Whether a body ends here that ends before the tokens `ends`, or else before an `arch`."""
        if self.token.text != "arch" or ends == _FILE:
            return self.token.kind in ends
        return ends == _TO_NEXT_ARCH or self.at_new_arch()

    def stray(self) -> None:
        """Takes a `}` or `|` that nothing opened, and says so unless the fault is that nothing did."""
        closes = "`}` closes nothing" if self.at("}") else "`|` stands outside the braces of a merge"
        token = self.take()
        if not self.unopened:
            self.report(Fault(closes, self.span(token)))
        elif token.kind == "}":
            self.unopened -= 1

    def item(self, joined: bool, leading: tuple[str, ...]) -> Item:
        """One statement, its label and its trailing comment."""
        first = word = self.token
        depth, outer = self.depth, (self.comments, self.operators)
        self.comments, self.operators = [], 0
        label: Name | None = None
        statement: Statement | None = None
        try:
            label = self.label()
            word = self.token
            statement = self.statement()
            if not (self.token.kind in _STOPS or self.at_new_arch()):
                self.unexpected(_mend(statement, self.token))
        except _Unreadable as unreadable:
            self.depth, self.round = depth, 0
            self.give_up(first, word, unreadable.fault)
            if not isinstance(statement, (Arch, Block)):
                statement = Broken(self.span(first))
        trailing = self.trailing(statement)
        self.comments, self.operators = outer
        return Item(self.since(first), label, statement, joined, leading, trailing)

    def trailing(self, statement: Statement) -> str:
        """The comments inside a statement and the one behind it, or behind the `;` that ends it."""
        to_next_arch = isinstance(statement, Arch) and not statement.braced
        if self.token.kind == ";" and self.following.kind == "comment" and not to_next_arch:
            self.take()
        if self.token.kind == "comment":
            self.comments.append(self.take().text)
        return " ".join(self.comments)

    def label(self) -> Name | None:
        token = self.token
        if self.following.kind != ":" or token.kind not in ("name", "number"):
            return None
        if token.kind == "number":
            self.fail("a label starts with a letter")
        name = self.expect_name("a label")
        self.take()
        if self.token.kind in _STOPS:
            self.fail(f"the label {quoted(name.id)} stands before nothing", token, help="write the statement behind it")
        return name

    def statement(self) -> Statement:
        token = self.token
        if token.kind != "name":
            help = _MEANT["//"] if token.kind in ("//", "/", "-") else ""
            if token.kind == "number" and self.following.kind == "*":
                help = "a call is repeated by `* 3` behind it"
            self.fail(f"expected a layer, a block or a keyword, not {self.shown()}", help=help)
        if token.text in ("else", "as", "and", "or", "not"):
            help = "it stands behind the `}` of its `if`" if token.text == "else" else ""
            self.fail(f"`{token.text}` does not start a statement", help=help)
        self.take()
        rule = _STATEMENTS.get(token.text)
        if rule:
            return rule(self, token)
        span = self.span(token)
        name = Name(span, token.text)
        if self.token.kind == "(" and not self.token.spaced:
            args = self.call_args()
            times = None
            if self.token.kind == "*":
                self.take()
                times = self.atom()
            return BlockCall(span, name, args, times)
        return Layer(span, name, self.layer_args(token))

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
            help = "a name is of letters, digits and `_`" if self.at("-", ".") else ""
            self.fail(f"expected `{{` or the end of the line, not {self.shown()}", help=help)
        head, self.comments = " ".join(self.comments), []
        return Arch(self.span(token), name, params, title, self.body(_TO_NEXT_ARCH, head), False)

    def block(self, token: Token) -> Statement:
        name = self.expect_name("the name of a block")
        params = self.params() if self.at("(") else ()
        help = f"parameters stand in brackets: `block {name.id}(f, n) {{`" if self.at("name") else ""
        return Block(self.span(token), name, params, self.braced("after the name of the block", help))

    def expect(self, token: Token) -> Expect:
        if self.at_word("output") or self.at("sought"):
            target = Name(self.span(self.token), self.take().text)
        else:
            target = self.reference("what is expected")
        rule = self.rule() if self.at("[") else ""
        if not self.at(*_RELATIONS):
            help = _MEANT[self.token.kind] if self.at("==", "<", ">") else ""
            self.fail(f"expected `=`, `~`, `<=` or `>=`, not {self.shown()}", help=help)
        relation = self.take().kind
        return Expect(self.span(token), target, rule, relation, self.part())

    def rule(self) -> str:
        """`[torchvision]`"""
        opening = self.take()
        while self.token.kind not in ("]", *_STOPS):
            self.take()
        closing = self.require("]", "after the name of the rule")
        name = self.source.text[opening.end : closing.start].strip()
        if not name:
            self.fail("expected the name of a counting rule, not `]`", closing)
        return name

    def from_(self, token: Token) -> Statement:
        return From(self.span(token), self.reference("the name of a volume"))

    def if_(self, token: Token) -> Statement:
        if self.at("{"):
            self.fail("`if` lacks its condition", token, help="`if s != 1 { … }`")
        condition = self.expr()
        then = self.braced("after the condition", "`==` compares" if self.at("=") else "")
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
        if self.at("{"):
            self.fail("`repeat` lacks its count", token, help="`repeat 3 { … }`")
        count, index = self.expr(), None
        if self.at_word("as"):
            self.take()
            index = self.expect_name("a name for the count")
        return Repeat(self.span(token), count, index, self.braced("after the count"))

    def merge(self, token: Token) -> Statement:
        name = Name(self.span(token), token.text)
        if self.at("{"):
            return Merge(self.span(token), name, tuple(self.braces("", _BRANCHES)), ())
        help = f"`{token.text} {{ … | … }}` or `{token.text} a, b`"
        if self.token.kind in _STOPS:
            self.fail(f"`{token.text}` needs branches or names", token, help=help)
        if self.at("(", "["):
            self.fail(f"expected branches or names, not {self.shown()}", help=help)
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
            self.fail(f"expected a text in quotes, not {self.shown()}", help=f'`{self.last.text} "…"`')
        self.take()
        return token.text[1:-1].replace('\\"', '"').replace("\\\\", "\\")

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
                self.report(Fault(f"the parameter {quoted(found.name)} is there twice", found.span))
            seen.add(found.name)
        return params

    def call_args(self) -> tuple[Argument, ...]:
        return self.listed(lambda: self.argument(self.expr))

    def listed(self, one: Callable[[], _T]) -> tuple[_T, ...]:
        """`(a, b, c)`, over several lines if need be."""
        opening = self.open()
        found = []
        while self.token.kind != ")":
            if self.token.kind == "end":
                self.unclosed(opening, "`)`")
            found.append(one())
            if self.token.kind == ",":
                self.take()
            elif self.token.kind != ")":
                self.unclosed(opening, "`,` or `)`")
        self.close()
        return tuple(found)

    def open(self) -> Token:
        """Takes the `(` at hand; inside, lines may end."""
        self.deeper(self.token)
        self.round += 1
        return self.take()

    def close(self) -> None:
        """Takes the `)` at hand; from here on the line may end again."""
        self.depth -= 1
        self.round -= 1
        self.take()

    def unclosed(self, opening: Token, wanted: str, help: str = "") -> NoReturn:
        """Refuses what stands where a bracket should end; on a later line, the bracket itself."""
        at = self.at_token
        while self.tokens[at - 1].kind in ("comment", "newline"):
            at -= 1
        if at == self.at_token and not self.at("end"):
            self.fail(f"expected {wanted}, not {self.shown()}", help=help)
        self.round = 0
        self.move(at)
        self.fail("this `(` is never closed", opening, help="close it with `)`")

    def argument(self, value: Callable[[], Expr]) -> Argument:
        """`value` or `name=value`; a named one may be a volume."""
        first = self.token
        if first.kind != "name" or self.following.kind != "=":
            found = value()
            return Argument(self.since(first), None, found)
        self.take()
        self.take()
        found = self.reference("a value") if self.at("name") and self.following.kind == "." else value()
        return Argument(self.since(first), first.text, found)

    def layer_args(self, layer: Token) -> tuple[Argument, ...]:
        args: list[Argument] = []
        while (kind := self.token.kind) not in _STOPS:
            if kind == "{":
                help = did_you_mean(layer.text, _OPENERS) or _MEANT[kind]
                self.fail(f"expected an argument or the end of the line, not `{kind}`", help=help)
            if kind == ",":
                self.fail("arguments of a layer are parted by spaces, not by `,`", help=_MEANT[kind])
            if kind in ("=", ")"):
                self.unexpected(_MEANT["="])
            args.append(self.argument(self.slashed))
        return tuple(args)

    def slashed(self) -> Expr:
        """`f/S/P`; what stands beside a slash is an atom or a bracket."""
        first = self.token
        part = self.part()
        if self.token.kind != "/":
            return part
        parts = [part]
        while self.token.kind == "/":
            self.tight("/", first)
            self.take()
            parts.append(self.part(atoms=True))
        return Slashed(self.since(first), tuple(parts))

    def part(self, atoms: bool = False) -> Expr:
        """`h x w`, each of them `n` or `before:after`."""
        first = self.token
        side = self.side(atoms)
        if self.token.kind != "x":
            return side
        sides = [side]
        while self.token.kind == "x":
            self.tight("x", first)
            self.take()
            sides.append(self.side(atoms=True))
        return Sizes(self.since(first), tuple(sides))

    def side(self, atoms: bool) -> Expr:
        first, self.loose = self.token, False
        before = self.atom() if atoms else self.expr(in_args=True)
        if self.token.kind != ":":
            return before
        if self.token.spaced or self.following.spaced:
            self.fail("unexpected `:`", help=_MEANT[":"])
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

    def expr(self, in_args: bool = False, least: int = 0) -> Expr:
        """An expression of operators that bind at least so much. Where spaces part arguments, ` -1` starts the next."""
        first = self.token
        left = self.negation(in_args) if least <= _COMPARING and self.at_word("not") else self.unary(in_args)
        while (strength := self.strength(in_args)) >= least:
            operator = self.take()
            self.count_operator(operator)
            right = self.expr(in_args, strength + 1)
            left = Binary(self.since(first), operator.text, left, right)
            self.loose = True
            if strength == _COMPARING == self.strength(in_args):
                self.fail("comparisons do not chain", help="write `a < b and b < c`")
        return left

    def strength(self, in_args: bool) -> int:
        """How much the next token binds as an operator with two sides; -1 if it is none."""
        token = self.token
        found = _STRENGTH.get(token.text, -1)
        if found == _ADDING and in_args and token.spaced and not (self.round or self.following.spaced):
            return -1
        return found

    def count_operator(self, token: Token) -> None:
        self.operators += 1
        if self.operators > MOST_OPERATORS:
            message = f"more than {MOST_OPERATORS} operators in one statement"
            self.fail(message, token, help="name parts of it with `let`")

    def negation(self, in_args: bool) -> Expr:
        token = self.take()
        self.deeper(token)
        operand = self.expr(in_args, _COMPARING)
        self.depth -= 1
        self.loose = True
        return Unary(self.since(token), "not", operand)

    def unary(self, in_args: bool) -> Expr:
        """`-a`, `a ** b`, an atom; `**` binds more than the sign on its left and less than that on its right."""
        first = self.token
        if first.kind in ("-", "+"):
            self.deeper(self.take())
            operand = self.unary(in_args)
            self.depth -= 1
            self.loose = True
            return Unary(self.since(first), first.kind, operand)
        base = self.atom()
        if self.token.kind != "**":
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
        if token.kind == "sought":
            self.take()
            return Name(self.span(token), token.text)
        if token.kind == "(":
            return self.bracket()
        if token.kind != "name" or token.text in KEYWORDS:
            help = _MEANT[token.kind] if token.kind in ("[", ":") or (token.kind == "." and token.spaced) else ""
            self.fail(f"expected a value, not {self.shown()}", help=help)
        self.take()
        if self.token.kind == "(" and not self.token.spaced:
            args = self.listed(self.expr)
            self.loose = False
            return Call(self.since(token), token.text, args)
        return Name(self.span(token), token.text)

    def bracket(self) -> Expr:
        opening = self.open()
        inner = self.expr()
        if self.token.kind != ")":
            help = "a block is called without a space, `name(a, b)`; sizes are `3x3`" if self.at(",") else ""
            self.unclosed(opening, "`)`", help)
        self.close()
        self.loose = False
        return inner.replace(span=self.since(opening))


def _ends_in_comment(item: Item) -> bool:
    """Whether the canonical text of an item ends in a comment, so that nothing can be joined to it."""
    arch = item.statement
    if not isinstance(arch, Arch) or arch.braced:
        return bool(item.trailing)
    return _ends_in_comment(arch.body.items[-1]) if arch.body.items else bool(arch.body.head)


def _mend(statement: Statement, token: Token) -> str:
    """What was likely meant where something follows a whole statement."""
    if isinstance(statement, Input) and token.kind in (",", "number"):
        return "sizes are parted by `x`: `224x224x3`"
    if isinstance(statement, Merge) and statement.names and token.kind == "name":
        return "names are parted by `,`"
    if isinstance(statement, Expect) and token.text == "x":
        return "a size is written without spaces: `55x55x96`"
    if isinstance(statement, BlockCall) and (token.kind == "x" or _TIMES.fullmatch(token.text)):
        return "a call is repeated by `* 3` behind it"
    if isinstance(statement, BlockCall) and token.kind in _STRENGTH:
        return "put the count in brackets: `* (n - 1)`"
    if isinstance(statement, BlockCall) and token.kind == "number":
        return f"brackets call a block; a layer has its arguments behind a space: `{statement.block.id} 3 64`"
    return "end a statement with a new line or `;`"


_STATEMENTS: dict[str, Callable[[_Parser, Token], Statement]] = {
    "arch": _Parser.arch,
    "block": _Parser.block,
    "expect": _Parser.expect,
    "from": _Parser.from_,
    "if": _Parser.if_,
    "input": _Parser.input,
    "let": _Parser.let,
    "note": _Parser.fact,
    "output": _Parser.output,
    "repeat": _Parser.repeat,
    "source": _Parser.fact,
    "use": _Parser.use,
    "year": _Parser.fact,
    **dict.fromkeys(MERGES, _Parser.merge),
}
