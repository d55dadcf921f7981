"""scikit-learn: what is fitted there gives the same values here, and derivatives by differences."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from symnet.importers.imported import Options
from symnet.importers.sklearn import from_sklearn, imported
from symnet.witness import analytic
from twins import agrees_with_jax

pytest.importorskip("sklearn")
pytest.importorskip("scipy")
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.cross_decomposition import PLSRegression
from sklearn.decomposition import PCA
from sklearn.ensemble import BaggingRegressor, StackingRegressor, VotingRegressor
from sklearn.feature_selection import SelectKBest, f_regression
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import (
    RBF,
    ConstantKernel,
    DotProduct,
    Matern,
    RationalQuadratic,
    WhiteKernel,
)
from sklearn.impute import SimpleImputer
from sklearn.kernel_approximation import Nystroem, RBFSampler
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputRegressor, RegressorChain
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    PolynomialFeatures,
    PowerTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import SVR, NuSVR

RNG = np.random.default_rng(3)
X = RNG.uniform(0.5, 3.0, size=(60, 3)) * [1, 10, 100]
Y = np.log(X[:, 0]) + np.sin(X[:, 1] / 10) + X[:, 2] / 100


def mlp(**more):
    """A small network, trained a little."""
    return MLPRegressor(
        hidden_layer_sizes=(6, 5), activation="tanh", max_iter=40, random_state=0, **more
    )


def fitted(model, targets=Y):
    """The model, trained without complaints that it is not done."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(X, targets)


