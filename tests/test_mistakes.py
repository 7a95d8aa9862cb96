"""The likely mistakes: each named gives exactly what the student wrote, and what is planted is found."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archcalc.analyses.costs import Report, measure
from archcalc.analyses.quantities import NoLayer
from archcalc.analyses.receptive import follow
from archcalc.homework.answers import QUANTITIES, Figure, Mistake
from archcalc.homework.mistakes import Case, catalogue, known_names, likely
from archcalc.homework.mistakes.attempts import Attempt, Cell, singles
from archcalc.homework.mistakes.scenes import net_of
from archcalc.library import load
from archcalc.volume import Volume

# Nets as text, small enough for the arithmetic beside them.
GROUPED = "input 16x16x8; conv 3/1/1 4; conv 3/1/1 12 groups=4"
DILATED = "input 32x32x3; conv 3/1/0 8 dilation=2"
UP = "input 7x7x4; deconv 4/2/1 8"
EXTRA = "input 7x7x4; deconv 3/2/1 8 extra=1"
CEIL = "input 112x112x64; pool 3/2 ceil"
SIDES = "input 12x20x3; conv 3/1/1 8 ; pool 2"
TURNED = "input 9x9x2; conv 1x7/1/0 4"
SHARED = "input 8x8x4; x: conv 3/1/1 4; conv 3/1/1 4 share=x"
BRANCHES = "input 28x28x192; concat { conv 1 64 | conv 3/1/1 128 | conv 5/1/2 32 | pool 3/1/1 ; conv 1 48 }"
CHAIN = "input 32x32x3; conv 5/1/0 6; pool 2; conv 3/1/1 16 dilation=1; conv 3/2/0 10; fc 10"
DILATIONS = "input 40x40x3; conv 3/1/0 4 dilation=2; conv 3/1/0 4; conv 5/1/0 4 dilation=3"
PADDED = "input 10x10x4; pad 3; conv 3/1/1 4"
WEIGHTED = "input 20x20x3; conv 3/1/2 5; conv 5/1/2 5"
HEADS = "input 8x8x4; x: conv 3/1/1 4; output side from x { conv 1 2 ; conv 1 3 }; conv 1 8"
REPEATED = "input 8x8x4; repeat 3 { conv 3/1/1 4 }"
UNEVEN = "input 224x224x3; conv 11/4/0 96"
NORMED = "input 8x8x4; conv 3/1/1 4; bn; fc 3; fc 8"


class Told(NamedTuple):
    """A wrong answer, and the mistake that must be named."""

    net: str
    layer: str | None
    quantity: str
    figures: tuple[str | int, ...]
    name: str


def wrong(net: str, layer: str | None, quantity: str, *figures: str | int, name: str) -> Told:
    return Told(net, layer, quantity, figures, name)


# AlexNet as lectures draw it: conv1 is 11/4/0 on 227x227x3, 96 filters: 55x55x96; pool1 3/2: 27x27; conv2 5/1/2, 256.
# Its conv1 has 11*11*3 = 363 weights a filter: 363*96 = 34,848, and 96 biases: 34,944. All other arithmetic is beside.
TOLD = (
    # sizes
    wrong("alexnet", "conv1", "size", 54, 54, 96, name="+1 forgotten"),  # 216/4
    wrong("alexnet", "conv1", "height", 54, name="+1 forgotten"),
    wrong("alexnet", "conv1", "area", 54, 54, name="+1 forgotten"),
    wrong("vgg16", "pool1", "size", 111, 111, 64, name="+1 forgotten"),  # 222/2
    wrong("alexnet", "conv1", "size", 56, 56, 96, name="+1 twice"),  # 54 + 2
    wrong("alexnet", "conv1", "size", 53, 53, 96, name="minus 1 in place of plus 1"),  # 54 - 1
    wrong(UP, "deconv1", "size", 16, 16, 8, name="-1 forgotten"),  # 7*2 - 2 + 4
    wrong("alexnet", "conv2", "size", 25, 25, 256, name="P once instead of twice"),  # 27 + 2 - 5 + 1
    wrong("alexnet", "conv2", "size", 23, 23, 256, name="P ignored"),  # 27 - 5 + 1
    wrong("alexnet", "conv2", "size", 19, 19, 256, name="minus instead of plus"),  # 27 - 4 - 5 + 1
    wrong("vgg16", "conv1_1", "size", 220, 220, 64, name="minus instead of plus"),  # 224 - 2 - 3 + 1
    wrong(UP, "deconv1", "size", 18, 18, 8, name="plus instead of minus"),  # 6*2 + 4 + 2
    wrong(WEIGHTED, "conv1", "size", 20, 20, 5, name="padding halved"),  # 20 + 2 - 3 + 1, for 22
    wrong("alexnet", "conv1", "size", 57, 57, 96, name="window not subtracted"),  # 227/4 = 56.75, + 1
    wrong("alexnet", "conv1", "size", 60, 60, 96, name="window added"),  # 238/4 = 59.5, + 1
    wrong(DILATED, "conv1", "size", 30, 30, 8, name="dilation ignored"),  # 32 - 3 + 1, for 32 - 5 + 1 = 28
    wrong(DILATED, "conv1", "size", 27, 27, 8, name="D*F for the dilated window"),  # 32 - 6 + 1
    wrong("alexnet", "conv1", "size", 217, 217, 96, name="stride ignored"),  # 216 + 1
    wrong("alexnet", "pool1", "size", 53, 53, 96, name="stride ignored"),  # 52 + 1
    wrong("alexnet", "conv1", "size", 56, 56, 96, name="only divided by the stride"),  # 227/4 = 56.75
    wrong(UNEVEN, "conv1", "size", 55, 55, 96, name="ceil for floor"),  # 213/4 = 53.25 up: 54, + 1
    wrong(UNEVEN, "conv1", "height", "54.25", name="not rounded"),  # 53.25 + 1
    wrong(CEIL, "pool1", "size", 55, 55, 64, name="floor for ceil"),  # 109/2 = 54.5 down, + 1
    wrong("resnet50", "pool1", "size", 57, 57, 64, name="ceil for floor"),  # 111/2 = 55.5: 56, + 1
    wrong("alexnet", "conv1", "size", 227, 227, 96, name="size kept"),
    wrong(UP, "deconv1", "size", 3, 3, 8, name="stride the other way"),  # floor((7 + 2 - 4)/2) + 1
    wrong(EXTRA, "deconv1", "size", 13, 13, 8, name="argument forgotten"),  # 6*2 + 3 - 2 without extra=1
    wrong(PADDED, "pad1", "size", 10, 10, 4, name="P ignored"),
    wrong("alexnet", "conv1", "size", 55, 55, 3, name="filters forgotten"),
    wrong("alexnet", "conv1", "depth", 3, name="filters forgotten"),
    wrong("vgg16", "fc6", "size", 1, 1, 512, name="filters forgotten"),
    wrong("input 7x7x512; flatten", "flatten1", "depth", 512, name="not flattened"),
    wrong("googlenet", "inception3a", "size", 28, 28, 64, name="branches not added"),
    wrong(BRANCHES, "concat1", "size", 28, 28, 224, name="a branch forgotten"),  # 272 - 48
    wrong("resnet50", "conv2_x.1", "size", 56, 56, 512, name="branches added"),  # 256 + 256
    wrong("alexnet", "pool1", "size", 27, 27, 47, name="depth pooled"),  # (96 - 3)/2 = 46.5, + 1
    wrong("alexnet", "pool1", "depth", 48, name="depth pooled"),  # 96/2
    wrong(GROUPED, "conv2", "size", 16, 16, 48, name="groups multiplied"),  # 12*4
    wrong(GROUPED, "conv2", "size", 16, 16, 3, name="depth divided by the groups"),  # 12/4
    wrong("alexnet", "conv1", "size", 55, 55, 288, name="depth times filters"),  # 3*96
    wrong("alexnet", "conv5", "size", 13, 13, 384, name="depth of the wrong layer"),  # conv4's
    wrong(SIDES, "conv1", "size", 20, 12, 8, name="H and W swapped"),
    wrong(TURNED, "conv1", "size", 3, 9, 4, name="H and W swapped"),  # 9 - 7 + 1 along the height
    wrong("alexnet", "conv1", "size", 96, 55, 55, name="order of the sides"),
    wrong("alexnet", "conv1", "size", 54, 54, 96, name="input 224 for 227"),  # 213/4 = 53.25, + 1
    wrong("alexnet", "fc6", "params", 26_218_496, name="input 224 for 227"),  # pool5 is 5x5: 5*5*256*4,096 + 4,096
    wrong("zfnet", "conv1", "height", 112, name="input 227 for 224"),  # (227 + 2 - 7)/2 + 1
    wrong("vgg16", "pool5", "size", 8, 8, 512, name="another usual input"),  # 256/32
    wrong("alexnet", "pool1", "size", 23, 23, 96, name="kernel of the layer before"),  # (55 - 11)/2 + 1
    wrong("alexnet", "pool1", "size", 26, 26, 96, name="kernel of the layer after"),  # (55 - 5)/2 + 1
    wrong("alexnet", "conv2", "size", 14, 14, 256, name="stride of the layer before"),  # 26/2 + 1
    wrong("alexnet", "conv1", "size", 109, 109, 96, name="stride of the layer after"),  # 216/2 + 1
    wrong("alexnet", "conv3", "size", 15, 15, 384, name="padding of the layer before"),  # 13 + 4 - 3 + 1, conv2's
    wrong("alexnet", "conv1", "size", 56, 56, 96, name="padding of the layer after"),  # (227 + 4 - 11)/4 + 1
    wrong(DILATIONS, "conv2", "size", 32, 32, 4, name="dilation of the layer before"),  # 36 - 5 + 1
    wrong(DILATIONS, "conv2", "size", 30, 30, 4, name="dilation of the layer after"),  # 36 - 7 + 1
    wrong("alexnet", "conv1", "size", 113, 113, 96, name="arguments of another layer"),  # 3/2/0: 224/2 + 1
    wrong("alexnet", "conv2", "size", 55, 55, 256, name="input of another layer"),  # 55 + 4 - 5 + 1
    # parameters
    wrong("alexnet", "conv1", "params", 34_848, name="bias forgotten"),
    wrong("alexnet", "fc6", "params", 37_748_736, name="bias forgotten"),  # 9,216*4,096
    wrong("vgg16", "fc6", "params", 102_760_448, name="bias forgotten"),  # 25,088*4,096
    wrong("vgg16", None, "params", 138_344_128, name="bias forgotten"),  # 138,357,544 - 13,416 biases
    wrong("alexnet", "conv1", "params", 35_040, name="bias counted twice"),  # 34,944 + 96
    wrong("alexnet", "conv1", "params", 34_849, name="one bias for the layer"),
    wrong("alexnet", "conv1", "params", 35_136, name="a bias for each slice"),  # 34,848 + 3*96
    wrong("alexnet", "conv1", "params", 69_696, name="a bias for each weight"),  # 2*34,848
    wrong("alexnet", "conv1", "params", 325_248, name="a bias for each output"),  # 34,848 + 55*55*96
    wrong("resnet50", "conv1.conv1", "params", 9_472, name="bias counted where there is none"),  # 7*7*3*64 + 64
    wrong("alexnet", "conv1", "weights", 34_944, name="biases counted"),
    wrong("alexnet", "conv1", "params", 105_415_200, name="HxW counted in the parameters"),  # 55*55*34,848
    wrong("alexnet", "conv1", "params", 105_415_296, name="HxW counted in the parameters"),  # and 96 biases
    wrong("alexnet", "conv1", "params", 105_705_600, name="HxW counted in the parameters"),  # 55*55*34,944
    wrong("alexnet", "conv1", "params", 1_795_682_688, name="HxW counted in the parameters"),  # 227*227*34,848 + 96
    wrong("alexnet", "conv1", "params", 3_264, name="kernel once"),  # 11*3*96 + 96
    wrong("alexnet", "conv1", "params", 384, name="kernel forgotten"),  # 3*96 + 96
    wrong("alexnet", "conv1", "params", 11_712, name="depth forgotten"),  # 11*11*96 + 96
    wrong("alexnet", "conv1", "params", 364, name="filters forgotten"),  # 363 + 1
    wrong("alexnet", "fc6", "params", 1_052_672, name="not flattened"),  # 256*4,096 + 4,096
    wrong("vgg16", "fc6", "params", 14_684_160, name="not flattened"),  # 7*512*4,096 + 4,096
    wrong("alexnet_grouped", "conv2", "params", 614_656, name="groups ignored"),  # 5*5*96*256 + 256
    wrong("mobilenet_v1", "conv2.dwconv1", "params", 9_216, name="groups ignored"),  # 3*3*32*32
    wrong(GROUPED, "conv2", "params", 1_740, name="groups multiplied"),  # 3*3*(4*4)*12 + 12
    wrong(GROUPED, "conv2", "params", 39, name="groups divided twice"),  # 3*3*1*3 + 12
    wrong(GROUPED, "conv1", "params", 76, name="groups of another layer"),  # 3*3*(8/4)*4 + 4
    wrong("alexnet", "conv2", "params", 2_973_952, name="kernel of the layer before"),  # 11*11*96*256 + 256
    wrong("alexnet", "conv1", "params", 7_296, name="kernel of the layer after"),  # 5*5*3*96 + 96
    wrong("alexnet", "conv2", "params", 230_496, name="filters of the layer before"),  # 5*5*96*96 + 96
    wrong("alexnet", "conv2", "params", 921_984, name="filters of the layer after"),  # 5*5*96*384 + 384
    wrong("alexnet", "conv2", "params", 19_456, name="depth of the wrong layer"),  # 5*5*3*256 + 256
    wrong("alexnet", "conv2", "params", 1_638_656, name="depth of the wrong layer"),  # 5*5*256*256 + 256
    wrong("alexnet", "pool1", "params", 864, name="parameters where there are none"),  # 3*3*96
    wrong("alexnet", "pool1", "params", 9, name="parameters where there are none"),
    wrong("resnet50", "conv1.bn1", "params", 256, name="BN buffers counted"),  # 4*64
    wrong("resnet50", None, "params", 25_610_152, name="BN buffers counted"),  # 25,557,032 + 2*26,560
    wrong("resnet50", "conv1.bn1", "params", 0, name="BN forgotten"),
    wrong("resnet50", "conv1", "params", 9_408, name="BN forgotten"),  # 7*7*3*64
    wrong("resnet50", None, "params", 25_503_912, name="BN forgotten"),  # 25,557,032 - 2*26,560
    wrong("resnet50", "conv1.bn1", "params", 64, name="shift forgotten"),
    wrong(SHARED, "conv1", "params", 148, name="shared weights counted twice"),  # 3*3*4*4 + 4
    wrong(SHARED, None, "params", 296, name="shared weights counted twice"),
    wrong("resnet50", "conv1.conv1", "params", 9_536, name="next layer counted too"),  # 9,408 + 128
    wrong("alexnet", "conv1", "params", 139_776, name="bytes for values"),  # 4*34,944
    # memory
    wrong("alexnet", "conv1", "memory", "1161600 values", name="bytes for values"),  # 4*290,400
    wrong("alexnet", "conv1", "memory", "290400 bytes", name="values for bytes"),
    wrong("alexnet", "conv1", "memory", "1.10779 MB", name="MB for MiB"),  # 1,161,600/2**20 = 1.10779
    wrong("alexnet", "conv1", "memory", "1.1616 MiB", name="MB for MiB"),  # 1,161,600/10**6
    wrong("vgg16", None, "memory", "58.13 MB", name="MB for MiB"),  # 15,237,608*4/2**20 = 58.127
    wrong("alexnet", "conv1", "memory", "580800 bytes", name="bytes of another type"),  # 2*290,400
    wrong("alexnet", "conv1", "memory", "2323200 bytes", name="bytes of another type"),  # 8*290,400
    wrong("alexnet", "conv1", "memory", "9292800 bytes", name="bits for bytes"),  # 32*290,400
    wrong("alexnet", "conv1", "memory", "580800 values", name="doubled for the way back"),
    wrong("alexnet", "conv1", "memory", "37171200 values", name="batch counted"),  # 128*290,400
    wrong("alexnet", "relu1", "memory", "290400 values", name="in-place layers counted"),
    wrong("alexnet", "conv1", "memory", "154587 values", name="input in place of output"),  # 227*227*3
    wrong("alexnet", "conv1", "memory", "444987 values", name="inputs counted again"),  # 290,400 + 154,587
    wrong("alexnet", None, "memory", "1829382 values", name="inputs counted again"),  # as `archcalc table` says
    wrong("alexnet", "conv1", "memory", "325344 values", name="parameters counted in the memory"),  # 290,400 + 34,944
    wrong("alexnet", "conv1", "memory", "3025 values", name="depth forgotten"),  # 55*55
    wrong("alexnet", "conv1", "memory", "5280 values", name="positions once"),  # 55*96
    wrong("alexnet", None, "memory", "1259760 values", name="the image not counted"),  # 1,414,347 - 154,587
    # operations
    wrong("alexnet", "conv1", "macs", 210_830_400, name="FLOPs for MACs"),  # 2*105,415,200
    wrong("alexnet", "conv1", "flops", 105_415_200, name="MACs for FLOPs"),
    wrong("alexnet", "conv1", "flops", 210_830_400, name="bias forgotten"),  # 2*105,415,200 without 290,400 additions
    wrong(NORMED, None, "flops", 20_016, name="only 2 a multiply-add"),  # 2*(8*8*4*36 + 256*3 + 3*8)
    wrong("alexnet", "conv1", "macs", 105_705_600, name="bias adds counted"),  # 105,415,200 + 290,400
    wrong(
        "alexnet", "conv1", "macs", 1_795_682_592, name="input area for output area"
    ),  # 227*227*34,848 = 1,795,682,592
    wrong(UP, "deconv1", "macs", 100_352, name="output area for input area"),  # 14*14*4*4*4*8, for 7*7
    wrong("alexnet", "conv1", "macs", 34_848, name="positions forgotten"),
    wrong("alexnet", "conv1", "macs", 1_916_640, name="positions once"),  # 55*34,848
    wrong("alexnet", "pool1", "flops", 629_856, name="-1 forgotten"),  # 27*27*96*9, for 8
    wrong("alexnet", "relu1", "flops", 0, name="only 2 a multiply-add"),
    wrong("alexnet", "conv1", "macs", 316_245_600, name="trebled for the way back"),  # 3*105,415,200
    wrong("alexnet", "conv2", "macs", 1_858_560_000, name="input of another layer"),  # 55*55*256 * 5*5*96
    # receptive fields: pool1 sees 11 + 2*4 = 19, conv2 19 + 4*8 = 51
    wrong("alexnet", "pool1", "receptive", 13, name="receptive field added instead of scaled"),  # 11 + 2
    wrong("alexnet", "conv2", "receptive", 17, name="receptive field added instead of scaled"),  # 11 + 2 + 4
    wrong("alexnet", "conv2", "receptive", 23, name="receptive field added instead of scaled"),  # 19 + 4: here alone
    wrong("vgg16", "conv1_2", "receptive", 6, name="receptive field added instead of scaled"),  # 3 + 3
    wrong("alexnet", "pool1", "receptive", 57, name="jump one layer too early"),  # 41 + 2*8: conv1 1 + 10*4
    wrong("alexnet", "pool1", "receptive", 27, name="jump one layer too early"),  # 11 + 2*8: here alone
    wrong("alexnet", "conv2", "receptive", 35, name="jump one layer too late"),  # 19 + 4*4: here alone
    wrong("alexnet", "conv2", "receptive", 5, name="own window only"),
    wrong("alexnet", "pool1", "receptive", 8, name="strides multiplied only"),  # 4*2
    wrong("alexnet", "pool1", "receptive", 33, name="windows multiplied"),  # 11*3
    wrong("alexnet", "pool1", "receptive", 23, name="-1 forgotten"),  # 11 + 3*4: here alone
    wrong(DILATIONS, "conv1", "receptive", 3, name="dilation ignored"),
    wrong("alexnet", "pool1", "receptive", 11, name="poolings left out"),
    wrong("alexnet", "conv2", "receptive", 27, name="poolings left out"),  # 11 + 4*4
    wrong("alexnet", "conv3", "receptive", 57, name="receptive field from the wrong end"),  # 11, 23, 27, 55, 57
    wrong("alexnet", "pool1", "receptive", 20, name="receptive field off by one"),
    wrong("alexnet", "pool1", "receptive", 227, name="the whole image"),
    # sums
    wrong("alexnet", None, "params", 24_625_512, name="a layer forgotten"),  # 62,378,344 - 37,752,832 of fc6
    wrong("alexnet", None, "params", 62_413_288, name="a layer counted twice"),  # 62,378,344 + 34,944
    wrong("googlenet", None, "params", 6_834_856, name="a block forgotten"),  # 6,998,552 - 163,696 of inception3a
    wrong(NORMED, None, "params", 148, name="one kind of layer only"),  # 3*3*4*4 + 4
    wrong(NORMED, None, "params", 156, name="one kind of layer forgotten"),  # 148 + 8 without 771 and 32
    wrong(HEADS, None, "params", 188, name="side outputs left out"),  # 148 + 40, without 10 and 9
    wrong(REPEATED, None, "params", 148, name="repeated blocks counted once"),  # 3*3*4*4 + 4
    wrong("alexnet", "conv3", "params", 11_895_168, name="kernel of another layer"),  # 11*11*256*384 + 384
    wrong("alexnet", "fc6", "params", 51_384_320, name="input off by one"),  # 7*7*256*4,096 + 4,096
    wrong("alexnet", "conv1", "params", 69_888, name="counted twice"),  # 2*34,944
    wrong("alexnet", "conv1", "params", 17_472, name="counted half"),
    wrong("alexnet", "conv1", "params", 34_851, name="a bias for each slice"),  # 34,848 + 3
    wrong("alexnet", "pool1", "size", 27, 27, 48, name="depth pooled"),  # 96/2
    wrong("alexnet", "conv2", "macs", 447_000_000, name="cut off instead of rounded"),  # 447,897,600
    wrong("alexnet", None, "macs", 2_270_512_192, name="FLOPs for MACs"),  # 2*1,135,256,096; poolings make none
    wrong("alexnet", None, "flops", 1_135_256_096, name="MACs for FLOPs"),
    wrong("vgg16", "pool5", "receptive", 196, name="another layer's answer"),  # conv5_3's
    wrong(TURNED, "conv1", "receptive", 7, 1, name="H and W swapped"),
    # cells of other rows and columns
    wrong("alexnet", "conv1", "size", 27, 27, 96, name="another layer's answer"),
    wrong("alexnet", "conv2", "params", 885_120, name="another layer's answer"),  # conv3's: 3*3*256*384 + 384
    wrong("alexnet", "conv1", "params", 290_400, name="another column's answer"),
    # how a right figure is written
    wrong("alexnet", "conv2", "params", "614.6 K", name="cut off instead of rounded"),  # 614,656 rounds to 614.7K
    wrong("alexnet", "conv1", "params", "35.0 K", name="rounded up"),  # 34,944
    wrong("alexnet", "conv1", "params", 35_000, name="rounded"),
    wrong("alexnet", "conv1", "params", 34_494, name="digit slip"),
    wrong("alexnet", "conv1", "params", 34_954, name="digit slip"),
    wrong("alexnet", "conv1", "params", 3_494, name="digit slip"),
    wrong("alexnet", "conv1", "params", 349_944, name="digit slip"),
    wrong("alexnet", "conv1", "params", 349_440, name="decimal point moved"),
    wrong("alexnet", None, "params", "6.24 M", name="decimal point moved"),
    wrong("alexnet", None, "params", "62.4 K", name="thousand for million"),
    wrong("alexnet", "conv1", "params", "34.9 M", name="thousand for million"),
    wrong("alexnet", "conv1", "params", "34.9 G", name="thousand for million"),
)

PAIRS = (
    wrong("alexnet", "conv2", "params", 19_200, name="depth of the wrong layer and bias forgotten"),  # 5*5*3*256
    wrong(
        "alexnet", "conv2", "params", 2_973_696, name="kernel of the layer before and bias forgotten"
    ),  # 11*11*96*256
    wrong("alexnet", "conv2", "params", 7_930_112, name="kernel of the layer before and depth of the wrong layer"),
    wrong("alexnet", "fc6", "params", 26_214_400, name="input 224 for 227 and bias forgotten"),  # 5*5*256*4,096
    wrong("alexnet", "conv1", "size", 54, 54, 3, name="+1 forgotten and filters forgotten"),
    wrong("alexnet", "conv1", "size", 54, 55, 96, name="+1 forgotten"),  # along the height alone
    wrong("alexnet", "conv2", "size", 22, 22, 256, name="+1 forgotten and P ignored"),  # (27 - 5)/1
    wrong("alexnet", "conv1", "macs", 69_696, name="positions forgotten and FLOPs for MACs"),  # 2*34,848
    wrong("vgg16", None, "params", 553_376_512, name="bias forgotten and bytes for values"),  # 4*138,344,128
    wrong("resnet50", None, "params", 25_502_912, name="bias forgotten and BN forgotten"),  # 25,503,912 - 1,000 of fc
    wrong("alexnet", "conv1", "size", "54.25", "54.25", 96, name="input 224 for 227 and not rounded"),
    wrong("resnet50", "conv1", "params", 9_472, name="bias counted where there is none and BN forgotten"),  # 9,408 + 64
    wrong("alexnet", "conv1", "memory", "0.2769 MB", name="values for bytes and MB for MiB"),  # 290,400/2**20 = 0.27695
    wrong("alexnet", None, "params", 24_619_040, name="bias forgotten and a layer forgotten"),  # fc6's 37,748,736
)

ISSUE = (  # the mistakes that are named there, each the first that is said
    wrong("alexnet", "conv1", "params", 34_848, name="bias forgotten"),
    wrong("alexnet", "conv1", "params", 35_040, name="bias counted twice"),
    wrong("alexnet", "conv1", "size", 54, 54, 96, name="+1 forgotten"),
    wrong("vgg16", "pool1", "size", 111, 111, 64, name="+1 forgotten"),
    wrong("alexnet", "conv2", "size", 25, 25, 256, name="P once instead of twice"),
    wrong("alexnet", "conv2", "size", 19, 19, 256, name="minus instead of plus"),
    wrong("vgg16", "conv1_1", "size", 220, 220, 64, name="minus instead of plus"),
    wrong(UNEVEN, "conv1", "size", 55, 55, 96, name="ceil for floor"),
    wrong("resnet50", "pool1", "size", 57, 57, 64, name="ceil for floor"),
    wrong("alexnet", "conv1", "size", 217, 217, 96, name="stride ignored"),
    wrong("alexnet", "conv2", "params", 2_973_952, name="kernel of the layer before"),
    wrong("alexnet", "conv2", "params", 19_456, name="depth of the wrong layer"),
    wrong("alexnet", "conv4", "params", 885_120, name="depth of the wrong layer"),  # 3*3*256*384 + 384
    wrong("alexnet", "pool1", "size", 27, 27, 47, name="depth pooled"),
    wrong("alexnet", "conv1", "params", 105_415_200, name="HxW counted in the parameters"),
    wrong("alexnet", "conv1", "flops", 105_415_200, name="MACs for FLOPs"),
    wrong("alexnet", "conv1", "macs", 210_830_400, name="FLOPs for MACs"),
    wrong("alexnet", "conv1", "memory", "1.10779 MB", name="MB for MiB"),
    wrong("vgg16", None, "memory", "58.13 MB", name="MB for MiB"),
    wrong("alexnet", "conv1", "memory", "1161600 values", name="bytes for values"),
    wrong("alexnet", "fc6", "params", 26_218_496, name="input 224 for 227"),
    wrong("alexnet_grouped", "conv2", "params", 614_656, name="groups ignored"),
    wrong("resnet50", None, "params", 25_503_912, name="BN forgotten"),
    wrong("resnet50", None, "params", 25_610_152, name="BN buffers counted"),
    wrong("alexnet", "conv2", "receptive", 17, name="receptive field added instead of scaled"),
    wrong("enet", "input", "size", 640, 360, 3, name="H and W swapped"),
    wrong("alexnet", "conv1", "params", 34_494, name="digit slip"),
)


@cache
def report_of(text: str) -> Report:
    built = load(text).build()
    return measure(built.graph, built.assumptions)


SCALES = {"K": 10**3, "M": 10**6, "G": 10**9, "MB": 10**6, "MiB": 2**20, "KiB": 2**10}


def figure(text: str | int) -> Figure:
    """As a sheet has it: `34.9 K` is rounded, 34944 is exact."""
    digits, _, unit = str(text).partition(" ")
    scale = SCALES.get(unit, 1)
    places = len(digits.partition(".")[2])
    half = Fraction(scale, 2 * 10**places) if scale > 1 else Fraction(0)
    kind = "bytes" if unit.endswith(("B", "bytes")) else unit if unit == "values" else ""
    return Figure(Fraction(digits) * scale, half, kind, unit if scale > 1 else "", scale)


def likely_of(told: Told) -> tuple[Mistake, ...]:
    case = Case(report_of(told.net), told.layer, told.quantity)
    return likely(case, tuple(map(figure, told.figures)))


# ---------------------------------------------------------------- arithmetic of our own

_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")
_FUNCTIONS = {
    "F": Fraction,
    "floor": lambda value: Fraction(math.floor(value)),
    "ceil": lambda value: Fraction(math.ceil(value)),
    "gcd": lambda a, b: Fraction(math.gcd(int(a), int(b))),
}


def worked_out(text: str) -> Fraction:
    """What `floor((227 + 2*0 - 11)/4) + 1` comes to."""
    exact = _NUMBER.sub(lambda match: f"F('{match[0].replace(',', '')}')", text)
    return Fraction(eval(exact, {"__builtins__": {}}, _FUNCTIONS))


def equations(mistake: Mistake) -> Iterator[tuple[Fraction, Fraction]]:
    """Both sides of what a mistake says: those of height and width, then of the depth."""
    for part in re.split(r", (?![^()]*\))", mistake.arithmetic):
        left, equals, right = part.rpartition(" = ")
        if equals:
            yield worked_out(left), worked_out(right)


def test_our_own_arithmetic_is_right() -> None:
    assert worked_out("floor((227 + 2*0 - 11)/4) + 1") == 55
    assert worked_out("ceil((112 - 3)/2) + 1,000") == 1055
    assert worked_out("1,161,600/2 - 0.5") == Fraction(1161599, 2)


# ---------------------------------------------------------------- mistakes by name


def said(told: Told) -> str:
    figures = "x".join(map(str, told.figures))
    return f"{told.net[:24]} {told.layer or 'total'} {told.quantity} {figures} {told.name}"


@pytest.mark.parametrize("told", [*TOLD, *PAIRS], ids=said)
def test_a_wrong_answer_is_told_with_the_mistake_that_was_made(told: Told) -> None:
    mistakes = likely_of(told)
    assert told.name in {mistake.name for mistake in mistakes}, mistakes
    for mistake in mistakes:
        assert mistake.arithmetic
        for left, right in equations(mistake):
            assert left == pytest.approx(right, rel=1e-9), mistake


@pytest.mark.parametrize("told", ISSUE, ids=said)
def test_the_likeliest_mistake_comes_first(told: Told) -> None:
    assert likely_of(told)[0].name == told.name


def test_every_mistake_of_the_catalogue_is_made_in_these_tests() -> None:
    assert set(known_names()) == {told.name for told in TOLD}


def test_the_catalogue_says_what_each_mistake_is() -> None:
    for kind in catalogue():
        assert kind.about
        assert kind.example
        assert kind.weight > 0
        assert set(kind.quantities) <= {*QUANTITIES, "bytes"}


def test_rounding_to_the_nearest_is_told_as_rounding_up_that_it_is() -> None:
    (mistake, *_) = likely_of(wrong("resnet50", "pool1", "size", 57, 57, 64, name=""))
    assert mistake.arithmetic == "ceil((112 + 2*1 - 3)/2) + 1 = 57"
    assert "nearer" in mistake.note


# ---------------------------------------------------------------- laws

NETS = (
    *("alexnet", "alexnet_grouped", "vgg16", "googlenet", "resnet50", "densenet121", "mobilenet_v1", "enet"),
    "input 32x30x6; conv 3x5/2x3/1:0x2:1 8 groups=2 dilation=2x1; pool 3/2 ceil; dwconv 3/2/same multiplier=2; fc 3",
    "input 41x40x6; conv 3/2/same 8 dilation=3; avgpool 2/2/1 ceil; pool 2/2/1 ceil; deconv 4/3/1:0 6 groups=2 extra=1",
    "input 9x9x4; bn; ln; prelu; lrn 3; softmax; pad 1:2x0; crop 1:0; upsample 2x3; adaptiveavgpool 4x3; flatten; fc 2",
    "l: input 8x8x3; r: input 8x8x1; concat l, r; x: conv 3/1/1 4; conv 3/1/1 4 share=x; add { id | conv 1 4 | "
    "concat { conv 1 2 | conv 1 2 ; relu } }; mul { id | gap ; fc 4 ; sigmoid }; fc 10 nobias",
)
COUNTS = ("params", "weights", "biases", "buffers", "macs", "flops", "memory")
SIZES = ("size", "area", "height", "width", "depth")
PLANTED = ("params", "macs", "flops", "memory", "size")
MOST_LAYERS = 1  # of each sort, in which mistakes are planted


def layers(report: Report) -> list[str]:
    """Some that multiply and add, and some others."""
    names = [[row.name for row in report.rows if (row.cost.macs != 0) is counts] for counts in (True, False)]
    return [name for some in names for name in some[len(some) // 3 :: max(1, len(some) // MOST_LAYERS)][:MOST_LAYERS]]


def exact(*values: int | Fraction) -> tuple[Figure, ...]:
    return tuple(Figure(Fraction(value)) for value in values)


def cell_of(report: Report, layer: str, quantity: str) -> Cell:
    at = next(at for at, row in enumerate(report.rows) if row.name == layer)
    scene = net_of(report).scene(at)
    assert scene is not None
    return Cell(scene, quantity, exact(*range(len({"size": "hwc", "area": "hw"}.get(quantity, "c")))))


def numbers_of(volume: Volume) -> tuple[int, int, int]:
    h, w, c = volume
    assert isinstance(h, int) and isinstance(w, int) and isinstance(c, int)  # noqa: PT018  # for mypy
    return h, w, c


@pytest.mark.parametrize("quantity", [*COUNTS, *SIZES])
@pytest.mark.parametrize("name", NETS)  # the outer loop: what is known of a net is kept
def test_the_formulas_that_are_rewritten_come_to_what_the_engine_says(name: str, quantity: str) -> None:
    report = report_of(name)
    for row in (report.rows[at] for at in sorted(set(net_of(report).alike))):  # one of each kind
        cell = cell_of(report, row.name, quantity)
        if quantity in COUNTS:
            right: tuple[int, ...] = (getattr(row.cost, "activations" if quantity == "memory" else quantity),)
        else:
            h, w, c = numbers_of(row.output)
            right = {"size": (h, w, c), "area": (h, w), "height": (h,), "width": (w,), "depth": (c,)}[quantity]
        assert cell.values(cell.right) == right
        assert likely(Case(report, row.name, quantity), exact(*right)) == ()


@pytest.mark.parametrize("quantity", PLANTED)
@pytest.mark.parametrize("name", NETS)  # the outer loop: what is known of a net is kept
def test_a_mistake_that_is_planted_is_found_and_nothing_less_likely_is_said_before_it(name: str, quantity: str) -> None:
    report = report_of(name)
    for layer in layers(report):
        cell = cell_of(report, layer, quantity)
        right = cell.values(cell.right)
        planted: dict[tuple[int | Fraction, ...], Attempt] = {}
        for attempt in singles(cell):
            values = tuple(
                attempt.conversion.factor * n if attempt.conversion else n for n in cell.values(attempt.draft)
            )
            if values in (right, (4 * right[0],)) or any(Fraction(n).denominator > 1 for n in values):
                continue  # without a unit, bytes are right too; parts of a parameter nobody writes down
            before = planted.setdefault(values, attempt)
            planted[values] = min(before, attempt, key=lambda each: each.weight)
        for values, attempt in planted.items():
            mistakes = likely(Case(report, layer, quantity), exact(*values))
            assert mistakes, (layer, attempt.name, values)
            assert mistakes[0].weight <= attempt.weight
            assert_true(mistakes, values, attempt.name)


def assert_true(mistakes: tuple[Mistake, ...], values: tuple[int | Fraction, ...], planted: str) -> None:
    """All arithmetic is right, and comes to the figures; the mistake itself is told, or its arithmetic by another."""
    results = set()
    for mistake in mistakes:
        for left, right in equations(mistake):
            assert left == pytest.approx(right, rel=1e-9), mistake
            results.add(right)
            if mistake.name != "another layer's answer":
                assert right in [pytest.approx(value, rel=1e-9) for value in values], mistake
    names = {mistake.name for mistake in mistakes}
    assert planted in names or results & set(values) or mistakes[0].weight < 50, (planted, mistakes)


@pytest.mark.parametrize("name", NETS)
def test_receptive_fields_that_are_right_have_no_mistake_and_others_add_up(name: str) -> None:
    report = report_of(name)
    for layer in layers(report):
        case = Case(report, layer, "receptive")
        right = max(follow(report)[[row.name for row in report.rows].index(layer)][0].size)
        assert likely(case, exact(right)) == ()
        for n in {*range(1, 40), right - 1, right + 1} - {0, right}:
            for mistake in likely(case, exact(n)):
                for left, result in equations(mistake):
                    assert left == result == n, mistake


@pytest.mark.parametrize("quantity", COUNTS)
@pytest.mark.parametrize("name", NETS)  # the outer loop: what is known of a net is kept
def test_a_sum_without_a_layer_or_with_one_twice_is_found(name: str, quantity: str) -> None:
    report = report_of(name)
    values = [int(getattr(row.cost, "activations" if quantity == "memory" else quantity)) for row in report.rows]
    right = sum(values)
    for value in {n for n in values[:: max(1, len(values) // 6)] if n and 2 * right != 8 * (right - n)}:
        case = Case(report, None, quantity)
        for wrong_sum in {right - value, right + value} - {0, right, 4 * right}:
            mistakes = likely(case, exact(wrong_sum))
            assert mistakes
            assert mistakes[0].weight <= 25
            for mistake in mistakes:
                for left, result in equations(mistake):
                    assert left == result, mistake


@given(figure=st.integers(1, 10**12), digits=st.integers(1, 4), seed=st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_a_rounded_figure_is_explained_only_by_what_rounds_to_it(figure: int, digits: int, seed: int) -> None:
    unit = 10 ** max(0, len(str(figure)) - digits)
    rounded = Figure(Fraction(figure // unit * unit), Fraction(unit, 2))
    report = report_of("alexnet")
    layer = ("conv1", "conv2", "pool1", "fc6", None, None)[seed]
    for quantity in ("params", "macs"):
        for mistake in likely(Case(report, layer, quantity), (rounded,)):
            for _, right in equations(mistake):
                assert rounded.rounds_from(right), mistake


# ---------------------------------------------------------------- what else it must bear


def test_the_students_own_volumes_take_the_place_of_the_right_ones() -> None:
    report = report_of("alexnet")
    own = Case(report, "pool1", "size", inputs=(Volume(54, 54, 96),))
    assert likely(own, exact(26, 26, 96)) == ()  # floor(51/2) + 1
    assert [mistake.name for mistake in likely(own, exact(25, 25, 96))][:1] == ["+1 forgotten"]  # floor(51/2)
    macs = Case(report, "conv1", "macs", output=Volume(54, 54, 96))
    assert likely(macs, exact(54 * 54 * 96 * 363)) == ()
    assert likely(macs, exact(2 * 54 * 54 * 96 * 363))[0].name == "FLOPs for MACs"


def test_volumes_that_the_rules_refuse_are_no_basis() -> None:
    assert likely(Case(report_of("alexnet"), "pool1", "size", inputs=(Volume(2, 2, 96),)), exact(1, 1, 96)) == ()


def test_a_layer_that_keeps_what_arrives_is_told_the_mistake_of_the_layer_that_made_it() -> None:
    names = {mistake.name for mistake in likely_of(wrong("alexnet", "relu1", "size", 54, 54, 96, name=""))}
    assert "+1 forgotten" in names
    names = {mistake.name for mistake in likely_of(wrong("resnet50", "conv1", "size", 111, 111, 64, name=""))}
    assert {"+1 forgotten", "P once instead of twice"} <= names


def test_memory_without_a_unit_is_right_in_values_and_in_bytes() -> None:
    report = report_of("alexnet")
    for value in (290_400, 1_161_600):
        assert likely(Case(report, "conv1", "memory"), exact(value)) == ()


def test_two_mistakes_are_looked_for_only_where_no_usual_one_fits() -> None:
    for told in ISSUE[:-1]:
        assert {mistake.name for mistake in likely_of(told)} <= set(known_names()), told


def test_a_coincidence_that_nobody_would_think_of_is_no_mistake() -> None:
    assert likely_of(wrong("alexnet", "conv1", "params", 1_024, name="")) == ()  # 3*256 + 256
    names = {mistake.name for mistake in likely_of(wrong("alexnet", "conv1", "size", 54, 54, 96, name=""))}
    assert names == {"+1 forgotten", "input 224 for 227"}
    halved = likely_of(wrong("input 15x15x4; conv 3/2/1 8", "conv1", "size", 7, 7, 8, name=""))
    assert "padding halved" not in {mistake.name for mistake in halved}  # half of 1


def test_all_layers_of_a_sum_have_the_mistake_in_the_same_form() -> None:
    per_place = 55**2 * 34_848 + 27**2 * 614_400 + 13**2 * (884_736 + 1_327_104 + 884_736)
    total = per_place + 96 + 256 + 384 + 384 + 256 + 58_631_144  # fc layers have one position
    names = [mistake.name for mistake in likely_of(wrong("alexnet", None, "params", total, name=""))]
    assert names[0] == "HxW counted in the parameters"


def test_a_receptive_field_goes_on_from_the_students_own() -> None:
    report = report_of("vgg16")
    own = tuple((7, 7) if row.name == "pool1" else (1, 1) for row in report.rows)
    (first, *_) = likely(Case(report, "conv2_1", "receptive", seen=own), exact(9))
    assert (first.name, first.arithmetic) == ("receptive field added instead of scaled", "7 + 3 - 1 = 9")
    assert likely(Case(report, "conv2_1", "receptive", seen=own), exact(8)) == ()  # 6 + 2: of the right one


def test_digits_of_small_numbers_slip_only_where_nothing_else_fits() -> None:
    assert [mistake.name for mistake in likely_of(wrong("alexnet", "conv1", "height", 45, name=""))] == ["digit slip"]
    names = [mistake.name for mistake in likely_of(wrong("alexnet", "conv1", "height", 54, name=""))]
    assert "digit slip" not in names


@pytest.mark.parametrize("value", [0, -5, 10**29, 10**40, Fraction(1, 3), Fraction(10**5000)])
@pytest.mark.parametrize("quantity", QUANTITIES)
def test_figures_that_nobody_can_mean_are_borne(value: int | Fraction, quantity: str) -> None:
    report = report_of("alexnet")
    for layer in ("conv1", "relu1", "fc6", None):
        for count in (0, 1, 2, 3, 4):
            for half in (0, 5):
                figures = (Figure(Fraction(value), Fraction(half)),) * count
                likely(Case(report, layer, quantity), figures)


def test_sizes_in_symbols_have_no_mistakes_and_unknown_layers_none_at_all() -> None:
    assert likely(Case(report_of("input HxWx3; conv 3/1/1 8"), "conv1", "params"), exact(216)) == ()
    with pytest.raises(NoLayer):
        likely(Case(report_of("alexnet"), "conv9", "params"), exact(216))


def test_the_same_answer_is_told_the_same_whatever_the_order_of_sets() -> None:
    code = (
        "from fractions import Fraction as F\n"
        "from archcalc.analyses.costs import measure\n"
        "from archcalc.homework.answers import Figure\n"
        "from archcalc.homework.mistakes import Case, likely\n"
        "from archcalc.library import load\n"
        "built = load('resnet50').build()\n"
        "report = measure(built.graph, built.assumptions)\n"
        "for layer in ('conv1', 'conv2_x.1.conv2', None):\n"
        "    for quantity in ('params', 'macs', 'height', 'receptive'):\n"
        "        for value in (0, 54, 57, 111, 9472, 36928, 25502912):\n"
        "            print(likely(Case(report, layer, quantity), (Figure(F(value)),)))\n"
    )
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        )
        for seed in ("1", "2")
    ]
    told = {run.communicate()[0] for run in runs}
    assert [run.returncode for run in runs] == [0, 0]
    assert len(told) == 1
