// Augmentation of a batch, a thread a pose: `Augmenter` has the maths, and the functions of numpy_augment.py
// and bodies.py have the same names. Behind common.cu; compiled with the tables of tables.py: -DMEANS and
// -DLOADINGS of the bodies. What detectors make of it comes behind: detector.cu.
#define JOINTS 15
#define LENGTHS 9  // the segments; behind them comes the shoulders' drop
#define NORMAL 16
#define FACTORS (NORMAL + 3)
#define TAKEN (real)0.75
#define CLIP (real)2.5
#define TINY (real)1e-24

// as in tables.py
enum { FLIP = 0, MIX = 1, LEGS = 2, ARMS = 7, BODY = 12, SHARE = 13, HEAD = 14, ANKLE = 15, CHILD = 16, ROLL = 17,
       TUMBLE = 18, YAW = 28, TILT = 29, DISTANCE = 30, NORMALS = (1 << 30) + 32 };
enum { R_HIP, R_KNEE, R_ANKLE, L_HIP, L_KNEE, L_ANKLE, SPINE, NECK, TOP, L_SHOULDER, L_ELBOW, L_WRIST, R_SHOULDER, R_ELBOW,
       R_WRIST };
enum { THIGH, SHIN, HIP, LOW, HIGH, HEAD_LENGTH, SHOULDER, UPPER_ARM, FOREARM, DROP };

