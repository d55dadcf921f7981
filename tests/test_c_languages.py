"""What C and C++ are asked beyond the contract of `test_languages`: compilers and arithmetic."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import sympy

import symnet
from ccalls import LEVEL
from symnet import catalogue, languages
from symnet.activations import Activation, Z
from test_languages import COMPLETE, NETWORKS, STRICT, tools_of

COMPILERS = {
    "gcc": ("-std=c99", "-Wmissing-prototypes"),
    "clang": ("-std=c99", "-Wmissing-prototypes", "-Wunreachable-code-aggressive"),
    "g++": ("-x", "c++"),
    "clang++": ("-x", "c++"),
}


@pytest.mark.complete(every=4)
@pytest.mark.parametrize("precision", catalogue.PRECISIONS)
@pytest.mark.parametrize("compiler", COMPILERS)
def test_c_batch(compiler, precision, tmp_path):
    """Its self-test is right in both precisions, as C and as C++; main.c calls two by headers."""
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    net = symnet.Network.dense([3, 4, 2], "gelu", seed=1)
    for name in ("net", "other"):
        made = languages.generate(net, "c-batch", name=name, precision=precision)
        for file, text in made.items():
            (tmp_path / file).write_text(text, encoding="utf-8")
    (tmp_path / "main.c").write_text(
        '#include "net.h"\n#include "other.h"\nint second(void);\nint second(void)\n{\n'
        f"    {precision} x[3] = {{0}}, y[2], z[2];\n"
        "    return net_value(1, x, y, 1) + other_value(1, x, z, 1) + (y[1] < z[1]);\n}\n",
        encoding="utf-8",
    )
    kind = [*COMPILERS[compiler], *STRICT, "-Wvla", "-O1"]
    sources = [("net.c", ["-DSYMNET_TEST"]), ("other.c", []), ("main.c", [])]
    for source, more in sources:
        command = [compiler, *kind, *more, "-c", source]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    objects = ["net.o", "other.o", "main.o", "-lm", "-o", "net"]
    subprocess.run([compiler, *objects], cwd=tmp_path, check=True)
    done = subprocess.run(["./net"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (
        0,
        "self-test ok: 3 points, alone and in blocks, 1 and 2 threads\n",
    )


@pytest.mark.complete(every=3)
@pytest.mark.parametrize("compiler", ["gcc", "clang", "g++"])
def test_c_is_clean(compiler, tmp_path):
    """As C99 by both compilers with every warning, and as C++."""
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    for name, precision in (
        ("activations", "float"),
        ("attention", "double"),
        ("linear", "double"),
    ):
        for file, text in languages.generate(
            NETWORKS[name](), "c", name="net", precision=precision
        ).items():
            (tmp_path / file).write_text(text, encoding="utf-8")
        kind = ["-x", "c++"] if compiler == "g++" else ["-std=c99", "-Wmissing-prototypes"]
        command = [compiler, *kind, *STRICT, "-O2", *LEVEL, "-c", "net.c", "-o", "net.o"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")


_OF_ONE = "fabs exp log tanh log1p expm1 floor sqrt erf erfc sin cos tan sinh cosh asinh atan asin"
_OF_TWO = "pow copysign"
HEADERS = {
    "math.h": "#define INFINITY ((float)(1e308 * 10))\n#define NAN (-(INFINITY - INFINITY))\n"
    "#define isnan(x) ((x) != (x))\n"
    + "".join(
        f"{kind} {name}{suffix}({', '.join([kind] * count)});\n"
        for names, count in ((_OF_ONE, 1), (_OF_TWO, 2))
        for name in names.split()
        for kind, suffix in (("double", ""), ("float", "f"))
    ),
    "stdlib.h": "#include <stddef.h>\nvoid *malloc(size_t);\nvoid free(void *);\n"
    "void abort(void);\n",
    "string.h": "#include <stddef.h>\nvoid *memcpy(void *, const void *, size_t);\n"
    "void *memset(void *, int, size_t);\n",
    "stdio.h": "int printf(const char *, ...);\nint puts(const char *);\n",
}
"""As much of C's library as texts use, for a system whose headers are not here."""


