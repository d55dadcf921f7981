"""Convolutions and pooling as places: which entries of an image each window sees."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from symnet.importers.folding import matrices
from symnet.network.weights import Array


@dataclass(frozen=True)
class Windows:
    """How a kernel moves over an image; one number an axis, pads first those at the beginnings.

    ValueError, with the numbers, for an image that no window fits.
    """

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    pads: tuple[int, ...]
    ceil: bool = False

    @classmethod
    def of(
        cls,
        kernel: Sequence[int],
        strides: Sequence[int] | None = None,
        dilations: Sequence[int] | None = None,
        pads: Sequence[int] | None = None,
        ceil: bool = False,
    ) -> Windows:
        """With strides and dilations of 1 and no padding where they are left out."""
        rank = len(kernel)
        given = (strides or [1] * rank, dilations or [1] * rank, pads or [0] * 2 * rank)
        if [len(part) for part in given] != [rank, rank, 2 * rank]:
            raise ValueError(f"kernel {list(kernel)} with strides, dilations, pads {list(given)}")
        if min(kernel) < 1 or min(given[0]) < 1 or min(given[1]) < 1 or min(given[2]) < 0:
            raise ValueError(f"kernel {list(kernel)} with strides, dilations, pads {list(given)}")
        steps, dilated, padded = (tuple(map(int, part)) for part in given)
        return cls(tuple(kernel), steps, dilated, padded, ceil)

    def extent(self, axis: int) -> int:
        """Entries from the first to the last that a window sees."""
        return (self.kernel[axis] - 1) * self.dilations[axis] + 1

    def count(self, axis: int, size: int) -> int:
        """Windows along an axis of this size."""
        rank = len(self.kernel)
        before, after = self.pads[axis], self.pads[rank + axis]
        room = size + before + after - self.extent(axis)
        if room < 0:
            raise ValueError(
                f"a window of {self.extent(axis)} entries on {size} and {before + after} of padding"
            )
        if not self.ceil:
            return room // self.strides[axis] + 1
        windows = -(-room // self.strides[axis]) + 1
        # The last window must begin inside the image or the padding before it.
        return windows - ((windows - 1) * self.strides[axis] >= size + before)

    def places(self, image: Sequence[int]) -> Array:
        """Flat places in the image, shape (*windows, *kernel); −1 where there is padding."""
        rank = len(self.kernel)
        if len(image) != rank:
            raise ValueError(f"a kernel of {rank} axes on an image of {len(image)}")
        counts = [self.count(axis, size) for axis, size in enumerate(image)]
        matrices.check_size(math.prod(counts) * math.prod(self.kernel), "a window's places")
        places, inside = np.zeros((), dtype=np.int64), np.ones((), dtype=bool)
        for axis, size in enumerate(image):
            start = np.arange(counts[axis]) * self.strides[axis] - self.pads[axis]
            along = start[:, None] + np.arange(self.kernel[axis]) * self.dilations[axis]
            shape = [1] * 2 * rank
            shape[axis], shape[rank + axis] = along.shape
            along = along.reshape(shape)
            places = places * size + along
            inside = inside & (along >= 0) & (along < size)
        return np.where(inside, places, -1)

    def sizes(self, image: Sequence[int]) -> Array:
        """How many entries of the image and its padding each window has, flat."""
        found = np.ones(1, dtype=np.int64)
        for axis, size in enumerate(image):
            start = np.arange(self.count(axis, size)) * self.strides[axis] - self.pads[axis]
            along = start[:, None] + np.arange(self.kernel[axis]) * self.dilations[axis]
            inside = (along < size + self.pads[len(image) + axis]).sum(axis=1)
            found = np.outer(found, inside).reshape(-1)
        return found


def same_pads(
    image: Sequence[int],
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    more_before: bool = False,
) -> list[int]:
    """The padding with which there are ceil(size/stride) windows; an odd one goes to the end."""
    before, after = [], []
    for size, k, stride, dilation in zip(image, kernel, strides, dilations, strict=True):
        windows = -(-size // stride)
        total = max((windows - 1) * stride + (k - 1) * dilation + 1 - size, 0)
        small, large = total // 2, total - total // 2
        before.append(large if more_before else small)
        after.append(small if more_before else large)
    return before + after
