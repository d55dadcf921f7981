"""scikit-learn's classifiers, splines, generalised and periodic models: values, and derivatives.

Derivatives are held beside JAX where a formula is short, else beside differences of the estimator.
"""

from __future__ import annotations

import warnings
from importlib import import_module

import numpy as np
import pytest

import symnet
from symnet.witness import analytic
from twins import agrees_along_lines, agrees_with_jax

pytest.importorskip("sklearn")
pytest.importorskip("scipy")
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import FeatureAgglomeration
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.decomposition import PCA, FactorAnalysis, FastICA, KernelPCA, SparsePCA
from sklearn.discriminant_analysis import (
    LinearDiscriminantAnalysis,
    QuadraticDiscriminantAnalysis,
)
from sklearn.ensemble import (
    BaggingClassifier,
    RandomForestRegressor,
    StackingClassifier,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.feature_selection import RFE
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import (
    RBF,
    ConstantKernel,
    DotProduct,
    ExpSineSquared,
    Matern,
    PairwiseKernel,
)
from sklearn.isotonic import IsotonicRegression
from sklearn.kernel_approximation import SkewedChi2Sampler
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
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsRegressor, NeighborhoodComponentsAnalysis
from sklearn.neural_network import BernoulliRBM
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MinMaxScaler,
    PowerTransformer,
    QuantileTransformer,
    SplineTransformer,
    StandardScaler,
)
from sklearn.random_projection import SparseRandomProjection
from sklearn.svm import SVC, LinearSVC

from symnet.importers.sklearn import _RULES, refusals

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
    "Matern 7/2": GaussianProcessRegressor(Matern([1, 2, 3], nu=3.5), optimizer=None, alpha=0.1),
    "pairwise": GaussianProcessRegressor(
        PairwiseKernel(0.1, metric="poly"), optimizer=None, alpha=10.0
    ),
    "KernelRidge of a process's kernel": KernelRidge(kernel=RBF(2.0) + DotProduct()),
    "FastICA": make_pipeline(FastICA(random_state=0), LassoLars(alpha=0.01)),
    "FactorAnalysis": make_pipeline(FactorAnalysis(2), LassoLars(alpha=0.01)),
    "KernelPCA": make_pipeline(KernelPCA(2, kernel="rbf", gamma=0.2), LassoLars(alpha=0.01)),
    "projection": make_pipeline(SparseRandomProjection(2, random_state=0), LassoLars(alpha=0.01)),
    "RFE": RFE(LassoLars(alpha=0.01), n_features_to_select=2),
    "RFE first": make_pipeline(RFE(LassoLars(alpha=0.01)), LassoLars(alpha=0.01)),
    "arctan": make_pipeline(FunctionTransformer(np.arctan), LassoLars(alpha=0.01)),
    "degrees": make_pipeline(FunctionTransformer(np.rad2deg), LassoLars(alpha=0.01)),
    "passthrough": Pipeline([("none", "passthrough"), ("last", LassoLars(alpha=0.01))]),
    "no columns": make_pipeline(
        ColumnTransformer([("none", StandardScaler(), []), ("some", "passthrough", [2, 0])]),
        LassoLars(alpha=0.01),
    ),
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
        for how, degree in (("constant", 3), ("linear", 3), ("continue", 2), ("periodic", 3))
    },
    "SparsePCA": make_pipeline(SparsePCA(2, random_state=0), LassoLars(alpha=0.01)),
    "RBM": make_pipeline(
        MinMaxScaler(), BernoulliRBM(2, learning_rate=1.0, random_state=0), LassoLars(alpha=1e-5)
    ),
    "skewed": make_pipeline(
        SkewedChi2Sampler(skewedness=20, n_components=8, random_state=0), LassoLars(alpha=1e-3)
    ),
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
    OneVsRestClassifier(LogisticRegression()),
    BaggingClassifier(LogisticRegression(), 2, max_features=2, random_state=0),
    make_pipeline(LinearDiscriminantAnalysis(), GaussianNB()),
    make_pipeline(LinearDiscriminantAnalysis(solver="eigen"), LogisticRegression()),
    make_pipeline(NeighborhoodComponentsAnalysis(2, max_iter=5), LogisticRegression()),
    SGDClassifier(loss="log_loss", random_state=0),
    CalibratedClassifierCV(LogisticRegression(), cv=2),
    CalibratedClassifierCV(GaussianNB(), cv=2),
]


