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
