"""Several networks in one call: a library whose activations are each defined once."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import sympy

import symnet
from symnet import languages
from symnet.activations import Activation, Z
from test_languages import STRICT

FORMULAS = {"a": Z * sympy.exp(-(Z**2)), "b": sympy.erfinv(sympy.tanh(Z) / 2)}

COMMANDS = {
    "c": ("gcc", "-std=c99", *STRICT, "-Wmissing-prototypes", "-Wshadow", "-DNETS_TEST"),
    "cpp": ("g++", "-std=c++17", *STRICT, "-DNETS_TEST", "-x", "c++", "nets.hpp"),
    "rust": ("rustc", "--edition", "2021", "-D", "warnings", "--cfg", "symnet_main", "mod.rs"),
}
"""The compilers; of C's the sources are to be added."""

DEFINED = {
    "c": (r"^void nets_gelu_012\([^;]*\)\n\{", r"^void nets_bump_012_2\([^;]*\)\n\{"),
    "cpp": (r"^void gelu_012\([^;]*\)\n\{", r"^void bump_012_2\([^;]*\)\n\{"),
    "rust": (r"^pub fn gelu_012\(", r"^pub fn bump_012_2\("),
}
"""The definition of an activation that both have, and of one of the same name as another."""


def networks() -> dict[str, symnet.Network]:
    """Two with an activation in common, and another one of one name and two formulas."""
    return {
        name: symnet.Network(
            [
                symnet.Layer([[1.0, 0.5]], [0.1], "gelu"),
                symnet.Layer([[0.7]], [0.2], Activation("bump", formula)),
            ]
        )
        for name, formula in FORMULAS.items()
    }


def written(language: str, folder: Path) -> str:
    """The library's files, and all of their text."""
    made = languages.generate_library(networks(), language, name="nets")
    for file, text in made.items():
        (folder / file).write_text(str(text), encoding="utf-8")
    return "\n".join(map(str, made.values()))


def ran(language: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """The library compiled and its test run."""
    tool, *words = COMMANDS[language]
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    sources = sorted(folder.glob("*.c"))
    libraries = ["-lm"] if sources else []
    command = [tool, *words, "-o", "tests", *map(str, sources), *libraries]
    subprocess.run(command, cwd=folder, check=True)
    return subprocess.run(["./tests"], cwd=folder, capture_output=True, text=True)


@pytest.mark.complete(every=2)
@pytest.mark.parametrize("language", COMMANDS)
def test_a_library_defines_an_activation_once(language, tmp_path):
    """Those of one name and another formula are two; what a language lacks comes with them."""
    text = written(language, tmp_path)
    for pattern in DEFINED[language]:
        assert len(re.findall(pattern, text, re.MULTILINE)) == 1
    done = ran(language, tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("self-test ok: ")


@pytest.mark.parametrize("language", COMMANDS)
def test_a_librarys_test_is_that_of_each_network(language, tmp_path):
    """A weight of the last one that is a millionth off."""
    written(language, tmp_path)
    (file,) = (path for path in tmp_path.iterdir() if path.name.startswith("b."))
    text = file.read_text("utf-8")
    changed = text.replace("0.7", "0.7000007", 1)
    assert changed != text
    file.write_text(changed, encoding="utf-8")
    done = ran(language, tmp_path)
    assert done.returncode == 1
    assert done.stdout.startswith("self-test WRONG: ")


@pytest.mark.parametrize(("language", "name"), [("cpp", "nets_functions"), ("rust", "functions")])
def test_what_networks_share_is_no_networks_name(language, name):
    """Its file would be written over."""
    network = symnet.Network.example()
    with pytest.raises(ValueError, match=f"two networks give {name}: their names must differ"):
        languages.generate_library({name: network, "b": network}, language, name="nets")
