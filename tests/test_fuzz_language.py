"""The language against texts that nobody wrote: valid ones from its grammar, broken ones from its snippets."""

import os

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from test_language import SNIPPETS, comments_of, round_trip

from archcalc.lang.errors import in_order, show
from archcalc.lang.lexer import tokenize
from archcalc.lang.parser import KEYWORDS, parse, parse_call, parse_size
from archcalc.lang.source import Source
from archcalc.lang.syntax import Body, Expr

slow = settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=int(os.environ.get("FUZZ", "100")))

# ---------------------------------------------------------------- texts from the grammar

PLAIN = ("a", "n", "relu", "conv2_x", "x", "x1", "e5", "_", "_X", "k_", "half", "Hxa", "Conv", "arch2", "nobias")
SYMBOLS = ("H", "W", "N2", "K_")
NUMBERS = ("0", "1", "3", "64", "60_965_224", "0.5", "1e9", "2.5E-3", "62.4M", "8GiB", "1_0.2_5")
WORDS = st.sampled_from(PLAIN + SYMBOLS)
TEXTS = st.sampled_from(('""', '"AlexNet"', r'"a \"b\" \\ \n"', '"# no comment ; { | }"', '"{ } {  }|  |"', '"\t é ×"'))
COMMENTS = st.sampled_from(("#", "# c", "#c # d", '#  "{ | }" ', "# é ;\t", "# \\"))
BLANKS = st.sampled_from((" ", " ", " ", "  ", "\t", " \r", "\u00a0"))
MAYBE = st.booleans()


def spaced(draw: DrawFn, wide: bool) -> str:
    """Nothing or blanks; inside round brackets line ends and comments too."""
    choice = draw(st.integers(0, 11))
    if wide and choice < 2:
        return f" {draw(COMMENTS)}\n" if choice else "\n  "
    return str(draw(BLANKS)) if choice < 6 else ""


@st.composite
def calls(draw: DrawFn, deep: int) -> str:
    inner = [draw(exprs(deep - 1, 0, True)) for _ in range(draw(st.integers(0, 3)))]
    comma = f"{spaced(draw, True)},{spaced(draw, True)}"
    return f"{draw(WORDS)}({spaced(draw, True)}{comma.join(inner)}{spaced(draw, True)})"


@st.composite
def atoms(draw: DrawFn, deep: int) -> str:
    kind = draw(st.integers(0, 5 if deep > 0 else 3))
    if kind < 2:
        return str(draw(st.sampled_from(NUMBERS)))
    if kind < 4:
        return str(draw(WORDS))
    if kind == 4:
        return f"({spaced(draw, True)}{draw(exprs(deep - 1, 0, True))}{spaced(draw, True)})"
    return draw(calls(deep))


@st.composite
def exprs(draw: DrawFn, deep: int, least: int, wide: bool) -> str:
    """An expression that binds at least so much; `wide` inside round brackets."""
    levels = (("or",), ("and",), ("not",), ("==", "!=", "<", ">", "<=", ">="), ("+", "-"), ("*", "//", "%"), ("-", "+"))
    level = draw(st.integers(least, len(levels) + 1)) if deep > 0 else len(levels) + 1
    if level == len(levels) + 1:
        return draw(atoms(deep))
    if level == len(levels):
        return f"{draw(atoms(deep - 1))}**{draw(exprs(deep - 1, 6, wide))}"
    operator = draw(st.sampled_from(levels[level]))
    if operator == "not":
        return f"not {draw(exprs(deep - 1, 2, wide))}"
    if level == 6:
        return f"{operator}{draw(exprs(deep - 1, 6, wide))}"
    gap = " " if level < 2 or draw(MAYBE) else ""
    gap += spaced(draw, wide) if gap else ""
    left = draw(exprs(deep - 1, level + (level == 3), wide))
    return f"{left}{gap}{operator}{gap or ''}{draw(exprs(deep - 1, level + 1, wide))}"


@st.composite
def sides(draw: DrawFn) -> str:
    return f"{draw(atoms(1))}:{draw(atoms(1))}" if draw(MAYBE) else draw(atoms(1))


@st.composite
def sizes(draw: DrawFn, one: st.SearchStrategy[str]) -> str:
    """`h x w` with signs that part them: a name before a plain `x` must be a symbol."""
    shown = draw(one)
    for _ in range(draw(st.integers(0, 2))):
        before = draw(one)
        last = before.rpartition(":")[2]
        follows = shown[0].isdigit() or shown[0].isupper() or shown[0] == "("
        safe = last in NUMBERS or last[-1] == ")" or (last in SYMBOLS and follows)
        shown = f"{before}{'x' if safe else '×'}{shown}"
    return shown


