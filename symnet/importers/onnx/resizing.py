"""ONNX operators that change the size of images, or look at neighbouring channels and windows."""

from __future__ import annotations

import math

import numpy as np

from symnet.importers.folding import images, matrices
from symnet.importers.folding.resizing import Sampling, along, meant
from symnet.importers.folding.tensors import Tensors, Value
from symnet.importers.onnx.arithmetic import windows_of
from symnet.importers.onnx.call import Call, Reader, Result


def _text(c: Call, name: str, default: str) -> str:
    found = c.get(name, default)
    return found.decode() if isinstance(found, bytes) else str(found)


def _sampling(c: Call) -> Sampling:
    """Opset 10 is floor(k/s), as Upsample is."""
    old = c.op == "Upsample" or c.opset < 11
    mode = _text(c, "mode", "nearest").replace("bilinear", "linear")
    return Sampling(
        mode,
        "asymmetric" if old else _text(c, "coordinate_transformation_mode", "half_pixel"),
        "floor" if old else _text(c, "nearest_mode", "round_prefer_floor"),
        float(c.get("cubic_coeff_a", -0.75)),
        bool(c.get("exclude_outside", 0)),
    )


def _resize(c: Call) -> Result:
    x, new = c.value(0), c.op == "Resize" and c.opset >= 11
    axes = list(c.get("axes") or range(len(x.shape)))
    sizes = [int(s) for s in c.constant(3, "sizes").reshape(-1)] if new and c.has(3) else []
    if _text(c, "keep_aspect_ratio_policy", "stretch") != "stretch" and sizes:
        c.refuse("it keeps the ratio of sides; give the sizes themselves (stretch)")
    if c.get("antialias", 0):
        c.refuse("it smooths (antialias), at the ends as each program likes; export it without")
    given = [] if sizes else _scales(c, 2 if new else 1)
    if len(sizes or given) != len(axes):
        c.refuse(f"it has {len(sizes or given)} sizes or scales for {len(axes)} axes")
    sampling = _sampling(c)
    for k, axis in enumerate(axes):
        before = x.shape[axis]
        after = sizes[k] if sizes else math.floor(before * meant(given[k]))
        scale = None if sizes else given[k]
        if after < 1:
            c.refuse(f"it makes {after} entries of {before}")
        if after != before or (scale is not None and scale != 1):
            x = along(c.tensors, x, axis % len(x.shape), sampling.matrix(before, after, scale))
    return x


def _scales(c: Call, i: int) -> list[float]:
    if c.op == "Upsample" and c.opset < 9:
        found = c.get("scales") or [1, 1, c.get("height_scale", 0), c.get("width_scale", 0)]
    else:
        found = c.constant(i, "scales").reshape(-1)
    scales = [float(s) for s in found]
    if not all(0 < s < matrices.LARGEST for s in scales):
        c.refuse(f"its scales are {scales}")
    return scales


def _crop_or_pad(c: Call) -> Result:
    """The middle of an axis, or it in the middle of zeros."""
    x = c.value(0)
    sizes = [int(s) for s in c.constant(1, "shape").reshape(-1)]
    widths = [(0, 0)] * len(x.shape)
    for axis, size in zip(c.get("axes") or range(len(x.shape)), sizes, strict=True):
        before = abs(size - x.shape[axis]) // 2
        both = before, abs(size - x.shape[axis]) - before
        widths[axis] = both if size > x.shape[axis] else (-both[0], -both[1])
    return c.tensors.pad(x, widths)


def _local_response(c: Call) -> Result:
    """x (k + α/n Σ x²)^−β, the sum over n channels around each."""
    t, x, size = c.tensors, c.value(0), int(c.get("size"))
    channels = x.shape[1]
    k = np.arange(channels)
    near = k[None, :] - k[:, None]
    matrices.check_size(channels * channels, "sums over channels")
    A = ((near >= -((size - 1) // 2)) & (near <= size // 2)) * 1.0
    sums = along(t, t.apply("square", x), 1, A)
    alpha, beta, bias = (c.get(n, d) for n, d in (("alpha", 1e-4), ("beta", 0.75), ("bias", 1.0)))
    scaled = t.add(t.multiply(sums, float(np.float32(alpha)) / size), float(np.float32(bias)))
    return t.multiply(x, t.power(scaled, -float(np.float32(beta))))


def _lp(c: Call, x: Value) -> tuple[Value, float]:
    """|x|^p, whose sum's p-th root is the norm."""
    p = float(c.get("p", 2))
    if p < 1:
        c.refuse(f"its p is {p}")
    t: Tensors = c.tensors
    return (t.apply("square", x) if p == 2 else t.power(t.apply("abs", x), p)), p


def _root(t: Tensors, x: Value, p: float) -> Value:
    return t.apply("sqrt", x) if p == 2 else t.power(x, 1 / p)


def _lp_pool(c: Call) -> Result:
    x = c.value(0)
    powers, p = _lp(c, x)
    windows = windows_of(c, x.shape[2:], tuple(c.get("kernel_shape")))
    return _root(c.tensors, images.sum_pool(c.tensors, c.tensors.form(powers), windows), p)


def _global_lp_pool(c: Call) -> Result:
    powers, p = _lp(c, c.value(0))
    return _root(c.tensors, c.tensors.sum(powers, range(2, len(powers.shape)), True), p)


READERS: dict[str, Reader] = {
    "Resize": _resize,
    "Upsample": _resize,
    "CenterCropPad": _crop_or_pad,
    "LRN": _local_response,
    "LpPool": _lp_pool,
    "GlobalLpPool": _global_lp_pool,
}
