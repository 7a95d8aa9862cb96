"""VGG-16 built and run once by PyTorch, with its own random weights: what `archcalc run vgg16` is beside."""

from __future__ import annotations

import torch
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
    net = vgg16().eval()
    with torch.inference_mode():
        print(net(torch.rand(1, 3, 224, 224)).argmax().item())


if __name__ == "__main__":
    main()
