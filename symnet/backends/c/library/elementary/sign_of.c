/* Of a number other than 0. */
INLINE real sign_of(real x)
{
    return copysign$f(1, x);
}
