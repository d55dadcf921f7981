"""The doors by which networks and names come in: what each takes, and what it says of other things.

Whoever is told what was found, and by which door that comes in, needs no documentation.
"""

import os
import re
from pathlib import Path

import numpy as np
import pytest

import symnet

NET = symnet.Network.dense([2, 3, 1], hidden="tanh", seed=1, inputs=["T [K]", "p/p0"])
ARRAYS = [NET.layers[0].weights, NET.layers[0].bias, NET.layers[1].weights, NET.layers[1].bias]


def test_every_reader_says_by_which_door_another_thing_comes_in():
    """It was `OrderedDict is no torch.nn.Module`, and of a module code that symnet cannot read."""
    torch = pytest.importorskip("torch")
    linear = pytest.importorskip("sklearn.linear_model")
    module, model = torch.nn.Linear(2, 1), linear.LinearRegression()
    wrong = [
        (symnet.load, module, "symnet.from_torch(module) reads"),
        (symnet.load, model, "symnet.from_sklearn(model) reads"),
        (symnet.from_sklearn, module, "symnet.from_torch(module) reads"),
        (symnet.from_torch, model, "symnet.from_sklearn(model) reads"),
        (symnet.from_torch, "net.pt", "symnet.load reads a file"),
        (symnet.from_torch, module.state_dict(), "symnet.from_arrays(arrays, activations)"),
        (lambda f: symnet.from_jax(f, 2), model, "symnet.from_sklearn(model) reads"),
        (lambda f: symnet.from_jax(f, 2), module, "symnet.from_torch(module) reads"),
        (lambda f: symnet.from_jax(f, 2), lambda x: module(x) ** 2, "from_torch(module) reads"),
        (lambda f: symnet.from_jax(f, 2), model.fit([[0, 1]], [1]).predict, "from_sklearn(model)"),
    ]
    for door, thing, advice in wrong:
        with pytest.raises((TypeError, ValueError), match=re.escape(advice)):
            door(thing)


def test_names_are_names():
    """A tensor to trace with was taken for five names, and a shape for two."""
    torch = pytest.importorskip("torch")
    module = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Tanh(), torch.nn.Linear(2, 1))
    for wrong in (torch.rand(5, 3), (5, 3), 3):
        with pytest.raises(TypeError, match=r"inputs: .* is no name; .*shape=\(3,\)"):
            symnet.from_torch(module, wrong)
    assert symnet.from_torch(module, shape=3) == symnet.from_torch(module)


@pytest.mark.parametrize(
    "shape", [(None, 3), 3.0, "3", (3.0,), (-1, 3), np.ones(3), [(3,), 2.5], {"x": None}]
)
def test_a_shape_is_of_whole_numbers(shape):
    """An array of three ones, to trace with, was taken for the shape (1, 1, 1)."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("jax")
    said = "a shape is needed, as|a size of the shape is"
    with pytest.raises((TypeError, ValueError), match=said):
        symnet.from_torch(torch.nn.Linear(3, 1), shape=shape)
    with pytest.raises((TypeError, ValueError), match=said):
        symnet.from_jax(lambda x: x**2, shape)


def test_tensors_are_arrays():
    """Parameters ask for gradients, and NumPy knows no bfloat16."""
    torch = pytest.importorskip("torch")
    module = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Tanh(), torch.nn.Linear(2, 1))
    expected = symnet.from_torch(module)
    assert symnet.from_arrays(list(module.parameters()), "tanh") == expected
    half = module.to(torch.bfloat16)
    narrow = symnet.from_arrays(half.state_dict(), ["tanh", "linear"])
    assert narrow == symnet.from_torch(half, check=False)


def test_pairs_of_weights_and_biases_are_arrays():
    """As parameters stand in JAX; a tuple that is no pair was NumPy's inhomogeneous shape."""
    W1, b1, W2, b2 = ARRAYS
    made = symnet.from_arrays([(W1, b1), (W2, b2)], "tanh", inputs=NET.input_names)
    assert made == NET
    turned = symnet.from_arrays([(W1.T, b1), (W2.T, None)], "tanh", layout="in,out")
    assert turned == symnet.from_arrays([W1, b1, W2], "tanh")


