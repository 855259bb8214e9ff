// What all .cu files share; gpu.py puts it in front of each of them, for they are compiled apart.
// One source for NVRTC and, through a shim in tests/gpu, for g++. -DREAL=double makes the modules of gradient checks.
#ifndef REAL
#define REAL float
#endif
typedef REAL real;
typedef unsigned int u32;

// A kernel that takes `numbers` reads what changes from step to step from there (minilift/lift/fast/captured.py), so that
// a CUDA graph can replay it.
__device__ __forceinline__ float number(const u32* word) { return *(const float*)word; }

// a thread an element: as many as there are threads at a time
#define EACH(i, size) \
  for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < (size); i += (long long)gridDim.x * blockDim.x)

// ---- random numbers: minilift.ops.base.Ops.dropout_mask ---------------------------------------------------------------
// lowbias32 without its last xor-shift, which changes only bits that decide nothing in `keeps`.
__device__ __forceinline__ u32 mixed(u32 x, u32 key0, u32 key1) {
  x ^= key0;
  x ^= x >> 16;
  x *= 0x7FEB352Du;
  x ^= x >> 15;
  x ^= key1;
  return x * 0x846CA68Bu;
}

__device__ __forceinline__ bool keeps(u32 element, u32 key0, u32 key1, u32 threshold) {
  return mixed(element, key0, key1) >= threshold;
}

// ---- sums -------------------------------------------------------------------------------------------------------------
// Over a warp, to each of its threads.
template <class T> __device__ __forceinline__ T warp_sum(T x) {
#pragma unroll
  for (int step = 16; step; step >>= 1) x += __shfl_xor_sync(0xffffffffu, x, step);
  return x;
}

// The sum over a block of 256 threads, to the first of them.
__device__ __forceinline__ double block_sum(double mine) {
  __shared__ double part[8];
  mine = warp_sum(mine);
  if ((threadIdx.x & 31) == 0) part[threadIdx.x >> 5] = mine;
  __syncthreads();
  if (threadIdx.x == 0)
    for (int i = 1; i < 8; i++) mine += part[i];
  return mine;
}

// The last block to finish adds up the sums of all blocks in order, so that the bits are the same every time, and their
// mean over `count` to the total. By one thread of each block; `finished` is 0 between two launches.
__device__ __forceinline__ void add_to_total(double sum, double count, double* partial, u32* finished, double* total) {
  partial[blockIdx.x] = sum;
  __threadfence();
  if (atomicAdd(finished, 1u) != gridDim.x - 1) return;
  __threadfence();
  double all = 0;
  for (u32 i = 0; i < gridDim.x; i++) all += ((volatile double*)partial)[i];
  total[0] += all / count;
  *finished = 0;
}

// ---- Adam: minilift.ops.base.Ops.adam ---------------------------------------------------------------------------------
struct AdamStep { real decay_m, decay_v, size, eps, shrink; };

__device__ __forceinline__ AdamStep adam_step(const u32* numbers) {
  return {number(numbers), number(numbers + 1), number(numbers + 2), number(numbers + 3), number(numbers + 4)};
}

__device__ __forceinline__ void adam_one(real& w, real g, real& m, real& v, const AdamStep& step, real weight_decay) {
  g += weight_decay * w;
  m = step.decay_m * m + g;
  v = step.decay_v * v + g * g;
  w = (1 - step.shrink) * w - step.size * m / (sqrt(v) + step.eps);
}

// Random numbers of the element `row` of a batch, by slot: hashes without state, as the NumPy twins draw them.
#define SLOTS 64
#define PI 3.141592653589793
struct Draws {
  u32 row, key0, key1;
  __device__ u32 hash(u32 slot) const {
    u32 h = mixed(row * (u32)SLOTS + slot, key0, key1);
    return h ^ (h >> 16);
  }
  __device__ real uniform(u32 slot) const {  // (hash >> 8) 2^-24 + 2^-25
    return (real)(hash(slot) >> 8) * (real)5.9604644775390625e-8 + (real)2.98023223876953125e-8;
  }
  __device__ real around(u32 slot, real most) const { return (2 * uniform(slot) - 1) * most; }
  __device__ void normals(u32 slot, real* pair) const {  // Box-Muller, of two slots
    real radius = sqrt(-2 * log(uniform(slot))), angle = (real)(2 * PI) * uniform(slot + 1);
    pair[0] = radius * cos(angle);
    pair[1] = radius * sin(angle);
  }
};
