"""The language: what its page shows, its words one by one, its canonical form, its faults."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from archcalc.lang.errors import Fault, show_all
from archcalc.lang.lexer import MOST_FAULTS, tokenize
from archcalc.lang.parser import DEEPEST, MOST_OPERATORS, parse, parse_call, parse_size
from archcalc.lang.printer import print_expr, print_statement, print_tree
from archcalc.lang.source import Source
from archcalc.lang.syntax import Arch, Between, Body, Expr, Layer, Let, Number, Sizes, Slashed, Statement

# ---------------------------------------------------------------- the snippets of the language's page

SNIPPETS = (
    """\
# alexnet.arch: everything after # is a comment
arch alexnet(classes=1000) "AlexNet, one tower, as lectures draw it"
source "Krizhevsky, Sutskever & Hinton 2012, sizes as in lecture S0" ; year 2012
input 227x227x3                  # height x width x depth, as slides write it: AlexNet's 55x55x96
conv1: conv 11/4/0 96            # f/S/P, then the number of filters
relu ; lrn 5                     # ; is a line end
pool1: pool 3/2                  # r/s ; max pooling unless said otherwise
conv2: conv 5/1/2 256 ; relu ; lrn 5
pool2: pool 3/2
conv3: conv 3/1/1 384 ; relu
conv4: conv 3/1/1 384 ; relu
conv5: conv 3/1/1 256 ; relu
pool5: pool 3/2
fc6: fc 4096 ; relu ; dropout 0.5
fc7: fc 4096 ; relu ; dropout 0.5
fc8: fc classes ; softmax
expect conv1 = 55x55x96
expect params ~ 62.4M            # ~ : rounds to what is printed
""",
    """\
# a family shares its blocks; a variant is a line
block cbr(f, n, s=1) { conv f/s/half n nobias ; bn ; relu }      # half: P = (f-1)/2 on each side
block bottleneck(m, n, s=1) {
  add {
    cbr(1, m) ; cbr(3, m, s) ; conv 1 n nobias ; bn
  | if s != 1 or depth != n { conv 1/s n nobias ; bn }      # else the branch is empty: the identity
  }
  relu
}
block stage(m, n, count, s) { bottleneck(m, n, s) ; bottleneck(m, n) * (count - 1) }
block resnet(a, b, c, d, classes=1000) {
  conv1: cbr(7, 64, 2)
  pool1: pool 3/2/1
  conv2_x: stage(64, 256, a, 1)
  conv3_x: stage(128, 512, b, 2)
  conv4_x: stage(256, 1024, c, 2)
  conv5_x: stage(512, 2048, d, 2)
  gap ; fc classes
}
arch resnet50  { input 224x224x3 ; resnet(3, 4, 6, 3) ;  expect params = 25_557_032 ; expect conv4_x = 14x14x1024 }
arch resnet101 { input 224x224x3 ; resnet(3, 4, 23, 3) }
""",
    """\
block inception(c1, r3, c3, r5, c5, pp) {     # the columns of the paper's own table
  concat {
    conv 1 c1 ; relu
  | conv 1 r3 ; relu ; conv 3/1/1 c3 ; relu
  | conv 1 r5 ; relu ; conv 5/1/2 c5 ; relu
  | pool 3/1/1 ; conv 1 pp ; relu
  }
}
inception3a: inception(64, 96, 128, 16, 32, 32)     # 28x28x192 in, 28x28x256 out
""",
    """\
