// The part of the CUDA language's library that the kernels use, for cuda_shim.h, which includes this file.
#pragma once

// ---- barriers and shuffles ----
static inline void __syncthreads() { shim::leave(shim::AT_BLOCK_BARRIER); }
static inline void __syncwarp(unsigned mask = ~0u) {
    bool in_mask = mask >> shim::current % shim::WARP & 1;
    if (!in_mask) shim::fail("a warp operation's mask leaves out its own thread");
    shim::masks[shim::current] = mask;
    shim::leave(shim::AT_WARP_BARRIER);
}
namespace shim {
// What lane `from` of this warp offers: undefined on a GPU, and NaN or -1 here, where that lane takes no part.
// All that were released together run before anybody is released again, so what is shown to them stays.
template <class T> static T exchange(unsigned mask, T value, unsigned from) {
    static_assert(sizeof(T) == 4 || sizeof(T) == 8, "shuffles move 4 or 8 bytes");
    memcpy(&offered[current], &value, sizeof(T));
    __syncwarp(mask);
    T got;
    memset(&got, 0xFF, sizeof(T));
    if (mask >> from & 1) memcpy(&got, &shown[current / WARP * WARP + from], sizeof(T));
    return got;
}
static inline unsigned lane() { return current % WARP; }
}  // namespace shim
template <class T> static T __shfl_sync(unsigned mask, T value, int from, int width = 32) {
    return shim::exchange(mask, value, shim::lane() / width * width + from % width);
}
template <class T> static T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32) {
    unsigned me = shim::lane(), from = me ^ bits;
    return shim::exchange(mask, value, from < (me / width + 1) * width ? from : me);
}
template <class T> static T __shfl_down_sync(unsigned mask, T value, unsigned by, int width = 32) {
    unsigned me = shim::lane(), from = me + by;
    return shim::exchange(mask, value, from < (me / width + 1) * width ? from : me);
}
template <class T> static T __shfl_up_sync(unsigned mask, T value, unsigned by, int width = 32) {
    unsigned me = shim::lane();
    return shim::exchange(mask, value, me % width >= by ? me - by : me);
}
static inline unsigned __ballot_sync(unsigned mask, int yes) {
    unsigned all = 0, base = shim::current / shim::WARP * shim::WARP;
    shim::offered[shim::current] = yes != 0;
    __syncwarp(mask);
    for (unsigned k = 0; k < shim::WARP; k++)
        if (mask >> k & 1 && shim::shown[base + k] == 1) all |= 1u << k;
    return all;
}
static inline int __any_sync(unsigned mask, int yes) { return __ballot_sync(mask, yes) != 0; }
static inline int __all_sync(unsigned mask, int yes) { return __ballot_sync(mask, !yes) == 0; }

// ---- memory ----
#define SHIM_ATOMIC_ADD(T)                        \
    static inline T atomicAdd(T* p, T v) {        \
        T old = *p; /* one fiber runs at a time */ \
        *p = old + v;                             \
        return old;                               \
    }
SHIM_ATOMIC_ADD(float)
SHIM_ATOMIC_ADD(double)
SHIM_ATOMIC_ADD(int)
SHIM_ATOMIC_ADD(unsigned)
SHIM_ATOMIC_ADD(unsigned long long)
static inline unsigned atomicInc(unsigned* p, unsigned last) {
    unsigned old = *p;
    *p = old >= last ? 0 : old + 1;
    return old;
}
static inline void __threadfence() {}
static inline void __threadfence_block() {}
template <class T> static T __ldg(const T* p) { return *p; }
template <class T> static T __ldcs(const T* p) { return *p; }
template <class T> static T __ldcg(const T* p) { return *p; }
template <class T> static void __stcs(T* p, std::common_type_t<T> v) { *p = v; }
template <class T> static void __stcg(T* p, std::common_type_t<T> v) { *p = v; }

// ---- vectors, aligned as CUDA has them ----
#define SHIM_VECTORS(T, at2, at4)                                                                    \
    struct alignas(at2) T##2 { T x, y; };                                                            \
    struct alignas(at4) T##4 { T x, y, z, w; };                                                      \
    static inline T##2 make_##T##2(T x, T y) { return {x, y}; }                                      \
    static inline T##4 make_##T##4(T x, T y, T z, T w) { return {x, y, z, w}; }
using uint = unsigned;
SHIM_VECTORS(float, 8, 16)
SHIM_VECTORS(double, 16, 16)
SHIM_VECTORS(int, 8, 16)
SHIM_VECTORS(uint, 8, 16)

