// Runs CUDA C++ kernels on the CPU, so that they can be tested where there is no GPU: a thread of a block is
// a fiber that runs until it waits for others, and the blocks run one after another. Linux, g++; not made for
// speed.
//
// What a GPU would punish is an error here, which launch_NAME returns and shim_error() words: a barrier that
// some threads of a block never reach, a misaligned or null pointer, an index past a fixed-size array, an
// integer division by zero. Shared memory starts every block as NaN (all bits set), never as zero. With
// shim_reverse(1) threads and blocks run in the opposite order: results that change with it come from a race.
// Not seen: races that either order hides, and what only a memory model with caches does. Dynamic shared
// memory is not supported.
#pragma once
#include <csetjmp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <link.h>
#include <math.h>
#include <type_traits>
#include <ucontext.h>
#include <utility>

#define CPU_SHIM 1
#define SHIM_EXPORT extern "C" __attribute__((visibility("default")))
#define __global__
#define __device__
#define __host__
#define __constant__ static
#define __forceinline__ inline
#define __restrict__ __restrict
#define __align__(n) __attribute__((aligned(n)))
#define __launch_bounds__(...)  // cpu_kernels.py reads it from the source
#define __shared__ static thread_local  // a module's thread-local memory is one range, easy to poison

struct uint3 { unsigned x, y, z; };
using dim3 = uint3;
static uint3 threadIdx, blockIdx, blockDim, gridDim;