repeat 6 { concat { id | bn ; relu ; conv 1 4*k nobias ; bn ; relu ; conv 3/1/1 k nobias } }   # a dense block
repeat 3 as i { conv 3/1/half 16*(i+1) }            # i = 0, 1, 2
from conv3 ; conv 1 64                              # move back to a named volume
output aux1 from inception4a { avgpool 5/3 ; conv 1 128 ; relu ; fc 1024 ; relu ; fc 1000 }   # a side branch with an output of its own
left: input 64x64x3 ; right: input 64x64x3          # several inputs
conv 3/1/1 64 share=conv1                           # the weights of conv1 once more: counted once
add conv3, conv5                                    # merge named volumes
conv 3/2/0:1 64            # padding before:after ; 2x1:2 etc. for height x width
conv 1x7/1/0x3 64 groups=2 dilation=1 ; pool 3/2 ceil ; avgpool 2 ; deconv 4/2/1 64 ; dwconv 3/1/1
""",  # noqa: E501  (as it stands on the page)
    "input 32x32x3; conv 5/1/2 10; pool 2; fc 10",
    "input HxWx3",
    "input NxNx3",
    "expect macs[torchvision] ~ 4.09G",
    "use family",
)


def parsed(text: str) -> Body:
    """The tree of a text without faults."""
    tree, faults = parse(Source("net.arch", text))
    assert faults == [], show_all(tuple(faults))
    return tree


def comments_of(text: str) -> list[str]:
    return [token.text for token in tokenize(Source("", text))[0] if token.kind == "comment"]


def round_trip(text: str) -> str:
    """The canonical text; it gives the same tree, is its own canonical text, and holds all comments."""
    tree = parsed(text)
    printed = print_tree(tree)
    again = parsed(printed)
    assert again == tree
    assert print_tree(again) == printed
    before, after = comments_of(text), comments_of(printed)
    assert all(any(comment in other for other in after) for comment in before)
    assert len("".join("".join(after).split())) == len("".join("".join(before).split()))
    return printed


def canonical(text: str) -> str:
    """The canonical text without the line end behind it."""
    return round_trip(text).removesuffix("\n")


def statement(text: str) -> Statement:
    """The only statement of a text."""
    (item,) = parsed(text).items
    return item.statement


def expression(text: str) -> Expr:
    """What the text says as the value of a `let`, where spaces part nothing."""
    let = statement(f"let a = {text}")
    assert isinstance(let, Let)
    return let.value


def arguments(text: str) -> list[str]:
    """The arguments of a layer, each printed alone."""
    layer = statement(text)
    assert isinstance(layer, Layer)
    return [(f"{arg.name}=" if arg.name else "") + print_expr(arg.value, tight=True) for arg in layer.args]


def faults_of(text: str) -> list[Fault]:
    return parse(Source("net.arch", text))[1]


def told(text: str) -> list[tuple[str, str]]:
    """Message and marked text of each fault."""
    return [(fault.message, text[fault.span.start : fault.span.end]) for fault in faults_of(text) if fault.span]


@pytest.fixture
def deep_comparisons() -> Iterator[None]:
    """Records compare by recursion; for trees as deep as they may be this takes more than Python's thousand."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(10_000)
    yield
    sys.setrecursionlimit(limit)


@pytest.mark.parametrize("text", SNIPPETS)
def test_every_snippet_of_the_page_parses_and_comes_back_from_its_tree(text: str) -> None:
    round_trip(text)


# ---------------------------------------------------------------- words


def words(text: str) -> list[str]:
    """The tokens, `x` between sizes marked as `·`."""
    tokens, faults = tokenize(Source("", text))
    assert faults == []
    return ["·" if token.kind == "x" else token.text for token in tokens[:-1]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1x7/1/0x3", "1 · 7 / 1 / 0 · 3"),
        ("2x1:2", "2 · 1 : 2"),
        ("HxWx3", "H · W · 3"),
        ("NxNx3", "N · N · 3"),
        ("55×55×96", "55 · 55 · 96"),
        ("n×3", "n · 3"),
        ("(n)x1", "( n ) · 1"),
        ("(n)x(m)", "( n ) · ( m )"),
        ("1xn", "1 · n"),
        ("1xx1", "1 · x1"),
        ("3x_k", "3 · _k"),
        ("K_2xM", "K_2 · M"),
        ("max1x3", "max1x3"),
        ("nxn", "nxn"),
        ("Hxn", "Hxn"),
        ("Maxout", "Maxout"),
        ("3 x 4", "3 x 4"),
        ("3x", "3 x"),
        ("conv2_x.1.conv2", "conv2_x . 1 . conv2"),
        ("a.1x3", "a . 1 · 3"),
        ("1e9", "1e9"),
        ("2.5E-3x4", "2.5E-3 · 4"),
        ("62.4M", "62.4M"),
        ("8GiB", "8GiB"),
        ("60_965_224", "60_965_224"),
        ("a**b//c*d/e", "a ** b // c * d / e"),
        ("<=<==>=!=~=>", "<= <= = >= != ~ = >"),
        (r'"a \" # \\" b', r'"a \" # \\" b'),
        ('a"b"', 'a "b"'),
        ("a#b ; c", "a #b ; c"),
    ],
)
def test_a_text_falls_into_its_words(text: str, expected: str) -> None:
    assert " ".join(words(text)) == expected


@pytest.mark.parametrize("blank", [" ", "\t", "\r", "\f", "\v", "\u00a0", "\ufeff"])
def test_blanks_part_words_and_are_none(blank: str) -> None:
    assert words(f"{blank}conv{blank}3{blank}") == ["conv", "3"]


def test_a_word_knows_whether_white_space_stands_before_it() -> None:
    tokens, _ = tokenize(Source("", "cbr(3) conv (3)\n x\u00a0y"))
    assert [token.text for token in tokens if token.spaced] == ["conv", "(", "x", "y"]


def test_a_comment_ends_where_its_text_ends() -> None:
    tokens, _ = tokenize(Source("", "relu  # in place \t\r\nrelu"))
    assert [(token.text, token.start, token.end) for token in tokens if token.kind == "comment"] == [
        ("# in place", 6, 16)
    ]


