"""Constant masks of attention, of policies and of sums: what they leave nothing of is left out."""

from __future__ import annotations

import numpy as np
import pytest

import symnet
from symnet.importers import Options
from symnet.importers.folding.tensors import Tensors
from symnet.importers.imported import Model
from symnet.witness import analytic
from twins import agrees_along_lines, agrees_with_jax

jax = pytest.importorskip("jax")
pytest.importorskip("scipy")
from jax import nn  # noqa: E402
from jax import numpy as jnp  # noqa: E402

from symnet.importers.jax import imported  # noqa: E402

CAUSAL = np.tri(3, dtype=bool)
SOME = np.array([True, False, True, True])
KEYS, WEIGHTS = np.random.default_rng(4).normal(size=(2, 3, 4))
X = np.random.default_rng(5).normal(size=(4, 3))


def attention(weights):
    """Of three tokens of one number each, with these functions of scores."""

    def call(x):
        h = jnp.tanh(x[:, None] * KEYS)
        return weights(h @ h.T) @ h @ WEIGHTS.T

    return call


def quotient(scores):
    """exp/Σ exp, as textbooks have it."""
    powers = jnp.exp(scores)
    return powers / powers.sum(-1, keepdims=True)


ATTENTION = {
    "where": lambda s: nn.softmax(jnp.where(CAUSAL, s, -jnp.inf)),
    "where 1e9": lambda s: nn.softmax(jnp.where(CAUSAL, s, -1e9)),
    "where the smallest": lambda s: nn.softmax(jnp.where(CAUSAL, s, np.finfo(np.float32).min)),
    "added": lambda s: nn.softmax(s + np.where(CAUSAL, 0, -np.inf)),
    "added 1e9": lambda s: nn.softmax(s - 1e9 * ~CAUSAL),
    "scaled": lambda s: nn.softmax(jnp.where(CAUSAL, 2 * s, -jnp.inf) / 2),
    "jax": lambda s: nn.softmax(s, where=CAUSAL),
    "quotient": lambda s: quotient(jnp.where(CAUSAL, s, -jnp.inf)),
    "shifted": lambda s: quotient(jnp.where(CAUSAL, s, -jnp.inf) - jnp.max(s, -1, keepdims=True)),
    "factor": lambda s: jnp.exp(s) * CAUSAL / jnp.sum(jnp.exp(s) * CAUSAL, -1, keepdims=True),
    "logarithms": lambda s: jnp.exp(nn.log_softmax(jnp.where(CAUSAL, s, -jnp.inf))),
}


def sizes(net, kind="softmax"):
    """Entries of each node of the kind, in order of size."""
    every = zip(net.widths[1:], net.nodes, strict=True)
    return sorted(width for width, node in every if node.kind == kind)


@pytest.mark.parametrize("how", ATTENTION)
def test_masked_attention_is_jaxs(how):
    """To 1e-12 of the terms; the first token sees one, the second two, the third three."""
    function = attention(ATTENTION[how])
    net = symnet.from_jax(function, 3)
    kind = "log_softmax" if how == "logarithms" else "softmax"
    assert sizes(net, kind) == [2, 3]
    assert not any(np.abs(n.bias).max(initial=0) > 1e6 for n in net.nodes if n.bias is not None)
    agrees_with_jax(net, function, X)


MASKED = {
    "policy": lambda x: nn.softmax(jnp.where(SOME, x @ KEYS, -jnp.inf)),
    "log policy": lambda x: nn.log_softmax(jnp.where(SOME, x @ KEYS, -jnp.inf))[np.array([0, 2])],
    "value": lambda x: nn.logsumexp(jnp.where(SOME, x @ KEYS, -jnp.inf)),
    "weighted": lambda x: nn.logsumexp(x @ KEYS, b=np.array([1.0, 2.0, 0.5, 0.0])),
    "largest": lambda x: jnp.max(jnp.where(SOME, x @ KEYS, -jnp.inf)),
    "smallest": lambda x: jnp.min(x @ KEYS, where=SOME, initial=jnp.inf),
    "functions": lambda x: jnp.stack(
        [f(jnp.where(SOME, x @ KEYS, -jnp.inf)) for f in (jnp.exp, jnp.tanh, nn.sigmoid)]
    ),
    "over": lambda x: x[0] / jnp.where(SOME, jnp.exp(x @ KEYS), jnp.inf),
}


