// Images (n, channels, height, width): operations.py has the maths. Behind common.cu.

// ---- windows ---------------------------------------------------------------------------------------------------------
#define WINDOWS int channels, int height, int width, int rows, int columns, int down, int right, int top, int left, \
    int high, int wide
#define TAPS(i, j) for (int i = 0; i < rows; i++) for (int j = 0; j < columns; j++)

// out: element (tap, n, place) at tap per_tap + n per_image + place
extern "C" __global__ void __launch_bounds__(256) unfold(const real* x, real* out, long long per_image, long long per_tap,
    WINDOWS, long long size) {
  EACH(i, size) {
    long long place = i % (high * wide), rest = i / (high * wide);
    int taps = channels * rows * columns, tap = (int)(rest % taps);
    long long n = rest / taps;
    int c = tap / (rows * columns), ky = tap / columns % rows, kx = tap % columns;
    int y = (int)(place / wide) * down + ky - top, x_ = (int)(place % wide) * right + kx - left;
    bool inside = 0 <= y && y < height && 0 <= x_ && x_ < width;
    out[tap * per_tap + n * per_image + place] = inside ? x[((n * channels + c) * height + y) * width + x_] : (real)0;
  }
}

// The windows that a pixel (y, x_) is in, each with the element of it that the pixel is, in the order of places.
#define WINDOWS_OF(y, x_, py, px, ky, kx) \
  for (int ky = rows - 1, py; ky >= 0; ky--) \
    if ((py = (y) + top - ky, py >= 0 && py % down == 0 && (py /= down) < high)) \
      for (int kx = columns - 1, px; kx >= 0; kx--) \
        if ((px = (x_) + left - kx, px >= 0 && px % right == 0 && (px /= right) < wide))

// a thread a pixel, which adds up its copies in a fixed order
extern "C" __global__ void __launch_bounds__(256) fold(const real* from, real* out, long long per_image, long long per_tap,
    WINDOWS, long long size) {
  EACH(i, size) {
    int x_ = (int)(i % width), y = (int)(i / width % height);
    long long plane = i / width / height, c = plane % channels, n = plane / channels;
    real sum = 0;
    WINDOWS_OF(y, x_, py, px, ky, kx)
      sum += from[((c * rows + ky) * columns + kx) * per_tap + n * per_image + (long long)py * wide + px];
    out[i] = sum;
  }
}

// The first pixel of the window of output i, in a plane of x.
#define WINDOW_AT(i) (i / (high * wide) * height * width + (i / wide % high) * down * width + i % wide * right)

extern "C" __global__ void __launch_bounds__(256) max_pool(const real* x, real* out, WINDOWS, long long size) {
  EACH(i, size) {
    const real* window = x + WINDOW_AT(i);
    real most = window[0];
    TAPS(ky, kx) {
      real value = window[ky * width + kx];
      if (value > most || value != value) most = value;
    }
    out[i] = most;
  }
}

extern "C" __global__ void __launch_bounds__(256) max_pool_backward(const real* dy, const real* x, const real* y_, real* out,
    WINDOWS, long long size) {
  EACH(i, size) {
    int x_ = (int)(i % width), y = (int)(i / width % height);
    long long plane = i / width / height;
    real sum = 0;
    WINDOWS_OF(y, x_, py, px, ky, kx) {
      long long at = (plane * high + py) * wide + px;
      bool first = x[i] == y_[at];
      const real* window = x + i - ky * width - kx;
      for (int tap = 0; first && tap < ky * columns + kx; tap++)
        first = window[tap / columns * width + tap % columns] != y_[at];
      if (first) sum += dy[at];
    }
    out[i] = sum;
  }
}

extern "C" __global__ void __launch_bounds__(256) avg_pool(const real* x, real* out, WINDOWS, long long size) {
  EACH(i, size) {
    const real* window = x + WINDOW_AT(i);
    real sum = 0;
    TAPS(ky, kx) sum += window[ky * width + kx];
    out[i] = sum * ((real)1 / (rows * columns));
  }
}

extern "C" __global__ void __launch_bounds__(256) avg_pool_backward(const real* dy, real* out, WINDOWS, long long size) {
  EACH(i, size) {
    int x_ = (int)(i % width), y = (int)(i / width % height);
    long long plane = i / width / height;
    real sum = 0, share = (real)1 / (rows * columns);
    WINDOWS_OF(y, x_, py, px, ky, kx) sum += dy[(plane * high + py) * wide + px] * share;
    out[i] = sum;
  }
}

// ---- whole planes, a thread a plane ----------------------------------------------------------------------------------
extern "C" __global__ void __launch_bounds__(256) global_max(const real* x, real* out, long long pixels, long long size) {
  EACH(i, size) {
    real most = x[i * pixels];
    for (long long p = 0; p < pixels; p++) {
      real value = x[i * pixels + p];
      if (value > most || value != value) most = value;
    }
    out[i] = most;
  }
}

extern "C" __global__ void __launch_bounds__(256) global_max_backward(const real* dy, const real* x, real* out,
    long long pixels, long long size) {
  EACH(i, size) {
    const real* plane = x + i * pixels;
    long long best = 0;
    for (long long p = 1; p < pixels; p++)
      if (plane[p] > plane[best] || (plane[p] != plane[p] && plane[best] == plane[best])) best = p;
    for (long long p = 0; p < pixels; p++) out[i * pixels + p] = p == best ? dy[i] : (real)0;
  }
}

