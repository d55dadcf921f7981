"""What goes wrong around compiled kernels: planted libraries, full disks, compilers that misbehave,
signals, forks, many threads and little memory.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import symnet
from symnet import cli, leftovers
from symnet.backends.c.run import compiler, loading
from symnet.witness.checking import CheckError

pytestmark = pytest.mark.skipif(
    sys.platform == "win32" or not shutil.which("cc"), reason="needs POSIX and a C compiler"
)

TEXT = "int answer(void) { return 42; }\n"
FLAGS = [["-O0"]]


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache folder, and a private folder that is not that of other tests."""
    folder = tmp_path / "cache"
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    monkeypatch.setenv("SYMNET_CACHE", str(folder))
    monkeypatch.setattr(compiler, "_private", lambda: private)
    monkeypatch.delenv("CC", raising=False)
    return folder


def made(folder, text=TEXT, command=("cc",)):
    """The path of the library that is opened, and what stands in it."""
    return compiler.opened(lambda path: (path, path.read_bytes()), text, command, FLAGS, folder)


def script(tmp_path, text):
    """A program in place of a compiler."""
    path = tmp_path / "odd-cc"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


# --- what others may have planted ---------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o722])
def test_a_folder_that_others_may_write_is_passed_over(cache, mode):
    """What stands in it is neither loaded nor changed."""
    path, whole = made(cache)
    planted = b"planted" * 10
    path.write_bytes(planted + hashlib.sha256(planted).digest())
    cache.chmod(mode)
    assert compiler.is_whole(path)
    elsewhere, content = made(cache)
    assert elsewhere.parent == compiler._private()
    assert content[: len(whole) - 32] == content[:-32]
    assert path.read_bytes().startswith(planted)


@pytest.mark.parametrize("mode", [0o666, 0o777, 0o620])
def test_an_entry_that_others_may_write_is_made_again(cache, mode):
    """In a folder of the user's own it is replaced."""
    path, _ = made(cache)
    planted = b"planted" * 10
    path.write_bytes(planted + hashlib.sha256(planted).digest())
    path.chmod(mode)
    again, content = made(cache)
    assert again == path
    assert not content.startswith(planted)
    assert compiler.is_own(path)


def test_an_entry_that_is_a_link_is_made_again(cache, tmp_path):
    """Where it points to may belong to anyone."""
    path, whole = made(cache)
    target = tmp_path / "target"
    path.rename(target)
    path.symlink_to(target)
    again, _ = made(cache)
    assert again == path
    assert not path.is_symlink()
    assert target.read_bytes() == whole


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")
def test_what_belongs_to_others_is_passed_over(cache):
    """A folder of another user, whatever its mode."""
    made(cache)
    os.chown(cache, 12345, 12345)
    assert made(cache)[0].parent == compiler._private()


def test_entries_are_ones_own_whatever_the_umask(cache):
    """Else nothing would be kept under umask 0."""
    before = os.umask(0)
    try:
        path, _ = made(cache)
    finally:
        os.umask(before)
    assert compiler.is_own(path)
    assert compiler.is_own(cache)


# --- disks --------------------------------------------------------------------------------------


def test_a_full_cache_disk_gives_way_to_the_temporary_folder(cache, tmp_path):
    """What the linker says of a full disk is no error in the text."""
    full = f'case "$*" in *{cache}*) echo "ld: final link failed: No space left on device" >&2'
    odd = script(tmp_path, f'{full}; exit 1;; esac\nexec cc "$@"')
    assert made(cache, command=(odd,))[0].parent == compiler._private()


def test_old_compilations_are_removed(cache):
    """Of processes that were killed; not those that may be going on."""
    made(cache)
    for name in ("compiling-old", "compiling-new", "other"):
        (cache / name).mkdir()
        (cache / name / "kernel.c").write_text("half")
    long_ago = time.time() - leftovers.OLD - 60
    for name in ("compiling-old", "other"):
        os.utime(cache / name, (long_ago, long_ago))
    made(cache, TEXT + "/* another */\n")
    assert {path.name for path in cache.iterdir() if path.is_dir()} == {"compiling-new", "other"}


# --- compilers ----------------------------------------------------------------------------------


