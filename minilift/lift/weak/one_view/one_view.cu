// What one view needs besides the geometry: operations.py has the maths. Behind common.cu.
__device__ __forceinline__ real bounded(const real* scores, real farthest) {
  real s = scores[0] - scores[1];
  return s < -farthest ? -farthest : s;
}

extern "C" __global__ void __launch_bounds__(256) turned_against(const real* scores, const real* dimages, real* out,
    real weight, real farthest, long long columns, long long size) {
  EACH(i, size) out[i] = -2 * weight * exp(-bounded(scores + 2 * (i / columns), farthest)) * dimages[i];
}

// One block, so that the sum is the same every time
extern "C" __global__ void __launch_bounds__(256) generator_loss(const real* scores, double* total, real weight, real farthest,
    long long n) {
  __shared__ double part[256];
  double sum = 0;
  for (long long i = threadIdx.x; i < n; i += 256) {
    double s = bounded(scores + 2 * i, farthest);
    sum += (s < 0 ? -s : 0) + log1p(exp(s < 0 ? s : -s));
  }
  part[threadIdx.x] = sum;
  __syncthreads();
  for (int half = 128; half; half /= 2) {
    if ((int)threadIdx.x < half) part[threadIdx.x] += part[threadIdx.x + half];
    __syncthreads();
  }
  if (threadIdx.x == 0) *total += weight * part[0] / n;
}
