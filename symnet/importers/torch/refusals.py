"""PyTorch's operations that symnet does not read, and what to do about them."""

from __future__ import annotations

from typing import Any

_RANDOM = "it draws random numbers; give a module whose evaluation does not (its mean, its logits)"
_JUMPS = "it jumps, which symnet's formulas do not; of an angle use sin and cos"
_CHOICE = "it chooses by values: that has no derivative; leave it out of what forward gives"
LOOKED_UP = (
    "it looks numbers up by whole ones (Embedding, one_hot), which have no derivative: give the "
    "module with the category fixed, one for each, or of what is looked up; an Embedding is read "
    "where the module casts to them (x[:, 0].long())"
)
BY_BATCH = "it normalises by the batch; track_running_stats and eval() are needed"
ROUNDED = (
    "it rounds what depends on the inputs to integers: no derivative; where they choose an entry "
    "(Embedding, one_hot, a table), give the module with the category fixed, or of what is "
    "looked up"
)

_SLOPE = (
    "it is a step of a derivative that the module takes; give the module that it takes it of, and "
    "have the derivative from symnet"
)
_SPECIAL = "it is a special function that symnet's formulas do not have"
_COMPLEX = "it computes with complex numbers; symnet reads real ones"
_SAMPLED = "it samples an image at places that are computed; give the module without it"
_LINEAR = "it factors a matrix that depends on the inputs; write its formula out in products"

_REASONS = {
    **dict.fromkeys(("copysign", "nextafter", "angle"), _JUMPS),
    **dict.fromkeys(("argmax", "argmin", "argsort", "nonzero", "unique2", "mode"), _CHOICE),
    **dict.fromkeys(("embedding_bag", "one_hot"), LOOKED_UP),
    **dict.fromkeys(("i0", "mvlgamma", "polygamma", "igamma", "igammac"), _SPECIAL),
    **dict.fromkeys(("view_as_complex", "fft_rfft", "_fft_r2c", "fft_fft"), _COMPLEX),
    **dict.fromkeys(("_linalg_eigh", "linalg_eig", "linalg_eigvals", "_linalg_svd"), _LINEAR),
    **dict.fromkeys(("linalg_matrix_exp", "linalg_qr", "linalg_lu_factor_ex"), _LINEAR),
    "grid_sampler_3d": _SAMPLED,
    "_local_scalar_dense": "it takes a number out of a tensor (item): compute with the tensor",
    "cond": "it runs one of two branches by values; write torch.where(condition, one, other)",
    "complex": "it computes with complex numbers; symnet reads real ones",
}


def is_random(torch: Any, target: Any) -> bool:
    """Whether the operation gives other numbers at each call."""
    return torch.Tag.nondeterministic_seeded in getattr(target, "tags", ())


def reason(target: Any, name: str) -> str:
    """Why the operation is refused, and what to do."""
    if "nondeterministic_seeded" in str(getattr(target, "tags", "")):
        return _RANDOM
    if name.startswith("special_"):
        return _SPECIAL
    if name.endswith(("_backward", "_jvp")):
        return _SLOPE
    return _REASONS.get(name) or "symnet has no rule for it; say which module needs it"


def check_numbers(torch: Any, module: Any) -> None:
    """ValueError where a parameter or buffer has no numbers: of a lazy layer, or on `meta`."""
    for name, tensor in module.state_dict(keep_vars=True).items():
        if torch.nn.parameter.is_lazy(tensor):
            raise ValueError(
                f"{name!r} of a lazy layer has no numbers yet; train the module, or call it once"
            )
        if isinstance(tensor, torch.Tensor) and tensor.is_meta:
            raise ValueError(
                f"{name!r} is on the device meta and has no numbers; load them by "
                "load_state_dict(…, assign=True)"
            )
