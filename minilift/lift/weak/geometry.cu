// Geometry of one and two cameras: operations.py has the maths. Behind common.cu. A thread a joint, or a pose.
struct Three { real x, y, z; };

__device__ __forceinline__ real dot(Three a, Three b) { return a.x * b.x + a.y * b.y + a.z * b.z; }

__device__ __forceinline__ Three three(const real* p) { return {p[0], p[1], p[2]}; }

__device__ __forceinline__ Three rotated(const real* r, Three p) {
  return {dot(three(r), p), dot(three(r + 3), p), dot(three(r + 6), p)};
}

__device__ __forceinline__ Three rotated_back(const real* r, Three p) {
  return {r[0] * p.x + r[3] * p.y + r[6] * p.z, r[1] * p.x + r[4] * p.y + r[7] * p.z, r[2] * p.x + r[5] * p.y + r[8] * p.z};
}

__device__ __forceinline__ void put(real* out, Three p) {
  out[0] = p.x;
  out[1] = p.y;
  out[2] = p.z;
}

extern "C" __global__ void __launch_bounds__(256) project(const real* points, real* out, real nearest, long long joints) {
  EACH(j, joints) {
    real depth = -points[3 * j + 2] > nearest ? -points[3 * j + 2] : nearest;
    out[2 * j] = points[3 * j] / depth;
    out[2 * j + 1] = points[3 * j + 1] / depth;
  }
}

extern "C" __global__ void __launch_bounds__(256) project_backward(const real* dout, const real* points, real* dpoints,
    real nearest, long long joints) {
  EACH(j, joints) {
    Three p = three(points + 3 * j);
    bool free = -p.z > nearest;
    real depth = free ? -p.z : nearest, dx = dout[2 * j] / depth, dy = dout[2 * j + 1] / depth;
    put(dpoints + 3 * j, {dx, dy, free ? (p.x * dx + p.y * dy) / depth : (real)0});
  }
}

extern "C" __global__ void __launch_bounds__(256) move(const real* points, const real* rotation, const real* translation,
    real* out, long long per_row, long long joints) {
  EACH(j, joints) {
    long long i = j / per_row;
    Three p = rotated(rotation + 9 * i, three(points + 3 * j)), t = three(translation + 3 * i);
    put(out + 3 * j, {p.x + t.x, p.y + t.y, p.z + t.z});
  }
}

extern "C" __global__ void __launch_bounds__(256) move_backward(const real* dout, const real* rotation, real* dpoints,
    long long per_row, long long joints) {
  EACH(j, joints) put(dpoints + 3 * j, rotated_back(rotation + 9 * (j / per_row), three(dout + 3 * j)));
}

extern "C" __global__ void __launch_bounds__(256) move_backward_camera(const real* dout, const real* points, real* drotation,
    real* dtranslation, long long per_row, long long poses) {
  EACH(i, poses) {
    real dr[9] = {0}, dt[3] = {0};
    for (long long j = i * per_row; j < (i + 1) * per_row; j++)
      for (int k = 0; k < 3; k++) {
        dt[k] += dout[3 * j + k];
        for (int l = 0; l < 3; l++) dr[3 * k + l] += dout[3 * j + k] * points[3 * j + l];
      }
    if (drotation)
      for (int k = 0; k < 9; k++) drotation[9 * i + k] = dr[k];
    if (dtranslation)
      for (int k = 0; k < 3; k++) dtranslation[3 * i + k] = dt[k];
  }
}

// R = Rx(f) Ry(-a) Rx(-e) from cosines and sines
__device__ __forceinline__ void turned(real* r, real ce, real se, real ca, real sa, real cf, real sf) {
  put(r, {ca, sa * se, -sa * ce});
  put(r + 3, {-sf * sa, cf * ce + sf * ca * se, cf * se - sf * ca * ce});
  put(r + 6, {cf * sa, sf * ce - cf * ca * se, sf * se + cf * ca * ce});
}

extern "C" __global__ void __launch_bounds__(256) turn(const real* angles, real* rotation, real* translation, long long poses) {
  EACH(i, poses) {
    real e = angles[3 * i], a = angles[3 * i + 1], f = angles[3 * i + 2], *r = rotation + 9 * i;
    turned(r, cos(e), sin(e), cos(a), sin(a), cos(f), sin(f));
    put(translation + 3 * i, {r[2], r[5], r[8] - 1});
  }
}

