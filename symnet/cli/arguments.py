"""What each command takes: a function of its parser, which adds it.

Nothing here needs NumPy or SymPy, so that help and mistakes are quick.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from symnet import catalogue
from symnet.cli import agreement, libraries, values
from symnet.cli.parsing import Parser, writable

_NETWORKS = f"network file (JSON), or a trained network: {' '.join(catalogue.READERS)}"
_SHELLS = ("bash", "zsh", "tcsh")


# --- what several commands take -----------------------------------------------------------------


def _file(parser: Parser) -> None:
    parser.reads(
        "file",
        nargs="?",
        metavar="FILE",
        help=f"{_NETWORKS} (- for stdin); without it the built-in 2-2-1 example",
    )


def _order(parser: Parser) -> None:
    parser.add_argument(
        "--order", type=values.whole, default=2, metavar="R", help="highest order of derivative (2)"
    )


def _backend(parser: Parser) -> None:
    parser.add_argument(
        "--backend", choices=catalogue.BACKENDS, default="numpy", help="what is generated (numpy)"
    )


def _units(parser: Parser, what: str) -> None:
    parser.add_argument(
        "--units", type=values.units, metavar="UNITS", help=f"rho=kg/m3,T=K,p=MPa {what}"
    )


def _in_format(what: str, formats: Sequence[str]) -> Callable[[str], None]:
    """The check of an output whose name says its format."""

    def check(path: str) -> None:
        catalogue.format_of(path, what, formats)
        writable(path)

    return check


def _network_file(path: str) -> None:
    catalogue.check_network_file(path)
    writable(path)


def _anything(path: str) -> None:
    """No check: folders that there are not are made."""


# --- the commands -------------------------------------------------------------------------------


def derive(parser: Parser) -> None:
    """FILE, and what formulas look like."""
    _file(parser)
    _order(parser)
    parser.add_argument(
        "--notation",
        choices=catalogue.NOTATIONS,
        help="symbols are inputs, neurons or layers (expanded where that is readable, else layer)",
    )
    parser.add_argument(
        "--format",
        choices=catalogue.FORMULAS,
        help="expanded text pastes into Python, mathml is HTML (unicode if the terminal shows it)",
    )
    parser.add_argument(
        "--at", type=values.point, metavar="X", help="show values at this point: 1,0.5"
    )
    parser.add_argument("--digits", type=values.whole, help="round the numbers shown (exact)")


def check(parser: Parser) -> None:
    """FILE, and what is compared where."""
    _file(parser)
    _order(parser)
    _backend(parser)
    parser.add_argument("--seed", type=values.whole, default=0, help="of the points compared (0)")


def evaluate(parser: Parser) -> None:
    """FILE and POINTS, and what of them."""
    _file(parser)
    parser.reads(
        "points", metavar="POINTS", help="CSV with a header that names the inputs (- for stdin)"
    )
    parser.writes(
        writable,
        default="-",
        help="CSV with the columns y, dy/dx1, ..., d2y/dx1dx2, ... (- for stdout)",
    )
    _order(parser)
    _backend(parser)
    parser.add_argument("--inputs", action="store_true", help="begin each row with its point")


def generate(parser: Parser) -> None:
    """Any number of FILEs, and in which language."""
    parser.agree, parser.need = agreement.generate, libraries.generate
    parser.reads(
        "files",
        nargs="*",
        metavar="FILE",
        help="network files; several make one library; without any the built-in 2-2-1 example",
    )
    parser.writes(
        _anything,
        default="-",
        help="the file, or a folder (ends with /) for all files of all networks (- for stdout)",
    )
    _order(parser)
    parser.add_argument(
        "--language",
        choices=tuple(catalogue.LANGUAGES),
        help="(what the output's name ends with, else python)",
    )
    parser.add_argument(
        "--name",
        help="what functions, the module or the library are called (as OUT, or else the network)",
    )
    parser.add_argument(
        "--only",
        metavar="PARTIALS",
        help="compute these alone, whatever --order, in languages with loops: y,dy/dx1,d2y/dx1dx2",
    )
    parser.add_argument(
        "--plain",
        action="store_true",
        help="for python: a short text to be read, without what makes many points fast",
    )
    parser.add_argument(
        "--precision", choices=catalogue.PRECISIONS, default="double", help="of numbers (double)"
    )


def fit(parser: Parser) -> None:
    """DATA, and how it is learned from."""
    parser.agree, parser.need = agreement.fit, libraries.fit
    parser.reads(
        "data",
        metavar="DATA",
        help="CSV whose header names inputs, outputs and partials: dy/dx1 (- for stdin)",
    )
    parser.writes(
        _network_file, required=True, help="network file, in the data's units (- for stdout)"
    )
    parser.add_argument("--hidden", type=values.widths, help="neurons of the hidden layers (16,16)")
    parser.add_argument("--activation", help="of the hidden layers (tanh)")
    parser.reads(
        "--network",
        metavar="FILE",
        help="network to train on from its weights instead, a graph too",
    )
    parser.add_argument(
        "--outputs",
        type=values.names,
        help="names of the outputs, where neither partials nor a network tell: y1,y2",
    )
    _units(parser, "(kept in the file)")
    parser.add_argument("--weight", metavar="COLUMN", help="column that holds the rows' weights")
    parser.add_argument("--method", choices=tuple(catalogue.METHODS), help="(chosen by size)")
    parser.add_argument("--seed", type=values.whole, default=0, help="of all that is random (0)")
    parser.add_argument("--restarts", type=values.whole, default=2, help="trainings (2)")
    parser.add_argument(
        "--holdout", type=float, default=0.1, help="fraction of rows kept from training (0.1)"
    )
    parser.add_argument("--time-limit", type=float, metavar="SECONDS", help="(none)")


def import_(parser: Parser) -> None:
    """FILE, and what its names and layers are."""
    parser.reads("file", metavar="FILE", help=f"{_NETWORKS} (- for JSON from stdin)")
    parser.writes(_network_file, help="network file (- for stdout)")
    parser.add_argument(
        "--inputs",
        type=values.names,
        help="names of the inputs: rho,T (quoted where they have commas)",
    )
    parser.add_argument("--outputs", type=values.names, help="names of the outputs: p")
    _units(parser, "(kept in the file)")
    parser.add_argument(
        "--select-outputs",
        type=values.names,
        metavar="NAMES",
        help="outputs to keep, by the model's names",
    )
    parser.add_argument(
        "--activations",
        type=values.functions,
        help="for files of arrays: tanh,linear; or by layers to take: Dense_1=tanh,Dense_0=linear",
    )
    parser.add_argument(
        "--layout",
        choices=("out,in", "in,out"),
        metavar="AXES",
        help="of such files' matrices: out,in or in,out (as names say)",
    )


def report(parser: Parser) -> None:
    """FILE, and points for slopes."""
    _file(parser)
    parser.writes(
        _in_format("a report", catalogue.PAGES),
        required=True,
        help="ends in .html, .md, .tex or .pdf (- for HTML to stdout)",
    )
    _order(parser)
    parser.reads(
        "--data",
        metavar="CSV",
        help="points, by columns named as the inputs: ranges, and slopes over them (- for stdin)",
    )
    _units(parser, "(those in the network's file)")


def plot(parser: Parser) -> None:
    """FILE, and what is seen of it from where."""
    parser.agree, parser.need = agreement.plot, libraries.plot
    _file(parser)
    parser.writes(
        _in_format("a picture", catalogue.DRAWN),
        required=True,
        help="ends in .png, .svg or .pdf (- for PNG to stdout)",
    )
    parser.add_argument(
        "--kind",
        choices=catalogue.PICTURES,
        help="(maps of two inputs, curves otherwise); measured: predicted against --data",
    )
    parser.add_argument(
        "--order",
        type=values.whole,
        metavar="R",
        help="highest order of partial, 0 to 2 (2, of relu and its like 1)",
    )
    parser.add_argument("--inputs", type=values.names, help="those shown: rho,T")
    parser.add_argument("--outputs", type=values.names, help="those shown (those that fit)")
    parser.add_argument(
        "--over", type=values.ranges, metavar="RANGES", help="rho=20:600,T=660:1000"
    )
    parser.add_argument(
        "--at",
        type=values.place,
        metavar="X",
        help="where inputs that are not moved are: 300,800 or T=800 (middle)",
    )
    parser.reads(
        "--data", metavar="TABLE", help="CSV that gives the ranges and is shown (- for stdin)"
    )
    _units(parser, "(those in the network's file)")


def sensitivity(parser: Parser) -> None:
    """FILEs and points, and what is measured."""
    parser.agree, parser.need = agreement.sensitivity, libraries.sensitivity
    parser.reads(
        "files",
        nargs="+",
        metavar="FILE",
        help="network files, several to compare (without one the built-in 2-2-1 example), and "
        "last a CSV whose header names the inputs (- for stdin)",
    )
    parser.writes(
        _in_format("a picture", (*catalogue.DRAWN, "csv")),
        default="-",
        help="table (.csv) or picture (.png, .svg, .pdf) (- for a table to read)",
    )
    parser.add_argument("--order", type=int, choices=(1, 2), help="of partials (2)")
    parser.add_argument(
        "--kind", choices=catalogue.SENSITIVITY_PICTURES, help="of the picture (bars)"
    )
    _units(parser, "(those in the networks' files)")
    parser.add_argument(
        "--dependence",
        metavar="INPUT",
        help="instead: y as this input is moved in each row of the data, and the slope",
    )


def completion(parser: Parser) -> None:
    """SHELL."""
    parser.add_argument("shell", choices=_SHELLS, metavar="SHELL", help=", ".join(_SHELLS))
    parser.writes(writable, default="-", help="the script (- for stdout)")
