/* The n-th derivative of digamma at u > 0. */
INLINE real polygamma_at_right(const int n, real u)
{
    static const real bernoulli[] = {$bernoulli};
    const real v = 1/(u + (8 + n)), w = v*v;
    real factorial = 1, power = 1, near = 0, tail = 0;
    for (int k = 1; k <= n; k++)
        factorial *= (real)k, power *= v;
    for (int k = 0; k < 8 + n; k++) {
        const real one = 1/(u + (real)k);
        real term = one;
        for (int j = 0; j < n; j++)
            term *= one;
        near += term;
    }
    for (int k = 12; k > 0; k--) {
        real ratio = 1/(real)(2*k);
        for (int j = 1; j < n; j++)
            ratio *= (real)(2*k + j);
        if (n > 0)
            ratio *= (real)(2*k);
        tail = (tail + bernoulli[k - 1]*ratio)*w;
    }
    tail += factorial*v*$half;
    if (n == 0)
        return log_of(u + 8) - tail - near;
    const real size = (factorial/(real)n + tail)*power + factorial*near;
    return n % 2 ? size : -size;
}

/* On the left by reflection: the n-th derivative of pi/tan(pi x), a polynomial in 1/tan. */
INLINE real polygamma_of(const int n, real x)
{
    static const real cotangent[][12] = {
$cotangent
    };
    const real right = polygamma_at_right(n, x > 0 ? x : 1 - x);
    const real rest = x > 0 ? $half : x - rint$f(x);
    const real cot = 1/tan$f($pi*rest);
    real slope = cotangent[n][n + 1], power = $pi;
    for (int k = n; k >= 0; k--)
        slope = slope*cot + cotangent[n][k];
    for (int k = 0; k < n; k++)
        power *= $pi;
    const real left = (n % 2 ? -right : right) - power*slope;
    return x > 0 ? right : left;
}