def test_ragged_points_are_said_to_be():
    """NumPy speaks of an array element that is set with a sequence."""
    f = symnet.derive(NET).compile()
    for take in (f, f.value, lambda X: symnet.sensitivity(NET, X)):
        with pytest.raises(ValueError, match="is ragged: its rows have several lengths"):
            take([[1.0, 2.0], [3.0]])


def test_ranges_are_by_name():
    """Two numbers each."""
    pytest.importorskip("matplotlib")
    said = "ranges are by name, as {'T [K]': (0, 1)}; found (0, 1)"
    with pytest.raises(TypeError, match=re.escape(said)):
        symnet.plot(NET, over=(0, 1))
    with pytest.raises(ValueError, match=r"range of T \[K\] is 1; expected two rising numbers"):
        symnet.plot(NET, over={"T [K]": 1})


def test_models_keep_the_names_of_their_inputs():
    """A data frame's columns were looked for as T__K_, and not found."""
    pandas = pytest.importorskip("pandas")
    neural = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(0)
    frame = pandas.DataFrame(rng.random((20, 3)), columns=["p/p0", "T [K]", 'the "third"'])
    model = neural.LinearRegression().fit(frame, frame["T [K]"] ** 2)
    net = symnet.from_sklearn(model)
    assert net.input_names == tuple(frame.columns)
    y = symnet.derive(net, order=1).compile().value(frame)
    np.testing.assert_allclose(y[:, 0], model.predict(frame), rtol=1e-12)


def test_a_file_is_told_what_the_command_tells_it(tmp_path):
    """Activations of arrays, names and outputs: all were options of `symnet import` only."""
    path = tmp_path / "net.npz"
    np.savez(path, *ARRAYS)
    advice = (
        r"symnet\.load\(path, activations=\['tanh', 'linear'\]\) or symnet import --activations"
    )
    with pytest.raises(ValueError, match=advice):
        symnet.load(path)
    for told in ("tanh", ["tanh", "linear"]):
        found = symnet.load(path, activations=told, inputs=NET.input_names)
        assert found == NET
    symnet.save(NET, tmp_path / "net.json")
    assert symnet.load(tmp_path / "net.json", outputs=["q"]).output_names == ("q",)
    with pytest.raises(ValueError, match="says its activations itself"):
        symnet.load(tmp_path / "net.json", activations="tanh")


@pytest.mark.parametrize("path", ["", b"", 3, None, ["net.json"]])
def test_what_names_no_file_is_refused_everywhere(path):
    """An empty name was a folder, `Is a directory: '.'`, or a file beside it."""
    derived = symnet.derive(NET, order=1)
    doors = [symnet.load, lambda p: symnet.save(NET, p), derived.generate, derived.report]
    for door in doors:
        with pytest.raises((TypeError, ValueError), match="a file's name is needed, got"):
            door(path)


def test_bytes_are_a_files_name(tmp_path, monkeypatch):
    """As for `open`."""
    monkeypatch.chdir(tmp_path)
    symnet.save(NET, b"net.json")
    assert symnet.load(b"net.json") == NET
    symnet.derive(NET, order=1).generate(b"slopes.json")
    assert sorted(os.listdir()) == ["net.json", "slopes.json"]


def test_a_folder_is_no_page(tmp_path):
    """Its pictures stayed beside it."""
    folder = tmp_path / "page.md"
    folder.mkdir()
    with pytest.raises(ValueError, match=r"page\.md: is a folder; a report is a file"):
        symnet.derive(NET, order=1).report(folder)
    assert list(Path(tmp_path).iterdir()) == [folder]


def test_a_derivation_is_checked_by_what_it_compiles_to():
    """It has an order as functions have, and no derivatives of points."""
    with pytest.raises(TypeError, match=r"what derive\(network\).compile\(\) gives is needed"):
        symnet.check(NET, symnet.derive(NET))


def test_what_is_no_tensor_is_refused_with_what_to_give():
    """PyTorch's own advice was to register a pytree."""
    torch = pytest.importorskip("torch")

    class Policy(torch.nn.Linear):
        def forward(self, x):
            return torch.distributions.Normal(super().forward(x), 1.0)

    with pytest.raises(ValueError, match="of a distribution give the mean, or logits") as caught:
        symnet.from_torch(Policy(2, 1))
    assert len(str(caught.value)) < 400