@st.composite
def layer_args(draw: DrawFn) -> str:
    kind = draw(st.integers(0, 3))
    if kind == 0:
        value = draw(exprs(2, 0, False))
    else:
        value = "/".join(draw(sizes(sides())) for _ in range(draw(st.integers(1, 3))))
    if draw(st.integers(0, 4)) == 0:
        return f"{draw(WORDS)}={value}" if draw(MAYBE) else f"share={draw(references())}"
    return value


@st.composite
def references(draw: DrawFn) -> str:
    rest = draw(st.lists(st.sampled_from(("1", "12", "conv1", "add", "x1", "H")), max_size=2))
    return ".".join((draw(WORDS), *rest))


@st.composite
def params(draw: DrawFn) -> str:
    if draw(MAYBE):
        return ""
    names = draw(st.lists(WORDS, unique=True, max_size=3))
    shown = [name + (f"={draw(exprs(1, 0, True))}" if draw(MAYBE) else "") for name in names]
    return f"({spaced(draw, True)}{f',{spaced(draw, True)}'.join(shown)}{spaced(draw, True)})"


@st.composite
def bodies(draw: DrawFn, deep: int) -> str:
    """What stands between braces."""
    if draw(MAYBE):
        inner = draw(st.lists(statements(deep), max_size=3))
        return f"{spaced(draw, False)}{' ; '.join(inner)}{spaced(draw, False)}"
    head = draw(COMMENTS) if draw(MAYBE) else ""
    return f" {head}\n{draw(lines(deep))}"


@st.composite
def lines(draw: DrawFn, deep: int) -> str:
    """Statements, comments and empty lines, each line ended."""
    text = ""
    for _ in range(draw(st.integers(0, 3))):
        kind = draw(st.integers(0, 5))
        if kind == 0:
            text += f"{spaced(draw, False)}{draw(COMMENTS)}\n"
        elif kind == 1:
            text += "\n" * draw(st.integers(1, 3))
        else:
            text += draw(statements(deep)) + draw(st.sampled_from(("\n", ";", " ; ", ";;\n", "  # c\n", "; # c\n")))
    return text + draw(st.sampled_from(("", "\n")))


@st.composite
def statements(draw: DrawFn, deep: int) -> str:
    text = draw(st.one_of(*(SIMPLE if deep <= 0 else (*SIMPLE, merges(deep), nested(deep), ifs(deep)))))
    return f"{draw(WORDS)}: {text}" if draw(st.integers(0, 3)) == 0 else text


def separated(one: st.SearchStrategy[str], separator: str, least: int = 0) -> st.SearchStrategy[str]:
    return st.lists(one, min_size=least, max_size=3).map(separator.join)


@st.composite
def merges(draw: DrawFn, deep: int) -> str:
    return f"{draw(st.sampled_from(('add', 'concat', 'mul')))} {{{draw(separated(bodies(deep - 1), '|', 1))}}}"


@st.composite
def nested(draw: DrawFn, deep: int) -> str:
    kind = draw(st.integers(0, 2))
    if kind == 0:
        head = f"repeat {draw(exprs(1, 0, False))}{draw(st.sampled_from(('', ' as i')))}"
    elif kind == 1:
        head = f"block {draw(WORDS)}{draw(params())}"
    else:
        head = f"output {draw(WORDS)}{draw(st.sampled_from(('', ' from a.1.b')))}"
    return f"{head}{spaced(draw, False)}{{{draw(bodies(deep - 1))}}}"


@st.composite
def ifs(draw: DrawFn, deep: int) -> str:
    text = f"if {draw(exprs(2, 0, False))} {{{draw(bodies(deep - 1))}}}"
    for _ in range(draw(st.integers(0, 2))):
        text += f" else if {draw(exprs(1, 0, False))} {{{draw(bodies(deep - 1))}}}"
    return f"{text} else {{{draw(bodies(deep - 1))}}}" if draw(MAYBE) else text


@st.composite
def archs(draw: DrawFn) -> str:
    title = f" {draw(TEXTS)}" if draw(MAYBE) else ""
    head = f"arch {draw(WORDS)}{draw(params())}{title}"
    if draw(MAYBE):
        return f"{head} {{{draw(bodies(2))}}}\n"
    return f"{head}{draw(st.sampled_from((chr(10), ' # head' + chr(10), ' ; ')))}{draw(lines(2))}"


