// The end of a training step of a small batch: gradients of weights, and Adam. columns.cu says how activations lie.
// Behind common.cu, in float, compiled for one shape with the options of columns.cu.

// dW = dz x^T, 64 by 64 of it in the registers of a block, and Adam on them. dz, x (WIDTH, ROWS); weight, m, v
// (WIDTH, WIDTH). Grid (WIDTH / 64, WIDTH / 64).
extern "C" __global__ void __launch_bounds__(256) weight_adam(const float* __restrict__ dz, const float* __restrict__ x,
    float* __restrict__ weight, float* __restrict__ m, float* __restrict__ v, const u32* __restrict__ numbers,
    float weight_decay) {
  __shared__ float a[32][68], b[32][68];  // 68: rows of 16 bytes' alignment that do not fall into the same banks
  int tx = threadIdx.x & 15, ty = threadIdx.x >> 4, column = blockIdx.x * 64, row = blockIdx.y * 64;
  float c[4][4];
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 4; j++) c[i][j] = 0.f;
  for (int n0 = 0; n0 < ROWS; n0 += 32) {
    for (int e = threadIdx.x; e < 64 * 32; e += 256) {
      int n = e & 31, f = e >> 5;
      a[n][f] = dz[(row + f) * ROWS + n0 + n];
      b[n][f] = x[(column + f) * ROWS + n0 + n];
    }
    __syncthreads();
#pragma unroll
    for (int n = 0; n < 32; n++) {
      float4 p = *(const float4*)&a[n][ty * 4], q = *(const float4*)&b[n][tx * 4];
      float left[4] = {p.x, p.y, p.z, p.w}, right[4] = {q.x, q.y, q.z, q.w};
#pragma unroll
      for (int i = 0; i < 4; i++)
#pragma unroll
        for (int j = 0; j < 4; j++) c[i][j] += left[i] * right[j];
    }
    __syncthreads();
  }
  AdamStep step = adam_step(numbers + 1);
#pragma unroll
  for (int i = 0; i < 4; i++) {
    long long at = (long long)(row + ty * 4 + i) * WIDTH + column + tx * 4;
    // m and v pass through (.cs), so that of the second-level cache more is left for the weights
    float4 w4 = *(const float4*)(weight + at), m4 = __ldcs((const float4*)(m + at)), v4 = __ldcs((const float4*)(v + at));
    adam_one(w4.x, c[i][0], m4.x, v4.x, step, weight_decay);
    adam_one(w4.y, c[i][1], m4.y, v4.y, step, weight_decay);
    adam_one(w4.z, c[i][2], m4.z, v4.z, step, weight_decay);
    adam_one(w4.w, c[i][3], m4.w, v4.w, step, weight_decay);
    *(float4*)(weight + at) = w4;
    __stcs((float4*)(m + at), m4);
    __stcs((float4*)(v + at), v4);
  }
}

// dW = dz x^T and db = row sums of dz, of a Linear with few inputs or outputs: a thread an element.
// dz (features, ROWS), x (columns, ROWS), dweight (features, columns), dbias (features). Grid features (columns + 1) / 256.
extern "C" __global__ void __launch_bounds__(256) narrow_gradient(const float* __restrict__ dz, const float* __restrict__ x,
    int features, int columns, float* __restrict__ dweight, float* __restrict__ dbias) {
  int i = blockIdx.x * 256 + threadIdx.x;
  if (i >= features * (columns + 1)) return;
  int f = i / (columns + 1), k = i % (columns + 1);
  const float4* d = (const float4*)(dz + f * ROWS);
  const float4* other = (const float4*)(x + k * ROWS);
  float sum = 0.f;
#pragma unroll 8
  for (int n = 0; n < ROWS / 4; n++) {
    float4 p = d[n];
    if (k < columns) {
      float4 q = other[n];
      sum += p.x * q.x + p.y * q.y + p.z * q.z + p.w * q.w;
    } else {
      sum += p.x + p.y + p.z + p.w;
    }
  }
  if (k < columns) dweight[f * columns + k] = sum;
  else dbias[f] = sum;
}

// Adam on what weight_adam leaves: a block does the `counts[block]` elements from `starts[block]` on.
extern "C" __global__ void __launch_bounds__(256) rest_adam(float* __restrict__ w, const float* __restrict__ g,
    float* __restrict__ m, float* __restrict__ v, const int* __restrict__ starts, const int* __restrict__ counts,
    const u32* __restrict__ numbers, float weight_decay) {
  int start = starts[blockIdx.x], count = counts[blockIdx.x];
  AdamStep step = adam_step(numbers + 1);
  for (int i = threadIdx.x; i < count; i += 256)
    adam_one(w[start + i], g[start + i], m[start + i], v[start + i], step, weight_decay);
}
