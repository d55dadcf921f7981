"""JAX's primitives that symnet does not read, and what to do about them."""

from __future__ import annotations

_CONTROL = "its steps depend on values; give the function of one branch, or of a fixed number"
_CHOICE = "it chooses by values: that has no derivative; leave it out of what is returned"
_STEPS = "it is constant in steps: its derivative is 0 wherever there is one"
_COMPLEX = "it computes with complex numbers; symnet reads real ones"
_SPECIAL = "it is a special function that symnet's formulas do not have"
_RANDOM = "it draws random numbers; give a function that does not"
_LINEAR = "it factors a matrix that depends on the inputs; write its formula out in products"

_REASONS = {
    **dict.fromkeys(("while", "cond"), _CONTROL),
    **dict.fromkeys(("argmax", "argmin", "approx_top_k"), _CHOICE),
    "nextafter": _STEPS,
    **dict.fromkeys(("fft", "complex", "real", "imag", "conj"), _COMPLEX),
    **dict.fromkeys(("polygamma", "bessel_i0e", "bessel_i1e"), _SPECIAL),
    **dict.fromkeys(("igamma", "igammac", "regularized_incomplete_beta", "zeta"), _SPECIAL),
    **dict.fromkeys(("random_bits", "random_wrap", "threefry2x32", "random_seed"), _RANDOM),
    **dict.fromkeys(("lu", "qr", "svd", "eigh", "eig"), _LINEAR),
}

SPECIAL = frozenset(
    (
        *("spence", "exp1", "expi", "expn", "fresnel", "sici", "owens_t", "hyp1f1", "hyp2f1"),
        *("gamma", "gammasgn", "beta", "poch", "ndtri", "_ndtri", "betainc", "dawsn", "erfcx"),
        *("wofz", "bessel_jn", "zeta", "polygamma"),
    )
)
"""Functions of JAX's, made of approximations that symnet's formulas do not have."""


def special(name: str) -> str:
    """Why one of those is refused."""
    return f"the function {name!r}: {_SPECIAL}"


def reason(name: str) -> str:
    """`: why`, or nothing."""
    return f": {_REASONS[name]}" if name in _REASONS else ""
