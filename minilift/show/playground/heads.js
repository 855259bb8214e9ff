// What stands around the layers: from image points to the columns of the first, and from what the last gives to
// joints, as minilift/lift/rays has it; and the way back, for the Jacobian.

const LEVEL = 0.03; // minilift/lift/rays/operations.py
const RATIO = LEVEL / 0.3;
const LEAST = 1e-3; // minilift/lift/rays/size_operations.py

const weightOf = (r) => r * r / (r * r + (RATIO * (1 - r)) ** 2);
const gainOf = (r) => RATIO * (1 - r) / (RATIO * (1 - r) + r);

/** All that is known before the layers: points (2J) with NaN where not seen, sigma (J) or null. */
function entered(net, points, sigma) {
  const joints = points.length / 2;
  if (net.head !== "place") return { points, joints, x: Float32Array.from(points), size: 1 };
  const seen = Array.from({ length: joints }, (_, j) => !Number.isNaN(points[2 * j]) && !Number.isNaN(points[2 * j + 1]));
  let size = 1;
  if (net.levels) {
    let sum = 0;
    for (let j = 0; j < joints; j++) if (seen[j]) sum += points[2 * j] ** 2 + points[2 * j + 1] ** 2;
    size = Math.max(Math.sqrt(sum / Math.max(seen.filter(Boolean).length, 1)), LEAST);
  }
  const r = seen.map((is, j) => (is ? LEVEL / (LEVEL + (net.levels && sigma ? sigma[j] / size : 0)) : 0));
  const x = new Float32Array((net.levels ? 4 : 3) * joints + (net.levels ? 1 : 0));
  for (let j = 0; j < joints; j++) {
    const w = weightOf(r[j]);
    for (let c = 0; c < 2; c++) x[2 * j + c] = seen[j] ? w * points[2 * j + c] / size : 0;
    x[2 * joints + j] = w;
    if (net.levels) x[3 * joints + j] = r[j];
  }
  if (net.levels) x[4 * joints] = Math.log(size);
  return { points, joints, seen, size, r, x, sigma };
}

/** Where a joint is put in the image, and its depth: {p, z, a, b} of what the last layer gave. */
function put(net, given, answer, j) {
  const { points, seen, size, r } = given;
  const s = net.levels ? size : 1;
  const [a, b, z] = [0, 1, 2].map((c) => answer[3 * j + c] * s);
  const [w, g] = [weightOf(r[j]), gainOf(r[j])];
  const p = [a, b].map((own, c) => (seen[j] ? w * points[2 * j + c] : 0) + g * own);
  return { p, z: net.levels ? z - 1 : z, own: [a, b], w, g };
}

/** Joints (3J) from what the last layer gave. */
function placed(net, given, answer) {
  const { points, joints } = given;
  if (net.head === "xyz") return Float32Array.from(answer);
  const found = new Float32Array(3 * joints);
  for (let j = 0; j < joints; j++) {
    let [p, z] = [[points[2 * j], points[2 * j + 1]], answer[j]];
    if (net.head === "place") ({ p, z } = put(net, given, answer, j));
    found.set([-p[0] * z, -p[1] * z, z], 3 * j);
  }
  return found;
}

/** 3D joints (3J) for points (2J) and the standard deviations of them (J), or null. */
function lift(net, points, sigma = null) {
  const given = entered(net, points, sigma);
  return placed(net, given, forward(net, given.x));
}

/** d joints / d points: rows of a matrix (3J, 2J), as minilift/lift/explain/jacobian.py has it. */
function jacobian(net, points, sigma = null) {
  const given = entered(net, points, sigma);
  const kept = [];
  const answer = forward(net, given.x, kept);
  const { joints } = given;
  const wanted = [...answer.keys()].filter((i) => counts(net, given, i));
  const layers = Array(answer.length);
  backward(net, kept, wanted).forEach((row, k) => { layers[wanted[k]] = row; });
  const rows = [];
  for (let j = 0; j < joints; j++) {
    for (let c = 0; c < 3; c++) {
      if (net.head === "xyz") rows.push(Float64Array.from(layers[3 * j + c]));
      else if (net.head === "ray") rows.push(backOnRay(given, answer, layers, j, c));
      else rows.push(backPlaced(net, given, answer, layers, j, c));
    }
  }
  return rows;
}

/** Whether number i of the answer moves a joint: where one that is seen exactly lies, the image says alone. */
const counts = (net, { r }, i) => net.head !== "place" || i % 3 === 2 || gainOf(r[Math.floor(i / 3)]) !== 0;

function backOnRay({ points, joints }, answer, layers, j, c) {
  const row = new Float64Array(2 * joints);
  const by = c === 2 ? 1 : -points[2 * j + c];
  layers[j].forEach((value, i) => { row[i] = by * value; });
  if (c < 2) row[2 * j + c] -= answer[j];
  return row;
}

/** The row of coordinate c of joint j with head "place": dp, do and so on as docs/rays.md has them. */
function backPlaced(net, given, answer, layers, j, c) {
  const { points, joints, seen, size, r, x, sigma } = given;
  const { p, z, own, w, g } = put(net, given, answer, j);
  const dp = [0, 1].map((axis) => (axis === c ? -z : 0));
  const dz = c === 2 ? 1 : -p[c];
  const s = net.levels ? size : 1;
  const into = [g * dp[0] * s, g * dp[1] * s, dz * s]; // the gradient of what the last layer gave
  const first = new Float64Array(x.length);
  into.forEach((by, axis) => {
    if (by !== 0) layers[3 * j + axis].forEach((value, i) => { first[i] += by * value; });
  });
  const row = new Float64Array(2 * joints);
  let dsize = net.levels ? [0, 1, 2].reduce((sum, axis) => sum + into[axis] / s * answer[3 * j + axis], 0) : 0;
  for (let k = 0; k < joints; k++) {
    if (!seen[k]) continue;
    const weight = weightOf(r[k]);
    let dr = 0;
    if (net.levels) {
      const both = r[k] ** 2 + (RATIO * (1 - r[k])) ** 2;
      let dw = first[2 * joints + k];
      for (let axis = 0; axis < 2; axis++) dw += first[2 * k + axis] * points[2 * k + axis] / size;
      if (k === j) dw += points[2 * j] * dp[0] + points[2 * j + 1] * dp[1];
      dr = first[3 * joints + k] + dw * 2 * RATIO ** 2 * r[k] * (1 - r[k]) / both ** 2;
      if (k === j) dr -= (own[0] * dp[0] + own[1] * dp[1]) * RATIO / (RATIO * (1 - r[k]) + r[k]) ** 2;
      if (sigma) dsize += dr * r[k] ** 2 / LEVEL * sigma[k] / size ** 2;
    }
    for (let axis = 0; axis < 2; axis++) {
      const d = weight * first[2 * k + axis] / s;
      row[2 * k + axis] = d + (k === j ? w * dp[axis] : 0);
      if (net.levels) dsize -= d * points[2 * k + axis] / s;
    }
  }
  if (net.levels && size > LEAST) {
    dsize += first[4 * joints] / size;
    const count = seen.filter(Boolean).length;
    for (let k = 0; k < joints; k++) {
      if (seen[k]) for (let axis = 0; axis < 2; axis++) row[2 * k + axis] += dsize * points[2 * k + axis] / (size * count);
    }
  }
  return row;
}
