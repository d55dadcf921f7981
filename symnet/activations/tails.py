"""Where a logarithm's argument is 1 and next to nothing: log(1 + exp(u)) is exp(u) there.

Its roots and powers are numbers of a double still where exp(u) itself is none: sqrt(log(1 + exp z))
is exp(z/2) at -800. From u < -40 on the two are the same to 17 digits, and so are all derivatives.
"""

from __future__ import annotations

import sympy
from sympy import Expr, S, exp, log
from sympy.core.relational import Relational

from symnet.activations.systems import Z

_BOUND = 40


def vanishing(arm: Expr) -> tuple[Expr, Relational] | None:
    """The formula where its log(1 + exp(u)) is exp(u), and the condition on z; None without one."""
    found = {node: u for node in arm.atoms(log) if (u := _exponent(node)) is not None}
    if len(set(found.values())) != 1:
        return None
    (u,) = set(found.values())
    rate = sympy.diff(u, Z)
    if not rate.is_number or not rate.is_real or rate == 0:
        return None
    bound = float((-_BOUND - u.subs(Z, 0)) / rate)
    there = sympy.powdenest(arm.xreplace({node: exp(u) for node in found}), force=True)
    return there, bound > Z if rate > 0 else bound < Z


def _exponent(node: Expr) -> Expr | None:
    rest = node.args[0] - S.One
    return rest.args[0] if isinstance(rest, exp) else None
