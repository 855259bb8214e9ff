// Who is looked at: a synthetic person, the camera, noise, and what was moved by hand. Lengths in metres,
// joints (3J) one after the other; minilift/poses/camera.py has the conventions.

const scene = JSON.parse(byId("scene").textContent);
const JOINTS = scene.joints.length;
const STEPS = 32767; // minilift/show/html/numbers.py
const crowd = unpack(byId("people").textContent.trim(), scene.people, [
  ["reach", Float32Array, 1], ["stature", Float32Array, 1], ["joints", Int16Array, 3 * JOINTS], ["activity", Uint8Array, 1],
]);
const state = {
  person: 0, mirrored: false, azimuth: 30, elevation: 5, distance: 4, height: 1.75, noise: 0, told: true,
  moved: new Float64Array(2 * JOINTS), hidden: new Set(), draws: null, joint: scene.joints.indexOf("left_elbow"),
};

/** Joints of a person of the crowd, as tall as asked for; mirrored, they change sides. */
function posed(person, mirrored = false, height = state.height) {
  const scale = crowd.reach[person] / STEPS * height / crowd.stature[person];
  const found = new Float64Array(3 * JOINTS);
  for (let j = 0; j < JOINTS; j++) {
    const from = mirrored ? scene.mirror[j] : j;
    for (let c = 0; c < 3; c++) found[3 * j + c] = scale * crowd.joints[3 * (JOINTS * person + from) + c];
    if (mirrored) found[3 * j] *= -1;
  }
  return found;
}

const radians = (degrees) => degrees * Math.PI / 180;

/** Joints as a camera sees them, in units of its distance, the root at (0, 0, -1). */
function toCamera(joints, azimuth, elevation, distance) {
  const [sinA, cosA, sinE, cosE] = [Math.sin(azimuth), Math.cos(azimuth), Math.sin(elevation), Math.cos(elevation)];
  const found = new Float64Array(joints.length);
  for (let at = 0; at < joints.length; at += 3) {
    const [x, y, z] = joints.subarray(at, at + 3);
    const ahead = sinA * x + cosA * z;
    found[at] = (cosA * x - sinA * z) / distance;
    found[at + 1] = (cosE * y - sinE * ahead) / distance;
    found[at + 2] = (sinE * y + cosE * ahead) / distance - 1;
  }
  return found;
}

/** The way back: metres from the root, upright, of joints in the camera's units. */
function fromCamera(joints, azimuth, elevation, distance) {
  const [sinA, cosA, sinE, cosE] = [Math.sin(azimuth), Math.cos(azimuth), Math.sin(elevation), Math.cos(elevation)];
  const found = [];
  for (let at = 0; at < joints.length; at += 3) {
    const [x, y, z] = [joints[at], joints[at + 1], joints[at + 2] + 1].map((value) => value * distance);
    const ahead = cosE * z - sinE * y;
    found.push([cosA * x + sinA * ahead, cosE * y + sinE * z, cosA * ahead - sinA * x]);
  }
  return found;
}

/** The pinhole image (2J) of joints in front of the camera. */
function project(joints) {
  const found = new Float64Array(joints.length / 3 * 2);
  for (let j = 0; j < found.length / 2; j++) {
    for (let c = 0; c < 2; c++) found[2 * j + c] = joints[3 * j + c] / -joints[3 * j + 2];
  }
  return found;
}

/** Numbers of a normal distribution, from a generator of our own: the same page begins in the same way. */
function drawNoise(seed) {
  let word = seed >>> 0;
  const uniform = () => { // mulberry32
    word = (word + 0x6d2b79f5) >>> 0;
    let t = Math.imul(word ^ (word >>> 15), word | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 4294967296;
  };
  return Float64Array.from({ length: 2 * JOINTS }, () =>
    Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()));
}

/** What the camera sees, and what is told of it: {truth, points, given, sigma}. `points` are all, also those
 * that the network is not given. */
function looked(net) {
  const { azimuth, elevation, distance } = state;
  const truth = toCamera(posed(state.person, state.mirrored), radians(azimuth), radians(elevation), distance);
  const points = project(truth);
  const noise = state.noise / 1000; // pixels of a camera with a focal length of 1000
  for (let i = 0; i < points.length; i++) points[i] += noise * state.draws[i] + state.moved[i] / distance;
  const given = Float32Array.from(points, (value, i) => (state.hidden.has(i >> 1) && net.head === "place" ? NaN : value));
  const sigma = net.levels && state.told && noise ? new Float32Array(JOINTS).fill(noise) : null;
  return { truth, points, given, sigma, moved: state.moved.slice() };
}

/** Whether the points are those of the person: then it is known how far off the answer is. */
const known = () => state.moved.every((value) => value === 0);