@pytest.mark.parametrize("labels", [TWO, THREE], ids=["two", "three"])
@pytest.mark.parametrize("model", CLASSIFIERS, ids=lambda m: type(m).__name__)
def test_probabilities(model, labels):
    """Of two classes and of three; Jacobian and Hessian by differences."""
    model.fit(X, labels)
    net = symnet.from_sklearn(model)
    np.testing.assert_allclose(analytic.value(net, P), model.predict_proba(P), atol=1e-12)
    agrees_along_lines(net, model.predict_proba, P, 1e-3, 1e-8)


SEVERAL = {
    "classes": MultiOutputClassifier(LogisticRegression()),
    "chain of classes": ClassifierChain(LogisticRegression(), order=[1, 0]),
    "chain": ClassifierChain(LogisticRegression(), chain_method="predict_proba"),
}


@pytest.mark.parametrize("name", SEVERAL)
def test_several_labels(name):
    """Side by side; in a chain the classes before are steps, or their probabilities go on."""
    model = SEVERAL[name].fit(X, np.stack([TWO, X[:, 1] > 0], axis=1))

    def call(points):
        found = model.predict_proba(points)
        return np.concatenate(found, axis=1) if isinstance(found, list) else found

    net = symnet.from_sklearn(model)
    np.testing.assert_allclose(analytic.value(net, P), call(P), atol=1e-12)
    agrees_along_lines(net, call, P, 1e-3, 1e-8)
    assert (len(net.kinks) > 0) == (name == "chain of classes")


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


DECIDING = [
    OneVsRestClassifier(LogisticRegression()),
    OneVsRestClassifier(LinearSVC()),
    BaggingClassifier(LogisticRegression(), 2, max_features=2, random_state=0),
    StackingClassifier([("a", LogisticRegression()), ("b", GaussianNB())]),
    StackingClassifier([("a", LinearSVC()), ("b", LogisticRegression())]),
]


@pytest.mark.parametrize("labels", [TWO, THREE], ids=["two", "three"])
@pytest.mark.parametrize("model", DECIDING, ids=lambda m: type(m).__name__)
def test_decision_functions_of_classifiers_of_others(model, labels):
    """Of stacks the last one's, on what the others give: probabilities, or decisions."""
    model.fit(X, labels)
    net = symnet.from_sklearn(model, classes="logits")
    expected = model.decision_function(P).reshape(len(P), -1)
    np.testing.assert_allclose(analytic.value(net, P), expected, atol=1e-11)
    agrees_along_lines(net, model.decision_function, P, 1e-3, 1e-7)


@pytest.mark.parametrize("how", ["predict", "predict_proba"])
def test_decision_functions_of_a_chain(how):
    """On probabilities or classes of the labels before."""
    model = ClassifierChain(LogisticRegression(), chain_method=how, order=[1, 0])
    model.fit(X, np.stack([TWO, X[:, 1] > 0], axis=1))
    net = symnet.from_sklearn(model, classes="logits")
    np.testing.assert_allclose(analytic.value(net, P), model.decision_function(P), atol=1e-12)


@pytest.mark.parametrize(
    "model",
    [
        VotingClassifier([("a", LogisticRegression()), ("b", GaussianNB())], voting="soft"),
        CalibratedClassifierCV(LogisticRegression(), cv=2),
        BaggingClassifier(GaussianNB(), 2, random_state=0),
        OneVsRestClassifier(GaussianNB()),
    ],
    ids=lambda m: type(m).__name__,
)
def test_means_of_probabilities_have_no_logits(model):
    """Means of logits were handed out as such, and probabilities as logits."""
    with pytest.raises(ValueError, match="has no decision function, and so no logits"):
        symnet.from_sklearn(model.fit(X, THREE), classes="logits")


