/// Templates that lacuna::precompiled holds: with that library linked (it defines LACUNA_PRECOMPILED) a file finds them
/// there; header-only programs never see any of it.
///
///     LACUNA_PRECOMPILE(template class Sgd<float, Cpu>)      // in the header of Sgd, outside of all functions
///
/// It helps for functions that are not inline: g++ reads the body of an inline one all the same when it optimizes.
#pragma once

#if defined(LACUNA_PRECOMPILED_IMPLEMENTATION)
#define LACUNA_PRECOMPILE(...) __VA_ARGS__;
#elif defined(LACUNA_PRECOMPILED)
#define LACUNA_PRECOMPILE(...) extern __VA_ARGS__;
#else
#define LACUNA_PRECOMPILE(...)
#endif
