"""torchinfo's summary of VGG-16 in plain torch.nn (Simonyan & Zisserman 2014, Table 1, D): what archcalc is beside.

Prints the summary; its `Total params` must read 138,357,544, as archcalc's does. With `meta` as an argument the net
lies on torch's meta device, which has shapes but no numbers: nothing is initialised, nothing is multiplied.
"""

from __future__ import annotations

import sys

import torch
import torchinfo
from torch import nn

STAGES = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))  # filters, convolutions; each stage ends in a pooling


def vgg16(classes: int = 1000) -> nn.Sequential:
    """13 convolutions, 5 poolings and 3 fully connected layers."""
    layers: list[nn.Module] = []
    channels = 3
    for filters, convolutions in STAGES:
        for _ in range(convolutions):
            layers += [nn.Conv2d(channels, filters, 3, padding=1), nn.ReLU(inplace=True)]
            channels = filters
        layers.append(nn.MaxPool2d(2, 2))
    layers += [nn.Flatten(), nn.Linear(512 * 7 * 7, 4096), nn.ReLU(inplace=True), nn.Dropout()]
    layers += [nn.Linear(4096, 4096), nn.ReLU(inplace=True), nn.Dropout(), nn.Linear(4096, classes)]
    return nn.Sequential(*layers)


def main() -> None:
    device = "meta" if "meta" in sys.argv[1:] else "cpu"
    with torch.device(device):
        net = vgg16()
    torchinfo.summary(
        net, input_size=(1, 3, 224, 224), device=device, col_names=("output_size", "num_params", "mult_adds"), verbose=1
    )


if __name__ == "__main__":
    main()
