"""A second opinion: PyTorch's sizes, parameters and FLOPs. It is no requirement: without it these tests are skipped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archcalc.analyses.costs import Row, measure
from archcalc.lang.errors import SpecError
from archcalc.library import load

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install -e '.[bench]'")
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