// ---- geometry -----------------------------------------------------------------------------------------------------
struct V { real x, y, z; };
__device__ __forceinline__ V operator+(V a, V b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
__device__ __forceinline__ V operator-(V a, V b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
__device__ __forceinline__ V operator*(real s, V a) { return {s * a.x, s * a.y, s * a.z}; }
__device__ __forceinline__ real dot(V a, V b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
__device__ __forceinline__ V cross(V a, V b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}
__device__ __forceinline__ real length(V a) { return sqrt(dot(a, a) + TINY); }
__device__ __forceinline__ V unit(V a) { return (1 / length(a)) * a; }
__device__ __forceinline__ void swap(V& a, V& b) { V c = a; a = b; b = c; }

__device__ __forceinline__ V read(const real* y, int row, real root) {
  return {y[3 * row], y[3 * row + 1], y[3 * row + 2] + root};
}

struct Frame { V side, up, ahead; };
__device__ __forceinline__ Frame frame(V side, V up) {
  side = unit(side);
  up = unit(up - dot(up, side) * side);
  return {side, up, cross(side, up)};
}
__device__ __forceinline__ V into(const Frame& f, V v) { return {dot(f.side, v), dot(f.up, v), dot(f.ahead, v)}; }
__device__ __forceinline__ V out_of(const Frame& f, V v) { return v.x * f.side + v.y * f.up + v.z * f.ahead; }

// The two bones of the limb start - middle - end become the donor's, seen from its pelvis or its girdle.
__device__ void mix_limb(V* pose, const Frame& own, const real* donor, bool arm, int start) {
  V hang = read(donor, start, 1), middle = read(donor, start + 1, 1);
  V end = read(donor, start + 2, 1);
  V left = read(donor, arm ? L_SHOULDER : L_HIP, 1), right = read(donor, arm ? R_SHOULDER : R_HIP, 1);
  V spine = read(donor, SPINE, 1);
  Frame theirs = frame(left - right, arm ? read(donor, NECK, 1) - spine : spine);
  V first = out_of(own, into(theirs, middle - hang)), second = out_of(own, into(theirs, end - middle));
  real upper = length(pose[start + 1] - pose[start]), lower = length(pose[start + 2] - pose[start + 1]);
  pose[start + 1] = pose[start] + (upper / length(first)) * first;
  pose[start + 2] = pose[start + 1] + (lower / length(second)) * second;
}

__device__ void mix_pair(V* pose, const Draws& draws, const real* source_y, int n, bool arm) {
  int slot = arm ? ARMS : LEGS, one = arm ? L_SHOULDER : R_HIP, other = arm ? R_SHOULDER : L_HIP;
  V spine = pose[SPINE];
  V side = pose[arm ? L_SHOULDER : L_HIP] - pose[arm ? R_SHOULDER : R_HIP];
  Frame own = frame(side, arm ? pose[NECK] - spine : spine);
  bool together = draws.uniform(slot) < (real)0.5;
  for (int i = 0; i < 2; i++) {
    int draw = slot + (together ? 1 : 1 + 2 * i);
    if (draws.uniform(draw) >= TAKEN) continue;
    u32 donor = (u32)(((unsigned long long)draws.hash(draw + 1) * (u32)n) >> 32);
    mix_limb(pose, own, source_y + (long long)donor * (3 * JOINTS), arm, i ? other : one);
  }
}

__device__ __forceinline__ int mirror(int j) {  // legs are roles 0 to 5, arms 9 to 14
  return j < SPINE ? (j + 3) % 6 : j > TOP ? L_SHOULDER + (j - L_SHOULDER + 3) % 6 : j;
}

__device__ void flip(V* pose) {
  for (int i = 0; i < 3; i++) {
    swap(pose[R_HIP + i], pose[L_HIP + i]);
    swap(pose[L_SHOULDER + i], pose[R_SHOULDER + i]);
  }
  for (int j = 0; j < JOINTS; j++) pose[j].x = -pose[j].x;
}

__device__ void body_factors(const Draws& draws, real* factor) {
  for (int k = 0; k < NORMAL; k += 2) draws.normals(NORMALS + k, factor + k);
  for (int k = 0; k < NORMAL; k++) factor[k] = factor[k] > CLIP ? CLIP : factor[k] < -CLIP ? -CLIP : factor[k];
  real ankle = draws.around(ANKLE, 1), child = draws.around(CHILD, 1);
  factor[NORMAL] = draws.around(HEAD, 1);
  factor[NORMAL + 1] = ankle > 0 ? ankle : (real)0;
  factor[NORMAL + 2] = child > 0 ? child * child : (real)0;
}

__device__ void rebuild(V* pose, const Draws& draws) {
  const real means[LENGTHS + 1] = {MEANS}, loadings[(LENGTHS + 1) * FACTORS] = {LOADINGS};
  real factor[FACTORS], drawn[LENGTHS + 1];
  body_factors(draws, factor);
#pragma unroll
  for (int i = 0; i <= LENGTHS; i++) {
    real sum = 0;
#pragma unroll
    for (int k = 0; k < FACTORS; k++) sum += loadings[i * FACTORS + k] * factor[k];
    drawn[i] = sum + log(means[i]);
  }
  V legs[4] = {pose[R_KNEE] - pose[R_HIP], pose[L_KNEE] - pose[L_HIP], pose[R_ANKLE] - pose[R_KNEE],
               pose[L_ANKLE] - pose[L_KNEE]};
  V arms[4] = {pose[L_ELBOW] - pose[L_SHOULDER], pose[R_ELBOW] - pose[R_SHOULDER], pose[L_WRIST] - pose[L_ELBOW],
               pose[R_WRIST] - pose[R_ELBOW]};
  V hips = pose[L_HIP] - pose[R_HIP], shoulders = pose[L_SHOULDER] - pose[R_SHOULDER];
  V low = pose[SPINE], high = pose[NECK] - pose[SPINE], head = pose[TOP] - pose[NECK];
  V drop = (real)0.5 * (pose[L_SHOULDER] + pose[R_SHOULDER]) - pose[NECK];
  real own[LENGTHS] = {(length(legs[0]) + length(legs[1])) / 2, (length(legs[2]) + length(legs[3])) / 2, length(hips) / 2,
                       length(low), length(high), length(head), length(shoulders) / 2,
                       (length(arms[0]) + length(arms[1])) / 2, (length(arms[2]) + length(arms[3])) / 2};
  real share = sqrt(draws.uniform(SHARE));
  real size = log((own[THIGH] + own[SHIN]) / (exp(drawn[THIGH]) + exp(drawn[SHIN])));
#pragma unroll
  for (int i = 0; i < LENGTHS; i++) own[i] = exp(share * (drawn[i] + size) + (1 - share) * log(own[i]));
  V across = own[HIP] * unit(hips);
  pose[L_HIP] = across;
  pose[R_HIP] = (real)-1 * across;
  pose[R_KNEE] = pose[R_HIP] + own[THIGH] * unit(legs[0]);
  pose[L_KNEE] = pose[L_HIP] + own[THIGH] * unit(legs[1]);
  pose[R_ANKLE] = pose[R_KNEE] + own[SHIN] * unit(legs[2]);
  pose[L_ANKLE] = pose[L_KNEE] + own[SHIN] * unit(legs[3]);
  pose[SPINE] = own[LOW] * unit(low);
  pose[NECK] = pose[SPINE] + own[HIGH] * unit(high);
  pose[TOP] = pose[NECK] + own[HEAD_LENGTH] * unit(head);
  V centre = pose[NECK] + exp(share * drawn[DROP]) * drop;
  across = own[SHOULDER] * unit(shoulders);
  pose[L_SHOULDER] = centre + across;
  pose[R_SHOULDER] = centre - across;
  pose[L_ELBOW] = pose[L_SHOULDER] + own[UPPER_ARM] * unit(arms[0]);
  pose[R_ELBOW] = pose[R_SHOULDER] + own[UPPER_ARM] * unit(arms[1]);
  pose[L_WRIST] = pose[L_ELBOW] + own[FOREARM] * unit(arms[2]);
  pose[R_WRIST] = pose[R_ELBOW] + own[FOREARM] * unit(arms[3]);
}

__device__ void turn(V* pose, real yaw, real tilt, real elevation) {
  real c0 = cos(elevation), s0 = sin(elevation), c1 = cos(elevation + tilt), s1 = sin(elevation + tilt);
  real c = cos(yaw), s = sin(yaw);
  for (int j = 0; j < JOINTS; j++) {
    V p = pose[j];
    real height = c0 * p.y + s0 * p.z, ahead = c0 * p.z - s0 * p.y;
    real x = c * p.x + s * ahead;
    ahead = c * ahead - s * p.x;
    pose[j] = {x, c1 * height - s1 * ahead, s1 * height + c1 * ahead};
  }
}

// A rotation, uniform over all of them, from three uniform numbers.
__device__ void tumble(V* pose, const Draws& draws) {
  real u = draws.uniform(TUMBLE + 1), first = sqrt(1 - u), second = sqrt(u);
  real a = (real)(2 * PI) * draws.uniform(TUMBLE + 2), b = (real)(2 * PI) * draws.uniform(TUMBLE + 3);
  real x = first * sin(a), y = first * cos(a), z = second * sin(b), w = second * cos(b);
  V rows[3] = {{1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)},
               {2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)},
               {2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)}};
  for (int j = 0; j < JOINTS; j++) pose[j] = {dot(rows[0], pose[j]), dot(rows[1], pose[j]), dot(rows[2], pose[j])};
}