def test_a_compiler_that_hangs_is_ended(cache, tmp_path, monkeypatch):
    """With what it started."""
    monkeypatch.setattr(compiler, "PATIENCE", 0.5)
    started = tmp_path / "started"
    odd = script(tmp_path, f"sleep 60 & echo $! > {started}; wait")
    monkeypatch.setenv("CC", odd)
    before = time.monotonic()
    with pytest.raises(compiler.CompilerError, match=r"\$CC = .*odd-cc did not end in 0\.5 s"):
        loading.load(TEXT)
    assert time.monotonic() - before < 20
    for _ in range(100):  # until the system has ended it
        if not os.path.exists(f"/proc/{started.read_text().strip()}/cmdline"):
            break
        time.sleep(0.05)
    else:
        content = open(f"/proc/{started.read_text().strip()}/cmdline").read()  # noqa: SIM115
        assert not content, "still running"


def test_a_compiler_that_leaves_something_running_is_not_waited_for(cache, tmp_path, monkeypatch):
    """A server of its own may hold its standard error open."""
    left = tmp_path / "left"
    monkeypatch.setenv("CC", script(tmp_path, f'sleep 600 & echo $! > {left}; exec cc "$@"'))
    loading.load(TEXT)
    os.kill(int(left.read_text()), signal.SIGKILL)  # it is running still


def test_a_compiler_that_says_too_much(cache, tmp_path, monkeypatch):
    """Of gigabytes the beginning is kept."""
    talk = "echo 'x.c: error: first' >&2; yes | head -c 30000000 >&2; exit 1"
    monkeypatch.setenv("CC", script(tmp_path, talk))
    tracemalloc.start()
    try:
        with pytest.raises(compiler.CompilerError, match=r"odd-cc failed: x\.c: error: first"):
            loading.load(TEXT)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("cc", "status", "message"),
    [
        ("cc -ffast-math", 2, "error: the C compiler $CC = cc -ffast-math failed: "),
        ("true", 0, "the C compiler $CC = true reported success, but wrote no program\n"),
    ],
)
def test_a_compiler_to_blame_for_a_self_test_that_does_not_run(
    tmp_path, monkeypatch, capsys, cc, status, message
):
    """Not the generated text, which nobody is asked to report; `evaluate` has the same status."""
    monkeypatch.setenv("CC", cc)
    asked = ["generate", "--language", "c", "--name", "net", "-o", str(tmp_path / "net.c")]
    assert cli.main(asked) == status
    assert message in capsys.readouterr().err
    assert (tmp_path / "net.c").exists() == (status == 0)


@pytest.mark.parametrize(
    ("cc", "message"),
    [
        ("true", r"\$CC = true reported success, but wrote no library"),
        ("false", r"\$CC = false failed: no message"),
        ('gcc "', r'\$CC = gcc ": No closing quotation'),
        ("no-such", r"tried \$CC = no-such"),
    ],
)
def test_what_is_no_compiler(cache, monkeypatch, cc, message):
    """One line that names CC."""
    monkeypatch.setenv("CC", cc)
    with pytest.raises(compiler.CompilerError, match=message) as caught:
        loading.load(TEXT)
    assert str(caught.value).isprintable()


def test_a_compiler_that_writes_no_library(cache, tmp_path, monkeypatch):
    """A file that the system refuses to load."""
    save = 'while [ "$1" != -o ]; do shift; done; echo nonsense > "$2"'
    monkeypatch.setenv("CC", script(tmp_path, save))
    with pytest.raises(compiler.CompilerError, match=r"no library of .*odd-cc can be loaded"):
        loading.load(TEXT)


@pytest.mark.parametrize("size", [60, 5000, -1])
def test_a_library_cut_short(cache, tmp_path, monkeypatch, size):
    """Of a compiler that reports success: to load it would end the process."""
    cut = f'cc "$@"; while [ "$1" != -o ]; do shift; done; truncate -s {size} "$2"'
    monkeypatch.setenv("CC", script(tmp_path, cut))
    with pytest.raises(compiler.CompilerError, match="the library ends too early, after"):
        loading.load(TEXT)


