"""A second opinion: PyTorch's sizes, parameters, FLOPs and values. It is no requirement: without it all is skipped."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_layers import IN_TORCH, around, first, known, last

from archcalc.analyses.costs import Report, Row, measure
from archcalc.executor.kernels import kernel_for
from archcalc.graph import Node, walk
from archcalc.lang.errors import SpecError
from archcalc.library import load
from archcalc.ops import REGISTRY, Op
from archcalc.volume import Volume

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install -e '.[oracles]'")
nn, functional = torch.nn, torch.nn.functional
flop_counter = pytest.importorskip("torch.utils.flop_counter")

random_cases = settings(max_examples=150, deadline=None, derandomize=True)
few = st.integers(1, 4)
pairs = st.tuples(few, few)


def ours(text: str) -> Row | None:
    """The cost of the last layer, None where the net is refused."""
    try:
        return measure(load(text).build().graph).rows[-1]
    except SpecError:
        return None


def theirs(layer: Callable[[Any], Any], x: Any) -> tuple[tuple[int, int, int], int] | None:
    """Output size and multiply-adds, None where PyTorch refuses or leaves nothing."""
    counter = flop_counter.FlopCounterMode(display=False)
    try:
        with counter:
            _, c, h, w = layer(x).shape
    except RuntimeError:
        return None
    return ((h, w, c), counter.get_total_flops() // 2) if h and w else None


def image(h: int, w: int, c: int) -> Any:
    return torch.ones(1, c, h, w)


def size_of(module: Any) -> int:
    return sum(each.numel() for each in module.parameters())


def by(pair: tuple[int, int]) -> str:
    return f"{pair[0]}x{pair[1]}"


def ends(sides: tuple[int, int, int, int]) -> str:
    """Padding as the language has it: top:bottom x left:right."""
    left, right, top, bottom = sides
    return f"{top}:{bottom}x{left}:{right}"


# ---------------------------------------------------------------- single layers

inputs = st.tuples(st.integers(1, 20), st.integers(1, 20), few)
paddings = st.tuples(*(st.integers(0, 3),) * 4)


@random_cases
@given(inputs, pairs, pairs, pairs, paddings, few, few, st.booleans())
def test_a_convolution_is_pytorchs(
    x: tuple[int, int, int],
    k: tuple[int, int],
    s: tuple[int, int],
    d: tuple[int, int],
    p: tuple[int, int, int, int],
    groups: int,
    filters: int,
    bias: bool,
) -> None:
    h, w, c = x[0], x[1], x[2] * groups
    layer = nn.Conv2d(c, filters * groups, k, s, dilation=d, groups=groups, bias=bias)
    torch.nn.init.ones_(layer.weight)
    found = theirs(lambda image: layer(functional.pad(image, p)), image(h, w, c))
    options = f"groups={groups} dilation={by(d)}" + ("" if bias else " nobias")
    row = ours(f"input {h}x{w}x{c}; conv {by(k)}/{by(s)}/{ends(p)} {filters * groups} {options}")
    assert (row and (row.output, row.macs)) == found
    if row:
        assert row.params == size_of(layer)
        rows, columns = row.cost.dropped or (0, 0)
        if rows < h and columns < w:  # else no cell is reached at all
            assert (rows, columns) == unreached(lambda image: layer(functional.pad(image, p)), h, w, c)


def unreached(layer: Callable[[Any], Any], h: int, w: int, c: int) -> tuple[int, int]:
    """Rows and columns of the input on which no output depends."""
    x = image(h, w, c).requires_grad_()
    layer(x).sum().backward()
    return int((x.grad.sum((0, 1, 3)) == 0).sum()), int((x.grad.sum((0, 1, 2)) == 0).sum())


@random_cases
@given(inputs, pairs, pairs, st.integers(0, 2), st.integers(1, 3), st.booleans())
def test_a_depthwise_convolution_is_pytorchs(
    x: tuple[int, int, int], k: tuple[int, int], s: tuple[int, int], p: int, multiplier: int, bias: bool
) -> None:
    h, w, c = x
    layer = nn.Conv2d(c, c * multiplier, k, s, p, groups=c, bias=bias)
    row = ours(f"input {h}x{w}x{c}; dwconv {by(k)}/{by(s)}/{p} multiplier={multiplier}" + ("" if bias else " nobias"))
    assert (row and (row.output, row.macs)) == theirs(layer, image(h, w, c))
    assert row is None or row.params == size_of(layer)


@random_cases
@given(inputs, pairs, pairs, pairs, pairs, pairs, few, few, st.booleans())
def test_a_transposed_convolution_is_pytorchs(
    x: tuple[int, int, int],
    k: tuple[int, int],
    s: tuple[int, int],
    d: tuple[int, int],
    p: tuple[int, int],
    extra: tuple[int, int],
    groups: int,
    filters: int,
    bias: bool,
) -> None:
    h, w, c = x[0], x[1], x[2] * groups
    p, extra = (p[0] - 1, p[1] - 1), (extra[0] - 1, extra[1] - 1)
    layer = nn.ConvTranspose2d(c, filters * groups, k, s, p, extra, groups=groups, bias=bias, dilation=d)
    options = f"groups={groups} dilation={by(d)} extra={by(extra)}" + ("" if bias else " nobias")
    row = ours(f"input {h}x{w}x{c}; deconv {by(k)}/{by(s)}/{by(p)} {filters * groups} {options}")
    assert (row and (row.output, row.macs)) == theirs(layer, image(h, w, c))
    assert row is None or row.params == size_of(layer)


@random_cases
@given(inputs, pairs, st.tuples(st.integers(0, 4), st.integers(0, 4)), pairs, st.booleans(), st.booleans())
def test_pooling_is_pytorchs(
    x: tuple[int, int, int], k: tuple[int, int], s: tuple[int, int], p: tuple[int, int], ceil: bool, largest: bool
) -> None:
    h, w, c = x
    p = (min(p[0] - 1, k[0] // 2), min(p[1] - 1, k[1] // 2))  # PyTorch takes no more
    step = f"/{by(s)}" if all(s) else "" if not any(p) else f"/{by(k)}"
    padding = f"/{by(p)}" if step else ""
    kind, pool = ("maxpool", functional.max_pool2d) if largest else ("avgpool", functional.avg_pool2d)
    row = ours(f"input {h}x{w}x{c}; {kind} {by(k)}{step}{padding}" + (" ceil" if ceil else ""))
    found = theirs(lambda image: pool(image, k, s if all(s) else None, p, ceil_mode=ceil), image(h, w, c))
    if h + 2 * p[0] < k[0] or w + 2 * p[1] < k[1]:
        assert row is None  # PyTorch would take it where it rounds up: a window that sticks out
    else:
        assert row is not None
        assert (row.output, 0) == found
        assert row.cost.activations == row.output.values


@random_cases
@given(inputs, pairs, pairs, st.tuples(*(st.integers(0, 2),) * 4))
def test_uneven_padding_of_max_pooling_is_that_of_padding_with_the_least_number(
    x: tuple[int, int, int], k: tuple[int, int], s: tuple[int, int], p: tuple[int, int, int, int]
) -> None:
    h, w, c = x
    row = ours(f"input {h}x{w}x{c}; pool {by(k)}/{by(s)}/{ends(p)}")
    found = theirs(
        lambda image: functional.max_pool2d(functional.pad(image, p, value=float("-inf")), k, s), image(h, w, c)
    )
    if max(p[:2]) < k[1] and max(p[2:]) < k[0]:  # else a window would lie in the padding alone
        assert (row and (row.output, 0)) == found
    else:
        assert row is None


@random_cases
@given(inputs, st.tuples(st.integers(1, 8), st.integers(1, 8)))
def test_adaptive_pooling_is_pytorchs(x: tuple[int, int, int], size: tuple[int, int]) -> None:
    row = ours(f"input {by(x[:2])}x{x[2]}; adaptiveavgpool {by(size)}")
    assert row is not None
    assert (row.output, 0) == theirs(lambda image: functional.adaptive_avg_pool2d(image, size), image(*x))


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@random_cases
@given(inputs, pairs, pairs)
def test_same_padding_is_pytorchs(x: tuple[int, int, int], k: tuple[int, int], d: tuple[int, int]) -> None:
    layer = nn.Conv2d(x[2], 2, k, padding="same", dilation=d)
    row = ours(f"input {by(x[:2])}x{x[2]}; conv {by(k)}/1/same 2 dilation={by(d)}")
    assert (row and (row.output, row.macs)) == theirs(layer, image(*x))


@random_cases
@given(inputs, few, st.booleans(), st.booleans())
def test_other_layers_with_weights_own_as_many_as_pytorchs(
    x: tuple[int, int, int], outputs: int, bias: bool, affine: bool
) -> None:
    h, w, c = x
    modules = {
        f"fc {outputs}{'' if bias else ' nobias'}": nn.Linear(h * w * c, outputs, bias=bias),
        f"bn{'' if affine else ' noaffine'}": nn.BatchNorm2d(c, affine=affine),
        f"ln{'' if affine else ' noaffine'}": nn.LayerNorm(c, elementwise_affine=affine),
        "prelu": nn.PReLU(c),
    }
    for layer, module in modules.items():
        row = ours(f"input {h}x{w}x{c}; {layer}")
        assert row is not None
        assert row.params == size_of(module)
        assert row.cost.buffers == kept(module)


def kept(module: Any) -> int:
    """Buffers without the counters of batch normalization."""
    return sum(each.numel() for name, each in module.named_buffers() if not name.endswith("num_batches_tracked"))


# ---------------------------------------------------------------- whole nets


def alexnet(classes: int = 1000) -> Any:
    """Krizhevsky 2014: one tower."""
    return nn.Sequential(
        *(nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(192, 384, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(384, 256, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.AdaptiveAvgPool2d(6), nn.Flatten()),
        *(nn.Linear(256 * 6 * 6, 4096), nn.ReLU(), nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, classes)),
    )


def vgg(columns: str, classes: int = 1000) -> Any:
    """Simonyan & Zisserman 2014, Table 1: the depth of each convolution, M a pooling."""
    layers: list[Any] = []
    depth = 3
    for word in columns.split():
        if word == "M":
            layers.append(nn.MaxPool2d(2, 2))
        else:
            layers += [nn.Conv2d(depth, int(word), 3, padding=1), nn.ReLU()]
            depth = int(word)
    head = (nn.Linear(512 * 7 * 7, 4096), nn.ReLU(), nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, classes))
    return nn.Sequential(*layers, nn.Flatten(), *head)


def conv_bn(c: int, n: int, k: int, s: int = 1) -> Any:
    return nn.Sequential(nn.Conv2d(c, n, k, s, k // 2, bias=False), nn.BatchNorm2d(n))


class Residual(nn.Module):  # type: ignore[misc,name-defined]
    """A body, and a projection where the size or the depth changes (He et al. 2015)."""

    def __init__(self, body: Any, c: int, n: int, s: int) -> None:
        super().__init__()
        self.body = body
        self.shortcut = conv_bn(c, n, 1, s) if s != 1 or c != n else nn.Identity()

    def forward(self, x: Any) -> Any:
        return torch.relu(self.body(x) + self.shortcut(x))


def basic(c: int, n: int, s: int) -> Any:
    return Residual(nn.Sequential(conv_bn(c, n, 3, s), nn.ReLU(), conv_bn(n, n, 3)), c, n, s)


def bottleneck(c: int, n: int, s: int, first: bool = False) -> Any:
    """The stride on the 3x3, or on the first 1x1 as the paper has it."""
    m = n // 4
    s1, s3 = (s, 1) if first else (1, s)
    body = nn.Sequential(conv_bn(c, m, 1, s1), nn.ReLU(), conv_bn(m, m, 3, s3), nn.ReLU(), conv_bn(m, n, 1))
    return Residual(body, c, n, s)


def resnet(block: Callable[..., Any], counts: tuple[int, ...], depth: int, classes: int = 1000) -> Any:
    layers = [conv_bn(3, 64, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    c = 64
    for stage, count in enumerate(counts):
        for at in range(count):
            n = depth * 2**stage
            layers.append(block(c, n, 2 if stage and not at else 1))
            c = n
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c, classes))


class Dense(nn.Module):  # type: ignore[misc,name-defined]
    """A layer of a dense block: what it makes is laid behind what came in (Huang et al. 2016)."""

    def __init__(self, c: int, k: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *(nn.BatchNorm2d(c), nn.ReLU(), nn.Conv2d(c, 4 * k, 1, bias=False)),
            *(nn.BatchNorm2d(4 * k), nn.ReLU(), nn.Conv2d(4 * k, k, 3, padding=1, bias=False)),
        )

    def forward(self, x: Any) -> Any:
        return torch.cat([x, self.body(x)], 1)


def densenet(counts: tuple[int, ...], k: int = 32, classes: int = 1000) -> Any:
    c = 2 * k
    layers = [nn.Conv2d(3, c, 7, 2, 3, bias=False), nn.BatchNorm2d(c), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    for stage, count in enumerate(counts):
        if stage:
            transition = (nn.BatchNorm2d(c), nn.ReLU(), nn.Conv2d(c, c // 2, 1, bias=False), nn.AvgPool2d(2, 2))
            layers += transition
            c //= 2
        for _ in range(count):
            layers.append(Dense(c, k))
            c += k
    head = (nn.BatchNorm2d(c), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c, classes))
    return nn.Sequential(*layers, *head)


VGG16 = "64 64 M 128 128 M 256 256 256 M 512 512 512 M 512 512 512 M"
NETS: dict[str, Callable[[], Any]] = {
    "alexnet_owt": alexnet,
    "vgg16": lambda: vgg(VGG16),
    "vgg11(classes=7)": lambda: vgg("64 M 128 M 256 256 M 512 512 M 512 512 M", 7),
    "resnet18": lambda: resnet(basic, (2, 2, 2, 2), 64),
    "resnet34": lambda: resnet(basic, (3, 4, 6, 3), 64),
    "resnet50": lambda: resnet(bottleneck, (3, 4, 6, 3), 256),
    "resnet50(classes=10)": lambda: resnet(bottleneck, (3, 4, 6, 3), 256, 10),
    "resnet50_v1": lambda: resnet(lambda c, n, s: bottleneck(c, n, s, first=True), (3, 4, 6, 3), 256),
    "resnet152": lambda: resnet(bottleneck, (3, 8, 36, 3), 256),
    "densenet121": lambda: densenet((6, 12, 24, 16)),
    "densenet121(k=24)": lambda: densenet((6, 12, 24, 16), k=24),
    "densenet201": lambda: densenet((6, 12, 48, 32)),
}


@pytest.mark.parametrize("size", ["224x224", "160x230"])
@pytest.mark.parametrize("name", NETS)
def test_a_net_of_the_zoo_is_pytorchs(name: str, size: str) -> None:
    if size != "224x224" and "vgg" in name:
        pytest.skip("a VGG with another input has another classifier")
    h, w = map(int, size.split("x"))
    with torch.device("meta"):  # shapes alone: no memory, no arithmetic
        net = NETS[name]()
        counter = flop_counter.FlopCounterMode(display=False)
        with counter:
            net(torch.empty(1, 3, h, w))
    total = measure(load(name).build(f"{size}x3").graph).total()
    assert total.params == size_of(net)
    assert total.buffers == kept(net)
    assert 2 * total.macs == counter.get_total_flops()


# ---------------------------------------------------------------- values: any padding

Array = Any
Tensor = Any
Weights = dict[str, Any]


def in_numbers(op: Any, x: Tensor) -> Any:
    """A layer whose padding is the same in numbers: TensorFlow's, the odd cell after. x is b, h, w, c."""
    if op.padding != "same":
        return op
    axes = zip(x.shape[1:3], op.kernel, op.step, op.spread, strict=True)
    totals = [max((-(-n // s) - 1) * s + d * (k - 1) + 1 - n, 0) for n, k, s, d in axes]
    numbers = op.replace(padding=tuple((total // 2, total - total // 2) for total in totals))
    return numbers.replace(ceil=False) if "ceil" in op.fields else numbers  # `same` rounds up as it is


def convolution(torch: Any, op: Any, w: Weights, x: Tensor) -> Tensor:
    return IN_TORCH[op.type](torch, in_numbers(op, x), w, x)


def pooled(op: Any, x: Tensor, empty: float, pool: Callable[..., Tensor]) -> Tensor:
    """The padding laid around first: PyTorch's own is even and at most half a window."""
    assert not op.ceil
    return last(pool(functional.pad(first(x), around(op.padding), value=empty), op.kernel, op.step))


def maxpool(torch: Any, op: Any, w: Weights, x: Tensor) -> Tensor:
    op = in_numbers(op, x)
    return IN_TORCH[op.type](torch, op, w, x) if known(op) else pooled(op, x, -math.inf, functional.max_pool2d)


def avgpool(torch: Any, op: Any, w: Weights, x: Tensor) -> Tensor:
    op = in_numbers(op, x)
    if known(op):
        return IN_TORCH[op.type](torch, op, w, x)
    mean, share = (pooled(op, each, 0, functional.avg_pool2d) for each in (x, torch.ones_like(x)))
    return mean if op.countpad else mean / share


THEIRS = IN_TORCH | {"conv": convolution, "dwconv": convolution, "maxpool": maxpool, "avgpool": avgpool}


def test_every_layer_type_has_its_like_in_pytorch() -> None:
    assert {cls.types[0] for cls in REGISTRY.values()} == THEIRS.keys()


# ---------------------------------------------------------------- values: nets on the same numbers

Values = list[Array]  # of each node


def weights_of(report: Report) -> list[Weights]:
    """Random weights of each node; variances are positive, and filters of a size that keeps values alike."""
    rng = np.random.default_rng(0)
    found: list[Weights] = []
    for row in report.rows:
        shapes = row.node.op.weights(*row.inputs)
        own = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
        if row.node.share is not None:
            own = found[row.node.share]
        elif row.macs:
            own["w"] *= (2 * row.output.values / row.macs) ** 0.5
        if "variance" in own:
            own["variance"] = np.abs(own["variance"]) + 0.1
        found.append(own)
    return found


def images_of(report: Report, batch: int = 2) -> Iterator[Array]:
    """Random images for each input of a net, their values on both sides of where activations bend: 0, 3 and 6."""
    rng = np.random.default_rng(1)
    return (4 * rng.standard_normal((batch, *row.output)) for row in report.rows if not row.inputs)


def carried(report: Report, weights: list[Weights], run: Callable[..., Any], images: Iterator[Any]) -> Values:
    """The values of every node, each made by `run` from its layer type, weights and inputs."""
    owned = iter(weights)

    def step(node: Node, x: list[Any]) -> Any:
        own = next(owned)
        return run(node.op, own, *x) if x else next(images)

    return walk(report.graph, step)


def by_definition(op: Op, w: Weights, *x: Array) -> Array:
    return op.run(np, w, *x)


def by_kernel(op: Op, w: Weights, *x: Array) -> Array:
    kernel = kernel_for(op, *(Volume(*each.shape[1:]) for each in x))
    return kernel(kernel.prepare(w), *x)


def by_pytorch(report: Report, weights: list[Weights], images: Iterator[Array]) -> Values:
    """The same net in PyTorch."""
    tensors = [{name: torch.from_numpy(array) for name, array in own.items()} for own in weights]
    found = carried(report, tensors, lambda op, w, *x: THEIRS[op.type](torch, op, w, *x), map(torch.from_numpy, images))
    return [each.numpy() for each in found]


def assert_alike(report: Report, ours: Values, theirs: Values) -> None:
    """The values of every layer, to ten digits of its largest."""
    for row, y, wanted in zip(report.rows, ours, theirs, strict=True):
        assert y.shape == wanted.shape == (len(y), *row.output), row.name
        largest = np.abs(wanted).max()
        assert np.isfinite(largest), row.name
        np.testing.assert_allclose(y, wanted, rtol=1e-10, atol=1e-10 * largest, err_msg=row.name)


@pytest.fixture(params=[by_definition, by_kernel], ids=["definition", "kernel"])
def run(request: pytest.FixtureRequest) -> Callable[..., Array]:
    """Either of our ways to compute a layer."""
    return request.param


def assert_pytorchs(text: str, run: Callable[..., Array], size: str | None = None) -> Report:
    """A net gives, layer by layer, what PyTorch gives on the same weights and images."""
    report = measure(load(text).build(size).graph)
    weights = weights_of(report)
    ours = carried(report, weights, run, images_of(report))
    assert_alike(report, ours, by_pytorch(report, weights, images_of(report)))
    return report


# ---------------------------------------------------------------- values: every layer type

side = st.integers(1, 9)
cells = st.tuples(side, side)
ahead = st.integers(0, 2)
flag = st.booleans()
reals = st.sampled_from(["0", "0.1", "0.25", "1", "2.5"])
small = st.integers(1, 3)
steps = st.tuples(small, small)
borders = st.tuples(*(ahead,) * 4).map(ends)
sidings = st.one_of(st.just("same"), st.sampled_from(["0", "half", "full"]), borders)


@st.composite
def convolutions(draw: st.DrawFn, kind: str) -> str:
    groups, depth, filters = draw(small), draw(small), draw(small)
    text = f"input {by(draw(cells))}x{depth * groups}; {kind} {by(draw(pairs))}/{by(draw(steps))}/{draw(sidings)}"
    text += f" multiplier={filters}" if kind == "dwconv" else f" {filters * groups} groups={groups}"
    text += f" extra={by(draw(st.tuples(ahead, ahead)))}" if kind == "deconv" else ""
    return f"{text} dilation={by(draw(steps))}{draw(st.sampled_from(['', ' nobias']))}"


@st.composite
def pools(draw: st.DrawFn, kind: str) -> str:
    """PyTorch rounds up only with a padding of its own: even, of half a window at most."""
    kernel, ceil, plain = draw(pairs), draw(flag), draw(st.integers(0, 3)) == 0
    evenly = by((draw(ahead) % (kernel[0] // 2 + 1), draw(ahead) % (kernel[1] // 2 + 1)))
    padding = draw(st.sampled_from([evenly, "same"]) if ceil else sidings)
    rest = "" if plain else f"/{by(draw(steps))}/{padding}"
    text = f"input {by(draw(cells))}x{draw(small)}; {kind} {by(kernel)}{rest}{' ceil' * ceil}"
    return text + draw(st.sampled_from(["", " nocountpad"])) * (kind == "avgpool")


def layers(text: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """A layer upon an input of any size."""
    return st.builds(lambda size, depth, layer: f"input {by(size)}x{depth}; {layer}", cells, few, text)


@st.composite
def merges(draw: st.DrawFn, kind: str) -> str:
    size, count = draw(cells), draw(st.integers(2, 4))
    depths = [draw(few) if kind == "concat" else 3 for _ in range(count)]
    sizes = [draw(st.sampled_from([size, (1, 1)])) if kind == "mul" else size for _ in range(count)]
    given = (f"{name}: input {by(each)}x{depth}" for name, each, depth in zip("abcd", sizes, depths, strict=False))
    return f"{'; '.join(given)}; {kind} {', '.join('abcd'[:count])}"


DRAWN: dict[str, st.SearchStrategy[str]] = {
    "adaptiveavgpool": layers(cells.map(lambda size: f"adaptiveavgpool {by(size)}")),
    "add": merges("add"),
    "avgpool": pools("avgpool"),
    "bn": layers(st.sampled_from(["bn", "bn noaffine"])),
    "concat": merges("concat"),
    "conv": convolutions("conv"),
    "crop": layers(borders.map(lambda sides: f"crop {sides}")),
    "deconv": convolutions("deconv"),
    "dropout": layers(st.sampled_from(["dropout", "dropout 0.25", "dropout 1"])),
    "dwconv": convolutions("dwconv"),
    "elu": layers(reals.map(lambda alpha: f"elu {alpha}")),
    "fc": layers(st.builds(lambda n, bias: f"fc {n}{bias}", few, st.sampled_from(["", " nobias"]))),
    "leakyrelu": layers(reals.map(lambda slope: f"leakyrelu {slope}")),
    "ln": layers(st.sampled_from(["ln", "ln noaffine"])),
    "lrn": layers(st.builds("lrn {} k={} alpha={} beta={}".format, side, few, reals, reals)),
    "maxpool": pools("maxpool"),
    "mul": merges("mul"),
    "pad": layers(borders.map(lambda sides: f"pad {sides}")),
    "shortcut": layers(st.builds(lambda s, n: f"shortcut {by(s)} {n}", steps, side)),
    "shuffle": layers(few.map(lambda groups: f"shuffle {groups}")),
    "slice": layers(st.builds(lambda first, last: f"slice {first}:{last}", ahead, few)),
    "split": layers(st.builds(lambda parts, part: f"split {parts} {part}", few, ahead)),
    "upsample": layers(steps.map(lambda factor: f"upsample {by(factor)}")),
}


@pytest.mark.parametrize("name", THEIRS)
def test_a_layer_of_any_arguments_gives_pytorchs_values(name: str, run: Callable[..., Array]) -> None:
    drawn: list[Op] = []

    @settings(max_examples=100, deadline=None, derandomize=True)
    @given(DRAWN.get(name, layers(st.just(name))))
    def check(text: str) -> None:
        if ours(text):
            drawn.append(assert_pytorchs(text, run).rows[-1].node.op)

    check()
    assert len(drawn) > 15
    for field in REGISTRY[name].fields:
        assert len({getattr(op, field) for op in drawn}) > 1, field


# ---------------------------------------------------------------- values: whole nets

SMALLER = {  # nets of the zoo, on an input that is soon done
    "lenet5": None,
    "lenet_caffe": None,
    "alexnet": "67x67x3",
    "alexnet_grouped": "99x75x3",
    "alexnet_d2l": "80x96x3",
    "zfnet": "80x64x3",
    "vgg11": "32x32x3",
    "vgg16_c": "32x32x3",
    "nin": "67x67x3",
    "googlenet_separable": "64x64x3",
    "googlenet_aux": "224x224x3",
    "bn_inception": "64x64x3",
    "inception_v3": "91x75x3",
    "inception_v4": "91x75x3",
    "inception_resnet_v2": "91x75x3",
    "xception": "71x71x3",
    "resnet18_a": "48x64x3",
    "resnet50": "64x64x3",
    "preresnet50": "64x64x3",
    "resnext50_32x4d": "64x64x3",
    "seresnet50": "64x64x3",
    "densenet121": "64x64x3",
    "mobilenet_v1": "64x64x3",
    "squeezenet1_1": "64x64x3",
    "enet": "32x64x3",
    "resnet20_cifar": None,
    "preresnet110_cifar": None,
    "wrn16_4_cifar": "16x16x3",
    "resnext29_8x64d_cifar": "8x8x3",
    "densenet40_12_cifar": None,
    "densenet_bc100_12_cifar": "16x16x3",
}
UNET = """
block double(n) { conv 3/1/1 n ; relu ; conv 3/1/1 n ; relu }
block net(n) {
  down1: double(n) ; pool 2 ; down2: double(2*n) ; pool 2 ; double(4*n)
  up2: deconv 2/2 2*n ; concat up2, down2 ; double(2*n)
  up1: deconv 2/2 n ; concat up1, down1 ; double(n)
  conv 1 3 ; softmax
}
arch unet { input 32x48x3 ; net(8) }
"""
SHARED = "input 9x9x4; first: conv 3/1/1 4; relu; conv 3/1/1 4 share=first; conv 3/1/1 4 share=first; add { id | relu }"
SHUFFLED = """
block unit(n) {
  concat { split 2 0 | split 2 1 ; conv 1 n nobias ; bn ; relu ; dwconv 3/1/1 ; bn ; conv 1 n ; bn } ; shuffle 2
}
input 16x16x24 ; repeat 2 { unit(12) }
mul { id | gap ; fc 6 ; silu ; fc 24 ; hardsigmoid }
ln ; gelu ; upsample 2 ; crop 1:2 ; adaptiveavgpool 5 ; prelu ; fc 7
"""


@pytest.mark.parametrize("text", [UNET, SHARED, SHUFFLED], ids=["unet", "shared", "shuffled"])
def test_a_net_gives_pytorchs_values(text: str, run: Callable[..., Array]) -> None:
    assert_pytorchs(text, run)


@pytest.mark.parametrize("name", SMALLER)
def test_a_net_of_the_zoo_gives_pytorchs_values_layer_by_layer(name: str) -> None:
    assert_pytorchs(name, by_kernel, SMALLER[name])


def lend(net: Any, report: Report, weights: list[Weights]) -> None:
    """Puts our weights into the modules of PyTorch, one after the other in the order of the text."""
    owners = [(row, own) for row, own in zip(report.rows, weights, strict=True) if own]
    modules = [module for module in net.modules() if isinstance(module, (nn.Conv2d, nn.BatchNorm2d, nn.Linear))]
    for module, (row, own) in zip(modules, owners, strict=True):
        (x,) = row.inputs
        if isinstance(module, nn.Conv2d):
            arrays = {"weight": own["w"].transpose(3, 2, 0, 1)}
        elif isinstance(module, nn.Linear):  # a vector of ours is a volume position by position
            arrays = {"weight": own["w"].reshape(*x, -1).transpose(3, 2, 0, 1).reshape(-1, x.values)}
        else:
            arrays = dict(zip(("weight", "bias", "running_mean", "running_var"), own.values(), strict=True))
        if "b" in own:
            arrays["bias"] = own["b"]
        found = module.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()}, strict=False)
        assert not found.unexpected_keys
        assert set(found.missing_keys) <= {"num_batches_tracked"}


MODULES = ["alexnet_owt", "resnet18", "resnet50", "resnet50_v1", "densenet121"]


@pytest.mark.parametrize("name", MODULES)
def test_a_net_of_the_zoo_gives_the_scores_of_pytorchs_modules(name: str) -> None:
    report = measure(load(name).build("64x96x3").graph)
    weights = weights_of(report)
    net = NETS[name]().double().eval()
    lend(net, report, weights)
    (images,) = images_of(report, batch=1)
    with torch.no_grad():
        wanted = net(torch.from_numpy(images).permute(0, 3, 1, 2)).numpy()
    scores = carried(report, weights, by_kernel, iter([images]))[-1][:, 0, 0]
    assert scores.shape == wanted.shape == (1, 1000)
    np.testing.assert_allclose(scores, wanted, rtol=1e-10, atol=1e-10 * np.abs(wanted).max())