@pytest.mark.parametrize("how", MASKED)
def test_infinite_entries_are_by_themselves(how):
    """Each function of an infinity is its limit, beside entries that vary."""
    agrees_with_jax(symnet.from_jax(MASKED[how], 3), MASKED[how], X)


def test_entropy_of_a_masked_policy():
    """0 log 0 is not chosen; JAX's own derivatives are NaN there."""

    def entropy(x):
        p = nn.softmax(jnp.where(SOME, x @ KEYS, -jnp.inf))
        return -jnp.sum(jnp.where(p > 0, p * jnp.log(p), 0))

    def twin(x):
        p = nn.softmax((x @ KEYS)[SOME])
        return -jnp.sum(p * jnp.log(p))

    agrees_with_jax(symnet.from_jax(entropy, 3), twin, X)


def test_masks_that_are_finite_are_told():
    """They are no infinities; a row of nothing else is what it was, and one of -inf is refused."""
    found = imported(lambda x: nn.softmax(jnp.where(SOME, x @ KEYS, -1e9)), 3, Options())
    assert "a mask makes 1e9 smaller" in str(found)
    assert "mask" not in str(imported(MASKED["policy"], 3, Options()))
    alone = symnet.from_jax(lambda x: nn.softmax(jnp.where(SOME < 0, x @ KEYS, -1e9)) * x[0], 3)
    np.testing.assert_allclose(analytic.value(alone, [8.0, 0, 0]), [2, 2, 2, 2])
    with pytest.raises(ValueError, match="leaves nothing of it"):
        symnet.from_jax(lambda x: nn.softmax(jnp.where(np.eye(3)[:2] > 0, x, -jnp.inf), 0), 3)


@pytest.mark.parametrize(
    ("function", "what"),
    [
        (
            lambda x: x * jnp.array([1.0, jnp.inf, 1]),
            "combines what depends on the inputs with inf",
        ),
        (lambda x: jnp.where(SOME[:3], x, jnp.inf), "is inf; weights must be finite"),
    ],
)
def test_infinities_that_stay_are_refused(function, what):
    """As factors, and as outputs."""
    with pytest.raises(ValueError, match=what):
        symnet.from_jax(function, 3)


def test_sums_take_nothing_of_an_infinity_elsewhere():
    """0 times −∞ is no entry of a sum that is made of others."""
    t = Tensors()
    (x,) = t.fold.inputs_of([(2, 2)])
    sums = t.sum(t.add(x, np.array([[0, -np.inf], [0, 0]])), [1], False)
    net = Model(t, (("x", 4),), (("y", t.apply("exp", sums)),)).network(Options())
    np.testing.assert_allclose(analytic.value(net, [1.0, 2, 3, 4]), [0, np.exp(7)])


# --- other frameworks ---------------------------------------------------------------------------


def transformer(torch, mask):
    """An encoder of one layer, trained for some steps, with a mask that it keeps."""
    torch.manual_seed(0)

    class Encoder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding, self.head = torch.nn.Linear(1, 4), torch.nn.Linear(4, 1)
            layer = torch.nn.TransformerEncoderLayer(
                4, 2, 8, batch_first=True, activation="gelu", norm_first=True
            )
            self.encoder = torch.nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
            self.register_buffer("mask", mask)

        def forward(self, x):
            hidden = self.encoder(self.embedding(x.unsqueeze(-1)), mask=self.mask)
            return self.head(hidden).squeeze(-1)

    module = Encoder()
    steps = torch.optim.SGD(module.parameters(), 0.05)
    for _ in range(5):
        steps.zero_grad()
        (module(torch.randn(8, 3)) ** 2).mean().backward()
        steps.step()
    return module