@pytest.mark.parametrize(
    ("text", "message", "marked"),
    [
        ("relu $", "unexpected `$`", "$"),
        ("conv 3^2 64", "unexpected `^`", "^"),
        ("größe", "unexpected `öß`", "öß"),
        ("relu \0", "unexpected character U+0000", "\0"),
        ("if a && b { relu }", "unexpected `&&`", "&&"),
        ("source “AlexNet, 2012”", "unexpected `“AlexNet, 2012”`", "“AlexNet, 2012”"),
        ("source 'AlexNet'", "unexpected `'AlexNet'`", "'AlexNet'"),
        ('source "AlexNet', "a text in quotes must end on its line", '"AlexNet'),
        ('source "a\\', "a text in quotes must end on its line", '"a\\'),
        (r'source "a\\\"', "a text in quotes must end on its line", r'"a\\\"'),
        ('"', "a text in quotes must end on its line", '"'),
        ("conv 3net 64", "`3net` is neither a number nor a name", "3net"),
        ("conv 3x3net 64", "`3net` is neither a number nor a name", "3net"),
        ("conv 5_ 64", "`5_` is neither a number nor a name", "5_"),
        ("conv 1__0 64", "`1__0` is neither a number nor a name", "1__0"),
        ("conv 1.5e 64", "`1.5e` is neither a number nor a name", "1.5e"),
        ("conv 3Mi 64", "`3Mi` is neither a number nor a name", "3Mi"),
        ("conv 1e+1000 64", "the exponent of `1e+1000` is too large", "1e+1000"),
        (f"conv {'9' * 41}", "number too long: 41 characters, at most 40", "9" * 41),
        (f"conv {'9' * 1_000_000}", "number too long: 1,000,000 characters, at most 40", "9" * 1_000_000),
    ],
)
def test_what_is_no_word_is_one_fault_wherever_it_stands(text: str, message: str, marked: str) -> None:
    assert told(text) == [(message, marked)]
    assert told(f"relu\n{text}\nrelu") == [(message, marked)]
    assert told(f"arch a {{\n{text}\n}}") == [(message, marked)]


# ---------------------------------------------------------------- canonical form


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("conv   3/1/1\t64", "conv 3/1/1 64"),
        ("conv 3 / 1 / 1 64", "conv 3/1/1 64"),
        ("conv 55×55 96", "conv 55x55 96"),
        ("input 227 x 227 x 3", "input 227x227x3"),
        ("conv 3 n * 2", "conv 3 n*2"),
        ("conv 3 n - 1", "conv 3 n-1"),
        ("conv 3 n -1", "conv 3 n -1"),
        ("conv 3 n - 1 -1", "conv 3 n-1 -1"),
        ("conv 3 (n -1)", "conv 3 n-1"),
        ("conv 3 f(n -1)", "conv 3 f(n-1)"),
        ("conv 3 + 1 +1", "conv 3+1 +1"),
        ("conv (3) 64", "conv 3 64"),
        ("conv (n+1)/(2) 64", "conv (n+1)/2 64"),
        ("conv 8//2 64", "conv 8//2 64"),
        ("conv 3 64 groups = 2", "conv 3 64 groups=2"),
        ("conv 3/2/0:1", "conv 3/2/0:1"),
        ("conv 3x2:1/1:2x(3):n", "conv 3x2:1/1:2x3:n"),
        ("conv (n)x1", "conv (n)x1"),
        ("conv (H)xn", "conv (H)xn"),
        ("conv (H)x3", "conv Hx3"),
        ("conv (_H)x3", "conv (_H)x3"),
        ("conv 1:(n)x3", "conv 1:(n)x3"),
        ("conv n:(H)x3", "conv n:Hx3"),
        ("conv (62M)x3 1", "conv 62Mx3 1"),
        ("conv 3x(x) 1", "conv 3xx 1"),
        ("conv n×n 1", "conv (n)xn 1"),
        ("conv (-1)x3 1", "conv (-1)x3 1"),
        ("conv 3 64 share=conv2_x.1.conv2", "conv 3 64 share=conv2_x.1.conv2"),
        ("conv 3 a or not b nobias", "conv 3 a or not b nobias"),
        ("cbr( )", "cbr()"),
        ("cbr(1,2,)", "cbr(1, 2)"),
        ("cbr(1 ,\n  2) * (n - 1)", "cbr(1, 2) * (n - 1)"),
        ("cbr(s=n==1)", "cbr(s=n==1)"),
        ("cbr(a) *2", "cbr(a) * 2"),
        ("add a,b.1.c ,d", "add a, b.1.c, d"),
        ("expect macs[ torchvision ]~4.09G", "expect macs[torchvision] ~ 4.09G"),
        ("expect output = 1 × 1 × 1000", "expect output = 1x1x1000"),
        ("let a = (1) + n*2", "let a = 1 + n * 2"),
        ('arch  a( ) ""', "arch a"),
        ('arch a(n = 1, m=-2)"t" {}', 'arch a(n=1, m=-2) "t" { }'),
        ("block a() { relu }", "block a { relu }"),
        ("concat { }", "concat { }"),
        ("concat { a|}", "concat { a | }"),
        ("concat {||a}", "concat { | | a }"),
        ('concat { note "{  }|  |" }', 'concat { note "{  }|  |" }'),
        ("repeat 3 as i { a ; b }", "repeat 3 as i { a ; b }"),
        ("output a from b.1 { c }", "output a from b.1 { c }"),
        ("output a", "output a"),
        ("if a { b } else { if c { d } }", "if a { b } else if c { d }"),
        ("if a { b } else { x: if c { d } }", "if a { b } else { x: if c { d } }"),
        ("if a { b } else { if c { d } ; e }", "if a { b } else { if c { d } ; e }"),
        ("if a { } else if b { } else { }", "if a { } else if b { } else { }"),
        ("add {\n| if s != 1 { a }\n}", "add {\n| if s != 1 { a }\n}"),
        ("arch a {repeat 2 {  } }", "arch a { repeat 2 { } }"),
        (r'note "a \"b\" \\ \n"', r'note "a \"b\" \\ \\n"'),
        ("relu;;relu ; ", "relu ; relu"),
        (";;relu\n;\nrelu", "relu\n\nrelu"),
        ("relu\r\nrelu  # c \r\n", "relu\nrelu  # c"),
        ("\ufeffrelu\u00a0# c\u00a0", "relu  # c"),
    ],
)
def test_each_thing_is_written_in_one_way(text: str, expected: str) -> None:
    assert canonical(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a+b*c", "a + b * c"),
        ("(a+b)*c", "(a + b) * c"),
        ("a-(b-c)", "a - (b - c)"),
        ("(a-b)-c", "a - b - c"),
        ("a*(b//c)", "a * (b // c)"),
        ("a**b**c", "a**b**c"),
        ("(a**b)**c", "(a**b)**c"),
        ("-a**b", "-a**b"),
        ("(-a)**b", "(-a)**b"),
        ("a**-b", "a**-b"),
        ("a**(b+1)", "a**(b + 1)"),
        ("--a", "--a"),
        ("-(a+b)", "-(a + b)"),
        ("a - -b", "a - -b"),
        ("not (not a)", "not not a"),
        ("not a == b", "not a == b"),
        ("(not a) == b", "(not a) == b"),
        ("a == (b == c)", "a == (b == c)"),
        ("(a == b) == c", "(a == b) == c"),
        ("a or b and c", "a or b and c"),
        ("(a or b) and c", "(a or b) and c"),
        ("not (a and b)", "not (a and b)"),
        ("a and not b or c", "a and not b or c"),
        ("a or (b or c)", "a or (b or c)"),
        ("min(a,(b)) % 2", "min(a, b) % 2"),
        ("f((a or b), -1)", "f(a or b, -1)"),
        ("((a))", "a"),
        ("(1 +  # why\n  2)", "1 + 2"),
    ],
)
def test_brackets_stand_where_they_change_the_value_and_nowhere_else(text: str, expected: str) -> None:
    assert print_expr(expression(text)) == expected
    assert print_expr(expression(expected)) == expected
    round_trip(f"let a = {text}\nconv ({text}) s={text} ; cbr({text}) * ({text})\nif {text} {{ }}")