extern "C" __global__ void __launch_bounds__(256) turn_backward(const real* drotation, const real* dtranslation,
    const real* angles, real* dangles, long long poses) {
  EACH(i, poses) {
    real dr[9];
    for (int k = 0; k < 9; k++) dr[k] = drotation[9 * i + k];
    for (int k = 0; k < 3; k++) dr[3 * k + 2] += dtranslation[3 * i + k];
    real e = angles[3 * i], a = angles[3 * i + 1], f = angles[3 * i + 2];
    real ce = cos(e), se = sin(e), ca = cos(a), sa = sin(a), cf = cos(f), sf = sin(f);
    Three x = three(dr), y = three(dr + 3), z = three(dr + 6);
    dangles[3 * i] = dot(x, {0, sa * ce, sa * se}) + dot(y, {0, sf * ca * ce - cf * se, cf * ce + sf * ca * se}) +
        dot(z, {0, -sf * se - cf * ca * ce, sf * ce - cf * ca * se});
    dangles[3 * i + 1] = dot(x, {-sa, ca * se, -ca * ce}) + dot(y, {-sf * ca, -sf * sa * se, sf * sa * ce}) +
        dot(z, {cf * ca, cf * sa * se, -cf * sa * ce});
    dangles[3 * i + 2] = dot(y, {-cf * sa, cf * ca * se - sf * ce, -sf * se - cf * ca * ce}) +
        dot(z, {-sf * sa, cf * ce + sf * ca * se, cf * se - sf * ca * ce});
  }
}

// From the parent of a joint to the joint; parent per_row is the root
__device__ __forceinline__ Three bone(const real* pose, int joint, int parent, long long per_row) {
  Three p = three(pose + 3 * joint), q = {0, 0, -1};
  if (parent < per_row) q = three(pose + 3 * parent);
  return {p.x - q.x, p.y - q.y, p.z - q.z};
}

extern "C" __global__ void __launch_bounds__(256) bone_lengths(const real* points, const int* parents, real* out,
    long long per_row, long long joints) {
  EACH(j, joints) {
    int joint = (int)(j % per_row);
    Three b = bone(points + 3 * (j - joint), joint, parents[joint], per_row);
    out[j] = sqrt(dot(b, b));
  }
}

extern "C" __global__ void __launch_bounds__(256) bone_lengths_backward(const real* dout, const real* points,
    const int* parents, const real* lengths, real* dpoints, long long per_row, long long poses) {
  EACH(i, poses) {
    real* mine = dpoints + 3 * per_row * i;
    for (long long k = 0; k < 3 * per_row; k++) mine[k] = 0;
    for (int joint = 0; joint < per_row; joint++) {
      real length = lengths[i * per_row + joint], slope = length > 0 ? dout[i * per_row + joint] / length : (real)0;
      int parent = parents[joint];
      Three b = bone(points + 3 * per_row * i, joint, parent, per_row);
      real d[3] = {b.x * slope, b.y * slope, b.z * slope};
      for (int k = 0; k < 3; k++) {
        mine[3 * joint + k] += d[k];
        if (parent < per_row) mine[3 * parent + k] -= d[k];
      }
    }
  }
}

__device__ __forceinline__ real mean_of(const real* lengths, long long per_row) {
  real total = 0;
  for (long long k = 0; k < per_row; k++) total += lengths[k];
  return total / per_row;
}

extern "C" __global__ void __launch_bounds__(256) asymmetry(const real* lengths, const int* pairs, real* out, long long count,
    long long per_row, long long poses) {
  EACH(i, poses) {
    const real* mine = lengths + i * per_row;
    real mean = mean_of(mine, per_row);
    for (long long p = 0; p < count; p++) out[i * count + p] = (mine[pairs[2 * p]] - mine[pairs[2 * p + 1]]) / mean;
  }
}

