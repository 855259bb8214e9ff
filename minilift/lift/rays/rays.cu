// Joints on their rays, a thread a joint: operations.py has the maths. Behind common.cu.
extern "C" __global__ void __launch_bounds__(256) rays(const real* points, const real* depth, real* out, long long joints) {
  EACH(j, joints) {
    real z = depth[j];
    out[3 * j] = -points[2 * j] * z;
    out[3 * j + 1] = -points[2 * j + 1] * z;
    out[3 * j + 2] = z;
  }
}

extern "C" __global__ void __launch_bounds__(256) rays_backward(const real* dy, const real* points, const real* depth,
    real* dpoints, real* ddepth, long long joints) {
  EACH(j, joints) {
    real dx = dy[3 * j], dv = dy[3 * j + 1], z = depth[j];
    ddepth[j] = dy[3 * j + 2] - points[2 * j] * dx - points[2 * j + 1] * dv;
    if (dpoints) {
      dpoints[2 * j] = -z * dx;
      dpoints[2 * j + 1] = -z * dv;
    }
  }
}

// Joints that may not have been seen: then both coordinates are NaN. x (n, 2J), out (n, 3J).
extern "C" __global__ void __launch_bounds__(256) given(const real* x, real* out, long long per_row, long long joints) {
  EACH(j, joints) {
    long long row = j / per_row, column = j % per_row;
    real u = x[2 * j], v = x[2 * j + 1];
    bool seen = u == u;
    real* mine = out + row * 3 * per_row;
    mine[2 * column] = seen ? u : (real)0;
    mine[2 * column + 1] = seen ? v : (real)0;
    mine[2 * per_row + column] = seen ? (real)1 : (real)0;
  }
}

extern "C" __global__ void __launch_bounds__(256) given_backward(const real* dy, const real* x, real* out, long long per_row,
    long long joints) {
  EACH(j, joints) {
    const real* mine = dy + j / per_row * 3 * per_row + 2 * (j % per_row);
    bool seen = x[2 * j] == x[2 * j];
    out[2 * j] = seen ? mine[0] : (real)0;
    out[2 * j + 1] = seen ? mine[1] : (real)0;
  }
}

extern "C" __global__ void __launch_bounds__(256) place(const real* points, const real* o, real* out, long long joints) {
  EACH(j, joints) {
    bool seen = points[2 * j] == points[2 * j];
    real z = o[3 * j + 2];
    out[3 * j] = -(seen ? points[2 * j] : o[3 * j]) * z;
    out[3 * j + 1] = -(seen ? points[2 * j + 1] : o[3 * j + 1]) * z;
    out[3 * j + 2] = z;
  }
}

extern "C" __global__ void __launch_bounds__(256) place_backward(const real* dy, const real* points, const real* o,
    real* dpoints, real* d_o, long long joints) {
  EACH(j, joints) {
    bool seen = points[2 * j] == points[2 * j];
    real dx = dy[3 * j], dv = dy[3 * j + 1], z = o[3 * j + 2];
    real u = seen ? points[2 * j] : o[3 * j], v = seen ? points[2 * j + 1] : o[3 * j + 1];
    d_o[3 * j] = seen ? (real)0 : -z * dx;
    d_o[3 * j + 1] = seen ? (real)0 : -z * dv;
    d_o[3 * j + 2] = dy[3 * j + 2] - u * dx - v * dv;
    if (dpoints) {
      dpoints[2 * j] = seen ? -z * dx : (real)0;
      dpoints[2 * j + 1] = seen ? -z * dv : (real)0;
    }
  }
}
