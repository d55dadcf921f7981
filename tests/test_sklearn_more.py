"""scikit-learn's classifiers, splines, generalised and periodic models: values, and derivatives.

Derivatives are held beside JAX where a formula is short, else beside differences of the estimator.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import symnet
from symnet.witness import analytic
from twins import agrees_along_lines, agrees_with_jax

pytest.importorskip("sklearn")
pytest.importorskip("scipy")
from sklearn.cluster import FeatureAgglomeration
from sklearn.compose import TransformedTargetRegressor
from sklearn.decomposition import FastICA
from sklearn.discriminant_analysis import (
    LinearDiscriminantAnalysis,
    QuadraticDiscriminantAnalysis,
)
from sklearn.ensemble import RandomForestRegressor, StackingClassifier, VotingClassifier
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ExpSineSquared, Matern
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import (
    GammaRegressor,
    LassoLars,
    LogisticRegression,
    PoissonRegressor,
    RidgeClassifier,
    SGDClassifier,
    TweedieRegressor,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    KBinsDiscretizer,
    PowerTransformer,
    QuantileTransformer,
    SplineTransformer,
    StandardScaler,
)
from sklearn.svm import SVC, LinearSVC

RNG = np.random.default_rng(7)
X = RNG.normal(size=(60, 3))
Y = np.exp(X[:, 0] / 2) + np.abs(X[:, 1]) + 0.1
TWO, THREE = (np.median(Y) < Y).astype(int), np.digitize(Y, np.quantile(Y, [0.3, 0.6]))
P = RNG.normal(size=(6, 3))

REGRESSORS = {
    "Poisson": PoissonRegressor(),
    "Gamma": GammaRegressor(),
    "Tweedie, identity": TweedieRegressor(power=0),
    "LassoLars": LassoLars(alpha=0.01),
    "KernelRidge laplacian": KernelRidge(kernel="laplacian", gamma=0.3),
    "KernelRidge cosine": KernelRidge(kernel="cosine"),
    "Matern 1/2": GaussianProcessRegressor(Matern(nu=0.5), optimizer=None, alpha=0.1),
    "Matern smooth": GaussianProcessRegressor(Matern(nu=np.inf), optimizer=None, alpha=0.1),
    "FastICA": make_pipeline(FastICA(random_state=0), LassoLars(alpha=0.01)),
    "agglomeration": make_pipeline(FeatureAgglomeration(2), LassoLars(alpha=0.01)),
    "power target": TransformedTargetRegressor(
        LassoLars(alpha=0.01), transformer=PowerTransformer()
    ),
    **{
        f"splines {how}": make_pipeline(
            SplineTransformer(
                n_knots=4, degree=degree, extrapolation=how, include_bias=how != "linear"
            ),
            LassoLars(alpha=0.001),
        )
        for how, degree in (("constant", 3), ("linear", 3), ("continue", 2))
    },
}


@pytest.mark.parametrize("name", REGRESSORS)
def test_regressors(name):
    """Values, Jacobian and Hessian beside predict and its differences."""
    model = REGRESSORS[name].fit(X, Y)
    net = symnet.from_sklearn(model)
    points = np.vstack([P, 3 * P])  # outside of the knots, too
    np.testing.assert_allclose(analytic.value(net, points)[:, 0], model.predict(points), atol=1e-10)
    agrees_along_lines(net, model.predict, points, 1e-4, 1e-5)


CLASSIFIERS = [
    LinearDiscriminantAnalysis(),
    QuadraticDiscriminantAnalysis(),
    GaussianNB(),
    VotingClassifier(
        [("a", LogisticRegression()), ("b", GaussianNB())], voting="soft", weights=[2, 1]
    ),
    StackingClassifier([("a", LogisticRegression()), ("b", GaussianNB())]),
    StackingClassifier([("a", LogisticRegression())], passthrough=True),
]


@pytest.mark.parametrize("labels", [TWO, THREE], ids=["two", "three"])
@pytest.mark.parametrize("model", CLASSIFIERS, ids=lambda m: type(m).__name__)
def test_probabilities(model, labels):
    """Of two classes and of three; Jacobian and Hessian by differences."""
    model.fit(X, labels)
    net = symnet.from_sklearn(model)
    np.testing.assert_allclose(analytic.value(net, P), model.predict_proba(P), atol=1e-12)
    agrees_along_lines(net, model.predict_proba, P, 1e-3, 1e-8)


@pytest.mark.parametrize(
    "model",
    [
        SVC(kernel="rbf"),
        SVC(kernel="poly", degree=2, coef0=1.0),
        LinearSVC(),
        RidgeClassifier(),
        SGDClassifier(random_state=0),
        LinearDiscriminantAnalysis(),
        QuadraticDiscriminantAnalysis(),
    ],
    ids=lambda m: type(m).__name__,
)
def test_decision_functions(model):
    """As logits; without probabilities the refusal says so."""
    model = make_pipeline(StandardScaler(), model).fit(X, TWO)
    net = symnet.from_sklearn(model, classes="logits")
    np.testing.assert_allclose(analytic.value(net, P)[:, 0], model.decision_function(P), atol=1e-11)
    agrees_along_lines(net, model.decision_function, P, 1e-3, 1e-7)
    if not hasattr(model, "predict_proba"):
        with pytest.raises(ValueError, match='classes="logits"'):
            symnet.from_sklearn(model)


def test_support_vectors_have_jaxs_derivatives():
    """Σ α exp(−γ |x − v|²) + b."""
    model = SVC(kernel="rbf", gamma=0.25).fit(X, TWO)
    net = symnet.from_sklearn(model, classes="logits")

    def twin(x):
        import jax.numpy as jnp

        apart = ((x - model.support_vectors_) ** 2).sum(axis=1)
        return jnp.exp(-0.25 * apart) @ model.dual_coef_[0] + model.intercept_

    agrees_with_jax(net, twin, P)


def test_a_periodic_kernel_has_jaxs_derivatives():
    """Of one input its distance is a difference: no kink at the points it was trained on."""
    model = GaussianProcessRegressor(ExpSineSquared(1.5, 2.0), optimizer=None, alpha=0.1)
    model.fit(X[:9, :1], Y[:9])
    net = symnet.from_sklearn(model)

    def twin(x):
        import jax.numpy as jnp

        d = x - model.X_train_[:, 0]
        return jnp.exp(-2 * (jnp.sin(np.pi * d / 2.0) / 1.5) ** 2) @ model.alpha_

    agrees_with_jax(net, twin, np.vstack([P[:, :1], X[:3, :1]]))


REFUSED = {
    "trees": (RandomForestRegressor(2), "trees are constant in steps"),
    "neighbours": (KNeighborsRegressor(), "neighbours"),
    "bins": (
        make_pipeline(KBinsDiscretizer(3, encode="ordinal"), LassoLars()),
        "SplineTransformer",
    ),
    "quantiles": (
        make_pipeline(QuantileTransformer(n_quantiles=10), LassoLars()),
        "PowerTransformer",
    ),
    "periodic": (
        make_pipeline(SplineTransformer(extrapolation="periodic"), LassoLars()),
        "extrapolates periodic",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_derivative_is_refused_with_a_remedy(name):
    """Which estimator, why, what to do."""
    model, what = REFUSED[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, Y)
    with pytest.raises(ValueError, match=what):
        symnet.from_sklearn(model)


def test_votes_are_refused():
    """Hard votes, and SVC among several classes."""
    hard = VotingClassifier([("a", LogisticRegression())], voting="hard").fit(X, TWO)
    with pytest.raises(ValueError, match="counts votes"):
        symnet.from_sklearn(hard)
    with pytest.raises(ValueError, match="votes among 3 classes"):
        symnet.from_sklearn(SVC().fit(X, THREE), classes="logits")
