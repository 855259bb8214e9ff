// A training step of a small batch in a few launches: activations lie feature by feature, (features, ROWS), and a lane of a
// warp is a pose. So the statistics of BatchNorm are shuffles within a warp, and a block that owns 8 features of all poses
// does product, normalisation, ReLU, dropout and shortcut without waiting for another block. At such a batch the weights
// are what is read and written most; the gradients of the wide ones are used by Adam where they are made and never stored.
// Behind common.cu, in float. Compiled for one shape: -DROWS (32, 64, 96 or 128) -DWIDTH (a multiple of 64) -DINPUTS -DJOINTS.
// `numbers` is this step's row of what changes from step to step: see minilift/lift/fast/captured.py.
#define WARPS (ROWS <= 64 ? 16 : 8)  // of a block: each takes its share of the features that are summed over
#define LANES (ROWS / 32)            // poses of a lane
#define OWN 8                        // features of a block
#define TARGETS (3 * JOINTS)

#define EACH_LANE(r) _Pragma("unroll") for (int r = 0; r < LANES; r++)
#define EACH_OWN(o) _Pragma("unroll") for (int o = 0; o < OWN; o++)

// Gather, change of units and hidden1: h (WIDTH, ROWS), x and, where it is not null, points (INPUTS, ROWS), in the
// network's units and the data's, y (TARGETS, ROWS). A warp a feature; those after the last copy x and y. Where `order` is
// null, the batch is the data's first rows. Grid (WIDTH + INPUTS + TARGETS) / 8, rounded up.
extern "C" __global__ void __launch_bounds__(256) stem(const float* __restrict__ data_x, const float* __restrict__ data_y,
    const int* __restrict__ order, const u32* __restrict__ numbers, const float* __restrict__ scale,
    const float* __restrict__ shift, const float* __restrict__ weight, const float* __restrict__ bias,
    float* __restrict__ points, float* __restrict__ x, float* __restrict__ y, float* __restrict__ h) {
  int f = blockIdx.x * 8 + (threadIdx.x >> 5), lane = threadIdx.x & 31;
  EACH_LANE(r) {
    int n = lane + 32 * r;
    long long row = order ? order[numbers[0] + n] : n;
    if (f < WIDTH) {
      float sum = bias[f];
      for (int k = 0; k < INPUTS; k++) {
        float value = data_x[row * INPUTS + k];
        if (scale) value = value * scale[k] + shift[k];
        sum += weight[f * INPUTS + k] * value;
      }
      h[f * ROWS + n] = sum;
    } else if (f < WIDTH + INPUTS) {
      int k = f - WIDTH;
      float value = data_x[row * INPUTS + k];
      x[k * ROWS + n] = scale ? value * scale[k] + shift[k] : value;
      if (points) points[k * ROWS + n] = value;
    } else if (f < WIDTH + INPUTS + TARGETS) {
      int k = f - WIDTH - INPUTS;
      y[k * ROWS + n] = data_y[row * TARGETS + k];
    }
  }
}

