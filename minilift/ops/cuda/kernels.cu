// The operations of minilift/ops/base.py, whose docstrings have the maths; rows lie one after the other.
// Those of the losses are in losses.cu, those of the optimisers in updates.cu. Behind common.cu.

// ---- elementwise, a thread an element ------------------------------------------------------------------------------
extern "C" __global__ void __launch_bounds__(256) fill(real* out, real value, long long size) {
  EACH(i, size) out[i] = value;
}

// `source` and `b` may be views: row stride and column stride in elements, 0 where one row or column serves all
extern "C" __global__ void __launch_bounds__(256) copy(const real* source, long long source_row, long long source_column,
    real* out, long long out_row, long long out_column, long long size, int columns) {
  EACH(i, size) {
    long long r = i / columns, c = i % columns;
    out[r * out_row + c * out_column] = source[r * source_row + c * source_column];
  }
}

extern "C" __global__ void __launch_bounds__(256) add(const real* a, const real* b, long long b_row, long long b_column,
    real* out, long long size, int columns) {
  EACH(i, size) out[i] = a[i] + b[i / columns * b_row + i % columns * b_column];
}

extern "C" __global__ void __launch_bounds__(256) multiply(const real* a, const real* b, long long b_row,
    long long b_column, real* out, long long size, int columns) {
  EACH(i, size) out[i] = a[i] * b[i / columns * b_row + i % columns * b_column];
}

extern "C" __global__ void __launch_bounds__(256) affine(const real* x, const real* scale, const real* shift, real* out,
    long long size, int columns) {
  EACH(i, size) out[i] = x[i] * scale[i % columns] + shift[i % columns];
}

extern "C" __global__ void __launch_bounds__(256) relu(const real* x, real* out, real slope, long long size) {
  EACH(i, size) out[i] = x[i] < 0 ? (slope > 0 ? slope * x[i] : (real)0) : x[i];  // NaN stays NaN, as in NumPy
}

extern "C" __global__ void __launch_bounds__(256) relu_backward(const real* dy, const real* y, real* out, real slope,
    long long size) {
  EACH(i, size) out[i] = y[i] > 0 ? dy[i] : slope > 0 ? slope * dy[i] : (real)0;
}

// of the elements from `first` on of a larger mask
extern "C" __global__ void __launch_bounds__(256) dropout_mask(real* out, u32 first, u32 threshold, real kept, u32 key0,
    u32 key1, long long size) {
  EACH(i, size) out[i] = keeps(first + (u32)i, key0, key1, threshold) ? kept : (real)0;
}

extern "C" __global__ void __launch_bounds__(256) take(const real* rows, const int* index, real* out, long long size,
    int columns) {
  EACH(i, size) out[i] = rows[(long long)index[i / columns] * columns + i % columns];
}

extern "C" __global__ void __launch_bounds__(256) take_index(const int* rows, const int* index, int* out, long long size,
    int columns) {
  EACH(i, size) out[i] = rows[(long long)index[i / columns] * columns + i % columns];
}

extern "C" __global__ void __launch_bounds__(256) gather(const real* rows, const int* order, const u32* numbers, real* out,
    long long size, int columns) {
  EACH(i, size) out[i] = rows[(long long)order[numbers[0] + i / columns] * columns + i % columns];
}

extern "C" __global__ void __launch_bounds__(256) running_average(const real* value, real factor, real momentum, real* out,
    int size) {
  EACH(i, size) out[i] += momentum * (factor * value[i] - out[i]);
}

// ---- columns: a block has 8 of them (32 bytes of float, a sector of memory) and 32 or 64 rows at a time -------------
#define WIDE 8
#define TALL 64
#define COLUMN (blockIdx.x * WIDE + threadIdx.x)

// The sum over the block's rows, to every thread of the column. Ends with a barrier.
__device__ __forceinline__ real column_sum(real x) {
  __shared__ real part[TALL / 4][WIDE];
  x += __shfl_xor_sync(0xffffffffu, x, 8);  // a warp has 4 rows of 8 columns
  x += __shfl_xor_sync(0xffffffffu, x, 16);
  if ((threadIdx.y & 3) == 0) part[threadIdx.y >> 2][threadIdx.x] = x;
  __syncthreads();
  real sum = 0;
  for (int i = 0; i < (int)blockDim.y / 4; i++) sum += part[i][threadIdx.x];
  __syncthreads();
  return sum;
}

// Threads of a block that have no column left take part in its barriers with zeros.
#define ROWS(r) for (int r = threadIdx.y; r < n; r += blockDim.y)
#define AT(r) ((long long)(r) * columns + c)