@pytest.mark.complete(every=4)
@pytest.mark.parametrize("precision", catalogue.PRECISIONS)
@pytest.mark.parametrize("language", ["c", "c-batch"])
def test_rules_of_msvc(language, precision, tmp_path):
    """Clang as that compiler: no GNU, a long of 32 bits beside sizes of 64, no variable arrays."""
    if shutil.which("clang") is None:
        pytest.skip("clang is not installed")
    (tmp_path / "headers").mkdir()
    for name, text in HEADERS.items():
        (tmp_path / "headers" / name).write_text(text, encoding="utf-8")
    target = ("--target=x86_64-pc-windows-msvc", "-fms-extensions", "-ffreestanding")
    flags = (*STRICT, "-Wshorten-64-to-32", "-Wvla", "-DNET_TEST", "-DSYMNET_TEST")
    for name in ("activations", "many") if COMPLETE or language == "c" else ("many",):
        made = languages.generate(NETWORKS[name](), language, name="net", precision=precision)
        for file, text in made.items():
            (tmp_path / file).write_text(str(text), encoding="utf-8")
        command = ["clang", *target, "-std=c99", "-isystem", "headers", *flags, "-fsyntax-only"]
        done = subprocess.run([*command, "net.c"], cwd=tmp_path, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
        # Its C before C11 does not know the word.
        before, defined, after = str(made["net.c"]).partition("#define restrict __restrict")
        assert not re.search(r"\brestrict\b", before)
        assert defined or not re.search(r"\brestrict\b", after)


FLAGS = {
    "gcc": ("-ffast-math", "-Ofast", "-ffinite-math-only", "-funsafe-math-optimizations"),
    "clang": ("-ffast-math", "-Ofast", "-ffinite-math-only"),
}
ASSOCIATIVE = ("-fassociative-math", "-fno-signed-zeros", "-fno-trapping-math")


def written_c(language: str, folder: Path) -> str:
    """The files of a network with tanh, and the macro of their test."""
    net = symnet.Network.dense([2, 5, 1], "tanh", seed=1)
    for file, text in languages.generate(net, language, name="net").items():
        (folder / file).write_text(text, encoding="utf-8")
    return "SYMNET_TEST" if language == "c-batch" else "NET_TEST"


@pytest.mark.complete(every=3)
@pytest.mark.parametrize("language", ["c", "c-batch", "cpp"])
@pytest.mark.parametrize("compiler", FLAGS)
def test_c_refuses_arithmetic_that_is_wrong(compiler, language, tmp_path):
    """The error says which flags to leave out."""
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    written_c(language, tmp_path)
    kind = ["-x", "c++", "net.hpp"] if language == "cpp" else ["net.c"]
    flags = [*([flag] for flag in FLAGS[compiler])]
    for flag in [*flags, list(ASSOCIATIVE)] if compiler == "gcc" else flags:
        command = [compiler, *flag, "-fsyntax-only", *kind]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode != 0
        assert "compile without -ffast-math" in done.stderr
        assert flag[0] in done.stderr


INVALID = """\
#include <fenv.h>
#include "net.h"

int main(void)
{
    const double x[2] = {0.3, 0.4};
    double y[1], jacobian[1][2], hessian[1][2][2];
    feclearexcept(FE_ALL_EXCEPT);
    net_value_jacobian_hessian(x, y, jacobian, hessian);
    return fetestexcept(FE_INVALID | FE_DIVBYZERO) != 0;
}
"""


@pytest.mark.parametrize("name", ["log", "sqrt", "own"])
def test_c_raises_no_flag_within_the_domain(name, tmp_path):
    """Programs that stop at invalid operations do not stop where everything is defined."""
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    used = Activation(name, sympy.asin(Z) + sympy.Max(0, Z) ** 2) if name == "own" else name
    net = symnet.Network(
        [symnet.Layer([[1, 1], [2, -1]], [0.2, 0.1], used), symnet.Layer([[1, 2]])]
    )
    for file, text in languages.generate(net, "c", name="net").items():
        (tmp_path / file).write_text(text, encoding="utf-8")
    (tmp_path / "main.c").write_text(INVALID, encoding="utf-8")
    build = ["gcc", "-std=c99", "-Wdouble-promotion", "-Werror", "main.c", "net.c", "-lm"]
    subprocess.run(build, cwd=tmp_path, check=True)
    subprocess.run(["./a.out"], cwd=tmp_path, check=True)


@pytest.mark.complete(every=3)
@pytest.mark.parametrize("macro", ["_M_FP_FAST", "__FAST_MATH__", "__ASSOCIATIVE_MATH__"])
@pytest.mark.parametrize("language", ["c", "c-batch", "cpp"])
def test_macros_of_fast_arithmetic(language, macro, tmp_path):
    """/fp:fast of MSVC has a macro of its own, which stands for the compiler here."""
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    written_c(language, tmp_path)
    kind = ["-x", "c++", "net.hpp"] if language == "cpp" else ["net.c"]
    command = ["gcc", f"-D{macro}=1", "-fsyntax-only", *kind]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode != 0
    assert "/fp:fast" in done.stderr
    assert "-fp-model=precise" in done.stderr


SURVIVED = {
    "associative": ASSOCIATIVE,
    "unsafe": ("-funsafe-math-optimizations",),
    "reciprocal": ("-freciprocal-math", "-fno-honor-infinities", "-fno-math-errno"),
    "intel": ("-D__INTEL_LLVM_COMPILER=20240000", *ASSOCIATIVE, "-fno-honor-nans"),
}
"""Flags of Clang without a macro, and those that Intel's compiler, a Clang, has by default."""


@pytest.mark.complete(every=4)
@pytest.mark.parametrize("flags", SURVIVED)
@pytest.mark.parametrize("language", ["c", "c-batch", "cpp"])
def test_clang_does_not_reassociate(language, flags, tmp_path):
    """It has no macro for these flags, and is told in the text."""
    if shutil.which("clang") is None:
        pytest.skip("clang is not installed")
    macro = written_c(language, tmp_path)
    kind = ["-x", "c++", "net.hpp", "-lstdc++"] if language == "cpp" else ["net.c"]
    command = ["clang", "-O2", *SURVIVED[flags], f"-D{macro}", *kind, "-o", "net", "-lm"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert subprocess.run(["./net"], cwd=tmp_path, capture_output=True).returncode == 0


@pytest.mark.complete
def test_misra(tmp_path):
    """cppcheck's MISRA addon has nothing but advisories."""
    tool = shutil.which("cppcheck")
    if tool is None:
        pytest.skip("cppcheck is not installed")
    net = symnet.Network.dense([2, 3, 1], "gelu", seed=1)
    made = languages.generate(net, "c", name="net", precision="float")
    only = ["d2y/dx1dx1", "dy/dx1"]
    made |= languages.generate(NETWORKS["one"](), "c", name="part", only=only)
    for file, text in made.items():
        (tmp_path / file).write_text(text, encoding="utf-8")
    command = [tool, "--addon=misra", "--std=c99", "net.c", "part.c"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    rules = set(re.findall(r"misra-c2012-([0-9]+[.][0-9]+)", done.stderr))
    assert rules, "the addon did not run"
    assert rules <= ADVISORY


ADVISORY = {"2.3", "2.4", "2.5", "2.6", "2.7", "4.2", "5.9", "8.7", "8.9", "8.11", "8.13", "12.1"}
ADVISORY |= {"10.5", "12.3", "12.4", "13.3", "13.4", "15.1", "15.4", "15.5", "17.5", "17.8", "20.1"}
"""Rules of MISRA C:2012 that its text calls advisory, of those that C without pointers can meet."""


def test_two_c_files_link_together(tmp_path):
    """Nothing but the functions of the header is visible."""
    tools_of("c")
    for name, seed in (("first", 1), ("second", 2)):
        net = symnet.Network.dense([2, 3, 1], "gelu", seed=seed)
        for file, text in languages.generate(net, "c", name=name).items():
            (tmp_path / file).write_text(text, encoding="utf-8")
    main = '#include "first.h"\n#include "second.h"\n'
    main += "int main(void) { return first_self_test() + second_self_test(); }\n"
    (tmp_path / "main.c").write_text(main, encoding="utf-8")
    command = ["gcc", "main.c", "first.c", "second.c", "-o", "both", "-lm"]
    subprocess.run(command, cwd=tmp_path, check=True)
    assert subprocess.run(["./both"], cwd=tmp_path).returncode == 0
