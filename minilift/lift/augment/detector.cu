// What detectors make of a batch, a thread a pose: `Augmenter` has the maths, detector.py the same for NumPy. Behind
// common.cu, after augment.cu has run; compiled with the tables and numbers of tables.py that cupy_augment.py names.
#define JOINTS 15
#define NEAREST (real)-0.2
#define CLIP (real)2.5

// as in tables.py
enum : u32 { EDGE = 22, SWAP = 24, LOST = 25, PART = 31, NOISE = 32, AIM = 62, HIDDEN = 1u << 30, LOSING = HIDDEN + 16,
             LEVEL = 2u << 30, OUTLIER = 3u << 30 };
enum { R_HIP = 0, L_HIP = 3, SPINE = 6, TOP = 8, L_SHOULDER = 9 };

__device__ __forceinline__ int mirror(int j) {  // legs are roles 0 to 5, arms 9 to 14
  return j < SPINE ? (j + 3) % 6 : j > TOP ? L_SHOULDER + (j - L_SHOULDER + 3) % 6 : j;
}

// Which of `count` kinds a pose is of, whose uniform number u is below the share.
__device__ __forceinline__ int kind(real u, real share, int count) {
  int number = (int)(u / share * (real)count);
  return number < count ? number : count - 1;
}

struct Settings { real noise, noise_to, outliers, swap, joint_dropout, joint_dropout_to, part_dropout, edge; };

struct Errors {
  real off[JOINTS][2], told[JOINTS];
  bool detected;
};

__device__ void levels(const Draws& draws, const Settings& settings, Errors& errors, real* size) {
  real part = draws.uniform(LEVEL) - (real)EXACT;
  part = (part > 0 ? part : (real)0) / (real)(1 - EXACT);
  real level = settings.noise_to * part * part, unlike = (real)UNLIKE * draws.uniform(LEVEL + 1);
  bool alike = draws.uniform(LEVEL + 2) < (real)ALIKE;
  errors.detected = level > 0;
  real normal[34];
  for (int k = 0; k < 34; k += 2) draws.normals(LEVEL + 6 + k, normal + k);
  for (int j = 0; j < JOINTS; j++) {
    real own = normal[2 + j];
    own = own > CLIP ? CLIP : own < -CLIP ? -CLIP : own;
    size[j] = level * exp(unlike * own);
    errors.told[j] = (alike ? level : size[j]) * exp((real)HEARD * (normal[18 + j] + normal[0]));
    if (settings.noise != 0) size[j] = sqrt(size[j] * size[j] + settings.noise * settings.noise);
  }
}

__device__ void draw_errors(const Draws& draws, const Settings& settings, Errors& errors) {
  real size[JOINTS];
  errors.detected = true;
  for (int j = 0; j < JOINTS; j++) {
    size[j] = settings.noise;
    errors.told[j] = errors.off[j][0] = errors.off[j][1] = 0;
  }
  if (settings.noise_to != 0) levels(draws, settings, errors, size);
  for (int j = 0; j < JOINTS; j++) {
    real pair[2];
    if (settings.noise != 0 || settings.noise_to != 0) {
      draws.normals(NOISE + 2 * j, pair);
      for (int axis = 0; axis < 2; axis++) errors.off[j][axis] = size[j] * pair[axis];
    }
    real u = settings.outliers != 0 && errors.detected ? draws.uniform(OUTLIER + j) : (real)2;
    if (u < settings.outliers) {
      real far = (real)NEAR * exp((real)FURTHER * draws.uniform(OUTLIER + 15 + j));
      if (u < settings.outliers / 2) errors.told[j] = far;
      draws.normals(OUTLIER + 32 + 2 * j, pair);
      for (int axis = 0; axis < 2; axis++) errors.off[j][axis] += far * pair[axis];
    }
  }
}

