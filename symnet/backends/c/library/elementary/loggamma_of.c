INLINE real loggamma_of(real x)
{
    const real v = x < 1 ? x : x <= 4 ? x - 1 : 0;
    const real $loggamma_square;
    const real inside = v*(v - 1)*($loggamma/$loggamma_below);
    const real y = x <= 4 ? 8 : x < 8 ? x + 4 : x;
    const real i = 1/y, w = i*i, $series_square;
    const real whole = (y - $half)*log_of(y) - y + $half_log_2pi + $series*i;
    const real product = x < 1 ? x : x <= 4 ? 1 : x < 8 ? x*(x + 1)*(x + 2)*(x + 3) : 1;
    const real found = (x <= 4 ? inside : whole) - log_of(product);
    return x < 0 ? NAN : x > $max ? x : found;
}
