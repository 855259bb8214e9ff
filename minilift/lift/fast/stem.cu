// The beginning of a captured step: gather a batch, change its units, and hidden1. Behind common.cu.
// points (n, inputs), or null, and y (n, outputs) are the rows `order[first + r]` of the data, or where `order` is null
// the rows r; x is points in other units, and h = x weight^T + bias (n, width).
// Grid (width / 128, n / STEM_ROWS), both rounded up; with fewer blocks along n each takes several parts of it.
#define STEM_ROWS 16
#define STEM_INPUTS 128  // at most
extern "C" __global__ void __launch_bounds__(128) stem(const real* data_x, const real* data_y, const int* order,
    const u32* numbers, int n, int inputs, int outputs, int width, const real* scale, const real* shift, const real* weight,
    const real* bias, real* points, real* x, real* y, real* h) {
  __shared__ real tile[STEM_ROWS][STEM_INPUTS];
  int f = blockIdx.x * 128 + threadIdx.x;
  for (int first = blockIdx.y * STEM_ROWS; first < n; first += gridDim.y * STEM_ROWS) {
    int rows = min(STEM_ROWS, n - first);
    for (int i = threadIdx.x; i < rows * inputs; i += 128) {
      int r = i / inputs, k = i % inputs;
      long long row = order ? order[numbers[0] + first + r] : first + r;
      real value = data_x[row * inputs + k];
      if (points && blockIdx.x == 0) points[(long long)(first + r) * inputs + k] = value;
      if (scale) value = value * scale[k] + shift[k];
      tile[r][k] = value;
      if (blockIdx.x == 0) x[(long long)(first + r) * inputs + k] = value;
    }
    if (blockIdx.x == 0)
      for (int i = threadIdx.x; i < rows * outputs; i += 128) {
        long long row = order ? order[numbers[0] + first + i / outputs] : first + i / outputs;
        y[(long long)first * outputs + i] = data_y[row * outputs + i % outputs];
      }
    __syncthreads();
    if (f < width) {
      real sum[STEM_ROWS];
#pragma unroll
      for (int r = 0; r < STEM_ROWS; r++) sum[r] = bias[f];
      for (int k = 0; k < inputs; k++) {
        real w = weight[(long long)f * inputs + k];
#pragma unroll
        for (int r = 0; r < STEM_ROWS; r++) sum[r] += w * tile[r][k];  // rows past the end are not written
      }
#pragma unroll
      for (int r = 0; r < STEM_ROWS; r++)
        if (r < rows) h[(long long)(first + r) * width + f] = sum[r];
    }
    __syncthreads();  // the next part writes over the tile
  }
}