def test_a_space_before_a_sign_parts_arguments_and_spaces_around_it_do_not() -> None:
    assert arguments("conv a -1") == ["a", "-1"]
    assert arguments("conv a - 1") == ["a-1"]
    assert arguments("conv a-1") == ["a-1"]
    assert arguments("conv a- 1") == ["a-1"]
    assert arguments("conv a +1 -b") == ["a", "+1", "-b"]
    assert arguments("conv (a -1)") == ["a-1"]
    assert arguments("conv 3/2 -1") == ["3/2", "-1"]
    assert arguments("conv n=a -1") == ["n=a", "-1"]
    assert arguments("conv a or b c and not d") == ["a or b", "c and not d"]


def test_the_parts_of_a_kernel_are_told_apart() -> None:
    layer = statement("conv 1x7/2/0x3:n")
    assert isinstance(layer, Layer)
    kernel = layer.args[0].value
    assert isinstance(kernel, Slashed)
    size, stride, padding = kernel.parts
    assert isinstance(size, Sizes)
    assert isinstance(stride, Number)
    assert isinstance(padding, Sizes)
    assert isinstance(padding.parts[1], Between)


def test_a_span_covers_what_was_typed() -> None:
    text = "l: conv (n +  # why\n 1)/2 64 s=a*b  # c"
    tree = parsed(text)
    layer = tree.items[0].statement
    assert isinstance(layer, Layer)
    spans = [layer.span, layer.args[0].span, layer.args[1].value.span, layer.args[2].span, layer.args[2].value.span]
    shown = [text[span.start : span.end] for span in spans]
    assert shown == ["conv", "(n +  # why\n 1)/2", "64", "s=a*b", "a*b"]


def test_one_statement_is_printed_alone() -> None:
    assert print_statement(statement("conv 3 / 1  64")) == "conv 3/1 64"
    assert print_statement(statement("repeat 2 {\nrelu }")) == "repeat 2 {\n  relu\n}"


# ---------------------------------------------------------------- comments, empty lines, shared lines


