"""The words that a language keeps for itself, or that its generated texts use: no names of others.

One row for each language that text is generated in: its keywords, names of its own library that a
file, a module or a function would hide or be hidden by, and those of symnet's texts. Languages that
take capitals for small letters, or keep files where a system does, are compared without case.
"""

from __future__ import annotations

import keyword
import sys
from collections.abc import Mapping

_ROUTINES = (
    "value jacobian hessian value_jacobian value_jacobian_hessian derivative partials x y self_test"
)
_OWN = "points expected worst error worst_error error_of larger allowed stride got detail main test"
_NUMBERED = " ".join(f"expected{order} allowed{order} up_to_{order}" for order in range(10))
_C_KEYWORDS = (
    "auto break case char const continue default do double else enum extern float for goto if "
    "inline int long main register restrict return short signed sizeof static struct switch "
    "typedef union unsigned void volatile while"
)
_FUNCTIONS = (
    "exp expm1 log log1p sqrt sin cos tan tanh sinh cosh atan arctan asin acos erf erfc erfcx abs "
    "Abs fabs pow sign Piecewise Min Max min max where logaddexp matvec dot pi nan inf NAN "
    "INFINITY np numpy math"
)
_C_LATER = (
    "alignas alignof bool constexpr false nullptr static_assert thread_local true typeof "
    "typeof_unqual asm fortran near far huge interrupt pascal cdecl"
)
_HEADERS = (
    "assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal "
    "stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string tgmath "
    "threads time uchar wchar wctype omp windows unistd cmath"
)
_LIBC = (
    "abort abs acos acosh asin asinh atan atan2 atanh atexit atof atoi bsearch calloc cbrt ceil "
    "clock copysign cos cosh div erf erfc exit exp exp2 expm1 fabs fdim floor fma fmax fmin fmod "
    "free frexp gamma getenv hypot ilogb index j0 j1 jn labs ldexp ldiv lgamma log log10 log1p "
    "log2 logb lrint malloc memcpy memset modf nan nearbyint pow printf putchar puts qsort raise "
    "rand random read realloc remainder remove rename rindex rint round scalb scalbn select sin "
    "sinh sleep sqrt srand stdin stdout stderr strlen system tan tanh tgamma trunc write y0 y1 yn "
    "NULL EOF linux unix interface small"
)
_CPP_KEYWORDS = (
    "and and_eq bitand bitor catch char8_t char16_t char32_t class co_await co_return co_yield "
    "compl concept const_cast consteval constinit decltype delete dynamic_cast explicit export "
    "friend import module mutable namespace new noexcept not not_eq operator or or_eq override "
    "final private protected public reinterpret_cast requires static_cast template this throw try "
    "typeid typename using virtual wchar_t xor xor_eq std Real"
)
_FORTRAN = (
    "abstract allocatable allocate associate assign assignment asynchronous backspace bind block "
    "call case character class close codimension common complex concurrent contains contiguous "
    "continue critical cycle data deallocate deferred dimension do double else elseif elsewhere "
    "end enddo endif entry enum enumerator equivalence error exit extends external final flush "
    "forall format function generic goto if implicit import impure in include inout inquire "
    "integer intent interface intrinsic kind len lock logical module namelist none nopass nullify "
    "only open operator optional out parameter pass pause pointer precision print private "
    "procedure program protected public pure read real recursive result return rewind save select "
    "sequence stop submodule subroutine sync target then to type unlock use value volatile wait "
    "where while write iso_fortran_env iso_c_binding ieee_arithmetic ieee_exceptions "
    "ieee_features omp_lib openacc wp abs exp log sqrt merge sum size reshape form tanh sin cos "
    "tan erf erfc erfc_scaled aint place product mod ieee_value ieee_quiet_nan"
)
_JAVASCRIPT = (
    "arguments async await boolean break case catch class const continue debugger default delete "
    "do else enum eval export extends false finally for function get if implements import in "
    "instanceof interface let new null of package private protected public return set static "
    "super switch this throw true try typeof undefined var void while with yield Math Array "
    "Float64Array Object globalThis process URL console Infinity NaN"
)
_RUST = (
    "abstract as async await become box break const continue crate do dyn else enum extern false "
    "final fn for gen if impl in let loop macro macro_rules match mod move mut override priv pub "
    "ref return self static struct super trait true try type typeof unsafe unsized use virtual "
    "where while yield std core alloc libm proc_macro test lib build f32 f64 usize bool str math"
)
_MATLAB = (
    "break case catch classdef continue do else elseif end end_try_catch end_unwind_protect "
    "endfor endfunction endif endmethods endparfor endswitch endwhile enumeration error events "
    "for function global if methods otherwise parfor persistent properties return spmd switch try "
    "unwind_protect until while abs acos asin atan atanh ans axes case cos cosh cat ceil choose "
    "class clc clear close cosh disp double eps erf erfc erfcx exit exp expm1 eye false figure "
    "filled floor fprintf i inf isempty j length linspace log log1p log_softmax_of max min nan "
    "nargin nargout ndims numel ones permute pi plot prod quit rand randn reshape round run save "
    "load sign sin single sinh size softmax_of sqrt strcmp structfun sum tan tanh times true "
    "weights who zeros w"
)
_JULIA = (
    "abstract baremodule begin break catch const continue do else elseif end export false finally "
    "for function global if import in isa let local macro module mutable new nothing outer "
    "primitive public quote return struct true try type using where while Base Core Main Any Array "
    "Float32 Float64 Int Matrix Number Real Vector"
)

WORDS: Mapping[str, frozenset[str]] = {
    language: frozenset(word for text in texts for word in text.split())
    for language, texts in {
        "python": (" ".join([*keyword.kwlist, *sys.stdlib_module_names]), "numpy np"),
        "c": (_C_KEYWORDS, _C_LATER, _HEADERS, _LIBC, _CPP_KEYWORDS),
        "cpp": (_C_KEYWORDS, _C_LATER, _HEADERS, _LIBC, _CPP_KEYWORDS, _ROUTINES, _OWN, _NUMBERED),
        "fortran": (_FORTRAN, _ROUTINES, _OWN, _NUMBERED),
        "javascript": (_JAVASCRIPT,),
        "rust": (_RUST, _ROUTINES, _OWN, _NUMBERED),
        "matlab": (_MATLAB, _OWN, _NUMBERED),
        "julia": (_JULIA, _ROUTINES, _OWN, _NUMBERED),
    }.items()
}
"""By language: names that nothing generated in it may bear."""

LONGEST: Mapping[str, int] = {"fortran": 58, "matlab": 58}
"""Letters of a name, with `_test` after it, where a language has a limit of 63."""

_SAME = {"c-batch": "c"}


def taken(name: str, language: str) -> bool:
    """Whether generated text of a language cannot be called so; capitals and small letters alike.

    Files are found by their names, and some systems, as Fortran, take `Value` for `value`.
    """
    words = WORDS.get(_SAME.get(language, language), frozenset())
    return name.lower() in {word.lower() for word in words}


_SYMPIFY = "Symbol Integer Float Rational Function factorial factorial2"

FORMULAS = frozenset(
    [*keyword.kwlist, *_C_KEYWORDS.split(), *_FUNCTIONS.split(), *_SYMPIFY.split()]
)
"""Names that printed formulas use, that SymPy's parser writes into what it reads, or that neither
Python nor C has for a variable."""
