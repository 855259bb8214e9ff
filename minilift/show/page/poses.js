// The poses of the page: minilift/show/page/packed.py says how they are packed.

const byId = (id) => document.getElementById(id);
const scene = JSON.parse(byId("scene").textContent);
const poses = unpack(byId("packed").textContent);
const joints = scene.joints.length;

function unpack(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  let at = 0;
  const take = (Kind, each) => {
    const array = new Kind(bytes.buffer, at, scene.n * each);
    at += array.byteLength;
    return array;
  };
  const found = { row: take(Int32Array, 1) };
  for (const name of ["error", "scale", "reach3d", "reach2d"]) found[name] = take(Float32Array, 1);
  for (const [name, each] of [["predicted", 45], ["truth", 45], ["image", 30]]) found[name] = take(Int16Array, each);
  return found;
}

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