// ---- arithmetic; the compile step forbids contraction to fma, so that a * b + c rounds twice ----
static inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
static inline float rsqrt(float x) { return 1.0f / sqrtf(x); }
static inline double rsqrt(double x) { return 1.0 / sqrt(x); }
static inline unsigned __umulhi(unsigned a, unsigned b) { return unsigned(uint64_t(a) * b >> 32); }
static inline int __popc(unsigned x) { return __builtin_popcount(x); }
static inline int __clz(int x) { return x ? __builtin_clz(unsigned(x)) : 32; }
static inline int __ffs(int x) { return __builtin_ffs(x); }
static inline float __fadd_rn(float a, float b) { return a + b; }
static inline float __fsub_rn(float a, float b) { return a - b; }
static inline float __fmul_rn(float a, float b) { return a * b; }
static inline float __fdiv_rn(float a, float b) { return a / b; }
static inline float __fsqrt_rn(float a) { return sqrtf(a); }
static inline float __frcp_rn(float a) { return 1.0f / a; }
static inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
static inline float __fdividef(float a, float b) { return a / b; }
static inline double __dadd_rn(double a, double b) { return a + b; }
static inline double __dsub_rn(double a, double b) { return a - b; }
static inline double __dmul_rn(double a, double b) { return a * b; }
static inline double __ddiv_rn(double a, double b) { return a / b; }
static inline double __dsqrt_rn(double a) { return sqrt(a); }
static inline double __fma_rn(double a, double b, double c) { return fma(a, b, c); }
template <class To, class From> static To shim_bits(From x) {
    To y;
    static_assert(sizeof y == sizeof x, "bits are kept one by one");
    memcpy(&y, &x, sizeof y);
    return y;
}
static inline float __uint_as_float(unsigned x) { return shim_bits<float>(x); }
static inline float __int_as_float(int x) { return shim_bits<float>(x); }
static inline unsigned __float_as_uint(float x) { return shim_bits<unsigned>(x); }
static inline int __float_as_int(float x) { return shim_bits<int>(x); }
template <class T> static constexpr T min(T a, T b) { return b < a ? b : a; }
template <class T> static constexpr T max(T a, T b) { return a < b ? b : a; }

namespace shim {
// ---- a kernel's parameters as NumPy's type letters, with P before what a pointer points to ----
template <class T> constexpr char letter() {
    using std::is_same_v;
    if (is_same_v<T, float>) return 'f';
    if (is_same_v<T, double>) return 'd';
    if (is_same_v<T, int>) return 'i';
    if (is_same_v<T, unsigned>) return 'I';
    if (is_same_v<T, long long> || is_same_v<T, int64_t>) return 'q';
    if (is_same_v<T, unsigned long long> || is_same_v<T, uint64_t>) return 'Q';
    if (is_same_v<T, unsigned char>) return 'B';
    if (is_same_v<T, bool>) return '?';
    return 'V';  // anything
}
// Of a vector, what it holds: float of float4, and of a struct with an array `at`.
template <class T> auto element(T* p) -> std::decay_t<decltype(p->x)>;
template <class T> auto element(T* p) -> std::decay_t<decltype(p->at[0])>;
template <class T> auto element(T* p) -> std::enable_if_t<!std::is_class_v<T>, T>;
void element(...);
template <class T> static char* append(char* out) {
    if constexpr (std::is_pointer_v<T>) {
        *out++ = 'P';
        using Pointee = std::remove_cv_t<std::remove_pointer_t<T>>;
        *out++ = letter<decltype(element(static_cast<Pointee*>(nullptr)))>();
    } else {
        static_assert(letter<T>() != 'V', "a kernel parameter of unknown type");
        *out++ = letter<T>();
    }
    return out;
}
template <class... A> static const char* signature(void (*)(A...)) {
    static char text[2 * sizeof...(A) + 1];
    char* end = text;
    ((end = append<std::remove_cv_t<A>>(end)), ...);
    *end = 0;
    return text;
}
}  // namespace shim

// ---- what the compiler's checks call when they strike (cpu_kernels.py turns them on) ----
extern "C" {
#define SHIM_HANDLER __attribute__((visibility("hidden"), used)) void
SHIM_HANDLER __ubsan_handle_type_mismatch_v1(void*, uintptr_t address) {
    shim::fail(address ? "misaligned address" : "null pointer read or written");
}
SHIM_HANDLER __ubsan_handle_out_of_bounds(void*, uintptr_t) {
    shim::fail("index outside a fixed-size array");
}
SHIM_HANDLER __ubsan_handle_divrem_overflow(void*, uintptr_t, uintptr_t) {
    shim::fail("integer division by zero");
}
}