def test_what_does_not_tell_its_width():
    """It is fitted, and was said not to be; what is not read at all says that first."""
    model = GaussianProcessRegressor(ConstantKernel(2.0), optimizer=None).fit(X, Y)
    with pytest.raises(ValueError, match="does not tell how many features it takes"):
        symnet.from_sklearn(model)
    with pytest.raises(ValueError, match="IsotonicRegression is not read: it interpolates"):
        symnet.from_sklearn(IsotonicRegression().fit(X[:, 0], Y))


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
    "votes on the way": (
        make_pipeline(VotingRegressor([("a", LassoLars())]), LassoLars()),
        "VotingRegressor as a transformer",
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
    """Hard votes, and SVC among several classes, which tells what to set."""
    hard = VotingClassifier([("a", LogisticRegression())], voting="hard").fit(X, TWO)
    with pytest.raises(ValueError, match="counts votes"):
        symnet.from_sklearn(hard)
    with pytest.raises(ValueError, match=r"votes among 3 classes.*ovo"):
        symnet.from_sklearn(SVC().fit(X, THREE), classes="logits")


@pytest.mark.parametrize("kernel", ["rbf", "linear"])
def test_pairs_of_classes(kernel):
    """SVC's decision of each pair, from the vectors of these two."""
    model = SVC(kernel=kernel, decision_function_shape="ovo").fit(X, THREE)
    net = symnet.from_sklearn(model, classes="logits")
    np.testing.assert_allclose(analytic.value(net, P), model.decision_function(P), atol=1e-11)
    agrees_along_lines(net, model.decision_function, P, 1e-3, 1e-7)


def test_thresholds_change_no_probabilities():
    """FixedThresholdClassifier: those of its estimator."""
    model = FixedThresholdClassifier(LogisticRegression(), threshold=0.3).fit(X, TWO)
    net = symnet.from_sklearn(model)
    np.testing.assert_allclose(analytic.value(net, P), model.predict_proba(P), atol=1e-12)


def test_transformers_alone_and_estimators_of_single_precision():
    """Compared by what they transform to; float32 as doubles: scikit-learn rounds in it."""
    model = make_pipeline(StandardScaler(), PCA(2)).fit(X)
    np.testing.assert_allclose(
        analytic.value(symnet.from_sklearn(model), P), model.transform(P), atol=1e-14
    )
    large = (X + 100).astype(np.float32)
    assert symnet.from_sklearn(make_pipeline(PCA(2), LassoLars(alpha=0.01)).fit(large, Y)).n == 3


def test_columns_between_two_names():
    """A slice of names has both its ends, as pandas takes it."""
    frame = pytest.importorskip("pandas").DataFrame(X, columns=["T", "p", "rho"])
    chosen = ColumnTransformer([("some", StandardScaler(), slice("T", "p"))])
    model = make_pipeline(chosen, LassoLars(alpha=0.01)).fit(frame, Y)
    net = symnet.from_sklearn(model)
    np.testing.assert_allclose(analytic.value(net, X)[:, 0], model.predict(frame), atol=1e-13)


def test_squared_distances_keep_their_digits():
    """Of a width of 0.01 |x|² − 2 x·v + |v|² would leave eleven."""
    model = GaussianProcessRegressor(RBF(0.01), optimizer=None).fit(X, Y)
    near = X + 0.01 * RNG.normal(size=X.shape)
    found = analytic.value(symnet.from_sklearn(model), near)[:, 0]
    np.testing.assert_allclose(found, model.predict(near), rtol=1e-13)


MODULES = (
    *("cluster", "compose", "covariance", "cross_decomposition", "decomposition", "dummy"),
    *("discriminant_analysis", "ensemble", "feature_selection", "frozen", "gaussian_process"),
    *("impute", "isotonic", "kernel_approximation", "kernel_ridge", "linear_model", "manifold"),
    *("model_selection", "multiclass", "multioutput", "naive_bayes", "neighbors", "calibration"),
    *("neural_network", "pipeline", "preprocessing", "random_projection", "svm", "tree"),
    "feature_extraction",
)


def test_tables_are_of_names_that_scikit_learn_has():
    """A name that it has not would never be read; those of other versions aside."""
    names = {name for part in MODULES for name in vars(import_module(f"sklearn.{part}"))}
    older = {"PassiveAggressiveRegressor", "PassiveAggressiveClassifier"}
    assert set(_RULES) - names <= {"HalvingGridSearchCV", "HalvingRandomSearchCV"} | older
    assert set(refusals._REASONS) <= names
    kinds = (type(name, (), {"__module__": "sklearn.some"}) for name in names)
    assert all(kind.__name__ in refusals.reason(kind()) for kind in kinds)
