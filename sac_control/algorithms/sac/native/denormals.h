// How the processor treats numbers too small to be normal. For the thread that holds the object, while it does.
#pragma once

#include <stdint.h>

namespace {

// They become 0. Adam's moments of idle units decay into them and stay there, and arithmetic
// with them takes a hundred times as long.
class WithoutDenormals {
public:
#if defined(__x86_64__)
    WithoutDenormals() : before_(__builtin_ia32_stmxcsr()) { __builtin_ia32_ldmxcsr(before_ | 0x8040); }
    ~WithoutDenormals() { __builtin_ia32_ldmxcsr(before_); }

private:
    unsigned before_;
#elif defined(__aarch64__)
    WithoutDenormals() {
        asm volatile("mrs %0, fpcr" : "=r"(before_));
        asm volatile("msr fpcr, %0" : : "r"(before_ | (uint64_t{1} << 24)));
    }
    ~WithoutDenormals() { asm volatile("msr fpcr, %0" : : "r"(before_)); }

private:
    uint64_t before_;
#endif
};

}  // namespace