namespace shim {
constexpr unsigned MOST_THREADS = 1024, WARP = 32, STACK = 1 << 16;
enum State { READY, AT_BLOCK_BARRIER, AT_WARP_BARRIER, DONE };
struct Fiber {
    bool started;  // it has a stack, and `here` is where it waits: a finished one, for the next block
    jmp_buf here;
    char* stack;
};
static Fiber fibers[MOST_THREADS];
static State states[MOST_THREADS];
static uint3 places[MOST_THREADS];  // their threadIdx
static unsigned masks[MOST_THREADS];  // of the warp barrier that a thread waits at
static uint64_t offered[MOST_THREADS], shown[MOST_THREADS];  // to the warp: before and after it has met
static jmp_buf scheduler;
static unsigned current, threads;
static bool reversed;
static char error[200];  // empty: none
static void (*kernel)(void**);
static void** arguments;
static thread_local volatile char anchor;  // lies in the same range as the shared arrays

// ---- fibers: _setjmp and _longjmp switch without a system call, unlike swapcontext ----
__attribute__((noinline, noipa)) static void leave(State state) {  // noipa: memory changes while it waits
    states[current] = state;
    if (!_setjmp(fibers[current].here)) _longjmp(scheduler, 1);
}
static void fiber_main() {
    for (;;) {
        kernel(arguments);
        leave(DONE);
    }
}
static void resume(unsigned i) {
    Fiber& fiber = fibers[i];
    current = i;
    threadIdx = places[i];
    if (_setjmp(scheduler)) return;
    if (fiber.started) _longjmp(fiber.here, 1);
    fiber.started = true;
    if (!fiber.stack) fiber.stack = static_cast<char*>(malloc(STACK));
    static ucontext_t first;
    getcontext(&first);
    first.uc_stack.ss_sp = fiber.stack;
    first.uc_stack.ss_size = STACK;
    makecontext(&first, fiber_main, 0);
    setcontext(&first);
}
static void describe(const char* what) {
    snprintf(error, sizeof error, "%s (block %u,%u,%u, thread %u,%u,%u)", what, blockIdx.x, blockIdx.y,
             blockIdx.z, threadIdx.x, threadIdx.y, threadIdx.z);
}
[[noreturn]] static void fail(const char* what) {  // within a fiber: ends the launch
    describe(what);
    _longjmp(scheduler, 1);
}

// ---- barriers: threads that have returned are not waited for, as on the GPU ----
static bool in_block(unsigned lane) { return lane < threads && states[lane] != DONE; }
static bool release_block() {
    bool any = false;
    for (unsigned i = 0; i < threads; i++) {
        if (states[i] == AT_BLOCK_BARRIER) any = true;
        else if (states[i] != DONE) return false;
    }
    for (unsigned i = 0; any && i < threads; i++)
        if (states[i] == AT_BLOCK_BARRIER) states[i] = READY;
    return any;
}
static bool release_warps() {  // every group of lanes that has met at a barrier with the same mask
    bool any = false;
    for (unsigned i = 0; i < threads; i++) {
        if (states[i] != AT_WARP_BARRIER) continue;
        unsigned base = i / WARP * WARP, mask = masks[i];
        bool met = true;
        for (unsigned k = 0; k < WARP && met; k++)
            met = !(mask >> k & 1) || !in_block(base + k) ||
                  (states[base + k] == AT_WARP_BARRIER && masks[base + k] == mask);
        for (unsigned k = base; met && k < base + WARP; k++) {
            if (!(mask >> k % WARP & 1)) continue;
            shown[k] = in_block(k) ? offered[k] : ~0ull;  // of a lane that takes no part: NaN or -1
            if (in_block(k)) states[k] = READY;
        }
        any |= met;
    }
    return any;
}
static bool run_block() {
    for (unsigned i = 0; i < threads; i++) states[i] = READY;
    do
        for (unsigned k = 0; k < threads; k++) {
            unsigned i = reversed ? threads - 1 - k : k;
            if (states[i] == READY) resume(i);
            if (*error) return false;
        }
    while (release_warps() || release_block());
    for (unsigned i = 0; i < threads; i++)
        if (states[i] != DONE) {
            threadIdx = places[i];
            describe("barrier divergence: a thread waits where others of its block or warp never come");
            return false;
        }
    return true;
}

// ---- launching ----
struct Range { char* start; size_t size; };
static int find_shared(dl_phdr_info* info, size_t, void* found) {
    char* start = static_cast<char*>(info->dlpi_tls_data);
    for (int i = 0; start && i < info->dlpi_phnum; i++) {
        size_t size = info->dlpi_phdr[i].p_memsz;
        bool ours = start <= &anchor && const_cast<char*>(&anchor) < start + size;
        if (info->dlpi_phdr[i].p_type == PT_TLS && ours) *static_cast<Range*>(found) = {start, size};
    }
    return static_cast<Range*>(found)->size != 0;
}
template <class... A, size_t... I>
static void apply(void (*f)(A...), void** a, std::index_sequence<I...>) {
    f(*static_cast<std::decay_t<A>*>(a[I])...);
}
template <class... A> static auto indices(void (*)(A...)) { return std::index_sequence_for<A...>{}; }
template <auto f> static void call(void** a) { apply(f, a, indices(f)); }

static int launch(void (*function)(void**), void** a, const unsigned* grid, const unsigned* block) {
    gridDim = {grid[0], grid[1], grid[2]}, blockDim = {block[0], block[1], block[2]};
    kernel = function, arguments = a, threads = block[0] * block[1] * block[2], *error = 0;
    for (unsigned i = 0; i < threads; i++)
        places[i] = {i % block[0], i / block[0] % block[1], i / block[0] / block[1]};
    anchor = 0;  // the thread's range exists from its first use
    Range shared{nullptr, 0};
    dl_iterate_phdr(find_shared, &shared);
    uint64_t blocks = uint64_t(grid[0]) * grid[1] * grid[2];
    bool good = true;
    for (uint64_t k = 0; k < blocks && good; k++) {
        uint64_t b = reversed ? blocks - 1 - k : k;
        blockIdx = {unsigned(b % grid[0]), unsigned(b / grid[0] % grid[1]), unsigned(b / grid[0] / grid[1])};
        memset(shared.start, 0xFF, shared.size);
        good = run_block();
    }
    for (unsigned i = 0; !good && i < threads; i++) fibers[i].started = false;  // some are stuck half-way
    return good ? 0 : 1;
}
}  // namespace shim

SHIM_EXPORT void shim_reverse(int on) { shim::reversed = on != 0; }
SHIM_EXPORT const char* shim_error() { return shim::error; }
#define SHIM_KERNEL(name, most_threads)                                                     \
    SHIM_EXPORT int launch_##name(void** a, const unsigned* grid, const unsigned* block) {  \
        return shim::launch(shim::call<&name>, a, grid, block);                             \
    }                                                                                       \
    SHIM_EXPORT const char* signature_##name() { return shim::signature(&name); }           \
    SHIM_EXPORT int bounds_##name() { return most_threads; }

#include "cuda_builtins.h"
