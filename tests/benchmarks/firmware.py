"""Instructions a point takes on an emulated Cortex-M4, and the bytes of text: generated C.

    python tests/benchmarks/firmware.py

It needs arm-none-eabi-gcc with newlib and qemu-system-arm; with CasADi installed its generated C
stands beside ours, in floats too. QEMU counts instructions (icount), not cycles: the SysTick timer
runs at 25 MHz of a clock that gives each instruction a nanosecond, so a tick is 40 instructions.
What each computes on the emulated machine is compared with the analytic engine.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import peers

import symnet
from symnet import catalogue, languages

IMAGE = Path(__file__).parent / "firmware_image"
TOOLS = ("arm-none-eabi-gcc", "qemu-system-arm")
TARGET = ["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16", "-O2"]
LINK = "-ffunction-sections -fdata-sections -Wl,--gc-sections -nostartfiles --specs=nosys.specs"
QEMU = [
    "qemu-system-arm",
    "-M",
    "mps2-an386",
    "-icount",
    "shift=0",
    "-semihosting",
    "-nographic",
    "-kernel",
]

CASES = {
    "2-3-1 tanh": symnet.Network.dense([2, 3, 1], hidden="tanh", seed=0),
    "2-8-8-1 tanh": symnet.Network.dense([2, 8, 8, 1], hidden="tanh", seed=0),
    "5-17-9-2 softplus": symnet.Network.dense([5, 17, 9, 2], hidden="softplus", seed=0),
}

MAIN = """\
{include}
void put(const char *);
void putn(long);
unsigned ticks(void);
long heap_used(void);
static {kind} x[{n}], y[{m}], jacobian[{m}][{n}], hessian[{m}][{n}][{n}];
{work}
int main(void)
{{
    for (int i = 0; i < {n}; i++)
        x[i] = ({kind})0.25;
    const unsigned start = ticks();
    for (int k = 0; k < 20; k++) {{
        x[0] += ({kind})0.03125;
        {call};
    }}
    const unsigned end = ticks();
    const {kind} found[] = {{y[0], jacobian[0][0], hessian[0][0][0]}};
    putn((long)((end - start) & 0xFFFFFF) * 40 / 20);
    put(" ");
    putn(heap_used());
    for (int k = 0; k < 3; k++) {{
        put(" ");
        putn((long)(found[k] * ({kind})100000));
    }}
    put("\\n");
    return 0;
}}
"""


@dataclass(frozen=True)
class Program:
    """The C text of a network's derivatives, and how `main` calls it."""

    text: str
    include: str
    call: str
    work: str = ""


@dataclass(frozen=True)
class Measured:
    """Instructions a point, bytes of heap, bytes of the image's text and constants."""

    instructions: int
    heap: int
    text: int


def ours(network: symnet.Network, kind: str, folder: Path) -> Program:
    """What `symnet generate --language c` writes."""
    made = languages.generate(network, "c", name="net", precision=kind)
    (folder / "net.h").write_text(str(made["net.h"]), encoding="utf-8")
    call = "net_value_jacobian_hessian(x, y, jacobian, hessian)"
    return Program(str(made["net.c"]), '#include "net.h"', call)


def casadi(network: symnet.Network, kind: str, _folder: Path) -> Program:
    """CasADi's generated C of the same three results; in floats it calls functions of doubles."""
    import casadi as ca

    x, value = peers.casadi_value(network)
    hessians = ca.vertcat(*(ca.hessian(value[p], x)[0].reshape((-1, 1)) for p in range(network.m)))
    found = [value, ca.jacobian(value, x).T.reshape((-1, 1)), hessians]
    function = ca.Function("network", [x], [ca.densify(e) for e in found])
    options = {"casadi_real": kind, "casadi_int": "int"}
    generator = ca.CodeGenerator("network", options)
    generator.add(function)
    text = generator.dump()
    declared = f"int network(const {kind} **, {kind} **, int *, {kind} *, int);"
    work = f"static {kind} w[{function.sz_w() + 1}]; static int iw[{function.sz_iw() + 1}];"
    work += f"\nstatic const {kind} *arg[{function.sz_arg()}] = {{x}};"
    results = "y, &jacobian[0][0], &hessian[0][0][0]"
    work += f"\nstatic {kind} *res[{function.sz_res()}] = {{{results}}};"
    return Program(text, declared, "network(arg, res, iw, w, 0)", work)


def casadi_renamed(network: symnet.Network, kind: str, folder: Path) -> Program:
    """The same with the functions of floats put in their place by hand."""
    made = casadi(network, kind, folder)
    names = ("tanh", "exp", "log1p", "log", "sqrt", "fabs")
    renamed = "".join(f"#define {name} {name}f\n" for name in names)
    return replace(made, text=f"#include <math.h>\n{renamed}{made.text}")


def measured(
    network: symnet.Network,
    kind: str,
    made: Callable[[symnet.Network, str, Path], Program] = ours,
) -> Measured:
    """A program compiled, run and found right; AssertionError where it is not."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        program = made(network, kind, folder)
        (folder / "net.c").write_text(program.text, encoding="utf-8")
        words = {"include": program.include, "call": program.call, "work": program.work}
        main = MAIN.format(kind=kind, n=network.n, m=network.m, **words)
        (folder / "main.c").write_text(main, encoding="utf-8")
        gcc = ["arm-none-eabi-gcc", *TARGET, *LINK.split(), "-T", str(IMAGE / "image.ld")]
        sources = ["net.c", "main.c", str(IMAGE / "start.c")]
        subprocess.run([*gcc, *sources, "-lm", "-o", "net.elf"], cwd=folder, check=True)
        run = subprocess.run(
            [*QEMU, "net.elf"], cwd=folder, capture_output=True, text=True, timeout=120
        )
        instructions, heap, *found = map(int, (run.stdout + run.stderr).split()[:5])
        sizes = subprocess.run(
            ["arm-none-eabi-size", "net.elf"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
        )
    x = np.full(network.n, 0.25)
    x[0] += 20 * 0.03125
    y, jacobian, hessian = (
        f(network, x).ravel()[0]
        for f in (symnet.analytic.value, symnet.analytic.jacobian, symnet.analytic.hessian)
    )
    np.testing.assert_allclose(np.array(found) / 1e5, [y, jacobian, hessian], rtol=0, atol=2e-5)
    return Measured(instructions, heap, int(sizes.stdout.splitlines()[1].split()[0]))


def missing() -> list[str]:
    """The tools that are not installed."""
    return [tool for tool in TOOLS if shutil.which(tool) is None]


def main() -> None:
    """Print a table, or what is missing."""
    if missing():
        sys.exit(f"this needs {' and '.join(missing())}")
    print("| network | precision | text by | instructions a point | image text | heap |")
    print("|---|---|---|---|---|---|")
    generators = {"symnet": ours}
    if find_spec("casadi"):
        generators |= {"CasADi": casadi, "CasADi, calls renamed": casadi_renamed}
    for name, network in CASES.items():
        for kind in catalogue.PRECISIONS[::-1]:
            for by, made in generators.items():
                if made is casadi_renamed and kind == "double":
                    continue
                m = measured(network, kind, made)
                print(
                    f"| {name} | {kind} | {by} | {m.instructions:,} | {m.text:,} B | {m.heap} B |"
                )


if __name__ == "__main__":
    main()