MODELS = {
    "mlp": mlp(),
    "logistic": MLPRegressor(
        hidden_layer_sizes=(4,), activation="logistic", max_iter=30, random_state=0
    ),
    "standard": make_pipeline(StandardScaler(), mlp()),
    "min max": make_pipeline(MinMaxScaler((-1, 1)), mlp()),
    "max abs": make_pipeline(MaxAbsScaler(), mlp()),
    "robust": make_pipeline(RobustScaler(), mlp()),
    "polynomial": make_pipeline(PolynomialFeatures(3), StandardScaler(), mlp()),
    "log": make_pipeline(FunctionTransformer(np.log), mlp()),
    "pca": make_pipeline(StandardScaler(), PCA(2, whiten=True), mlp()),
    "k best": make_pipeline(SelectKBest(f_regression, k=2), StandardScaler(), mlp()),
    "columns": make_pipeline(
        ColumnTransformer(
            [("log", FunctionTransformer(np.log), [0]), ("scaled", StandardScaler(), [1, 2])]
        ),
        mlp(),
    ),
    "columns, passed through": make_pipeline(
        ColumnTransformer([("s", StandardScaler(), [2])], remainder="passthrough"), mlp()
    ),
    "target scaled": TransformedTargetRegressor(mlp(), transformer=StandardScaler()),
    "target of a logarithm": TransformedTargetRegressor(
        make_pipeline(StandardScaler(), mlp()), func=np.log1p, inverse_func=np.expm1
    ),
    "linear": LinearRegression(),
    "ridge": make_pipeline(PolynomialFeatures(2), Ridge()),
    "kernel ridge": make_pipeline(StandardScaler(), KernelRidge(0.1, kernel="rbf", gamma=0.3)),
    "kernel ridge, linear": KernelRidge(0.1),
    "kernel ridge, polynomial": make_pipeline(
        StandardScaler(), KernelRidge(0.1, kernel="poly", degree=3, coef0=2)
    ),
    "kernel ridge, sigmoid": make_pipeline(StandardScaler(), KernelRidge(1, kernel="sigmoid")),
    "support vectors": make_pipeline(StandardScaler(), SVR()),
    "support vectors, polynomial": make_pipeline(StandardScaler(), NuSVR(kernel="poly", coef0=1)),
    "gaussian process": make_pipeline(
        StandardScaler(),
        GaussianProcessRegressor(
            ConstantKernel(2.0) * RBF([1.0, 2.0, 3.0]) + WhiteKernel(0.01),
            optimizer=None,
            normalize_y=True,
        ),
    ),
    "gaussian process of several kernels": make_pipeline(
        StandardScaler(),
        GaussianProcessRegressor(
            ConstantKernel(2.0) * Matern([1.0, 2.0, 3.0], nu=1.5) * DotProduct(1.5)
            + Matern(2.0, nu=2.5)
            + RationalQuadratic(1.5, 0.7)
            + RBF(2.0) ** 2
            + 0.5,
            alpha=0.1,
            optimizer=None,
        ),
    ),
    "votes": VotingRegressor(
        [("a", make_pipeline(StandardScaler(), mlp())), ("b", Ridge()), ("c", "drop")],
        weights=[2, 1, 3],
    ),
    "stack": StackingRegressor(
        [("a", make_pipeline(StandardScaler(), mlp())), ("b", Ridge())],
        Ridge(),
        cv=2,
        passthrough=True,
    ),
    "bag": make_pipeline(
        StandardScaler(), BaggingRegressor(mlp(), 3, max_features=2, random_state=0)
    ),
    "powers": make_pipeline(PowerTransformer(), mlp()),
    "powers of positive numbers": make_pipeline(PowerTransformer("box-cox"), mlp()),
    "random features": make_pipeline(StandardScaler(), RBFSampler(random_state=0), Ridge()),
    "nystroem": make_pipeline(StandardScaler(), Nystroem(n_components=9, random_state=0), Ridge()),
    "partial least squares": PLSRegression(2),
    "interactions": make_pipeline(
        PolynomialFeatures(3, interaction_only=True, include_bias=False), StandardScaler(), Ridge()
    ),
    "union": make_pipeline(
        SimpleImputer(),
        FeatureUnion(
            [("s", StandardScaler()), ("n", Normalizer()), ("d", "drop"), ("p", "passthrough")],
            transformer_weights={"n": 3},
        ),
        StandardScaler(),
        mlp(),
    ),
    "weighted columns": make_pipeline(
        ColumnTransformer(
            [("s", StandardScaler(), [True, False, True])],
            remainder="passthrough",
            transformer_weights={"s": 0.5, "remainder": 2},
        ),
        mlp(),
    ),
    "target through two": TransformedTargetRegressor(
        GridSearchCV(make_pipeline(StandardScaler(), Ridge()), {"ridge__alpha": [0.1, 1]}, cv=2),
        transformer=make_pipeline(FunctionTransformer(np.log1p, np.expm1), StandardScaler()),
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_models_agree_with_scikit_learn(name):
    """Values to 1e-12 of the terms, at the points they were trained on."""
    model = fitted(MODELS[name])
    found = imported(model, Options())
    assert "compared with scikit-learn" in found.compared
    error = np.abs(analytic.value(found.network, X)[:, 0] - np.ravel(model.predict(X)))
    assert (error <= 1e-12 * (1 + analytic.scale(found.network, X, 0)[:, 0])).all()


@pytest.mark.parametrize(
    "model",
    [
        MultiOutputRegressor(make_pipeline(StandardScaler(), mlp())),
        RegressorChain(make_pipeline(StandardScaler(), mlp()), order=[1, 0]),
    ],
    ids=("each", "chain"),
)
def test_several_outputs(model):
    """One regressor an output, and each with the outputs before it."""
    both = np.stack([Y, np.cos(Y)], axis=1)
    net = from_sklearn(fitted(model, both))
    np.testing.assert_allclose(analytic.value(net, X), model.predict(X), rtol=0, atol=1e-12)


def test_scaling_is_folded_into_a_chain():
    """StandardScaler and a scaled target leave layers only."""
    model = TransformedTargetRegressor(
        make_pipeline(StandardScaler(), mlp()), transformer=MinMaxScaler()
    )
    net = from_sklearn(fitted(model))
    assert net.describe() == "3-6-5-1, tanh, tanh, linear"


def layers(model, x, function):
    """What the estimator says of itself, written in JAX."""
    for k, (W, b) in enumerate(zip(model.coefs_, model.intercepts_, strict=True)):
        x = x @ W + b
        x = function(x) if k < len(model.coefs_) - 1 else x
    return x


def standard(scaler, x):
    """What the scaler says of itself."""
    return (x - scaler.mean_) / scaler.scale_


def twin_polynomial(model, np_):
    features, scaler, net = (step for _, step in model.steps)
    powers = features.powers_

    def call(x):
        terms = np_.stack(
            [np_.prod(np_.stack([x[i] ** int(p) for i, p in enumerate(row)])) for row in powers]
        )
        return layers(net, standard(scaler, terms), np_.tanh)

    return call


def twin_target(model, np_):
    scaler, net = (step for _, step in model.regressor_.steps)
    return lambda x: np_.expm1(layers(net, standard(scaler, x), np_.tanh))


def twin_process(model, np_):
    scaler, process = (step for _, step in model.steps)
    lengths = np.array([1.0, 2.0, 3.0])

    def call(x):
        distance = ((standard(scaler, x) - process.X_train_) / lengths) ** 2
        kernel = 2.0 * np_.exp(-0.5 * distance.sum(axis=1))
        return process._y_train_mean + process._y_train_std * (kernel @ process.alpha_)

    return call


def twin_ridge(model, np_):
    scaler, ridge = (step for _, step in model.steps)

    def call(x):
        distance = (standard(scaler, x) - ridge.X_fit_) ** 2
        return np_.exp(-0.3 * distance.sum(axis=1)) @ ridge.dual_coef_

    return call


TWINS = {
    "standard": lambda model, np_: (
        lambda x: layers(model.steps[1][1], standard(model.steps[0][1], x), np_.tanh)
    ),
    "logistic": lambda model, np_: lambda x: layers(model, x, lambda z: 1 / (1 + np_.exp(-z))),
    "polynomial": twin_polynomial,
    "target of a logarithm": twin_target,
    "gaussian process": twin_process,
    "kernel ridge": twin_ridge,
}


@pytest.mark.parametrize("name", TWINS)
def test_derivatives_are_those_of_the_model(name):
    """Of the estimator's own numbers, written in JAX and differentiated by it."""
    numpy = pytest.importorskip("jax.numpy")
    model = fitted(MODELS[name])
    agrees_with_jax(from_sklearn(model, check=False), TWINS[name](model, numpy), X[:4])


def test_derivatives_of_probabilities():
    """softmax of a classifier's last layer."""
    nn = pytest.importorskip("jax.nn")
    labels = np.digitize(Y, np.quantile(Y, [1 / 3, 2 / 3]))
    model = fitted(make_pipeline(StandardScaler(), MLPClassifier((5,), max_iter=20)), labels)
    scaler, net = (step for _, step in model.steps)

    def call(x):
        return nn.softmax(layers(net, standard(scaler, x), nn.relu))

    agrees_with_jax(from_sklearn(model), call, X[:4])


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("kind", [MLPClassifier, LogisticRegression])
def test_classifiers(kind, count):
    """Probabilities as predict_proba has them; logits, whose softmax they are."""
    labels = np.digitize(Y, np.quantile(Y, np.arange(1, count) / count))
    model = kind(random_state=0, max_iter=50)
    model = fitted(make_pipeline(StandardScaler(), model), labels)
    net = from_sklearn(model)
    np.testing.assert_allclose(analytic.value(net, X), model.predict_proba(X), atol=1e-12)
    logits = from_sklearn(model, classes="logits")
    assert logits.m == (1 if count == 2 else count)
    with pytest.raises(ValueError, match="classes are 'votes'"):
        from_sklearn(model, classes="votes")


def test_poisson_loss_has_an_exponential_output():
    """`out_activation_` is "exp" with it, in the versions that have it."""
    model = fitted(mlp(loss="poisson"), np.exp(Y / 4))
    assert model.out_activation_ == "exp"
    assert from_sklearn(model).nodes[-1].label == "exp"


def test_names_of_columns_are_those_of_inputs():
    """Where they are plain."""
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["rho", "T", "p"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = make_pipeline(StandardScaler(), mlp()).fit(frame, Y)
    assert [s.name for s in from_sklearn(model).inputs] == ["rho", "T", "p"]
    assert [s.name for s in from_sklearn(model, inputs=["a", "b", "c"]).inputs] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("model", "what"),
    [
        (make_pipeline(FunctionTransformer(lambda x: x + 1), LinearRegression()), "is code that"),
        (KernelRidge(kernel="chi2", gamma=1.0), "the kernel 'chi2' is not read"),
        (GaussianProcessRegressor(Matern(nu=0.7), optimizer=None), "Matern with nu = 0.7"),
    ],
)
def test_what_cannot_be_read_is_named(model, what):
    """Code in a pipeline, and kernels that are not of this kind."""
    with pytest.raises(ValueError, match=what):
        from_sklearn(fitted(model))


def test_models_that_are_not_fitted_and_strangers_are_refused():
    """Before anything is read of them."""
    with pytest.raises(ValueError, match="MLPRegressor is not fitted"):
        from_sklearn(MLPRegressor())
    from sklearn.ensemble import RandomForestRegressor

    with pytest.raises(ValueError, match="RandomForestRegressor is not read: trees"):
        from_sklearn(fitted(RandomForestRegressor(3)))