// Half a residual block: y = [skip +] mask relu(xhat gamma + beta) / (1-p), xhat = (z - mean) rstd, z = weight x.
// weight (WIDTH, WIDTH) as stored; x, skip, y, xhat (WIDTH, ROWS). Grid WIDTH / 8, block 32 WARPS.
extern "C" __global__ void __launch_bounds__(32 * WARPS) half_forward(const float* __restrict__ weight,
    const float* __restrict__ bias, const float* __restrict__ x, const float* __restrict__ gamma,
    const float* __restrict__ beta, float eps, u32 threshold, float kept, const u32* __restrict__ key,
    const float* __restrict__ skip, float* __restrict__ y, float* __restrict__ xhat, float* __restrict__ rstd,
    float* __restrict__ running_mean, float* __restrict__ running_var, float momentum) {
  __shared__ float part[WARPS][OWN][ROWS];
  const int share = WIDTH / WARPS;
  int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, first = blockIdx.x * OWN;
  float sum[OWN][LANES];
  EACH_OWN(o) EACH_LANE(r) sum[o][r] = 0.f;
#pragma unroll 4
  for (int k = warp * share; k < (warp + 1) * share; k += 4) {
    float value[4][LANES];
#pragma unroll
    for (int i = 0; i < 4; i++) EACH_LANE(r) value[i][r] = x[(k + i) * ROWS + lane + 32 * r];
    EACH_OWN(o) {
      float4 w = *(const float4*)(weight + (first + o) * WIDTH + k);  // one address a warp: a broadcast
      EACH_LANE(r) sum[o][r] += w.x * value[0][r] + w.y * value[1][r] + w.z * value[2][r] + w.w * value[3][r];
    }
  }
  EACH_OWN(o) EACH_LANE(r) part[warp][o][lane + 32 * r] = sum[o][r];
  __syncthreads();
  if (warp >= OWN) return;
  int f = first + warp;  // from here on a warp has a feature, of all poses
  float z[LANES], total = 0.f, squares = 0.f;
  EACH_LANE(r) {
    z[r] = 0.f;
    for (int v = 0; v < WARPS; v++) z[r] += part[v][warp][lane + 32 * r];
    total += z[r];
  }
  float mean = warp_sum(total) * (1.f / ROWS);
  EACH_LANE(r) {
    z[r] -= mean;
    squares += z[r] * z[r];
  }
  float var = warp_sum(squares) * (1.f / ROWS), scale = 1.f / sqrtf(var + eps), g = gamma[f], b = beta[f];
  if (lane == 0) {
    rstd[f] = scale;
    running_mean[f] += momentum * (mean + bias[f] - running_mean[f]);  // all that the bias has any effect on
    running_var[f] += momentum * (var * ((float)ROWS / (ROWS - 1)) - running_var[f]);
  }
  EACH_LANE(r) {
    int n = lane + 32 * r;
    float normal = z[r] * scale, a = normal * g + b;
    a = a > 0.f && keeps((u32)n * WIDTH + f, key[0], key[1], threshold) ? a * kept : 0.f;
    xhat[f * ROWS + n] = normal;
    y[f * ROWS + n] = skip ? skip[f * ROWS + n] + a : a;
  }
}

// The last Linear, the change of units behind it, MPJPE and its gradient: a block a joint. Grid JOINTS.
// gradient (TARGETS, ROWS) is that of the Linear's output.
extern "C" __global__ void __launch_bounds__(32 * WARPS) head_mpjpe(const float* __restrict__ weight,
    const float* __restrict__ bias, const float* __restrict__ x, const float* __restrict__ scale,
    const float* __restrict__ shift, const float* __restrict__ target, float* __restrict__ gradient, double* partial,
    u32* finished, double* total) {
  __shared__ float part[WARPS][3][ROWS];
  const int share = WIDTH / WARPS;
  int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, j = blockIdx.x;
  float sum[3][LANES];
  for (int a = 0; a < 3; a++) EACH_LANE(r) sum[a][r] = 0.f;
#pragma unroll 4
  for (int k = warp * share; k < (warp + 1) * share; k++)
    EACH_LANE(r) {
      float value = x[k * ROWS + lane + 32 * r];
#pragma unroll
      for (int a = 0; a < 3; a++) sum[a][r] += weight[(3 * j + a) * WIDTH + k] * value;
    }
  for (int a = 0; a < 3; a++) EACH_LANE(r) part[warp][a][lane + 32 * r] = sum[a][r];
  __syncthreads();
  if (warp) return;
  double mine = 0;
  EACH_LANE(r) {
    int n = lane + 32 * r;
    float d[3], square = 0.f;
    for (int a = 0; a < 3; a++) {
      int c = 3 * j + a;
      float value = bias[c];
      for (int v = 0; v < WARPS; v++) value += part[v][a][n];
      if (scale) value = value * scale[c] + shift[c];
      d[a] = value - target[c * ROWS + n];
      square += d[a] * d[a];
    }
    float distance = sqrtf(square);
    float factor = distance > 0.f ? 1.f / (distance * (ROWS * JOINTS)) : distance * 0.f;  // NaN stays NaN
    for (int a = 0; a < 3; a++) gradient[(3 * j + a) * ROWS + n] = d[a] * factor * (scale ? scale[3 * j + a] : 1.f);
    mine += distance;
  }
  mine = warp_sum(mine);
  if (lane == 0) add_to_total(mine, ROWS * JOINTS, partial, finished, total);
}