extern "C" __global__ void __launch_bounds__(256) asymmetry_backward(const real* dout, const real* lengths, const int* pairs,
    const real* values, real* dlengths, long long count, long long per_row, long long poses) {
  EACH(i, poses) {
    real mean = mean_of(lengths + i * per_row, per_row), all = 0, *mine = dlengths + i * per_row;
    for (long long p = i * count; p < (i + 1) * count; p++) all += dout[p] * values[p];
    for (long long k = 0; k < per_row; k++) mine[k] = -all / (mean * per_row);
    for (long long p = 0; p < count; p++) {
      mine[pairs[2 * p]] += dout[i * count + p] / mean;
      mine[pairs[2 * p + 1]] -= dout[i * count + p] / mean;
    }
  }
}

// Two rays and their products
struct Pair { Three ray, a, b, t; real aa, bb, ab, at, bt, sine2; };

__device__ __forceinline__ Pair pair_of(const real* points_1, const real* points_2, const real* rotation,
    const real* translation, long long j, long long i) {
  Pair p;
  p.ray = {points_1[2 * j], points_1[2 * j + 1], -1};
  p.a = rotated(rotation + 9 * i, p.ray);
  p.b = {points_2[2 * j], points_2[2 * j + 1], -1};
  p.t = three(translation + 3 * i);
  p.aa = dot(p.a, p.a), p.bb = dot(p.b, p.b), p.ab = dot(p.a, p.b), p.at = dot(p.a, p.t), p.bt = dot(p.b, p.t);
  p.sine2 = 1 - p.ab * p.ab / (p.aa * p.bb);
  return p;
}

extern "C" __global__ void __launch_bounds__(256) triangulate(const real* points_1, const real* points_2, const real* rotation,
    const real* translation, real* out, real* sine2, real flattest, long long per_row, long long joints) {
  EACH(j, joints) {
    Pair p = pair_of(points_1, points_2, rotation, translation, j, j / per_row);
    real depth = (p.ab * p.bt - p.at * p.bb) / (p.aa * p.bb * (p.sine2 > flattest ? p.sine2 : flattest));
    sine2[j] = p.sine2;
    put(out + 3 * j, {p.ray.x * depth, p.ray.y * depth, p.ray.z * depth});
  }
}

extern "C" __global__ void __launch_bounds__(256) triangulate_backward(const real* dout, const real* points_1,
    const real* points_2, const real* rotation, const real* translation, real* dpoints_1, real* dpoints_2, real flattest,
    long long per_row, long long joints) {
  EACH(j, joints) {
    const real* r = rotation + 9 * (j / per_row);
    Pair p = pair_of(points_1, points_2, rotation, translation, j, j / per_row);
    real steep = p.sine2 > flattest ? 1 : 0, below = steep ? p.aa * p.bb - p.ab * p.ab : flattest * p.aa * p.bb;
    Three d = three(dout + 3 * j);
    real depth = (p.ab * p.bt - p.at * p.bb) / below, dn = dot(d, p.ray) / below, dd = -2 * steep * dn * depth;
    // da = of_t t + of_b b + of_a a, and db likewise
    real t_a = -dn * p.bb, b_a = dn * p.bt - dd * p.ab, a_a = dd * p.bb;
    real a_b = dn * p.bt - dd * p.ab, t_b = dn * p.ab, b_b = -2 * dn * p.at + dd * p.aa;
    Three da = {t_a * p.t.x + b_a * p.b.x + a_a * p.a.x, t_a * p.t.y + b_a * p.b.y + a_a * p.a.y,
        t_a * p.t.z + b_a * p.b.z + a_a * p.a.z};
    Three back = rotated_back(r, da);
    dpoints_1[2 * j] = depth * d.x + back.x;
    dpoints_1[2 * j + 1] = depth * d.y + back.y;
    dpoints_2[2 * j] = a_b * p.a.x + t_b * p.t.x + b_b * p.b.x;
    dpoints_2[2 * j + 1] = a_b * p.a.y + t_b * p.t.y + b_b * p.b.y;
  }
}

extern "C" __global__ void __launch_bounds__(256) copy_columns(const real* rows, real* out, long long from, long long width,
    long long to, long long out_width, long long count, long long size) {
  EACH(i, size) out[i / count * out_width + to + i % count] = rows[i / count * width + from + i % count];
}