@pytest.mark.parametrize("kind", ["bool", "causal", "float"])
def test_transformers_of_pytorch(kind):
    """It looks at the mask's numbers, which torch.export does not have."""
    torch = pytest.importorskip("torch")
    later = torch.tensor(~CAUSAL)
    others = torch.tensor([[False, True, False], [False, False, False], [True, False, False]])
    mask = {"bool": others, "causal": later, "float": torch.zeros(3, 3).masked_fill(later, -1e9)}
    module = transformer(torch, mask[kind])
    net, wide = symnet.from_torch(module, shape=(3,)), module.double().eval()
    if kind == "causal":
        assert sizes(net) == [2, 2, 3, 3]
    jacobian = torch.autograd.functional.jacobian
    from torch.nn.attention import SDPBackend, sdpa_kernel

    for point in X[:2]:
        x = torch.from_numpy(point)

        def call(p):
            return wide(p[None])[0]

        def slopes(p, call=call):
            return jacobian(call, p, create_graph=True)

        with sdpa_kernel(SDPBackend.MATH):  # the others have no second derivatives
            expected = call(x).detach(), slopes(x).detach(), jacobian(slopes, x)
        for order, engine in enumerate(analytic.BY_ORDER):
            error = np.abs(engine(net, point) - expected[order].numpy())
            assert (error <= 1e-12 * (1 + analytic.scale(net, point, order))).all(), order


def test_queries_in_groups():
    """Two heads of queries with one of keys and values."""
    torch = pytest.importorskip("torch")
    attend = torch.nn.functional.scaled_dot_product_attention

    class Grouped(torch.nn.Module):
        def forward(self, x):
            q, k = x.reshape(-1, 2, 2, 1), torch.sin(x).reshape(-1, 1, 4, 1)[:, :, :2]
            return attend(q, k, k, is_causal=True, enable_gqa=True).flatten(1)

    module = Grouped()
    net = symnet.from_torch(module, shape=(4,))
    P = np.random.default_rng(1).normal(size=(3, 4))
    np.testing.assert_allclose(analytic.value(net, P), module(torch.from_numpy(P)), rtol=1e-13)


@pytest.mark.parametrize("how", ["Where", "Add"])
def test_masks_of_onnx(tmp_path, how):
    """As torch.onnx writes causal masks: −∞ by Where, or added."""
    onnx = pytest.importorskip("onnx")
    reference = pytest.importorskip("onnx.reference")
    make, numbers = onnx.helper, onnx.numpy_helper
    mask = np.where(CAUSAL, 0, -np.inf)
    first = {
        "Where": make.make_node("Where", ["causal", "s", "low"], ["m"]),
        "Add": make.make_node("Add", ["s", "mask"], ["m"]),
    }
    nodes = [
        make.make_node("Transpose", ["x"], ["xt"], perm=[0, 2, 1]),
        make.make_node("MatMul", ["x", "xt"], ["s"]),
        first[how],
        make.make_node("Softmax", ["m"], ["a"], axis=-1),
        make.make_node("MatMul", ["a", "x"], ["y"]),
    ]
    given = {"causal": CAUSAL, "low": np.array(-np.inf), "mask": mask}
    graph = make.make_graph(
        nodes,
        "attention",
        [make.make_tensor_value_info("x", onnx.TensorProto.DOUBLE, ["batch", 3, 2])],
        [make.make_tensor_value_info("y", onnx.TensorProto.DOUBLE, ["batch", 3, 2])],
        [numbers.from_array(np.asarray(v), name) for name, v in given.items()],
    )
    model = make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=8)
    path = tmp_path / "causal.onnx"
    onnx.save(model, path)
    net = symnet.load(path)
    assert sizes(net) == [2, 3]
    evaluate = reference.ReferenceEvaluator(model)
    points = np.random.default_rng(3).normal(size=(2, 6))
    agrees_along_lines(
        net, lambda P: evaluate.run(None, {"x": P.reshape(-1, 3, 2)})[0], points, 1e-2, 1e-9
    )
