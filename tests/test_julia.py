"""Julia's text parsed; `test_languages` runs it where there is a Julia."""

from __future__ import annotations

import re

import pytest

import symnet
from symnet import languages
from symnet.languages import julia
from symnet.languages.job import Job
from test_languages import NETWORKS

SEEN = ("activations", "many", "attention", "log_classifier", "one")


@pytest.fixture(scope="module")
def tree():
    """A function that gives the syntax tree's root, or a visible skip."""
    parsing = pytest.importorskip("tree_sitter")
    grammar = pytest.importorskip("tree_sitter_julia")
    parser = parsing.Parser(parsing.Language(grammar.language()))
    return lambda text: parser.parse(text.encode()).root_node


def below(node):
    """The node and all below it."""
    yield node
    for child in node.children:
        yield from below(child)


def left_over(root):
    """Expressions that stand as statements: what is left of a line that was broken."""
    kinds = ("binary_expression", "unary_expression")
    places = ("function_definition", "for_statement", "block")
    found = [c for node in below(root) if node.type in places for c in node.children]
    return [c for c in found if c.type in kinds]


@pytest.mark.parametrize("name", SEEN)
def test_it_parses(name, tree):
    """Without an error; a statement too long for a line is one statement still."""
    text = julia.source(Job.of(NETWORKS[name](), 2, "net"))
    root = tree(text)
    assert not root.has_error
    assert not left_over(root)
    assert max(map(len, text.splitlines())) <= 132


def test_the_parser_finds_errors(tree):
    """An end or a bracket too few, or a line broken where a statement may end."""
    text = julia.source(Job.of(NETWORKS["one"](), 2, "net"))
    assert tree(text.replace("\nend\n", "\n", 1)).has_error
    assert tree(text.replace("function sin_0(z)", "function sin_0(z", 1)).has_error
    assert left_over(tree(text.replace(" + a1[1]", "\n    + a1[1]", 1)))


def test_no_function_is_hidden_where_it_is_called():
    """A name assigned in a function is local in all of its body."""
    text = julia.source(Job.of(NETWORKS["many"](), 3, "net"))
    for body in re.findall(r"^function .*?^end$", text, re.DOTALL | re.MULTILINE):
        assigned = re.findall(r"^ +([\w, ]+) = ", body, re.MULTILINE)
        names = {name for group in assigned for name in group.split(", ")}
        assert not (names - {"T"}) & set(re.findall(r"(\w+!?)\(", body.partition("\n")[2]))


@pytest.mark.parametrize("name", ["outer", "baremodule", "value_jacobian"])
def test_names_never_collide(name):
    """Julia's words and the functions themselves are no names of a module."""
    net = symnet.Network.dense([2, 3, 1], "tanh", seed=3)
    with pytest.raises(ValueError, match=r"choose another$"):
        languages.generate(net, "julia", name=name)


def test_refusal():
    """Its precision is that of x."""
    with pytest.raises(ValueError, match="leave out precision float"):
        languages.generate(NETWORKS["one"](), "julia", precision="float")