COMMENTED = """\
# above everything

# above the block
block a(f,  # the kernel
        n) {  # behind the brace
  # above a statement
  conv f n  # behind a statement

  relu ;  # behind a semicolon


  # before the brace
}  # behind the brace
concat {  # first branch
  # above
  a(1,  # one
    2  # two
   )  # three
| # second branch
  bn
|
  # third branch, a line of its own
  relu
|  # an empty branch
# before the end
}
repeat (2 +  # why
  1) { relu }
if a {  # then
  relu
} else if b {  # or
  relu
} else {  # else
}
# at the end
"""

COMMENTED_CANONICAL = """\
# above everything

# above the block
block a(f, n) {  # behind the brace
  # above a statement
  conv f n  # behind a statement

  relu  # behind a semicolon

  # before the brace
}  # the kernel # behind the brace
concat {  # first branch
  # above
  a(1, 2)  # one # two # three
|  # second branch
  bn
|
  # third branch, a line of its own
  relu
|  # an empty branch
  # before the end
}
repeat 2 + 1 { relu }  # why
if a {  # then
  relu
} else if b {  # or
  relu
} else {  # else
}
# at the end
"""


def test_comments_are_kept_in_every_place() -> None:
    assert round_trip(COMMENTED) == COMMENTED_CANONICAL


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "arch a  # head\nrelu\n# above b\narch b\n# in b\nrelu",
            "arch a  # head\nrelu\n# above b\narch b\n# in b\nrelu",
        ),
        ("arch a\nrelu # last\n\n\n# above b\narch b", "arch a\nrelu  # last\n\n# above b\narch b"),
        ("arch a(n,  # n\n m) # head\nrelu", "arch a(n, m)  # n # head\nrelu"),
        ("arch a(n # n\n) ; arch b", "arch a(n)  # n\narch b"),
        ("arch a\ncbr(1 # one\n) ; arch b", "arch a\ncbr(1)  # one\narch b"),
        ("arch a ; # not its head\narch b", "arch a\n# not its head\narch b"),
        ("arch a ; relu ; arch b", "arch a\nrelu ; arch b"),
        ("arch a\n# at the end", "arch a\n# at the end"),
        ("cbr(1 # one\n) ; relu", "cbr(1)  # one\nrelu"),
        ("relu ;; # c\nrelu", "relu\n# c\nrelu"),
        ("relu ; # c", "relu  # c"),
        ("repeat 2 { relu } # c", "repeat 2 { relu }  # c"),
        ("repeat 2 { # only\n}", "repeat 2 {  # only\n}"),
        ("repeat 2 {\n# only\n}", "repeat 2 {\n  # only\n}"),
        ("repeat 2 {\n\n\nrelu\n\n\n}", "repeat 2 {\n  relu\n}"),
        ("relu\n\n\n\nrelu\n\n", "relu\n\nrelu"),
        ("\n\n\nrelu", "relu"),
        ("# a\n\n\n# b", "# a\n\n# b"),
        ("a ; repeat 2 {\nb ; c } ; d", "a ; repeat 2 {\n  b ; c\n} ; d"),
        ("add { a\n| b | c }", "add {\n  a\n| b\n| c\n}"),
        ("add { a | b }", "add { a | b }"),
        ("add {\n a\n|\n}", "add {\n  a\n|\n}"),
        ("if a { b } else {\n c }", "if a { b } else {\n  c\n}"),
        ("block a { repeat 2 {\n b } }", "block a {\n  repeat 2 {\n    b\n  }\n}"),
        ("", ""),
        ("\n \n;;\n", ""),
        ("#", "#"),
    ],
)
def test_lines_comments_and_empty_lines_stay_what_they_are(text: str, expected: str) -> None:
    assert canonical(text) == expected


# ---------------------------------------------------------------- faults