@pytest.mark.parametrize("prefix", ["my_", ""])
def test_a_library_without_the_function(cache, monkeypatch, prefix):
    """As C++ compilers make it of C: one line, which names the compiler and not our own flags."""
    monkeypatch.setenv("CC", f"cc -Danswer={prefix}answer")
    library = loading.load(TEXT, part=1)
    if not prefix:
        assert library.function("answer", 1)
        return
    with pytest.raises(
        compiler.CompilerError, match=r"\$CC = cc -Danswer=my_answer made a .* answer;"
    ):
        library.function("answer", 1)


def test_what_the_linker_says_comes_first(cache, tmp_path, monkeypatch):
    """Before what the compiler says of it; and nothing of folders that are gone."""
    said = "echo \"$PWD/x.c: undefined\"; echo 'collect2: error: ld returned 1 exit status'"
    odd = script(
        tmp_path, f'for s; do case $s in *.c) cd "${{s%/*}}";; esac; done; ({said}) >&2; false'
    )
    monkeypatch.setenv("CC", odd)
    with pytest.raises(compiler.CompilerError, match=r"odd-cc failed: x\.c: undefined$"):
        loading.load(TEXT)


@pytest.mark.parametrize("wrong", ["s/= 1\\.0\\//= 1.000001\\//", "s/(0.5 + (/(0.5 - (/"])
def test_a_compiler_that_makes_wrong_code_is_caught(cache, tmp_path, monkeypatch, wrong):
    """Nothing is handed out that does not agree with the analytic engine."""
    change = f"for a; do case $a in *.c) grep -q Python.h $a || sed -i '{wrong}' $a;; esac; done"
    monkeypatch.setenv("CC", script(tmp_path, f'{change}\nexec cc "$@"'))
    network = symnet.Network.dense([2, 3, 1], hidden="tanh", seed=1)
    with pytest.raises(CheckError):
        symnet.derive(network).compile("c")


# --- signals, forks, threads, processes, memory -------------------------------------------------


def heard() -> None:
    """Ctrl-C reaches a program, though a shell's background job starts without it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def run(code, **options):
    """A Python program's outcome."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        preexec_fn=heard,
        **options,
    )


def test_ctrl_c_in_a_kernel(cache):
    """KeyboardInterrupt after a second at most, and the function works as before."""
    done = run("""
        import os, signal, threading, time
        import numpy as np, symnet
        net = symnet.Network.dense([2, 64, 64, 1], seed=0)
        f = symnet.derive(net).compile("c")
        X = np.random.default_rng(0).normal(size=(100_000, 2))
        before = f(X[:50])
        threading.Timer(0.01, os.kill, (os.getpid(), signal.SIGINT)).start()
        try:
            while True:
                f(X)
        except KeyboardInterrupt:
            pass
        assert all((a == b).all() for a, b in zip(before, f(X[:50])))
        print("same")
    """)
    assert (done.stdout, done.returncode) == ("same\n", 0), done.stderr


def test_a_fork_after_use(cache):
    """The child computes too, also what its parent did on threads."""
    network = symnet.Network.dense([2, 16, 16, 1], seed=0)
    function = symnet.derive(network).compile("c")
    X = np.random.default_rng(0).normal(size=(20_000, 2))
    expected = function(X)
    done = run(f"""
        import os, numpy as np, symnet
        net = symnet.Network.dense([2, 16, 16, 1], seed=0)
        f = symnet.derive(net).compile("c")
        X = np.random.default_rng(0).normal(size=(20_000, 2))
        f(X)
        child = os.fork()
        assert f(X)[2].sum() == {float(expected[2].sum())!r}
        if child == 0:
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
    """)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("backend", ["numpy", "c"])
def test_64_threads_on_one_function(cache, backend):
    """Each gets its own results, to the bit."""
    function = symnet.derive(symnet.Network.dense([2, 8, 1], seed=0)).compile(backend)
    points = [np.random.default_rng(i).normal(size=(300, 2)) for i in range(64)]
    expected = [function(X) for X in points]
    gate = threading.Barrier(64)

    def work(i):
        gate.wait(60)
        return [function(points[i]) for _ in range(5)]

    with ThreadPoolExecutor(64) as pool:
        for wanted, found in zip(expected, pool.map(work, range(64)), strict=True):
            for results in found:
                for a, b in zip(wanted, results, strict=True):
                    np.testing.assert_array_equal(a, b)


