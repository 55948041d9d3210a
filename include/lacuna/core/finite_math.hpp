/// Refuses flags under which a compiler may drop every check for NaN and infinity (-ffast-math, -Ofast,
/// -ffinite-math-only): a NaN feature or label would then be trained on without a word. Build with
/// -fno-finite-math-only behind those flags, which keeps their other freedoms, or define LACUNA_ALLOW_FINITE_MATH and
/// answer for all numbers yourself.
#pragma once

#if defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__ && !defined(LACUNA_ALLOW_FINITE_MATH)
#error "lacuna: -ffast-math removes checks for NaN: add -fno-finite-math-only, or define LACUNA_ALLOW_FINITE_MATH"
#endif