MISTAKES = [  # one fault each: the text, the message, what is marked, the help
    ("conv 3, 64", "arguments of a layer are parted by spaces, not by `,`", ",", "branches by `|`"),
    ("conv 3/1/1, 64, relu", "arguments of a layer are parted by spaces, not by `,`", ",", "parted by `;`"),
    ("conv(3) 64", "unexpected `64`", "64", "`conv 3 64`"),
    ("conv 3/1/1 64 {", "expected an argument or the end of the line, not `{`", "{", "braces follow `arch`"),
    ("conv {3} 64", "expected an argument or the end of the line, not `{`", "{", "braces follow"),
    ("conv [3,3] 64", "expected a value, not `[`", "[", "`3x3`"),
    ("conv n+1/2 64", "only a number, a name or a bracket may stand before `/`", "n+1", "put it in brackets"),
    ("conv n*2x3 64", "only a number, a name or a bracket may stand before `x`", "n*2", "put it in brackets"),
    ("conv 3/-1 64", "expected a value, not `-`", "-", ""),
    ("conv 3/1/1 64 -> relu", "expected a value, not `>`", ">", ""),
    ("conv 3/2/0 : 1", "unexpected `:`", ":", "a padding is `1:2`"),
    ("conv 1: conv 3", "unexpected `:`", ":", "a label is one name"),
    ("res-1: conv 3", "unexpected `:`", ":", "a label is one name"),
    ("1: conv 3", "a label starts with a letter", "1", ""),
    ("a: b: conv 3", "expected a value, not `:`", ":", "a label is one name"),
    ("conv1:", "the label `conv1` stands before nothing", "conv1", "write the statement behind it"),
    ("add: conv 3", "`add` is a word of the language and cannot be a label", "add", ""),
    ("arch: conv 3", "`arch` is a word of the language and cannot be a label", "arch", ""),
    ("conv 3 add", "expected a value, not `add`", "add", ""),
    ("dropout .5", "expected a value, not `.`", ".", "`0.5`"),
    ("relu)", "`)` closes nothing", ")", ""),
    ("cbr(3)) ; relu", "`)` closes nothing", ")", ""),
    ("relu }", "`}` closes nothing", "}", ""),
    ("pool 3/2 | relu", "`|` stands outside the braces of a merge", "|", ""),
    ("if a { b | c }", "`|` stands outside the braces of a merge", "|", ""),
    ("input 224,224,3", "unexpected `,`", ",", "`224x224x3`"),
    ("input 224 224 3", "unexpected `224`", "224", "`224x224x3`"),
    ("input (224, 224, 3)", "expected `)`, not `,`", ",", "sizes are `3x3`"),
    ("input", "expected a value, not the end of the line", "\n", ""),
    ("input 3x3x-1", "expected a value, not `-`", "-", ""),
    ("cbr (3, 64)", "expected `)`, not `,`", ",", "`name(a, b)`"),
    ("cbr(3 64)", "expected `,` or `)`, not `64`", "64", ""),
    ("cbr(3, 64", "this `(` is never closed", "(", "close it with `)`"),
    ("let a = (1 + 2", "this `(` is never closed", "(", "close it with `)`"),
    ("cbr(,)", "expected a value, not `,`", ",", ""),
    ("cbr(3, 64) x 3", "unexpected `x`", "x", "`* 3`"),
    ("cbr(3, 64) x3", "unexpected `x3`", "x3", "`* 3`"),
    ("cbr(3, 64) * n - 1", "unexpected `-`", "-", "`* (n - 1)`"),
    ("3 * cbr(3, 64)", "expected a layer, a block or a keyword, not `3`", "3", "`* 3` behind it"),
    ("cbr(3) relu", "unexpected `relu`", "relu", "`;`"),
    ("// note", "expected a layer, a block or a keyword, not `//`", "//", "`#`"),
    ("-- note", "expected a layer, a block or a keyword, not `-`", "-", "`#`"),
    ("{ relu }", "expected a layer, a block or a keyword, not `{`", "{", ""),
    ("k = 32", "unexpected `=`", "=", "`let k = 32`"),
    ("let k 32", "expected `=` after `k`, not `32`", "32", ""),
    ("let 3 = k", "expected a name, not `3`", "3", ""),
    ("let k =", "expected a value, not the end of the line", "\n", ""),
    ("let if = 3", "`if` is a word of the language and cannot be a name", "if", ""),
    ("params = 5", "unexpected `=`", "=", "`expect params = 32`"),
    ("expect params 62M", "expected `=`, `~`, `<=` or `>=`, not `62M`", "62M", ""),
    ("expect params == 62M", "expected `=`, `~`, `<=` or `>=`, not `==`", "==", "write `=`"),
    ("expect params < 62M", "expected `=`, `~`, `<=` or `>=`, not `<`", "<", "write `<=`"),
    ("expect conv1 = 55 x 55", "unexpected `x`", "x", "without spaces"),
    ("expect macs[] = 5", "expected the name of a counting rule, not `]`", "]", ""),
    ("expect macs[a = 5", "expected `]` after the name of the rule, not the end of the line", "\n", ""),
    ("if s = 1 { relu }", "expected `{` after the condition, not `=`", "=", "`==` compares"),
    ("if s == 1 relu", "expected `{` after the condition, not `relu`", "relu", ""),
    ("if { relu }", "`if` lacks its condition", "if", "`if s != 1 { … }`"),
    ("if 1 < s < 3 { relu }", "comparisons do not chain", "<", "`a < b and b < c`"),
    ("if s == 1\n{\n relu\n}", "expected `{` after the condition, not the end of the line", "\n", "on the same line"),
    ("else { relu }", "`else` does not start a statement", "else", "behind the `}`"),
    ("repeat 3x { relu }", "expected `{` after the count, not `x`", "x", ""),
    ("repeat 3 relu", "expected `{` after the count, not `relu`", "relu", ""),
    ("repeat { relu }", "`repeat` lacks its count", "repeat", "`repeat 3 { … }`"),
    ("repeat 3 as 3 { relu }", "expected a name for the count, not `3`", "3", ""),
    ("add a b", "unexpected `b`", "b", "parted by `,`"),
    ("add(a, b)", "expected branches or names, not `(`", "(", "`add a, b`"),
    ("concat [a, b]", "expected branches or names, not `[`", "[", "`concat { … | … }`"),
    ("mul", "`mul` needs branches or names", "mul", "`mul a, b`"),
    ("add a,", "expected the name of a volume, not the end of the line", "\n", ""),
    ("from a. b", "expected a name after `.`, not `b`", "b", ""),
    ("output 10", "expected the name of an output, not `10`", "10", ""),
    ("output from a { relu }", "`from` is a word of the language and cannot be the name of an output", "from", ""),
    ("use 3", "expected the name of a family, not `3`", "3", ""),
    ("source AlexNet", "expected a text in quotes, not `AlexNet`", "AlexNet", '`source "…"`'),
    ("year MMXII", "expected a year, not `MMXII`", "MMXII", ""),
    ("block cbr f, n { relu }", "expected `{` after the name of the block, not `f`", "f", "`block cbr(f, n) {`"),
    ("block cbr(f, n { relu }", "expected `,` or `)`, not `{`", "{", ""),
    ("block cbr(f, f) { relu }", "the parameter `f` is there twice", "f", ""),
    ("block cbr(3) { relu }", "expected a parameter, not `3`", "3", ""),
    (
        "block cbr(f)\n\n{\n relu\n}",
        "expected `{` after the name of the block, not the end of the line",
        "\n",
        "same line",
    ),
    ("blok cbr(f) {\n relu\n}", "expected an argument or the end of the line, not `{`", "{", "did you mean `block`?"),
    ("repeat 2 { arch b { relu } }", "`arch` cannot stand inside braces", "arch", ""),
    (f"let a = {'(' * 101}1{')' * 101}", "nested more than 100 deep", "(", ""),
    (f"let a = {'1+' * 201}1", "more than 200 operators in one statement", "+", "`let`"),
]