extern "C" __global__ void __launch_bounds__(WIDE * TALL) sum_rows(const real* x, int n, int columns, real* out) {
  int c = COLUMN;
  bool here = c < columns;
  real sum = 0;
  if (here) ROWS(r) sum += x[AT(r)];
  sum = column_sum(sum);
  if (here && threadIdx.y == 0) out[c] = sum;
}

extern "C" __global__ void __launch_bounds__(WIDE * TALL) batchnorm(const real* x, int n, int columns, const real* weight,
    const real* bias, real eps, real* mean, real* var, real* rstd, real* xhat, real* out) {
  int c = COLUMN;
  bool here = c < columns;
  real sum = 0, squares = 0;
  if (here) ROWS(r) sum += x[AT(r)];
  real centre = column_sum(sum) / n;
  if (here) ROWS(r) { real d = x[AT(r)] - centre; squares += d * d; }
  real spread = column_sum(squares) / n, scale = 1 / sqrt(spread + eps);
  if (!here) return;
  if (threadIdx.y == 0) { mean[c] = centre; var[c] = spread; rstd[c] = scale; }
  ROWS(r) {
    real value = (x[AT(r)] - centre) * scale;
    xhat[AT(r)] = value;
    out[AT(r)] = value * weight[c] + bias[c];
  }
}

extern "C" __global__ void __launch_bounds__(WIDE * TALL) batchnorm_eval(const real* x, int n, int columns,
    const real* weight, const real* bias, real eps, const real* mean, const real* var, real* rstd, real* xhat, real* out) {
  int c = COLUMN;
  if (c >= columns) return;
  real scale = 1 / sqrt(var[c] + eps);
  if (threadIdx.y == 0) rstd[c] = scale;
  ROWS(r) {
    real value = (x[AT(r)] - mean[c]) * scale;
    xhat[AT(r)] = value;
    out[AT(r)] = value * weight[c] + bias[c];
  }
}

// in training (`train` 1) and in evaluation (0), where dx is weight rstd dy alone
extern "C" __global__ void __launch_bounds__(WIDE * TALL) batchnorm_backward(const real* dy, const real* xhat, int n,
    int columns, const real* rstd, const real* weight, real* dweight, real* dbias, real* out, int train) {
  int c = COLUMN;
  bool here = c < columns;
  real sum = 0, along = 0;
  if (here) ROWS(r) { sum += dy[AT(r)]; along += dy[AT(r)] * xhat[AT(r)]; }
  sum = column_sum(sum);
  along = column_sum(along);
  if (!here) return;
  if (threadIdx.y == 0) { dbias[c] = sum; dweight[c] = along; }
  real scale = weight[c] * rstd[c], offset = train ? sum / n : (real)0, slope = train ? along / n : (real)0;
  ROWS(r) out[AT(r)] = scale * (dy[AT(r)] - offset - xhat[AT(r)] * slope);
}

// The same where n rows are here of `whole` that several processes have: between these kernels they add up their sums.
// mean, in: the sums of x over all rows; var, out: those of (x - mean)^2 over the rows here
extern "C" __global__ void __launch_bounds__(WIDE * TALL) batchnorm_squares(const real* x, int n, int columns, int whole,
    real* mean, real* var) {
  int c = COLUMN;
  bool here = c < columns;
  real centre = here ? mean[c] / whole : (real)0, squares = 0;
  if (here) ROWS(r) { real d = x[AT(r)] - centre; squares += d * d; }
  squares = column_sum(squares);
  if (here && threadIdx.y == 0) { mean[c] = centre; var[c] = squares; }
}

// dweight, dbias: of all rows
extern "C" __global__ void __launch_bounds__(WIDE * TALL) batchnorm_dx(const real* dy, const real* xhat, int n, int columns,
    int whole, const real* rstd, const real* weight, const real* dweight, const real* dbias, real* out) {
  int c = COLUMN;
  if (c >= columns) return;
  real scale = weight[c] * rstd[c], offset = dbias[c] / whole, slope = dweight[c] / whole;
  ROWS(r) out[AT(r)] = scale * (dy[AT(r)] - offset - xhat[AT(r)] * slope);
}

// ---- NormActDrop. With KEPT > 0 a thread keeps its rows (at most KEPT) in registers; with 0 it reads them again. ------
struct Norm {
  const real *weight, *bias;
  real eps;
  u32 threshold, key0, key1;
  real kept;               // 1/(1-p)
  const real *skip;        // null, or (n, columns) that is added to y in `sum`
  real *sum, *centred, *y, *mean, *var, *rstd;
  const real *shift, *more_shift;  // null, or what x lacks of what the running mean is to see
  real *running_mean, *running_var;  // null, or updated with `momentum`
  real momentum;
};

