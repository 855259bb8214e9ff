// The kernels of test_harness.py: some good, some with a fault for the tools to find.
#ifndef REAL
#define REAL float
#endif
typedef REAL real;
typedef unsigned int u32;
typedef unsigned long long u64;
constexpr int MOST = 128;

extern "C" __global__ void __launch_bounds__(MOST * 2) saxpy(float a, const float* __restrict__ x,
                                                                  float* y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] += a * x[i];
}
template <class T, int WARPS> __device__ __forceinline__ T block_total(T v) {
    __shared__ T part[WARPS];
    for (int step = 16; step; step >>= 1) v += __shfl_xor_sync(0xffffffffu, v, step);
    if (threadIdx.x % 32 == 0) part[threadIdx.x / 32] = v;
    __syncthreads();
    T all = 0;
    for (int i = 0; i < WARPS; i++) all += part[i];
    return all;
}
// The last block to finish adds what the blocks left, in order
extern "C" __global__ void total(const real* x, real* partial, u32* finished, real* out) {
    real sum = block_total<real, 4>(x[blockIdx.x * 128 + threadIdx.x]);
    if (threadIdx.x) return;
    partial[blockIdx.x] = sum;
    __threadfence();
    if (atomicAdd(finished, 1u) != gridDim.x - 1) return;
    for (u32 i = 0; i < gridDim.x; i++) out[0] += partial[i];
    *finished = 0;
}
extern "C" __global__ void warp(const int* x, int* down, int* xored, u32* ballot, double* twice, int lanes) {
    int t = threadIdx.x;
    u32 mask = lanes == 32 ? 0xffffffffu : (1u << lanes) - 1;
    if (t >= lanes) return;
    down[t] = __shfl_down_sync(mask, x[t], 3);
    xored[t] = __shfl_xor_sync(mask, x[t], 1);
    ballot[t] = __ballot_sync(mask, x[t] > 2);
    __syncwarp(mask);
    twice[t] = __shfl_xor_sync(mask, (double)x[t] / 3, 2);
}
// Two half warps that know nothing of each other: the first adds pairs, the second all of its lanes
extern "C" __global__ void halves(int* out) {
    int t = threadIdx.x, sum = t;
    u32 mask = t < 16 ? 0xffffu : 0xffff0000u;
    for (int step = 1; step < (t < 16 ? 2 : 16); step *= 2) sum += __shfl_xor_sync(mask, sum, step);
    out[t] = sum;
}
extern "C" __global__ void some_left(int* down, u32* ballot) {
    int t = threadIdx.x;
    if (t >= 20) return;
    down[t] = __shfl_down_sync(0xffffffffu, t, 8);  // some of the mask's lanes have returned
    ballot[t] = __ballot_sync(0xffffffffu, 1);
}
extern "C" __global__ void places(int* out, int4* where, float4* wide) {
    int block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
    int thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
    int i = thread + block * blockDim.x * blockDim.y * blockDim.z;
    out[i] = i;
    where[i] = make_int4(threadIdx.y, threadIdx.z, blockIdx.y, blockIdx.z);
    __stcs(wide + i, make_float4(i, fmaf(i, 2.f, 1.f), rsqrtf(4.f), (float)__umulhi(0x80000000u, i)));
}
extern "C" __global__ void sums(float* f, double* d, u32* u) {
    atomicAdd(f, 0.5f);
    atomicAdd(d, 0.25);
    atomicAdd(u, 2u);
}
extern "C" __global__ void last(int* out) {
    out[0] = blockIdx.x;
    out[1] = threadIdx.x;
}
extern "C" __global__ void no_barrier(const float* x, float* out) {
    __shared__ float s[64];
    s[threadIdx.x] = x[threadIdx.x];
    out[threadIdx.x] = s[threadIdx.x ^ 1];  // __syncthreads() is missing
}
template <int N> __device__ float* room() {
    __shared__ float s[N];
    return s;
}
extern "C" __global__ void unwritten(float* out) {
    out[blockIdx.x * 32 + threadIdx.x] = room<32>()[threadIdx.x];
    room<32>()[threadIdx.x] = 1.f;
}
extern "C" __global__ void divergent(float* out) {
    if (threadIdx.x < 7) __syncthreads();
    else __syncwarp();
    out[threadIdx.x] = 1.f;
}
extern "C" __global__ void wrong_mask(float* out) {
    __syncwarp(threadIdx.x < 16 ? 0xffffffffu : 0xffff0000u);
    __syncthreads();
    out[threadIdx.x] = 1.f;
}
extern "C" __global__ void not_in_mask(float* out) { out[0] = __shfl_xor_sync(1u, 1.f, 0); }
extern "C" __global__ void misaligned(float* out) { *(float4*)(out + 1) = make_float4(1, 2, 3, 4); }
extern "C" __global__ void null_pointer(float* out) { out[threadIdx.x] = 1.f; }
extern "C" __global__ void past_shared(float* out, int n) {
    __shared__ float s[4];
    for (int i = 0; i < n; i++) s[i] = i;
    out[0] = s[3];
}
extern "C" __global__ void past_array(float* out) { out[64] = 1.f; }
extern "C" __global__ void before_array(float* out) { out[-1] = 1.f; }
extern "C" __global__ void by_zero(int* out, int n) { out[0] = 7 / n; }
extern "C" __global__ void kinds(float f, double d, int i, u32 u, u64 l, real r, const real* p, float4* v,
                                 u64* q) {}
// kernels: made_a, made_b
#define MADE(name) extern "C" __global__ void name(int* out) { out[0] = 5; }
MADE(made_a) MADE(made_b)
