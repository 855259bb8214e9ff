// The poses of the page: minilift/show/page/packed.py says how they are packed.

const scene = JSON.parse(byId("scene").textContent);
const poses = unpack(byId("packed").textContent, scene.n, [
  ["row", Int32Array, 1], ["error", Float32Array, 1], ["scale", Float32Array, 1], ["reach3d", Float32Array, 1],
  ["reach2d", Float32Array, 1], ["predicted", Int16Array, 45], ["truth", Int16Array, 45], ["image", Int16Array, 30],
]);
const joints = scene.joints.length;

/** Joints about the root, then the root itself: metres, or units where the scale is not known. */
function skeleton(name, i) {
  const step = (poses.reach3d[i] / 32767) * poses.scale[i];
  const values = poses[name].subarray(i * joints * 3, (i + 1) * joints * 3);
  const points = Array.from({ length: joints }, (_, j) => [0, 1, 2].map((k) => values[3 * j + k] * step));
  return [...points, [0, 0, 0]];
}

function image(i) {
  const step = poses.reach2d[i] / 32767;
  const values = poses.image.subarray(i * joints * 2, (i + 1) * joints * 2);
  const points = Array.from({ length: joints }, (_, j) => [values[2 * j] * step, values[2 * j + 1] * step]);
  return [...points, [0, 0]];
}

const parent = (joint) => (scene.parents[joint] < 0 ? joints : scene.parents[joint]);
const bonesOf = (points, side) =>
  scene.parents.flatMap((_, j) => (side && scene.sides[j] !== side ? [] : [[points[parent(j)], points[j]]]));