// A bit for each joint that is hidden, of those at image points (JOINTS, 2).
__device__ u32 hidden(const Draws& draws, const Settings& settings, real (*image)[2]) {
  const u32 parts[] = {PARTS};
  const real ways[][2] = {EDGES};
  u32 gone = 0;
  real lost = settings.joint_dropout_to != 0 ? draws.uniform(LOST) : (real)0;
  lost = settings.joint_dropout_to * lost * lost;
  for (int j = 0; j < JOINTS; j++) {
    bool one = settings.joint_dropout != 0 && draws.uniform(HIDDEN + j) < settings.joint_dropout;
    if (one || (lost != 0 && draws.uniform(LOSING + j) < lost)) gone |= 1u << j;
  }
  real which = settings.part_dropout != 0 ? draws.uniform(PART) : (real)2;
  if (which < settings.part_dropout) gone |= parts[kind(which, settings.part_dropout, sizeof(parts) / sizeof(parts[0]))];
  which = settings.edge != 0 ? draws.uniform(EDGE) : (real)2;
  if (which < settings.edge) {
    const real* ahead = ways[kind(which, settings.edge, sizeof(ways) / sizeof(ways[0]))];
    real along[JOINTS], most = 0, least = 0;
    for (int j = 0; j < JOINTS; j++) {
      along[j] = image[j][0] * ahead[0] + image[j][1] * ahead[1];
      most = j == 0 || along[j] > most ? along[j] : most;
      least = j == 0 || along[j] < least ? along[j] : least;
    }
    real cut = most - (real)CUT * draws.uniform(EDGE + 1) * (most - least);
    for (int j = 0; j < JOINTS; j++)
      if (along[j] > cut) gone |= 1u << j;
  }
  return gone;
}

// x (n, columns): points, and behind them what is told where there is room; y (n, 3 JOINTS). With `projects` x is made
// of y, else it is there. `key`, two words, or null: then key0 and key1.
extern "C" __global__ void __launch_bounds__(32) detect(int n, real noise, real noise_to, real outliers, real swap,
    real joint_dropout, real joint_dropout_to, real part_dropout, real edge, real hidden_as, const u32* key, u32 key0, u32 key1,
    int projects, int columns, real* x, real* y) {
  int i = blockIdx.x * 32 + threadIdx.x;
  if (i >= n) return;
  Draws draws = {(u32)i, key ? key[0] : key0, key ? key[1] : key1};
  Settings settings = {noise, noise_to, outliers, swap, joint_dropout, joint_dropout_to, part_dropout, edge};
  real *pose = y + (long long)i * (3 * JOINTS), *points = x + (long long)i * columns;
  Errors errors;
  draw_errors(draws, settings, errors);
  real image[JOINTS][2];
  for (int j = 0; j < JOINTS; j++)
    for (int axis = 0; axis < 2; axis++) {
      real z = pose[3 * j + 2] > NEAREST ? NEAREST : pose[3 * j + 2];
      image[j][axis] = projects ? pose[3 * j + axis] / -z : points[2 * j + axis];
    }
  u32 gone = hidden(draws, settings, image);
  real aim[2] = {0, 0};  // the axes are turned away from a root that can only be guessed
  if (noise_to != 0 && errors.detected && draws.uniform(LEVEL + 3) < (real)0.5) {
    aim[0] = (real)0.5 * (errors.off[R_HIP][0] + errors.off[L_HIP][0]);
    aim[1] = (real)-0.5 * (errors.off[R_HIP][1] + errors.off[L_HIP][1]);
  }
  bool loses = part_dropout != 0 || edge != 0 || joint_dropout_to != 0;
  if (loses && gone & (1u << R_HIP | 1u << L_HIP)) {
    draws.normals(AIM, aim);
    for (int k = 0; k < 2; k++) aim[k] *= (real)AIM_ERROR;
  }
  real ca = cos(aim[0]), sa = sin(aim[0]), cb = cos(aim[1]), sb = sin(aim[1]);
  for (int j = 0; j < JOINTS && projects; j++) {
    real px = pose[3 * j], py = pose[3 * j + 1], z = pose[3 * j + 2];
    if (aim[0] != 0 || aim[1] != 0) {
      real ahead = ca * z - sa * px;
      px = ca * px + sa * z;
      z = sb * py + cb * ahead;
      py = cb * py - sb * ahead;
    }
    if (z > NEAREST) z = NEAREST;  // NaN stays NaN
    image[j][0] = px / -z;
    image[j][1] = py / -z;
    pose[3 * j] = px;
    pose[3 * j + 1] = py;
    pose[3 * j + 2] = z;
  }
  const u32 swaps[] = {SWAPS};
  real which = swap != 0 && errors.detected ? draws.uniform(SWAP) : (real)2;
  u32 swapped = which < swap ? swaps[kind(which, swap, sizeof(swaps) / sizeof(swaps[0]))] : 0u;
  for (int j = 0; j < JOINTS; j++) {
    int from = swapped >> j & 1 ? mirror(j) : j;
    bool away = gone >> j & 1;
    for (int axis = 0; axis < 2; axis++) points[2 * j + axis] = away ? hidden_as : image[from][axis] + errors.off[from][axis];
    if (columns > 2 * JOINTS) points[2 * JOINTS + j] = away ? (real)0 : errors.told[from];
  }
}
