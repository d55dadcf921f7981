"""Activations as network files hold them: accepted only where they come back equal."""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from symnet.activations.activation import Activation, from_tree
from symnet.activations.limits import Tree, shown
from symnet.activations.systems import Z
from symnet.activations.trees import expression_of, tree_of


def from_stored(name: str, tree: Tree, kinks: Sequence[Tree] = ()) -> Activation:
    """The activation of a tree, which `tree` of it gives back equal, kinks included.

    Raises ValueError, in one line, for anything else: what SymPy cannot work with as well.
    """
    try:
        return _own(name, tree, kinks)
    except ValueError:
        raise
    except Exception as error:  # whatever SymPy answers to a formula is about the formula
        reason = shown(f"{type(error).__name__}: {error}")
        raise ValueError(
            f"activation {name!r}: SymPy cannot work with {shown(tree)} ({reason})"
        ) from None


def stored_kinks(own: Activation) -> list[Tree]:
    """The kinks that `from_stored` needs: none where they are those found in the formula.

    Raises ValueError for one that no tree says.
    """
    if own.kinks == Activation(own.name, own.value).kinks:
        return []
    return [tree_of(sympy.sympify(kink), Z) for kink in own.kinks]


def _own(name: str, tree: Tree, kinks: Sequence[Tree]) -> Activation:
    own = from_tree(name, tree)
    if from_tree(name, own.tree) != own:
        raise ValueError(
            f"activation {name!r}: the formula {shown(tree)} would be another when it is saved "
            "and loaded; write it more simply"
        )
    places = tuple(_place(name, kink) for kink in kinks)
    return Activation(name, own.value, places) if places else own


def _place(name: str, kink: Tree) -> sympy.Expr:
    place = expression_of(kink, Z)
    if place.free_symbols:
        raise ValueError(f"activation {name!r}: kinks are numbers, not functions of z")
    return place
