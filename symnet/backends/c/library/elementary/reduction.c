/* x = n log 2 + r + rest, and exp(r) = 1 + r + tail; `power`, shifted, is 2^n. */
typedef struct {
    bits power;
    real r, rest, tail;
} reduction;

INLINE reduction reduced(real x)
{
    const real rounded = x*$log2e + $rounding; /* n + $bias in the last bits */
    const real n = rounded - $rounding;
    const real y = x - n*$high;
    const real r = y - n*$low;
    const real $exp_square;
    const real tail = r2*$exp;
    const reduction found = {bits_of(rounded), r, (y - r) - n*$low, tail};
    return found;
}