@pytest.mark.parametrize(("text", "message", "marked", "help"), MISTAKES)
def test_a_mistake_is_one_fault_that_marks_the_smallest_wrong_span(
    text: str, message: str, marked: str, help: str
) -> None:
    (fault,) = faults_of(f"{text}\n")
    assert fault.message == message
    assert fault.span is not None
    assert (fault.span.source.text[fault.span.start : fault.span.end], help in fault.help) == (marked, True)
    assert bool(fault.help) == bool(help)


def test_all_mistakes_of_a_file_come_at_once_and_none_brings_others() -> None:
    balanced = [mistake for mistake in MISTAKES if mistake[0].count("{") == mistake[0].count("}")]
    text = "".join(f"{mistake}\nrelu ; relu\n" for mistake, *_ in balanced)
    expected = [message for _, message, *_ in balanced]
    assert [message for message, _ in told(text)] == expected
    assert [message for message, _ in told(f"arch a {{\n{text}}}\nblock b {{\n{text}}}\n")] == expected * 2


def test_what_braces_hold_is_read_though_their_head_is_wrong() -> None:
    text = "arch my-net {\n  k = 1\n  repeat {\n    relu $\n    add { a, b | if { conv 3, 64 } }\n  }\n}\nrelu )"
    assert [fault.span.line for fault in faults_of(text) if fault.span] == [1, 2, 3, 4, 5, 5, 5, 8]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("arch a {\nrelu\n\narch b {\nrelu\n}\n", [1]),
        ("arch a {\nrepeat 2 {\nrelu\n}\n\narch b {\nrelu )\n}\n", [1, 7]),
        ("arch a\nrepeat 2 {\nrelu\narch b\nrelu\n", [2]),
        ("block a {\nadd {\nrelu\n| id\n\nblock b { relu }\n", [1, 2]),
        ("arch a {\nrelu\n}\n}\narch b { relu }\n", [4]),
        ("arch a\nrelu\n}\n# c\nrelu )\n", [3, 5]),
        ("cbr(3, 64\nrelu\nconv 3, 64\n", [1, 3]),
        ("cbr(3,\n  64\n\n# c\nrelu\nconv 3, 64\n", [1, 6]),
        ("cbr(3,\n\n", [1]),
        ("block a {\nrepeat 2\nrelu\n}\n}\nrelu )\n", [2, 6]),
        ("concat\nrelu\n| id\n| id\n}\npool 3 | relu\n", [1, 6]),
        ('source Xie & Tu, 3a" ; year\nrelu $ ^\n', [1, 2, 2]),
        ("let k =\n$ relu\n", [1, 2]),
        ("pool 3/2 {\nrelu )\nconv 3, 64\n", [1, 2, 3]),
    ],
)
def test_a_missing_or_extra_bracket_is_one_fault_and_reading_goes_on(text: str, lines: list[int]) -> None:
    assert [fault.span.line for fault in faults_of(text) if fault.span] == lines


def test_a_definition_stands_in_the_tree_though_something_wrong_follows_it() -> None:
    tree, faults = parse(Source("", "arch a { relu } relu"))
    assert isinstance(tree.items[0].statement, Arch)
    assert [fault.message for fault in faults] == ["unexpected `relu`"]


