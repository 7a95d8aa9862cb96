"""One slip made in the sizes of all layers, from the image on."""

from __future__ import annotations

from archcalc.homework.mistakes.drafts import draft
from archcalc.homework.mistakes.registry import Slip
from archcalc.homework.mistakes.scenes import Net, Scene
from archcalc.volume import Volume


def slipped_scene(net: Net, slip: Slip, index: int) -> Scene | None:
    """A layer in a net worked out with one slip throughout; None where a rule refuses what comes of it."""
    volumes = _volumes(net, slip)
    inputs = [volumes[i] for i in net.report.graph.nodes[index].inputs]
    known, output = tuple(volume for volume in inputs if volume), volumes[index]
    return net.scene(index, None, known, output) if output and len(known) == len(inputs) else None


def slipped_figures(net: Net, slip: Slip, rows: tuple[int, ...], quantity: str) -> tuple[int, ...] | None:
    """A figure of some layers of such a net; None where a rule refuses one of them."""
    volumes, nodes = _volumes(net, slip), net.report.graph.nodes
    known: dict[object, int | None] = {}
    figures = []
    for at in rows:
        key = net.alike[at], tuple(volumes[i] for i in nodes[at].inputs), volumes[at]
        if key not in known:
            scene = slipped_scene(net, slip, at)
            known[key] = draft(scene, quantity).value if scene else None
        figures.append(known[key])
    numbers = tuple(figure for figure in figures if figure is not None)
    return numbers if len(numbers) == len(rows) else None


def _volumes(net: Net, slip: Slip) -> tuple[Volume | None, ...]:
    """What leaves each layer."""
    key = "slipped", slip.kind.name
    if key not in net.memo:
        volumes: list[Volume | None] = []
        known: dict[object, Volume | None] = {}
        for at, node in enumerate(net.report.graph.nodes):
            inputs = tuple(volumes[i] for i in node.inputs)
            alike = id(node.op), inputs
            if alike not in known:
                some = tuple(each for each in inputs if each)
                known[alike] = _volume(net, at, some, slip) if len(some) == len(inputs) else None
            volumes.append(known[alike])
        net.memo[key] = tuple(volumes)
    found: tuple[Volume | None, ...] = net.memo[key]
    return found


def _volume(net: Net, index: int, inputs: tuple[Volume, ...], slip: Slip) -> Volume | None:
    scene = net.scene(index, None, inputs)
    if scene is None:
        return None
    right = draft(scene, "size")
    wrong = next((new.draft for new in slip.change(scene, right)), right)
    return Volume(*wrong.values) if min(wrong.values) > 0 else None
