// Counts the bytes of its arrays that a kernel touches. The compiler calls __tsan_* before every read and write
// (-fsanitize=thread), which here stands for no search for races: blocks run one after another anyway.
#pragma once

#define UNCOUNTED __attribute__((no_sanitize("thread")))

namespace shim {
struct Area {
    uintptr_t start, size;
    unsigned* touched[2];  // of each word, by reads and by writes: 1 + the block that did so last, or 0
};
static Area areas[64];
static int known;
static uint64_t counted[3];  // bytes read and written at all, and those that each block reads or writes

UNCOUNTED static void touch(void* address, uintptr_t size, int way) {
    uintptr_t at = reinterpret_cast<uintptr_t>(address);
    unsigned block = 1 + blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
    for (int i = 0; i < known; i++) {
        const Area& area = areas[i];
        if (at < area.start || at >= area.start + area.size) continue;
        for (uintptr_t word = (at - area.start) / 4; word < (at + size - area.start + 3) / 4; word++) {
            unsigned* last = area.touched[way] + word;
            counted[way] += *last ? 0 : 4;
            counted[2] += *last == block ? 0 : 4;
            *last = block;
        }
        return;
    }
}
}  // namespace shim

extern "C" {
#define HOOK UNCOUNTED __attribute__((visibility("hidden"), used)) void
#define COUNTS(n)                                                     \
    HOOK __tsan_read##n(void* p) { shim::touch(p, n, 0); }            \
    HOOK __tsan_write##n(void* p) { shim::touch(p, n, 1); }           \
    HOOK __tsan_unaligned_read##n(void* p) { shim::touch(p, n, 0); }  \
    HOOK __tsan_unaligned_write##n(void* p) { shim::touch(p, n, 1); }
COUNTS(1)
COUNTS(2)
COUNTS(4)
COUNTS(8)
COUNTS(16)
HOOK __tsan_init() {}
HOOK __tsan_read_range(void* p, uintptr_t n) { shim::touch(p, n, 0); }
HOOK __tsan_write_range(void* p, uintptr_t n) { shim::touch(p, n, 1); }
}

// Count from now on what lies in these areas, which do not overlap; `counts_end` gives the three sums.
SHIM_EXPORT UNCOUNTED void counts_begin(int n, const uint64_t* starts, const uint64_t* sizes) {
    memset(shim::counted, 0, sizeof shim::counted);
    for (shim::known = 0; shim::known < n; shim::known++) {
        uintptr_t size = sizes[shim::known];
        auto none = [size] { return static_cast<unsigned*>(calloc((size + 3) / 4, sizeof(unsigned))); };
        shim::areas[shim::known] = {starts[shim::known], size, {none(), none()}};
    }
}
SHIM_EXPORT UNCOUNTED void counts_end(uint64_t* out) {
    memcpy(out, shim::counted, sizeof shim::counted);
    for (; shim::known; shim::known--)
        for (unsigned* touched : shim::areas[shim::known - 1].touched) free(touched);
}
