// Memory that is made once and freed together.
#include "memory.h"

#include <cstdlib>
#include <cstring>
#include <new>

namespace sac_native {

struct alignas(64) Memory::Block {
    Block *older;
};

Memory::~Memory() {
    while (newest_ != nullptr) {
        Block *block = newest_;
        newest_ = block->older;
        std::free(block);
    }
}

void *Memory::zeros(size_t bytes) {
    size_t size = sizeof(Block) + (bytes + 63) / 64 * 64;  // aligned_alloc wants a multiple of the alignment
    void *place = std::aligned_alloc(64, size);
    if (place == nullptr) throw std::bad_alloc();
    std::memset(place, 0, size);
    newest_ = new (place) Block{newest_};
    return newest_ + 1;
}

}  // namespace sac_native
