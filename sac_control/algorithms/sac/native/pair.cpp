// Two threads that share the two halves of a job.
#include "pair.h"

namespace sac_native {

namespace {

// About 0.1 ms: longer than what lies between two jobs of an update, too short to matter while nothing is asked for.
constexpr int kSpins = 2'000;

inline void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

}  // namespace

Pair::Pair(bool with_second_thread) {
    if (with_second_thread) thread_ = std::thread([this] { serve(); });
}

Pair::~Pair() {
    if (!thread_.joinable()) return;
    ending_ = true;
    run([](void *, int) {}, nullptr);
    thread_.join();
}

void Pair::run(Job job, void *context) {
    if (!thread_.joinable()) {
        job(context, 0);
        job(context, 1);
        return;
    }
    job_ = job;
    context_ = context;
    const uint32_t number = ++given_;
    if (asleep_.exchange(false)) {
        std::lock_guard<std::mutex> lock(mutex_);
        wake_.notify_one();
    }
    job(context, 0);
    if (claim(number)) {
        job(context, 1);
        return;
    }
    for (int spins = 0; done_ != number; ++spins)
        if (spins < kSpins)
            pause();
        else
            std::this_thread::yield();  // the other one may be waiting for this core
}

void Pair::serve() {
    for (uint32_t seen = 0; !ending_;) {
        for (int spins = 0; given_ == seen && spins < kSpins; ++spins) pause();
        if (given_ == seen) {
            std::unique_lock<std::mutex> lock(mutex_);
            asleep_ = true;
            wake_.wait(lock, [&] { return given_ != seen; });
            asleep_ = false;
        }
        seen = given_;
        if (!claim(seen)) continue;
        job_(context_, 1);  // stays as it is until this half is done
        done_ = seen;
    }
}

// Whether half 1 of this job is the asking thread's to do.
bool Pair::claim(uint32_t number) {
    uint32_t before = number - 1;
    return claimed_.compare_exchange_strong(before, number);
}

}  // namespace sac_native