// The same for a Linear that gives a depth a joint, whose point (INPUTS, ROWS) sets the ray: gradient (JOINTS, ROWS).
extern "C" __global__ void __launch_bounds__(32 * WARPS) head_rays(const float* __restrict__ weight,
    const float* __restrict__ bias, const float* __restrict__ x, const float* __restrict__ scale,
    const float* __restrict__ shift, const float* __restrict__ points, const float* __restrict__ target,
    float* __restrict__ gradient, double* partial, u32* finished, double* total) {
  __shared__ float part[WARPS][ROWS];
  const int share = WIDTH / WARPS;
  int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, j = blockIdx.x;
  float sum[LANES];
  EACH_LANE(r) sum[r] = 0.f;
#pragma unroll 8
  for (int k = warp * share; k < (warp + 1) * share; k++)
    EACH_LANE(r) sum[r] += weight[j * WIDTH + k] * x[k * ROWS + lane + 32 * r];
  EACH_LANE(r) part[warp][lane + 32 * r] = sum[r];
  __syncthreads();
  if (warp) return;
  double mine = 0;
  EACH_LANE(r) {
    int n = lane + 32 * r;
    float z = bias[j], u = points[2 * j * ROWS + n], v = points[(2 * j + 1) * ROWS + n];
    for (int w = 0; w < WARPS; w++) z += part[w][n];
    if (scale) z = z * scale[j] + shift[j];
    float dx = -u * z - target[3 * j * ROWS + n], dy = -v * z - target[(3 * j + 1) * ROWS + n];
    float dz = z - target[(3 * j + 2) * ROWS + n], distance = sqrtf(dx * dx + dy * dy + dz * dz);
    float factor = distance > 0.f ? 1.f / (distance * (ROWS * JOINTS)) : distance * 0.f;
    gradient[j * ROWS + n] = (dz - u * dx - v * dy) * factor * (scale ? scale[j] : 1.f);
    mine += distance;
  }
  mine = warp_sum(mine);
  if (lane == 0) add_to_total(mine, ROWS * JOINTS, partial, finished, total);
}

// dx = above^T dz [+ shortcut], of the Linear `above` (features, WIDTH) with dz (features, ROWS); then dropout, ReLU and
// normalisation backwards, of the half that made x: out is the gradient of its product, `kept_dx` (or null) takes dx.
// With gamma null there is no such half, and only kept_dx is written. Grid WIDTH / 8, block 32 WARPS.
extern "C" __global__ void __launch_bounds__(32 * WARPS) half_backward(const float* __restrict__ above,
    const float* __restrict__ dz, int features, const float* __restrict__ shortcut, const float* __restrict__ gamma,
    const float* __restrict__ beta, const float* __restrict__ xhat, const float* __restrict__ rstd, u32 threshold,
    float kept, const u32* __restrict__ key, float* __restrict__ kept_dx, float* __restrict__ out,
    float* __restrict__ dgamma, float* __restrict__ dbeta) {
  __shared__ float part[WARPS][OWN][ROWS];
  int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, first = blockIdx.x * OWN;
  float sum[OWN][LANES];
  EACH_OWN(o) EACH_LANE(r) sum[o][r] = 0.f;
#pragma unroll 4
  for (int k = warp; k < features; k += WARPS) {
    float4 a = *(const float4*)(above + k * WIDTH + first), b = *(const float4*)(above + k * WIDTH + first + 4);
    EACH_LANE(r) {
      float d = dz[k * ROWS + lane + 32 * r];
      sum[0][r] += a.x * d;
      sum[1][r] += a.y * d;
      sum[2][r] += a.z * d;
      sum[3][r] += a.w * d;
      sum[4][r] += b.x * d;
      sum[5][r] += b.y * d;
      sum[6][r] += b.z * d;
      sum[7][r] += b.w * d;
    }
  }
  EACH_OWN(o) EACH_LANE(r) part[warp][o][lane + 32 * r] = sum[o][r];
  __syncthreads();
  if (warp >= OWN) return;
  int f = first + warp;
  float g[LANES], normal[LANES], total = 0.f, along = 0.f;
  EACH_LANE(r) {
    int n = lane + 32 * r, at = f * ROWS + n;
    g[r] = shortcut ? shortcut[at] : 0.f;
    for (int v = 0; v < WARPS; v++) g[r] += part[v][warp][n];
    if (kept_dx) kept_dx[at] = g[r];
    if (gamma) {
      normal[r] = xhat[at];
      bool passed = normal[r] * gamma[f] + beta[f] > 0.f && keeps((u32)n * WIDTH + f, key[0], key[1], threshold);
      g[r] = passed ? g[r] * kept : 0.f;
      total += g[r];
      along += g[r] * normal[r];
    }
  }
  if (!gamma) return;
  total = warp_sum(total);
  along = warp_sum(along);
  if (lane == 0) {
    dbeta[f] = total;
    dgamma[f] = along;
  }
  float scale = gamma[f] * rstd[f];
  EACH_LANE(r) {
    int at = f * ROWS + lane + 32 * r;
    out[at] = scale * (g[r] - total * (1.f / ROWS) - normal[r] * (along * (1.f / ROWS)));
  }
}