extern "C" __global__ void __launch_bounds__(256) global_mean(const real* x, real* out, long long pixels, long long size) {
  EACH(i, size) {
    real sum = 0;
    for (long long p = 0; p < pixels; p++) sum += x[i * pixels + p];
    out[i] = sum * ((real)1 / pixels);
  }
}

extern "C" __global__ void __launch_bounds__(256) global_mean_backward(const real* dy, real* out, long long pixels,
    long long size) {
  EACH(i, size) out[i] = dy[i / pixels] * ((real)1 / pixels);
}

// ---- filters as rows (filters, n places) and as images (n, filters, places) --------------------------------------------
extern "C" __global__ void __launch_bounds__(256) rows_to_images(const real* rows, const real* bias, real* out,
    long long images, long long filters, long long places, long long size) {
  EACH(i, size) {
    long long place = i % places, filter = i / places % filters, n = i / places / filters;
    out[i] = rows[(filter * images + n) * places + place] + (bias ? bias[filter] : (real)0);
  }
}

extern "C" __global__ void __launch_bounds__(256) images_to_rows(const real* from, real* rows, long long images,
    long long filters, long long places, long long size) {
  EACH(i, size) {
    long long place = i % places, filter = i / places % filters, n = i / places / filters;
    rows[(filter * images + n) * places + place] = from[i];
  }
}

// ---- channels, a block each --------------------------------------------------------------------------------------------
// Over the pixels of channel c in all images, p where they lie in an array (n, channels, pixels).
#define CHANNEL(p) \
  for (long long k = threadIdx.x, p; k < images * pixels && (p = (k / pixels * gridDim.x + blockIdx.x) * pixels + k % pixels, \
       true); k += blockDim.x)

// block_sum, to every thread of the block
__device__ __forceinline__ double sum_for_all(double mine) {
  __shared__ double sum;
  mine = block_sum(mine);
  if (threadIdx.x == 0) sum = mine;
  __syncthreads();
  double all = sum;
  __syncthreads();
  return all;
}

extern "C" __global__ void __launch_bounds__(256) channel_sums(const real* from, real* out, long long images,
    long long pixels) {
  double mine = 0;
  CHANNEL(p) mine += from[p];
  mine = sum_for_all(mine);
  if (threadIdx.x == 0) out[blockIdx.x] = (real)mine;
}

extern "C" __global__ void __launch_bounds__(256) batchnorm2d(const real* x, const real* weight, const real* bias,
    real* mean, real* var, real* rstd, real* xhat, real* out, real eps, int train, long long images, long long pixels) {
  int c = blockIdx.x;
  real centre, spread;
  if (train) {
    double sum = 0, squares = 0, count = (double)images * pixels;
    CHANNEL(p) sum += x[p];
    double middle = sum_for_all(sum) / count;
    CHANNEL(p) squares += (x[p] - middle) * (x[p] - middle);
    centre = (real)middle;
    spread = (real)(sum_for_all(squares) / count);
  } else {
    centre = mean[c];
    spread = var[c];
  }
  real scale = 1 / sqrt(spread + eps);
  if (threadIdx.x == 0) {
    if (train) { mean[c] = centre; var[c] = spread; }
    rstd[c] = scale;
  }
  CHANNEL(p) {
    real value = (x[p] - centre) * scale;
    xhat[p] = value;
    out[p] = value * weight[c] + bias[c];
  }
}

extern "C" __global__ void __launch_bounds__(256) batchnorm2d_backward(const real* dy, const real* xhat, const real* rstd,
    const real* weight, real* dweight, real* dbias, real* out, int train, long long images, long long pixels) {
  int c = blockIdx.x;
  double sum = 0, along = 0, count = (double)images * pixels;
  CHANNEL(p) { sum += dy[p]; along += (double)dy[p] * xhat[p]; }
  sum = sum_for_all(sum);
  along = sum_for_all(along);
  if (threadIdx.x == 0) { dbias[c] = (real)sum; dweight[c] = (real)along; }
  real scale = weight[c] * rstd[c], offset = train ? (real)(sum / count) : (real)0;
  real slope = train ? (real)(along / count) : (real)0;
  CHANNEL(p) out[p] = scale * (dy[p] - offset - xhat[p] * slope);
}

// ---- softmax along the middle axis of (n, along, inner), a thread a row of it ------------------------------------------
#define ROW(i) (i / inner * along * inner + i % inner)

extern "C" __global__ void __launch_bounds__(256) softmax(const real* x, real* out, long long along, long long inner,
    long long size) {
  EACH(i, size) {
    const real* row = x + ROW(i);
    real* y = out + ROW(i);
    real most = row[0], sum = 0;
    for (long long k = 1; k < along; k++) {
      real value = row[k * inner];
      if (value > most || value != value) most = value;
    }
    for (long long k = 0; k < along; k++) sum += y[k * inner] = exp(row[k * inner] - most);
    for (long long k = 0; k < along; k++) y[k * inner] /= sum;
  }
}

extern "C" __global__ void __launch_bounds__(256) softmax_backward(const real* dy, const real* y, real* out,
    long long along, long long inner, long long size) {
  EACH(i, size) {
    real sum = 0;
    for (long long k = 0; k < along; k++) sum += dy[ROW(i) + k * inner] * y[ROW(i) + k * inner];
    for (long long k = 0; k < along; k++)
      out[ROW(i) + k * inner] = y[ROW(i) + k * inner] * (dy[ROW(i) + k * inner] - sum);
  }
}
