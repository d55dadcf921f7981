"""Files that torch.save writes: a module's state_dict, read without PyTorch and without running
it; whole modules are refused. torch.load is the witness."""

from __future__ import annotations

import io
import os
import pickle
import zipfile

import numpy as np
import pytest

import symnet
from symnet.files import NetworkFileError
from symnet.importers import Options, read
from symnet.importers.formats import checkpoint

torch = pytest.importorskip("torch")
nn = torch.nn

TANH = Options(activations=["tanh"])


def module(kind=torch.float64):
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).to(kind)


def saved(path, what, **options):
    torch.save(what, path, **options)
    return path


@pytest.mark.parametrize("kind", ["float64", "float32", "float16", "bfloat16"])
def test_a_state_dict_is_the_modules_network(tmp_path, kind):
    """To the last bit, as the live module's."""
    live = module(getattr(torch, kind))
    found = read(saved(tmp_path / "net.pt", live.state_dict()), TANH)
    assert found.exactness == f"weights {'float32' if kind == 'bfloat16' else kind}, held exactly"
    expected = symnet.from_torch(live.double())
    for mine, other in zip(found.network.layers, expected.layers, strict=True):
        assert np.array_equal(mine.weights, other.weights)
        assert np.array_equal(mine.bias, other.bias)


@pytest.mark.parametrize("kind", ["float64", "float32", "float16", "bfloat16"])
def test_files_from_before_pytorch_1_6_hold_the_same(tmp_path, kind):
    """Of one stream, with an optimizer's arrays beside the module's, which share a storage."""
    live = module(getattr(torch, kind))
    whole = {"state_dict": live.state_dict(), "optimizer": {"exp_avg": torch.ones(7)}}
    whole["state_dict"]["0.bias"] = torch.arange(9).to(getattr(torch, kind))[1::2]
    old = saved(tmp_path / "old.pth", whole, _use_new_zipfile_serialization=False)
    new = read(saved(tmp_path / "new.pth", whole), TANH).network
    assert read(old, TANH).network == new
    content = old.read_bytes()
    for length in range(20, len(content), 61):
        old.write_bytes(content[:length])
        with pytest.raises(NetworkFileError):
            read(old, TANH)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "best.pth.tar", "model", "net.pkl"])
def test_what_torch_saves_is_known_by_its_content(tmp_path, name):
    """Whatever it is called."""
    for zipped in (True, False):
        state = module().state_dict()
        path = saved(tmp_path / name, state, _use_new_zipfile_serialization=zipped)
        assert read(path, TANH).network.n == 3


def test_layers_are_taken_by_name(tmp_path):
    """An actor of a policy's checkpoint, beside which are its critic and its deviations."""
    state = {f"actor.{key}": value for key, value in module().state_dict().items()}
    state |= {"log_std": torch.zeros(2), "critic.0.weight": torch.ones(2, 3)}
    path = saved(tmp_path / "policy.pth", state)
    with pytest.raises(NetworkFileError, match=r"'log_std' of .* as --activations actor.0=tan"):
        read(path, TANH)
    found = read(path, Options(activations=["actor.0=tanh", "actor.2=linear"]))
    assert found.network.layers == symnet.from_torch(module()).layers
    assert "left out: log_std, critic.0.weight" in "".join(found.notes)
    for told in (["actor.0=tanh", "actor.1=linear"], ["actor.0=tanh", "actor.0=tanh"]):
        with pytest.raises(NetworkFileError, match=r"the layers are actor.0, actor.2, critic.0"):
            read(path, Options(activations=told))


def test_views_share_a_storage(tmp_path):
    """Transposed, cut from the middle, every second entry, and one storage under two names."""
    block = torch.arange(60, dtype=torch.float64)
    state = {
        "W1": block[5:17].reshape(3, 4).T,
        "b1": block[40:48:2],
        "W2": block[:16].reshape(4, 4),
        "b2": block[:4],
    }
    found = checkpoint.arrays(saved(tmp_path / "net.pth", state))
    assert [*found] == [*state]
    for name, tensor in state.items():
        assert np.array_equal(found[name], tensor.numpy())
        assert found[name].shape == tuple(tensor.shape)


