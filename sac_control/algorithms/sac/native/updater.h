// What each build of update.cpp offers to dispatch.cpp. The macros SAC_BUILD and SAC_INSTRUCTION_SET name a build.
#pragma once

#include "sac_update.h"

namespace sac_native {

struct Build {
    const char *instruction_set;
    void *(*create)(const SacShape &);  // throws
    void (*destroy)(void *);
    bool (*update)(void *, const SacSettings &, SacState &, const SacBatch &, int32_t, SacMetrics &);
};

}  // namespace sac_native
