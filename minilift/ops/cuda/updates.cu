// The optimisers of minilift/ops/base.py, over flat vectors. Behind common.cu. Where `numbers` is null, the scalars after it
// count.

struct alignas(4 * sizeof(real)) Four { real at[4]; };

// 28 bytes an element, if float, at the speed of memory: four elements a thread
extern "C" __global__ void __launch_bounds__(256) adam(Four* w, const Four* g, Four* m, Four* v, const u32* numbers,
    real decay_m, real decay_v, real size, real eps, real shrink, real weight_decay, long long fours) {
  AdamStep step = numbers ? adam_step(numbers) : AdamStep{decay_m, decay_v, size, eps, shrink};
  EACH(i, fours) {
    Four wi = w[i], gi = g[i], mi = m[i], vi = v[i];
#pragma unroll
    for (int a = 0; a < 4; a++) adam_one(wi.at[a], gi.at[a], mi.at[a], vi.at[a], step, weight_decay);
    w[i] = wi;
    m[i] = mi;
    v[i] = vi;
  }
}

// for parts of a vector that do not begin or end on a multiple of four
extern "C" __global__ void __launch_bounds__(256) adam_ragged(real* w, const real* g, real* m, real* v, const u32* numbers,
    real decay_m, real decay_v, real size, real eps, real shrink, real weight_decay, long long count) {
  AdamStep step = numbers ? adam_step(numbers) : AdamStep{decay_m, decay_v, size, eps, shrink};
  EACH(i, count) adam_one(w[i], g[i], m[i], v[i], step, weight_decay);
}

// the sum of squares of each block's share
extern "C" __global__ void __launch_bounds__(256) squares(const real* x, long long size, double* sums) {
  double mine = 0;
  EACH(i, size) mine += (double)x[i] * x[i];
  mine = block_sum(mine);
  if (threadIdx.x == 0) sums[blockIdx.x] = mine;
}

// every block adds up all sums for itself, in the same order
extern "C" __global__ void __launch_bounds__(256) scale_to_norm(real* x, long long size, const double* sums, int count,
    real limit) {
  __shared__ double part[256];
  double mine = 0;
  for (int i = threadIdx.x; i < count; i += 256) mine += sums[i];
  part[threadIdx.x] = mine;
  __syncthreads();
  double square = 0;
  for (int i = 0; i < 256; i++) square += part[i];
  real factor = (real)(limit / (sqrt(square) + 1e-6));
  if (factor >= 1) return;
  EACH(i, size) x[i] *= factor;
}

extern "C" __global__ void __launch_bounds__(256) sgd(real* w, const real* g, real* velocity, real lr, real momentum,
    real weight_decay, int nesterov, long long size) {
  EACH(i, size) {
    real step = g[i] + weight_decay * w[i];
    if (velocity) {
      real speed = velocity[i] = momentum * velocity[i] + step;
      step = nesterov ? step + momentum * speed : speed;
    }
    w[i] -= lr * step;
  }
}
