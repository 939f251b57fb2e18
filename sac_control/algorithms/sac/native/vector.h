// Vectors as wide as the machine's registers, and the few functions of them that an update needs. Knows no matrix.
//
// Everything here and in the headers built on it is in an unnamed namespace, and none of them uses templates of the
// standard library: update.cpp is compiled once per instruction set, and of two functions of one name the linker keeps
// any, so that an old processor could be given the one with new instructions.
#pragma once

#include <stdint.h>

namespace {

#if defined(__AVX512F__)
constexpr int kLanes = 16, kTileRows = 8;
#elif defined(__AVX__)
constexpr int kLanes = 8, kTileRows = 4;
#elif defined(__aarch64__)
constexpr int kLanes = 4, kTileRows = 8;  // 32 registers
#else
constexpr int kLanes = 4, kTileRows = 4;
#endif

using Vector = float __attribute__((vector_size(4 * kLanes), may_alias));

inline Vector &vector(float *at) { return *reinterpret_cast<Vector *>(at); }  // `at` is aligned to a vector
inline const Vector &vector(const float *at) { return *reinterpret_cast<const Vector *>(at); }

// Not Vector{} + x: 0 + -0 is 0, so that the compiler would have to add.
inline Vector broadcast(float x) { return x - Vector{}; }

template <class T>
inline T smaller(T a, T b) {
    return b < a ? b : a;
}

using Four = float __attribute__((vector_size(16), may_alias));

inline Four load_four(const float *at) {  // from any address
    Four x;
    __builtin_memcpy(&x, at, sizeof x);
    return x;
}

inline Four fold(const Vector &v) {  // four sums of a quarter of the vector each
    float lanes[kLanes];
    __builtin_memcpy(lanes, &v, sizeof v);
    Four total = load_four(lanes);
    for (int i = 4; i < kLanes; i += 4) total += load_four(lanes + i);
    return total;
}

inline float sum(const Vector &v) {
    Four part = fold(v);
    return (part[0] + part[1]) + (part[2] + part[3]);
}

inline void transpose(Four (&x)[4]) {
#if defined(__clang__)
#define SAC_SHUFFLE(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else
    using Indices = int32_t __attribute__((vector_size(16)));
#define SAC_SHUFFLE(a, b, i, j, k, l) __builtin_shuffle(a, b, Indices{i, j, k, l})
#endif
    Four a = SAC_SHUFFLE(x[0], x[1], 0, 4, 1, 5), b = SAC_SHUFFLE(x[2], x[3], 0, 4, 1, 5);
    Four c = SAC_SHUFFLE(x[0], x[1], 2, 6, 3, 7), d = SAC_SHUFFLE(x[2], x[3], 2, 6, 3, 7);
    x[0] = SAC_SHUFFLE(a, b, 0, 1, 4, 5), x[1] = SAC_SHUFFLE(a, b, 2, 3, 6, 7);
    x[2] = SAC_SHUFFLE(c, d, 0, 1, 4, 5), x[3] = SAC_SHUFFLE(c, d, 2, 3, 6, 7);
#undef SAC_SHUFFLE
}

// Inner product of `n` numbers at any address.
inline float dot(const float *x, const float *y, int64_t n) {
    Vector total{};
    int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes) {
        Vector a, b;
        __builtin_memcpy(&a, x + i, sizeof a);
        __builtin_memcpy(&b, y + i, sizeof b);
        total += a * b;
    }
    float result = sum(total);
    for (; i < n; ++i) result += x[i] * y[i];
    return result;
}

// The rest is a few functions without branches and calls, since the library's are for single numbers. All let NaN
// through. Largest relative error 3e-7.

using Whole = int32_t __attribute__((vector_size(4 * kLanes), may_alias));

template <int n>
inline Vector polynomial(Vector x, const float (&coefficients)[n]) {  // that of the highest power first
    Vector p = broadcast(coefficients[0]);
#pragma GCC unroll 16
    for (int i = 1; i < n; ++i) p = p * x + coefficients[i];
    return p;
}

inline Vector absolute(Vector x) { return reinterpret_cast<Vector>(reinterpret_cast<Whole>(x) & 0x7fffffff); }

// e^x for x <= 88; e^-87 for what is below -87, as the smallest normal number is near.
inline Vector exponential(Vector x) {
    constexpr float kSeries[] = {1.0f / 5040.0f, 1.0f / 720.0f, 1.0f / 120.0f, 1.0f / 24.0f,
                                 1.0f / 6.0f,    0.5f,          1.0f,          1.0f};
    constexpr float kRounding = 12582912.0f;  // 1.5 * 2^23: has no digits behind the point
    x = x < -87.0f ? broadcast(-87.0f) : x;
    Vector n = (x * 1.44269504f + kRounding) - kRounding;
    Vector r = (x - n * 0.693359375f) + n * 2.12194440e-4f;  // log 2 in two parts: the first product is exact
    Whole power = (__builtin_convertvector(n, Whole) + 127) << 23;
    return polynomial(r, kSeries) * reinterpret_cast<Vector>(power);
}

// log(1 + x) for x from 0 to 1: 2 artanh(x / (2 + x)) as a series.
inline Vector log_one_plus(Vector x) {
    constexpr float kSeries[] = {1.0f / 15.0f, 1.0f / 13.0f, 1.0f / 11.0f, 1.0f / 9.0f,
                                 1.0f / 7.0f,  1.0f / 5.0f,  1.0f / 3.0f,  1.0f};
    Vector z = x / (2.0f + x);
    return 2.0f * z * polynomial(z * z, kSeries);
}

// tanh u, given e = exp(-2 |u|). Near 0 a polynomial, since 1 - e has few digits there.
inline Vector hyperbolic_tangent(Vector u, Vector e) {
    // fitted for |u| < 0.64 to the least relative error, 6e-9
    constexpr float kFit[] = {-5.591015723e-3f, 2.053881961e-2f, -5.370965739e-2f, 1.333109225e-1f, -3.333326952e-1f};
    Vector s = u * u, far = (1.0f - e) / (1.0f + e);
    return absolute(u) < 0.625f ? u + u * s * polynomial(s, kFit) : u < 0.0f ? -far : far;
}

}  // namespace