def test_a_net_and_a_size_are_read_from_the_command_line() -> None:
    name, args, faults = parse_call(Source("", "densenet121(k=24, 8//2)"))
    assert (name, [arg.name for arg in args], faults) == ("densenet121", ["k", None], [])
    size, faults = parse_size(Source("", "224 x 224×3"))
    assert size is not None
    assert (print_expr(size), faults) == ("224x224x3", [])
    assert [fault.message for fault in parse_call(Source("", "vgg16 fc"))[2]] == ["unexpected `fc` after `vgg16`"]
    assert [fault.message for fault in parse_call(Source("", "3net"))[2]] == ["`3net` is neither a number nor a name"]
    assert [fault.message for fault in parse_call(Source("", "vgg16("))[2]] == ["this `(` is never closed"]
    assert [fault.message for fault in parse_size(Source("", "224,224"))[1]] == ["unexpected `,` after the size"]
    assert [fault.message for fault in parse_size(Source("", ""))[1]] == ["expected a value, not the end of the text"]


# ---------------------------------------------------------------- limits


@pytest.mark.parametrize(
    "text",
    [
        f"{'repeat 2 { ' * DEEPEST}cbr(1) * n ; conv n×3 (n-1)x3{' }' * DEEPEST}",
        "repeat 2 {\n" * DEEPEST + "cbr(1) * n\nconv n×3\n" + "}\n" * DEEPEST,
        f"{'if a { ' * DEEPEST}let a = {'1+' * MOST_OPERATORS}1{' }' * DEEPEST}",
        "if a { }" + " else if a { }" * (DEEPEST - 1),
        "add { a | " * DEEPEST + " }" * DEEPEST,
        f"let a = {'(1+' * (DEEPEST - 1)}1{')' * (DEEPEST - 1)}",
        f"let a = {'(1 or 1 and 1 == 1 + 1 * ' * 40}{'(' * 60}1{')' * 100}",
        f"a({'f(' * (DEEPEST - 1)}1{')' * DEEPEST}",
        f"let a = {'not ' * DEEPEST}1",
        f"let a = {'-' * DEEPEST}1",
        f"let a = {'1**' * DEEPEST}1",
        f"{'if (((((((((( 1 )))))))))) { ' * 50}{'} ' * 50}",
    ],
)
@pytest.mark.usefixtures("deep_comparisons")
def test_what_is_nested_as_deep_as_may_be_comes_back_from_its_tree(text: str) -> None:
    round_trip(text)


@pytest.mark.parametrize(
    "text",
    [
        "repeat 2 {" * 10_000,
        "repeat 2 {\n" * 10_000,
        "repeat 2 {\n" * 10_000 + "}\n" * 10_000,
        "{" * 10_000,
        "{\n" * 10_000,
        "add {|" * 10_000,
        f"conv {'(' * 10_000}",
        "a(" * 10_000,
        "a(\n" * 10_000,
        f"let a = {'1+(' * 10_000}",
        f"let a = {'-' * 100_000}1",
        f"let a = {'not ' * 100_000}1",
        f"let a = {'1**' * 100_000}1",
        f"let a = {'1+' * 100_000}1",
        "if a { }" + " else if a { }" * 10_000,
        "arch a {" * 10_000,
        "arch a {\n" * 1_000,
    ],
)
def test_what_is_nested_too_deep_is_faults_and_no_more(text: str) -> None:
    assert 1 <= len(faults_of(text)) <= MOST_FAULTS + 1


@pytest.mark.parametrize(
    "text",
    [
        "}",
        "|",
        ")\n",
        '"\n',
        '"',
        "$ ",
        "é\n",
        "=\n",
        "a:\n",
        "a{}\n",
        "a(1\n",
        "else {\n}\n",
        "block a\n{\n}\n",
        "“",
        "3a ",
    ],
)
def test_garbage_is_read_until_there_are_too_many_faults(text: str) -> None:
    faults = faults_of(text * 25_000)
    assert 1 <= len(faults) <= MOST_FAULTS + 2
    if len(faults) > MOST_FAULTS:
        assert any(fault.message == "more than 10,000 faults: the text is read no further" for fault in faults)


@pytest.mark.parametrize(
    "text",
    [
        "conv 3/1/1 64 ; relu\n" * 1_000,
        "conv 3/1/1 64 ; relu ; " * 1_000,
        f"conv {'1x' * 10_000}1",
        f"conv {'Hx' * 10_000}1",
        f"conv {'1 ' * 10_000}",
        f"add {{{'a|' * 4_000}}}",
        f"from a{'.a' * 10_000}",
        f'note "{"a" * 1_000_000}"',
        f"a{'_x' * 50_000}",
        "arch a  # b\n# c\n" * 1_000,
        "repeat 2 {\n" * 80 + "relu\n" * 2_000 + "}\n" * 80,
        f"{'repeat 2 { ' * 80}{'relu ; ' * 2_000}{'} ' * 80}",
        "\n" * 50_000,
        ";" * 50_000,
        "#\n" * 10_000,
    ],
    ids=lambda text: text[:20],
)
@pytest.mark.usefixtures("deep_comparisons")
def test_long_texts_come_back_from_their_trees(text: str) -> None:
    round_trip(text)