template <int KEPT> __device__ __forceinline__ void norm_forward(const real* x, int n, int columns, const Norm& a) {
  int c = COLUMN, tall = blockDim.y;
  bool here = c < columns;
  real mine[KEPT ? KEPT : 1], sum = 0, squares = 0;
#define VALUE(k, r) (KEPT ? mine[KEPT ? (k) : 0] : x[AT(r)])
#define MY_ROWS(k, r) \
  _Pragma("unroll") for (int k = 0, r = threadIdx.y; KEPT ? k < KEPT : r < n; k++, r += tall) if (here && r < n)
  MY_ROWS(k, r) { real value = x[AT(r)]; if (KEPT) mine[KEPT ? k : 0] = value; sum += value; }
  real centre = column_sum(sum) / n;
  MY_ROWS(k, r) { real d = VALUE(k, r) - centre; squares += d * d; }
  real spread = column_sum(squares) / n;
  if (!here) return;
  real rstd = 1 / sqrt(spread + a.eps);
  if (threadIdx.y == 0) {
    a.mean[c] = centre; a.var[c] = spread; a.rstd[c] = rstd;
    if (a.running_mean) {
      real seen = centre + (a.shift ? a.shift[c] : (real)0) + (a.more_shift ? a.more_shift[c] : (real)0);
      a.running_mean[c] += a.momentum * (seen - a.running_mean[c]);
      a.running_var[c] += a.momentum * (spread * ((real)n / (n - 1)) - a.running_var[c]);
    }
  }
  real scale = a.weight[c] * rstd * a.kept, shift = a.bias[c] * a.kept;
  MY_ROWS(k, r) {
    real d = VALUE(k, r) - centre, z = d * scale + shift;
    real y = z > 0 && keeps((u32)r * (u32)columns + (u32)c, a.key0, a.key1, a.threshold) ? z : (real)0;
    a.centred[AT(r)] = d;
    a.y[AT(r)] = y;
    if (a.skip) a.sum[AT(r)] = a.skip[AT(r)] + y;
  }
}

template <int KEPT> __device__ __forceinline__ void norm_backward(const real* dy, const real* centred, const real* y, int n,
    int columns, const real* rstd, const real* weight, real kept, real* dweight, real* dbias, real* out) {
  int c = COLUMN, tall = blockDim.y;
  bool here = c < columns;
  real g[KEPT ? KEPT : 1], d[KEPT ? KEPT : 1], sum = 0, along = 0;
#define GATED(k, r) (KEPT ? g[KEPT ? (k) : 0] : (y[AT(r)] > 0 ? dy[AT(r)] : (real)0))
#define CENTRED(k, r) (KEPT ? d[KEPT ? (k) : 0] : centred[AT(r)])
  MY_ROWS(k, r) {
    real gate = y[AT(r)] > 0 ? dy[AT(r)] : (real)0, off = centred[AT(r)];
    if (KEPT) { g[KEPT ? k : 0] = gate; d[KEPT ? k : 0] = off; }
    sum += gate;
    along += gate * off;
  }
  sum = column_sum(sum);
  along = column_sum(along);
  if (!here) return;
  real r0 = rstd[c], scale = weight[c] * r0 * kept, offset = sum / n, slope = along * r0 * r0 / n;
  if (threadIdx.y == 0) { dbias[c] = kept * sum; dweight[c] = kept * r0 * along; }
  MY_ROWS(k, r) out[AT(r)] = scale * (GATED(k, r) - offset - CENTRED(k, r) * slope);
}

#define NORM_ACT_DROP(KEPT) \
  extern "C" __global__ void __launch_bounds__(WIDE * TALL) norm_act_drop_##KEPT(const real* x, int n, int columns, \
      const real* weight, const real* bias, real eps, u32 threshold, real kept, const u32* key, u32 key0, u32 key1, \
      const real* skip, real* sum, real* centred, real* y, real* mean, real* var, real* rstd, const real* shift, \
      const real* more_shift, real* running_mean, real* running_var, real momentum) { \
    Norm a = {weight, bias, eps, threshold, key ? key[0] : key0, key ? key[1] : key1, kept, skip, sum, centred, y, mean, \
              var, rstd, shift, more_shift, running_mean, running_var, momentum}; \
    norm_forward<KEPT>(x, n, columns, a); \
  } \
  extern "C" __global__ void __launch_bounds__(WIDE * TALL) norm_act_drop_backward_##KEPT(const real* dy, \
      const real* centred, const real* y, int n, int columns, const real* rstd, const real* weight, real kept, \
      real* dweight, real* dbias, real* out) { \
    norm_backward<KEPT>(dy, centred, y, n, columns, rstd, weight, kept, dweight, dbias, out); \
  }
NORM_ACT_DROP(1)
NORM_ACT_DROP(4)
NORM_ACT_DROP(16)
NORM_ACT_DROP(64)
NORM_ACT_DROP(0)
