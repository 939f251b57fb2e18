// The C interface, on the build of update.cpp that this processor can run.
#include "updater.h"

namespace sac_native {

extern const Build build_baseline;
#if defined(SAC_X86_BUILDS)
extern const Build build_v3, build_v4;
#endif

namespace {

const Build &chosen() {
#if defined(SAC_X86_BUILDS)
    static const Build &build = [&]() -> const Build & {
        __builtin_cpu_init();
        bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
        bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                  __builtin_cpu_supports("avx512vl");
        return v4 ? build_v4 : v3 ? build_v3 : build_baseline;
    }();
    return build;
#else
    return build_baseline;
#endif
}

bool is_valid(const SacShape &shape) {
    bool valid = shape.observation_size >= 1 && shape.action_size >= 1 && shape.batch_size >= 1 &&
                 shape.hidden_layers >= 1 && shape.hidden_sizes != nullptr && shape.threads >= 1;
    for (int i = 0; valid && i < shape.hidden_layers; ++i) valid = shape.hidden_sizes[i] >= 1;
    return valid;
}

}  // namespace
}  // namespace sac_native

extern "C" {

void *sac_create(const SacShape *shape) {
    if (shape == nullptr || !sac_native::is_valid(*shape)) return nullptr;
    try {
        return sac_native::chosen().create(*shape);
    } catch (...) {  // no memory, or no thread
        return nullptr;
    }
}

void sac_destroy(void *handle) { sac_native::chosen().destroy(handle); }

int32_t sac_update(void *handle, const SacSettings *settings, SacState *state, const SacBatch *batch, int32_t k,
                   SacMetrics *metrics) {
    if (k < 1 || settings->policy_delay < 1 || settings->target_update_interval < 1) return -1;
    return sac_native::chosen().update(handle, *settings, *state, *batch, k, *metrics) ? 1 : 0;
}

const char *sac_instruction_set(void) { return sac_native::chosen().instruction_set; }

int32_t sac_interface(void) { return SAC_UPDATE_INTERFACE; }
}