BLOCK_CALLS = st.tuples(calls(2), st.one_of(st.just(""), atoms(2).map(" * {}".format))).map("".join)
RULES = st.sampled_from(("", "[torchvision]", "[ a b ]"))
EXPECTS = st.tuples(references(), RULES, st.sampled_from(("=", "~", "<=", ">=")), sizes(sides()))
SIMPLE = (
    st.tuples(WORDS, st.lists(layer_args(), max_size=3)).map(lambda drawn: " ".join((drawn[0], *drawn[1]))),
    BLOCK_CALLS,
    separated(references(), ", ", 1).map(lambda names: f"add {names}"),
    references().map(lambda name: f"from {name}"),
    sizes(atoms(1)).map(lambda size: f"input {size}"),
    st.tuples(WORDS, exprs(3, 0, False)).map(lambda drawn: f"let {drawn[0]} = {drawn[1]}"),
    TEXTS.map(lambda text: f"source {text}"),
    TEXTS.map(lambda text: f"note {text}"),
    st.just("year 2012"),
    st.just("use resnet"),
    EXPECTS.map(lambda drawn: f"expect {drawn[0]}{drawn[1]} {drawn[2]} {drawn[3]}"),
)
FILES = st.lists(st.one_of(lines(2), lines(2), archs()), max_size=4).map("\n".join)


@slow
@given(FILES)
def test_a_valid_text_has_no_faults_and_comes_back_from_its_tree(text: str) -> None:
    assert parse(Source("net.arch", text))[1] == []
    round_trip(text)


# ---------------------------------------------------------------- broken texts

TOKENS = (
    *(*KEYWORDS, *PLAIN, *SYMBOLS, *NUMBERS),
    *("//", "**", "==", "!=", "<=", ">=", *"{}()[]|;:,./*+-%x×=~?<>"),
    *("\n", "\n\n", "\narch ", " ", "  ", "# c\n", " # d", '"t"', '"', '"\\', "\\", "$", "é", "“a”"),
    *("3net", "5_", "1e9999", "9" * 41, "\r\n", "\u00a0", "\ufeff", "\0", "\x85", "\u2028", "\x1c", "\ud800"),
)
WORD = st.sampled_from(TOKENS)
SOUPS = st.lists(st.one_of(WORD, WORD.map(" {} ".format)), max_size=40).map("".join)
PLACES = st.integers(0, 10_000)


@st.composite
def mutants(draw: DrawFn) -> str:
    """A snippet, or a text from the grammar, in which pieces are taken out, doubled, swapped or put in."""
    text = draw(st.one_of(st.sampled_from(SNIPPETS), FILES))
    for _ in range(draw(st.integers(1, 4))):
        at, length = draw(PLACES) % (len(text) + 1), draw(st.integers(0, 12))
        piece, rest = text[at : at + length], text[at + length :]
        kind = draw(st.integers(0, 3))
        if kind == 0:
            piece = ""
        elif kind == 1:
            piece *= 2
        elif kind == 2:
            piece = rest[:length] + piece
            rest = rest[length:]
        else:
            piece = draw(st.sampled_from(TOKENS)) + piece
        text = text[:at] + piece + rest
    return text


def holds(text: str) -> None:
    """What is true of every text."""
    tree, faults = parse(Source("net.arch", text))
    assert isinstance(tree, Body)
    for fault in faults:
        assert fault.message
        assert fault.span is not None
        assert 0 <= fault.span.start <= fault.span.end <= len(text)
        assert show(fault).startswith("error: ")
    assert list(in_order(faults)) == faults, "a fault is told twice, or out of order"
    if not faults:
        round_trip(text)


@slow
@given(st.one_of(mutants(), SOUPS, st.text(max_size=60)))
def test_any_text_gives_a_tree_and_faults(text: str) -> None:
    holds(text)


@slow
@given(st.one_of(SOUPS, st.text(max_size=20)))
def test_what_stands_on_the_command_line_gives_a_value_or_faults(text: str) -> None:
    name, _, faults = parse_call(Source("<net>", text))
    assert name or faults
    size, faults = parse_size(Source("--input", text))
    assert isinstance(size, Expr) or faults


@slow
@given(st.one_of(SOUPS, st.text(max_size=40)))
def test_every_character_is_in_a_token_or_a_fault_or_blank(text: str) -> None:
    tokens, faults = tokenize(Source("", text))
    told = {at for fault in faults if fault.span for at in range(fault.span.start, fault.span.end)}
    told |= {at for token in tokens for at in range(token.start, token.end)}
    assert all(text[at].isspace() or text[at] == "\ufeff" for at in range(len(text)) if at not in told)
    assert [token.start for token in tokens] == sorted(token.start for token in tokens)
    assert all(token.text == text[token.start : token.end] for token in tokens if token.text)
    assert comments_of(text) == [token.text for token in tokens if token.kind == "comment"]
