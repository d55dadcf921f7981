"""PyTorch's operations that symnet does not read, and what to do about them."""

from __future__ import annotations

from typing import Any

_RANDOM = "it draws random numbers; give a module whose evaluation does not (its mean, its logits)"
_STEPS = "it is constant in steps: its derivative is 0 wherever there is one"
_CHOICE = "it chooses by values: that has no derivative; leave it out of what forward gives"
_WHOLE = "it makes whole numbers of what depends on the inputs: that has no derivative"

_REASONS = {
    **dict.fromkeys(("floor", "ceil", "round", "trunc", "frac", "remainder", "fmod"), _STEPS),
    **dict.fromkeys(("heaviside", "floor_divide", "bucketize", "searchsorted"), _STEPS),
    **dict.fromkeys(("argmax", "argmin", "topk", "sort", "argsort", "nonzero", "unique2"), _CHOICE),
    **dict.fromkeys(("median", "mode", "kthvalue", "any", "all"), _CHOICE),
    **dict.fromkeys(("embedding", "embedding_bag", "one_hot"), _WHOLE),
    "complex": "it computes with complex numbers; symnet reads real ones",
}


def is_random(torch: Any, target: Any) -> bool:
    """Whether the operation gives other numbers at each call."""
    return torch.Tag.nondeterministic_seeded in getattr(target, "tags", ())


def reason(target: Any, name: str) -> str:
    """Why the operation is refused, and what to do."""
    if "nondeterministic_seeded" in str(getattr(target, "tags", "")):
        return _RANDOM
    return _REASONS.get(name) or "symnet has no rule for it; say which module needs it"
