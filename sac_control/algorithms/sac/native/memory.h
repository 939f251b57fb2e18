// Memory that is made once and freed together. Knows nothing of what it holds.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sac_native {

class Memory {
public:
    Memory() = default;
    Memory(const Memory &) = delete;
    Memory &operator=(const Memory &) = delete;
    ~Memory();

    // `bytes` zeros at an address that is a multiple of 64. Throws std::bad_alloc.
    void *zeros(size_t bytes);

    template <class T>
    T *array(int64_t n) {  // of a type for which zeros are a valid value
        return static_cast<T *>(zeros(sizeof(T) * static_cast<size_t>(n)));
    }

private:
    struct Block;
    Block *newest_ = nullptr;
};

}  // namespace sac_native