def test_8_processes_compile_one_network(cache):
    """At once, into one cache: all agree, and one entry of each text is left."""
    done = run("""
        import os, symnet
        d = symnet.derive(symnet.Network.dense([2, 2, 1], seed=0), order=0)
        children = []
        for _ in range(8):
            children.append(os.fork())
            if not children[-1]:
                (y,) = d.compile("c")([[0.5, -1.0]])
                os.write(1, f"{y.tolist()}\\n".encode())
                os._exit(0)
        assert not any(os.waitpid(child, 0)[1] for child in children)
    """)
    assert done.returncode == 0, done.stderr
    outcomes = done.stdout.splitlines()
    assert outcomes == [outcomes[0]] * 8
    assert outcomes[0].startswith("[[")
    assert not list(cache.glob("compiling-*"))
    assert all(map(compiler.is_whole, cache.glob("*.so")))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="address space as Linux counts it")
@pytest.mark.parametrize("backend", ["numpy", "c"])
def test_little_memory(cache, backend):
    """MemoryError where there is none left, and the function still works."""
    done = run(f"""
        import resource, numpy as np, symnet
        from dataclasses import replace
        f = symnet.derive(symnet.Network.dense([2, 8, 8, 1], seed=0)).compile({backend!r})
        X = np.zeros((4_000_000, 2))
        small = f(X[:10])
        f(X[:20_000])
        with open("/proc/self/statm") as statm:
            used = int(statm.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + 60_000_000, -1))
        if f.backend == "c":  # 64 threads find no room for their stacks
            replace(f, threads=64)(X[:100_000])
        resource.setrlimit(resource.RLIMIT_AS, (used + 20_000_000,) * 2)
        try:
            f(X)
        except MemoryError as error:
            print("MemoryError")
        assert all((a == b).all() for a, b in zip(small, f(X[:10])))
    """)
    assert (done.stdout, done.returncode) == ("MemoryError\n", 0), done.stderr


def test_a_compiler_that_is_started_after_ctrl_c_ends(tmp_path, monkeypatch):
    """Where it comes while a thread is started, the pool does not know that thread, nor wait."""
    interrupted, told = threading.Event(), []

    def compiling():
        interrupted.wait(60)
        try:
            compiler._run(("sleep",), ["60"], tmp_path)
        except compiler.CompilerError as error:
            told.append(str(error))

    class Started(threading.Thread):
        def start(self):
            super().start()
            started.append(self)
            raise KeyboardInterrupt

    started = []
    with monkeypatch.context() as patched:
        patched.setattr(threading, "Thread", Started)
        with pytest.raises(KeyboardInterrupt):
            compiler.side_by_side([compiling])
    interrupted.set()
    started[0].join(60)
    assert len(told) == 1
    assert "signal 9" in told[0]


def test_ctrl_c_ends_the_compiler(cache, tmp_path):
    """It is not left running in the background."""
    started = tmp_path / "started"
    odd = script(tmp_path, f"echo $$ >> {started}; exec sleep 60")
    code = "import symnet; symnet.derive(symnet.Network.example()).compile('c')"
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "CC": odd},
        stderr=subprocess.PIPE,
        preexec_fn=heard,
    )
    for _ in range(1200):
        if started.exists() and started.read_text().strip():
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert b"KeyboardInterrupt" in process.communicate(timeout=60)[1]
    for compiler_of_a_part in started.read_text().split():
        with pytest.raises(ProcessLookupError):
            os.kill(int(compiler_of_a_part), 0)
    assert not list(cache.glob("compiling-*"))


LIMITED = """
import resource, signal, sys
from symnet import cli
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
sys.exit(cli.main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (("generate", "-o", "out.py"), "out.py"),
        (("generate", "--language", "c", "-o", "out.c"), "out."),
        (("generate", "--language", "xlsx", "-o", "out.xlsx"), "folder"),
    ],
)
def test_what_has_no_room_is_named(tmp_path, given, named):
    """Files that are asked for by their names, temporary ones by their folder."""
    if "xlsx" in given:
        pytest.importorskip("openpyxl")
    folder = tmp_path / "folder"
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, *given],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
    )
    last = done.stderr.splitlines()[-1]
    assert done.returncode == 2
    assert named in last
    assert last.endswith("File too large")
    assert list(tmp_path.iterdir()) == [folder]
