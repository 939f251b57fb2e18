// Two threads that share the two halves of a job: the caller's, and one that waits for the next job in between.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

namespace sac_native {

class Pair {
public:
    using Job = void (*)(void *context, int half);

    explicit Pair(bool with_second_thread);  // without it, run() does both halves in turn
    ~Pair();
    // job(context, 0) and job(context, 1); returns when both are done. The second thread takes half 1, unless it has
    // not begun with it (other processes have all cores, say) when half 0 is done: then the caller does both.
    void run(Job job, void *context);

private:
    void serve();
    bool claim(uint32_t number);

    Job job_ = nullptr;
    void *context_ = nullptr;
    std::atomic<uint32_t> given_{0}, claimed_{0}, done_{0};  // numbers of jobs, counted from 1
    std::atomic<bool> asleep_{false}, ending_{false};
    std::mutex mutex_;
    std::condition_variable wake_;
    std::thread thread_;
};

}  // namespace sac_native
