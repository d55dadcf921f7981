"""Instructions a point takes on an emulated Cortex-M4, and the bytes of text: generated C.

    python tests/benchmarks/firmware.py

It needs arm-none-eabi-gcc with newlib and qemu-system-arm. QEMU counts instructions (icount), not
cycles: the SysTick timer runs at 25 MHz of a clock that gives each instruction a nanosecond, so a
tick is 40 instructions.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import symnet
from symnet import languages

IMAGE = Path(__file__).parent / "firmware_image"
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
#include "net.h"
void put(const char *);
void putn(long);
unsigned ticks(void);
long heap_used(void);
static {kind} x[{n}], y[{m}], jacobian[{m}][{n}], hessian[{m}][{n}][{n}];
int main(void)
{{
    for (int i = 0; i < {n}; i++)
        x[i] = ({kind})0.3;
    const unsigned start = ticks();
    for (int k = 0; k < 20; k++) {{
        x[0] += ({kind})0.01;
        net_value_jacobian_hessian(x, y, jacobian, hessian);
    }}
    const unsigned end = ticks();
    putn((long)((end - start) & 0xFFFFFF) * 40 / 20);
    put(" ");
    putn(heap_used());
    put("\\n");
    return 0;
}}
"""


def measured(network: symnet.Network, kind: str) -> tuple[int, int, int]:
    """Instructions a point, bytes of heap, bytes of the object's text and constants."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, text in languages.generate(network, "c", name="net", precision=kind).items():
            (folder / file).write_text(text, encoding="utf-8")
        main = MAIN.format(kind=kind, n=network.n, m=network.m)
        (folder / "main.c").write_text(main, encoding="utf-8")
        gcc = ["arm-none-eabi-gcc", *TARGET, *LINK.split(), "-T", str(IMAGE / "image.ld")]
        sources = ["net.c", "main.c", str(IMAGE / "start.c")]
        subprocess.run([*gcc, *sources, "-lm", "-o", "net.elf"], cwd=folder, check=True)
        run = subprocess.run(
            [*QEMU, "net.elf"], cwd=folder, capture_output=True, text=True, timeout=120
        )
        instructions, heap = map(int, (run.stdout + run.stderr).split()[:2])
        sizes = subprocess.run(
            ["arm-none-eabi-size", "net.elf"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
        )
        return instructions, heap, int(sizes.stdout.splitlines()[1].split()[0])


def main() -> None:
    """Print a table, or what is missing."""
    missing = [t for t in ("arm-none-eabi-gcc", "qemu-system-arm") if shutil.which(t) is None]
    if missing:
        sys.exit(f"this needs {' and '.join(missing)}")
    print("| network | precision | instructions a point | image text | heap |")
    print("|---|---|---|---|---|")
    for name, network in CASES.items():
        for kind in ("float", "double"):
            instructions, heap, text = measured(network, kind)
            print(f"| {name} | {kind} | {instructions:,} | {text:,} B | {heap} B |")


if __name__ == "__main__":
    main()
