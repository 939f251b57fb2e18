// The actor's distribution: a Gaussian squashed by tanh. Values and gradients for what a network gave; no networks.
#pragma once

#include "vector.h"

namespace {

constexpr float kLogStdLow = -20.0f, kLogStdHigh = 2.0f, kLogSqrtTwoPi = 0.918938533f, kLogTwo = 0.693147181f;

// A sample of the policy for each row of a batch. The stride is padded to whole vectors.
struct Sample {
    float *head;                        // (2a, stride): means, then log standard deviations as the network gave them
    float *noise, *deviation, *action;  // (a, stride); noise is from N(0, 1), deviation is std noise
    float *log_prob;                    // (stride,)
};

// Fill in deviation, action and log_prob: u = mean + std noise, action = tanh u.
inline void draw(const Sample &s, int actions, int64_t stride) {
    const int64_t size = actions * stride;
    for (int64_t r = 0; r < stride; r += kLanes) vector(s.log_prob + r) = Vector{};
    for (int64_t i = 0; i < size; i += kLanes) {
        Vector raw = vector(s.head + size + i), noise = vector(s.noise + i);
        Vector log_std = raw < kLogStdLow ? broadcast(kLogStdLow) : raw > kLogStdHigh ? broadcast(kLogStdHigh) : raw;
        Vector deviation = exponential(log_std) * noise, u = vector(s.head + i) + deviation;
        Vector magnitude = absolute(u), decay = exponential(-2.0f * magnitude);
        vector(s.deviation + i) = deviation;
        vector(s.action + i) = hyperbolic_tangent(u, decay);
        // -log(1 - tanh² u) = 2 (|u| + log(1 + exp(-2|u|)) - log 2): 1 - tanh² itself rounds to 0 for |u| > 9
        Vector squashing = 2.0f * (magnitude + log_one_plus(decay) - kLogTwo);
        vector(s.log_prob + i % stride) += squashing - (log_std + 0.5f * noise * noise + kLogSqrtTwoPi);
    }
}

// ∂J/∂head (2a, stride), given ∂J/∂action (a, stride) and that J has the term `weight` log_prob:
// ∂log_prob/∂u = 2 tanh u, ∂action/∂u = 1 - tanh² u, ∂u/∂mean = 1, ∂u/∂log_std = deviation, ∂log_prob/∂log_std = -1
inline void differentiate(const Sample &s, int actions, int64_t stride, const float *of_action, float weight,
                          float *of_head) {
    const int64_t size = actions * stride;
    for (int64_t i = 0; i < size; i += kLanes) {
        Vector a = vector(s.action + i), raw = vector(s.head + size + i);
        Vector of_u = vector(of_action + i) * (1.0f - a * a) + 2.0f * weight * a;
        Vector of_log_std = of_u * vector(s.deviation + i) - weight;
        vector(of_head + i) = of_u;
        vector(of_head + size + i) = raw < kLogStdLow ? Vector{} : raw > kLogStdHigh ? Vector{} : of_log_std;
    }
}

}  // namespace
