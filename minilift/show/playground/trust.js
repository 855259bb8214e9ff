// How far to trust an answer: minilift/lift/trust, number for number. docs/trust.md explains it.

/** What `pack_trust` gave as arrays. */
function readTrust(about, base64) {
  const buffer = bytesOf(base64);
  let at = 0;
  const arrays = Object.fromEntries(about.plan.map(([name, n]) => {
    const array = new Float64Array(buffer, at, n);
    at += array.byteLength;
    return [name, array];
  }));
  const [rows, columns] = about.reference;
  const reference = Float64Array.from(new Uint16Array(buffer, at, rows * columns), (bits) => HALVES[bits]);
  return { ...about, ...arrays, reference, rows, columns };
}

const norm = (...values) => Math.hypot(...values);

/** Lengths (J) of the bones of joints (3J). */
function boneLengths(joints, parents) {
  return Float64Array.from(parents, (parent, j) => {
    const from = parent < 0 ? [0, 0, -1] : joints.subarray(3 * parent, 3 * parent + 3);
    return norm(...[0, 1, 2].map((c) => joints[3 * j + c] - from[c]));
  });
}

/** (x - mean) W, W row after row. */
function whitened(x, mean, whiten) {
  const n = mean.length;
  const found = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const part = x[i] - mean[i];
    for (let k = 0; k < n; k++) found[k] += part * whiten[i * n + k];
  }
  return found;
}

/** W x + b, W row after row. */
function timesPlus(weight, x, bias) {
  return bias.map((shift, i) => {
    let sum = shift;
    for (let k = 0, at = i * x.length; k < x.length; k++, at++) sum += weight[at] * x[k];
    return sum;
  });
}

/** {distance, parts, bones}: how far a pose is from the training data, and by which parts. */
function familiarity(trust, points, lengths) {
  const white = whitened(points, trust.image_mean, trust.image_whiten);
  let least = Infinity;
  for (let row = 0; row < trust.rows; row++) {
    let sum = 0;
    const at = row * trust.columns;
    for (let k = 0; k < trust.columns && sum < least; k++) sum += (white[k] - trust.reference[at + k]) ** 2;
    if (sum < least) least = sum;
  }
  const bones = whitened(lengths.map((length) => Math.log(Math.max(length, trust.shortest))), trust.bone_mean,
    trust.bone_whiten);
  const parts = [Math.sqrt(least), norm(...bones)];
  const [a, b] = parts.map((part, k) => part / trust.typical[k]);
  const distance = Math.sqrt((a * a + b * b) / 2);
  return { distance: Number.isFinite(distance) ? distance : Infinity, parts, bones };
}

/** What is expected of an answer: {unlike, percentile, distance, expected, low, high}, in units of the pose. */
function judge(trust, parents, image, joints, sigma = null) {
  const n = parents.length;
  const seen = Array.from({ length: n }, (_, j) => !Number.isNaN(image[2 * j]) && !Number.isNaN(image[2 * j + 1]));
  const points = Float64Array.from(image, (value, i) => {
    const j = i >> 1;
    return seen[j] ? value : joints[3 * j + (i & 1)] / -joints[3 * j + 2];
  });
  const lengths = boneLengths(joints, parents);
  const found = familiarity(trust, points, lengths);
  const size = lengths.reduce((sum, length) => sum + length, 0) / n;
  const exact = trust.half * size;
  const told = seen.map((is, j) => (is ? exact / (exact + (sigma ? sigma[j] : 0)) : 0));
  const whole = Math.max(size, trust.smallest);
  const features = [...Array.from(points, (value) => value / whole),
    ...parents.map((_, j) => (joints[3 * j + 2] + 1) / whole), Math.log(whole),
    ...found.parts.map((part) => Math.log(Math.max(part, 1e-3))), ...Array.from(found.bones, Math.asinh), ...told];
  return expectation(trust, features, found.distance, seen, told, size);
}

function expectation(trust, features, distance, seen, told, size) {
  const { outputs, farthest, steps } = trust;
  const n = seen.length;
  const x = features.map((value, i) =>
    Math.min(Math.max((value - trust.mean[i]) / trust.std[i], -farthest), farthest));
  const units = timesPlus(trust.weight_1, x, trust.bias_1).map((value) => Math.max(value, 0));
  const logarithms = timesPlus(trust.weight_2, units, trust.bias_2);
  const beyond = Math.max(distance / trust.furthest[0], 1);
  const column = seen.map((is, j) => (is ? j : j + outputs - n));
  const own = column.map((i) => Math.min(Math.exp(logarithms[i]), trust.largest[i]) * beyond);
  const count = seen.filter(Boolean).length;
  const sum = (values) => values.reduce((total, value, j) => total + (seen[j] ? value : 0), 0);
  const score = (values) => {
    const value = sum(values) / count / size;
    return Number.isNaN(value) ? Infinity : value;
  };
  const exactness = told.reduce((total, value) => total + value, 0) / Math.max(count, 1);
  const level = Math.max(trust.exact.findIndex((least) => exactness >= least), 0);
  const edges = trust.edges.subarray(level * steps, (level + 1) * steps);
  const bin = level * steps + Math.max(edges.filter((edge) => score(own) > edge).length - 1, 0);
  const expected = own.map((value, j) => value * trust.factor[bin * outputs + column[j]]);
  const [low, high] = [0, 1].map((end) =>
    expected.map((value, j) => value * trust.ends[(2 * bin + end) * outputs + column[j]]));
  return { expected, low, high, distance, ...ranked(trust, score(expected), distance) };
}

/** Whether a pose is unlike the usual ones, and how many per cent of them have a lower score. */
function ranked(trust, score, distance) {
  const [scoreLimit, distanceLimit] = trust.limits;
  const n = trust.scores.length;
  let [low, high] = [0, n];
  while (low < high) {
    const half = (low + high) >> 1;
    if (trust.scores[half] < score) low = half + 1;
    else high = half;
  }
  const far = distance > distanceLimit;
  return { unlike: far || score > scoreLimit, percentile: 100 * (far ? n : low) / (n + 1) };
}
