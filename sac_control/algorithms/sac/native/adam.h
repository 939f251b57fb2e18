// What happens to flat vectors of parameters: Adam, Polyak averaging, norms. Knows no networks.
#pragma once

#include "vector.h"

namespace {

struct AdamStep {  // Kingma & Ba 2015, algorithm 1, in the arithmetic of torch.optim.Adam(fused=True)
    float step_size, root_scale, gradient_scale;

    AdamStep(double learning_rate, int64_t step, float scale)
        : step_size(static_cast<float>(learning_rate / (1.0 - __builtin_pow(0.9, static_cast<double>(step))))),
          root_scale(static_cast<float>(1.0 / __builtin_sqrt(1.0 - __builtin_pow(0.999, static_cast<double>(step))))),
          gradient_scale(scale) {}

    void apply(int64_t begin, int64_t end, const float *__restrict gradient, float *__restrict parameters,
               float *__restrict first, float *__restrict second) const {
        const AdamStep s = *this;
        for (int64_t i = begin; i < end; ++i) {
            float g = gradient[i] * s.gradient_scale;
            float m = first[i] + 0.1f * (g - first[i]);
            float v = 0.999f * second[i] + 0.001f * g * g;
            first[i] = m;
            second[i] = v;
            parameters[i] -= s.step_size * m / (__builtin_sqrtf(v) * s.root_scale + 1e-8f);
        }
    }
};

inline void approach(int64_t begin, int64_t end, float *__restrict targets, const float *__restrict parameters,
                     float tau) {
    for (int64_t i = begin; i < end; ++i) targets[i] += tau * (parameters[i] - targets[i]);
}

// As torch.nn.utils.clip_grad_norm_: what to multiply a gradient of this squared norm with. NaN stays NaN.
inline float clipping(double squared_norm, double max_norm) {
    if (max_norm <= 0.0) return 1.0f;
    double scale = max_norm / (__builtin_sqrt(squared_norm) + 1e-6);
    return scale >= 1.0 ? 1.0f : static_cast<float>(scale);
}

inline bool is_finite(const float *x, int64_t n) {  // 0 times infinity is NaN, as is 0 times NaN
    Vector total{};
    int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes) {
        Vector part;
        __builtin_memcpy(&part, x + i, sizeof part);
        total += part * 0.0f;
    }
    float result = sum(total);
    for (; i < n; ++i) result += x[i] * 0.0f;
    return result == 0.0f;
}

}  // namespace