def test_integers_and_parameters(tmp_path):
    """Every type of number that torch stores and NumPy has, big and negative."""
    kinds = ("int64", "int32", "int16", "int8", "uint8", "bool", "float64", "float16")
    numbers = torch.tensor([[0, 1, 100]])
    state = {f"W{k}": numbers.to(getattr(torch, kind)) for k, kind in enumerate(kinds)}
    state["W9"] = nn.Parameter(torch.tensor([[-1.5]]))
    found = checkpoint.arrays(saved(tmp_path / "net.pt", state))
    for name, tensor in state.items():
        assert found[name].dtype == tensor.detach().numpy().dtype
        assert np.array_equal(found[name], tensor.detach().numpy())


def trained():
    """A checkpoint as trainers write it, with an optimizer that has moved, and other objects."""
    live = module()
    optimizer = torch.optim.Adam(live.parameters())
    live(torch.ones(5, 3, dtype=torch.float64)).sum().backward()
    optimizer.step()
    return live, {
        "epoch": 7,
        "optimizer_state_dict": optimizer.state_dict(),
        "model_state_dict": live.state_dict(),
        "ema_state_dict": {k: v + 1 for k, v in live.state_dict().items()},
        "loss": np.float64(0.5),
        "config": {"widths": (3, 4, 2), "names": {"a", "b"}, "path": os.path},
    }


@pytest.mark.parametrize("among", ["model_state_dict", "state_dict", "model", "net"])
def test_a_checkpoint_has_the_module_beside_others(tmp_path, among):
    live, whole = trained()
    del whole["config"]["path"]  # a module of Python's cannot be pickled
    whole[among] = whole.pop("model_state_dict")
    if among == "net":  # the one part that is a state_dict
        del whole["ema_state_dict"]
    found = read(saved(tmp_path / "last.ckpt", whole), TANH).network
    for layer, linear in zip(found.layers, (live[0], live[2]), strict=True):
        assert np.array_equal(layer.weights, linear.weight.detach().numpy())


def test_several_parts_are_asked_about(tmp_path):
    state = module().state_dict()
    with pytest.raises(NetworkFileError, match=r"holds actor, critic; expected module.state_dict"):
        read(saved(tmp_path / "net.pt", {"actor": state, "critic": state}), TANH)


class Hostile:
    """What would run a command if its pickle were run."""

    def __reduce__(self):
        return os.system, ("touch " + os.environ["SYMNET_TOUCHED"],)


def test_nothing_is_run(tmp_path, monkeypatch):
    """A call is no more than its name, wherever it stands; torch and pickle would run it."""
    touched = tmp_path / "touched"
    monkeypatch.setenv("SYMNET_TOUCHED", str(touched))
    state = {**module().state_dict(), "extra": Hostile()}
    with pytest.raises(NetworkFileError, match=r"extra is a (posix|nt).system, expected a dense"):
        read(saved(tmp_path / "net.pt", state), TANH)
    whole = {"hooks": [Hostile()], "model": module().state_dict()}
    assert read(saved(tmp_path / "net.pt", whole), TANH).network.n == 3
    with pytest.raises(NetworkFileError, match=r"holds a posix.system|holds a nt.system"):
        read(saved(tmp_path / "bad.pt", Hostile()), TANH)
    assert not touched.exists()
    torch.load(tmp_path / "bad.pt", weights_only=False)
    assert touched.exists()  # it would have


def test_whole_modules_and_other_kinds_are_refused(tmp_path):
    said = r"holds a torch.nn.modules.container.Sequential, of which only the name is in the file"
    with pytest.raises(NetworkFileError, match=said):
        read(saved(tmp_path / "net.pt", module()), TANH)
    with pytest.warns(DeprecationWarning, match="torch.jit"):
        script = torch.jit.trace(module(), torch.ones(1, 3, dtype=torch.float64))
    script.save(str(tmp_path / "script.pt"))
    with pytest.raises(NetworkFileError, match=r"is TorchScript; use symnet.from_torch\(torch.jit"):
        read(tmp_path / "script.pt", TANH)
    old = saved(tmp_path / "o.pt", module(), _use_new_zipfile_serialization=False)
    with pytest.raises(NetworkFileError, match="holds an object, of which only the name is in"):
        read(old, TANH)
    with pytest.raises(NetworkFileError, match="holds no arrays; expected module"):
        read(saved(tmp_path / "none.pt", {"epoch": 3}), TANH)
    complex_ = {"W1": torch.ones(1, 1, dtype=torch.complex64)}
    with pytest.raises(NetworkFileError, match=r"W1 holds torch.ComplexFloatStorage; read are Dou"):
        read(saved(tmp_path / "complex.pt", complex_), TANH)
    with pytest.raises(NetworkFileError, match="do not tell the activations"):
        read(saved(tmp_path / "net.pt", module().state_dict()))