// source_x, x (n, 2 JOINTS) in rows of `columns`; source_y, y (n, 3 JOINTS). `key`, two words, or null: then key0 and key1.
extern "C" __global__ void __launch_bounds__(32) augment(const real* source_x, const real* source_y, int n, real flip_share,
    real yaw, real tilt, real elevation, real roll, real tumbled, real distance, real body, real mix, const u32* key, u32 key0,
    u32 key1, int columns, real* x, real* y) {
  int i = blockIdx.x * 32 + threadIdx.x;
  if (i >= n) return;
  Draws draws = {(u32)i, key ? key[0] : key0, key ? key[1] : key1};
  const real* mine = source_y + (long long)i * (3 * JOINTS);
  const real* seen = source_x + (long long)i * (2 * JOINTS);
  bool turns = yaw != 0 || tilt != 0, moves = turns || roll != 0 || tumbled != 0 || distance != 0;
  bool reshapes = moves || body != 0 || mix != 0, flipped = draws.uniform(FLIP) < flip_share;
  V pose[JOINTS];
#pragma unroll
  for (int j = 0; j < JOINTS; j++) pose[j] = read(mine, j, reshapes ? (real)1 : (real)0);
  if (draws.uniform(MIX) < mix) {
    mix_pair(pose, draws, source_y, n, false);
    mix_pair(pose, draws, source_y, n, true);
  }
  if (flipped) flip(pose);
  if (draws.uniform(BODY) < body) rebuild(pose, draws);
  if (tumbled != 0 && draws.uniform(TUMBLE) < tumbled) tumble(pose, draws);
  if (turns) turn(pose, draws.around(YAW, yaw), draws.around(TILT, tilt), elevation);
  real angle = roll != 0 ? draws.around(ROLL, roll) : (real)0, c = cos(angle), s = sin(angle);
  real scale = distance != 0 ? exp(draws.around(DISTANCE, distance)) : (real)1;
#pragma unroll
  for (int j = 0; j < JOINTS; j++) {
    int from = flipped ? mirror(j) : j;
    V p = pose[j];
    if (roll != 0) p = {c * p.x - s * p.y, s * p.x + c * p.y, p.z};
    if (reshapes) {
      p = scale * p;
      p.z -= 1;
    } else {
      x[(long long)i * columns + 2 * j] = flipped ? -seen[2 * from] : seen[2 * from];
      x[(long long)i * columns + 2 * j + 1] = seen[2 * from + 1];
    }
    long long row = (long long)i * JOINTS + j;
    y[3 * row] = p.x;
    y[3 * row + 1] = p.y;
    y[3 * row + 2] = p.z;
  }
}
