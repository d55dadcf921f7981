"""What torch.export makes of a module; derivatives that it takes itself, by what these run."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, suppress
from itertools import cycle
from traceback import walk_tb
from typing import Any

from symnet.extras import needed
from symnet.importers.torch import program, refusals
from symnet.names import shortened

_TRANSFORMS = (
    *("torch._functorch.apis", "torch._functorch.eager_transforms", "torch._functorch.vmap"),
    *("torch.autograd", "torch.autograd.functional"),
)
_ADVICE = {
    "Guard failed": "export it with a batch of one",  # of a module that torch.export has made
    "more than 1 value per channel": refusals.BY_BATCH,
    "indices": refusals.LOOKED_UP,
    "index tensor": refusals.LOOKED_UP,
    "is not a known type": "it gives what is no tensor: of a distribution give the mean, or logits",
}


def exported(
    torch: Any, module: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], shapes: str
) -> Any:
    """The program. ValueError says why PyTorch cannot trace the module with these `shapes`."""
    try:
        with _silent(), _unvalidated(torch), _looked_at(torch, module, args, kwargs):
            return _exported(torch, module, args, kwargs)
    except Exception as error:  # what is no graph fails in many ways, all said by torch
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        said = shortened(first, 200)
        raise ValueError(
            f"torch.export cannot trace the module with tensors of the shapes {shapes} ({said}); "
            f"{_advice(first, error)}"
        ) from None


def _advice(words: str, error: Exception) -> str:
    for part, advice in _ADVICE.items():
        if part in words:
            return advice
    if any(f.f_globals.get("__name__") in _TRANSFORMS for f, _ in walk_tb(error.__traceback__)):
        return (
            "it takes derivatives in a way that PyTorch cannot trace: give the module that it "
            "takes them of, and have them from symnet"
        )
    return "its steps must not depend on values"


def _exported(torch: Any, module: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """By the first of PyTorch's ways that does; the error is that of torch.export itself."""
    if isinstance(module, torch.jit.ScriptModule):
        converter = needed("torch._export.converter", "torch").TS2EPConverter
        return converter(module, args, kwargs or None).convert()
    with suppress(Exception):
        whole = torch.export.export(module, args, kwargs)
        if not program.transforms(whole):
            return whole
    for mode in ("fake", "real"):  # some derivatives inside vmap are traced with numbers only
        with suppress(Exception):
            return _with_derivatives(torch, module, args, kwargs, mode)
    return torch.export.export(module, args, kwargs)


def _with_derivatives(torch: Any, module: Any, args: Any, kwargs: Any, mode: str) -> Any:
    """A module that takes derivatives itself (autograd.grad, torch.func), by what these run."""
    tracing = needed("torch.fx.experimental.proxy_tensor", "torch")
    leaves, spec = torch.utils._pytree.tree_flatten((args, kwargs))

    def flat(*tensors: Any) -> Any:
        more, named = torch.utils._pytree.tree_unflatten(tensors, spec)
        return module(*more, **named)

    graph = tracing.make_fx(flat, tracing_mode=mode, _allow_non_fake_inputs=True)(*leaves)
    graph.graph.eliminate_dead_code()
    return torch.export.export(graph, tuple(leaves))


@contextmanager
def _silent() -> Iterator[None]:
    """Without PyTorch's lines on what it cannot trace, which is said by an error."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")  # of attributes that LSTM sets itself, and the like
            yield
    finally:
        logging.disable(before)


@contextmanager
def _unvalidated(torch: Any) -> Iterator[None]:
    """Distributions do not look at their parameters, which have no values yet."""
    own = torch.distributions.Distribution
    before = own._validate_args
    own.set_default_validate_args(False)
    try:
        yield
    finally:
        own.set_default_validate_args(before)


@contextmanager
def _looked_at(torch: Any, module: Any, args: Any, kwargs: Any) -> Iterator[None]:
    """nn.Transformer looks whether a mask is causal: told before, as masks have no values then."""
    room = torch.nn.modules.transformer
    looking = torch.nn.TransformerEncoder, torch.nn.TransformerDecoder
    if not any(isinstance(part, looking) for part in module.modules()):
        yield
        return
    own, seen = room._detect_is_causal_mask, []

    def look(*given: Any) -> bool:
        seen.append(own(*given))
        return seen[-1]

    try:
        room._detect_is_causal_mask = look
        with torch.no_grad(), suppress(Exception):
            module(*args, **kwargs)
        answers = cycle(seen)
        room._detect_is_causal_mask = lambda *given: next(answers) if seen else own(*given)
        yield
    finally:
        room._detect_is_causal_mask = own
