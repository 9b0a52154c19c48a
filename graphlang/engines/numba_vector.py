"""exp, log and what is made of them without a call of the C library, and without branches: in a loop over a table LLVM computes several elements at once.

exp(v) = 2^n·exp(r), n the nearest whole number to v/log 2 and |r| ≤ log(2)/2; for exp(r) - 1 its series up to r^13. log(v) = n·log 2 + log(m) with m
between sqrt(1/2) and sqrt(2), by the series of atanh(s), s = (m - 1)/(m + 1). Errors of these two are below 1.1 units in the last place, as in the C library.
inf, nan and subnormal numbers are treated as IEEE 754 wants it.
"""

from __future__ import annotations

from math import inf, nan

from graphlang.engines.numba_functions import as_bits, as_float, straight

SHIFT = 6755399441055744.0  # 1.5·2^52: a number that is added to it is rounded to a whole one, which then stands in the lowest bits
SHIFT_BITS = 0x4338000000000000
PER_LOG_2 = 1.4426950408889634
LOG_2, LOG_2_REST = 0.6931471803691238, 1.9082149292705877e-10  # the first has so few bits that n times it is exact
C2, C3, C4, C5, C6, C7 = 0.5, 1 / 6, 1 / 24, 1 / 120, 1 / 720, 1 / 5040
C8, C9, C10, C11, C12, C13 = 1 / 40320, 1 / 362880, 1 / 3628800, 1 / 39916800, 1 / 479001600, 1 / 6227020800
LARGEST, SMALLEST = 709.782712893384, -745.1332191019412

ROOT_HALF_BITS = 0x3FE6A09E667F3BCD
TINY, UP, UP_POWER = 2.2250738585072014e-308, 18014398509481984.0, 54.0  # a subnormal number is multiplied by 2^54 first
EXPONENT = 4503599627370496.0  # 2^52: whole numbers below stand in the lowest bits of their sum with it
EXPONENT_BITS = 0x4330000000000000


@straight
def less_1(r):
    """exp(r) - 1 near 0."""
    p = ((((((C13 * r + C12) * r + C11) * r + C10) * r + C9) * r + C8) * r + C7) * r + C6
    return ((((p * r + C5) * r + C4) * r + C3) * r + C2) * r * r + r


@straight
def exp(v):
    shifted = v * PER_LOG_2 + SHIFT
    n = shifted - SHIFT
    p = less_1((v - n * LOG_2) - n * LOG_2_REST)
    k = as_bits(shifted) - SHIFT_BITS
    half = k >> 1
    a, b = as_float((half + 1023) << 52), as_float((k - half + 1023) << 52)  # 2^k in two factors, of which each is a normal number
    y = (p * a + a) * b
    y = inf if v > LARGEST else y
    return 0.0 if v < SMALLEST else y


@straight
def expm1_below_0(v):
    """exp(v) - 1 for v from -740 up to 0."""
    shifted = v * PER_LOG_2 + SHIFT
    n = shifted - SHIFT
    p = less_1((v - n * LOG_2) - n * LOG_2_REST)
    a = as_float((as_bits(shifted) - SHIFT_BITS + 1023) << 52)
    return p * a + (a - 1.0)


@straight
def sigmoid(v):
    e = exp(-abs(v))
    return (e if v < 0.0 else 1.0) / (1.0 + e)


@straight
def tanh(v):
    x = abs(v)
    m = expm1_below_0(-2.0 * (20.0 if x > 20.0 else x))
    y = -m / (m + 2.0)
    return -y if v < 0.0 else y if v > 0.0 else v


@straight
def sech(v):
    e = exp(-abs(v))
    return 2.0 * e / (1.0 + e * e)


@straight
def silu(v):
    return -0.0 if v == -inf else v * sigmoid(v)


@straight
def log(v):
    small = v < TINY
    bits = as_bits(v * UP if small else v)
    power = (bits - ROOT_HALF_BITS + (1023 << 52)) >> 52  # from 0 up for every positive number
    m = as_float(bits - ((power - 1023) << 52))
    n = (as_float(power + EXPONENT_BITS) - EXPONENT) - 1023.0 - (UP_POWER if small else 0.0)
    f = m - 1.0
    s = f / (2.0 + f)
    z = s * s
    q = 2.0 / 3 + z * (2.0 / 5 + z * (2.0 / 7 + z * (2.0 / 9 + z * (2.0 / 11 + z * (2.0 / 13 + z * (2.0 / 15 + z * (2.0 / 17 + z * (2.0 / 19 + z * (2.0 / 21 + z * (2.0 / 23))))))))))
    half = 0.5 * f * f
    y = n * LOG_2 - ((half - (s * (half + z * q) + n * LOG_2_REST)) - f)
    y = v if v == inf else y
    y = -inf if v == 0.0 else y
    return y if v >= 0.0 else nan