def changed(path, index):
    """The file of a state_dict with another pickle in it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("net/data.pkl", index)
        archive.writestr("net/data/0", np.arange(12.0).tobytes())
    path.write_bytes(buffer.getvalue())
    return path


def tensor(shape=b"K\x03K\x04\x86", strides=b"K\x04K\x01\x86", offset=b"K\x00"):
    """A dictionary of one tensor, in the words of a pickle."""
    storage = b"(X\x07\0\0\0storagectorch\nDoubleStorage\nX\x01\0\0\0000X\x03\0\0\0cpuK\x0ctQ"
    call = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + offset + shape + strides
    return b"\x80\x02}X\x02\0\0\0W1" + call + b"\x89}tRs."


def test_no_layer_is_left_out(tmp_path):
    """Tensors of kinds that are not read are no reason to take a network without them."""
    state = module().state_dict()
    state["2.weight"] = state["2.weight"].to_sparse()
    with pytest.raises(NetworkFileError, match=r"2.weight is a torch._utils._rebuild_sparse_ten"):
        read(saved(tmp_path / "net.pt", state), TANH)
    state["2.weight"] = [module()[2].weight]
    with pytest.raises(NetworkFileError, match=r"2.weight is a list, expected a dense tensor"):
        read(saved(tmp_path / "net.pt", state), TANH)


def test_a_tensor_lies_in_its_storage(tmp_path):
    """No view reaches beyond the file's bytes, nor is it larger than what fits in memory."""
    path = tmp_path / "net.pt"
    found = checkpoint.arrays(changed(path, tensor()))
    assert np.array_equal(found["W1"], np.arange(12.0).reshape(3, 4))
    for wrong in (
        tensor(offset=b"K\x01"),
        tensor(strides=b"K\x05K\x01\x86"),
        tensor(strides=b"J\xff\xff\xff\xffK\x01\x86"),
        tensor(shape=b"K\x00K\x04\x86"),
        tensor(shape=b"K\x0c\x85"),
        tensor(shape=b"NK\x04\x86"),
    ):
        with pytest.raises(
            ValueError, match=r"W1 (of the shape .* is not in its|has a shape that)"
        ):
            checkpoint.arrays(changed(path, wrong))
    huge = tensor(shape=b"J\0\0\0\x10J\0\0\0\x10\x86", strides=b"K\0K\0\x86")
    with pytest.raises(ValueError, match="takes 72,057,594,037,927,936 entries, more than"):
        checkpoint.arrays(changed(path, huge))


@pytest.mark.parametrize(
    "index",
    [
        b"\x80\x02" + b"(" * 200_000 + b"t" * 200_000 + b".",
        b"\x80\x02}" + b"(" * 1000 + b"t" * 1000 + b"Ns.",
        b"\x80\x02]" + b"\x85" * 500_000 + b".",
        b"\x80\x02Nr\xff\xff\xff\x7f.",
        b"\x80\x02" + b"\x8b\xff\xff\xff\x7f.",
        b"\x80\x02" + pickle.dumps(10**5000),
        b"\x80\x02i.",
        b"\x80\x02.",
        b"",
        b"N" * (2**20 + 1),
    ],
    ids=range(10),
)
def test_hostile_indices_are_one_line(tmp_path, index):
    """Nesting, huge numbers of a memo, numbers of no end, operations that make instances."""
    with pytest.raises(NetworkFileError) as caught:
        read(changed(tmp_path / "net.pt", index), TANH)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400
