// The losses and accuracy of minilift/ops/base.py. Each leaves its mean over the batch in `total`. Behind common.cu.

// whether a is larger than b, where NaN is larger than any number
__device__ __forceinline__ bool beats(real a, real b) { return a > b || (a != a && b == b); }

// The largest over a warp, or NaN where there is one, to each of its threads.
__device__ __forceinline__ real warp_most(real x) {
#pragma unroll
  for (int step = 16; step; step >>= 1) {
    real other = __shfl_xor_sync(0xffffffffu, x, step);
    x = beats(other, x) ? other : x;
  }
  return x;
}

// `bias` (columns), or null, is added to pred; `scale` and `shift` (columns), or null, are a change of units behind it.
// grad is that of pred.
extern "C" __global__ void __launch_bounds__(256) mpjpe(const real* pred, const real* bias, const real* scale,
    const real* shift, const real* target, real* grad, int points, int columns, double* partial, u32* finished,
    double* total) {
  double mine = 0;
  EACH(j, points) {
    real d[3], square = 0;
    int c = (int)(j * 3 % columns);
    for (int a = 0; a < 3; a++) {
      real value = pred[3 * j + a] + (bias ? bias[c + a] : (real)0);
      if (scale) value = value * scale[c + a] + shift[c + a];
      d[a] = value - target[3 * j + a];
      square += d[a] * d[a];
    }
    real distance = sqrt(square), factor = distance > 0 ? 1 / (distance * points) : distance * 0;  // NaN stays NaN
    for (int a = 0; a < 3; a++) grad[3 * j + a] = d[a] * factor * (scale ? scale[c + a] : (real)1);
    mine += distance;
  }
  mine = block_sum(mine);
  if (threadIdx.x == 0) add_to_total(mine, points, partial, finished, total);
}

extern "C" __global__ void __launch_bounds__(256) mse(const real* pred, const real* bias, const real* scale,
    const real* shift, const real* target, real* grad, int size, int columns, double* partial, u32* finished,
    double* total) {
  double mine = 0;
  EACH(i, size) {
    int c = (int)(i % columns);
    real value = pred[i] + (bias ? bias[c] : (real)0);
    if (scale) value = value * scale[c] + shift[c];
    real d = value - target[i];
    grad[i] = 2 * d / size * (scale ? scale[c] : (real)1);
    mine += (double)d * d;
  }
  mine = block_sum(mine);
  if (threadIdx.x == 0) add_to_total(mine, size, partial, finished, total);
}

// ---- classes: a warp a row, the row's scores 32 at a time ------------------------------------------------------------
#define WARP_ROWS(r, n) for (int r = blockIdx.x * 8 + (threadIdx.x >> 5); r < (n); r += gridDim.x * 8)
#define LANE (threadIdx.x & 31)
#define NOT_A_NUMBER __int_as_float(0x7fffffff)

extern "C" __global__ void __launch_bounds__(256) cross_entropy(const real* pred, const int* target, real* grad, int n,
    int classes, double* partial, u32* finished, double* total) {
  double mine = 0;
  WARP_ROWS(r, n) {
    const real* row = pred + (long long)r * classes;
    real* out = grad + (long long)r * classes;
    real most = row[0], sum = 0;
    for (int k = LANE; k < classes; k += 32) most = beats(row[k], most) ? row[k] : most;
    most = warp_most(most);
    for (int k = LANE; k < classes; k += 32) sum += exp(row[k] - most);
    sum = warp_sum(sum);
    int at = target[r];
    bool fits = 0 <= at && at < classes;
    for (int k = LANE; k < classes; k += 32)
      out[k] = fits ? (exp(row[k] - most) / sum - (k == at ? (real)1 : (real)0)) / n : (real)NOT_A_NUMBER;
    if (LANE == 0) mine += fits ? (double)(log(sum) - (row[at] - most)) : NOT_A_NUMBER;
  }
  mine = block_sum(mine);
  if (threadIdx.x == 0) add_to_total(mine, n, partial, finished, total);
}

// `given` (size), or null: then `classes` has the column of each row that is wanted
extern "C" __global__ void __launch_bounds__(256) bce_with_logits(const real* pred, const real* given, const int* classes,
    real* grad, int size, int columns, double* partial, u32* finished, double* total) {
  double mine = 0;
  EACH(i, size) {
    int at = classes ? classes[i / columns] : 0;
    bool fits = 0 <= at && at < columns;
    real x = pred[i], t = given ? given[i] : (real)(at == (int)(i % columns));
    real e = exp(x < 0 ? x : -x), positive = x < 0 ? (real)0 : x;
    grad[i] = fits ? ((x < 0 ? e : (real)1) / (1 + e) - t) / size : (real)NOT_A_NUMBER;
    mine += fits ? (double)(positive - x * t + log1p(e)) : NOT_A_NUMBER;
  }
  mine = block_sum(mine);
  if (threadIdx.x == 0) add_to_total(mine, size, partial, finished, total);
}

extern "C" __global__ void __launch_bounds__(256) accuracy(const real* pred, const int* target, int n, int classes,
    double* partial, u32* finished, double* total) {
  double mine = 0;
  WARP_ROWS(r, n) {
    const real* row = pred + (long long)r * classes;
    int best = LANE < classes ? LANE : 0;
    for (int k = LANE + 32; k < classes; k += 32)
      if (beats(row[k], row[best])) best = k;
    for (int step = 16; step; step >>= 1) {
      int other = __shfl_xor_sync(0xffffffffu, best, step);
      if (beats(row[other], row[best]) || (!beats(row[best], row[other]) && other < best)) best = other;
    }
    if (LANE == 0) mine += best == target[r];
  }
  mine = block_sum(mine);
  if (threadIdx.x == 0) add_to_total(mine, n, partial, finished, total);
}
