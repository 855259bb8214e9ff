// The people of the page: minilift/show/clip/page/packed.py says how they are packed.

const scene = JSON.parse(byId("scene").textContent);
const rows = unpack(byId("packed").textContent, scene.n, [
  ["at", Int32Array, 1], ["root", Float32Array, 3], ["reach3d", Float32Array, 1], ["middle", Float32Array, 2],
  ["reach2d", Float32Array, 1], ["check", Float32Array, 1], ["person", Uint16Array, 1], ["expected", Uint16Array, 15],
  ["joints", Int16Array, 45], ["given", Int16Array, 32], ["back", Int16Array, 32], ["confidence", Uint8Array, 15],
  ["state", Uint8Array, 15], ["unlike", Uint8Array, 1],
]);
const ROOT = scene.joints.length; // the mid-hip comes after the joints
const [SEEN, ESTIMATED, MISSING, FILLED] = scene.states.keys();
const NONE = -32768; // stands for NaN
const { first, step, count } = scene.frames;
const frames = count ? Array.from({ length: count }, (_, i) => first + step * i) : scene.frames;
const hidden = new Set(); // people who are not to be seen

/** Where the rows of each frame begin; those of frame i end where those of the next begin. */
const starts = new Int32Array(frames.length + 1);
rows.at.forEach((at) => starts[at + 1]++);
for (let i = 0; i < frames.length; i++) starts[i + 1] += starts[i];

const ofPerson = scene.people.map(() => []);
rows.person.forEach((person, row) => ofPerson[person].push(row));

const rowsIn = (at) => Array.from({ length: starts[at + 1] - starts[at] }, (_, k) => starts[at] + k);
const shownIn = (at) => rowsIn(at).filter((row) => !hidden.has(rows.person[row]));
const rowOf = (person, at) => rowsIn(at).find((row) => rows.person[row] === person);

/** Joints (x, y, z) on the stage, the mid-hip last; null for a person whose joints are not known. */
function joints3d(row) {
  const [x, y, z] = rows.root.subarray(3 * row, 3 * row + 3);
  const scale = rows.reach3d[row] / 32767;
  const values = rows.joints.subarray(45 * row, 45 * row + 45);
  if (values[0] === NONE) return null;
  const points = scene.joints.map((_, j) => [
    x + scale * values[3 * j], y + scale * values[3 * j + 1], z + scale * values[3 * j + 2],
  ]);
  return [...points, [x, y, z]];
}

/** Points (x, y) in the picture, the mid-hip last: `given` by the detector, or `back` from 3D; null: none. */
function points2d(name, row) {
  const [x, y] = rows.middle.subarray(2 * row, 2 * row + 2);
  const scale = rows.reach2d[row] / 32767;
  const values = rows[name].subarray(32 * row, 32 * row + 32);
  return Array.from({ length: ROOT + 1 }, (_, j) =>
    values[2 * j] === NONE ? null : [x + scale * values[2 * j], y + scale * values[2 * j + 1]]);
}

const share = (name, steps) => (row, j) => {
  const value = rows[name][15 * row + j];
  return value > steps ? NaN : (scene.most[name] * value) / steps;
};
const expected = share("expected", 65534);
const confidence = share("confidence", 254);
const stateOf = (row, j) => (j === ROOT ? SEEN : rows.state[15 * row + j]);

/** What of the floor is below a point; of pictures, which have no floor of their own, at a height. */
function onFloor([x, , z], height) {
  const [level, slopeX, slopeZ] = scene.floor ?? [height, 0, 0];
  return [x, level + x * slopeX + z * slopeZ, z];
}

/** The mean of what `value` gives for each joint of a row, without NaN. */
function meanOf(value, row) {
  const there = scene.joints.map((_, j) => value(row, j)).filter((each) => !Number.isNaN(each));
  return there.length ? there.reduce((sum, each) => sum + each, 0) / there.length : NaN;
}
const seenShare = (row) => meanOf((_, j) => (stateOf(row, j) <= ESTIMATED ? 1 : 0), row);

// Metres are shown with errors in millimetres; the distance to the camera as a unit is shown as it is.
const metres = scene.unit === "m";
const errorUnit = metres ? "mm" : "units";
const errorText = (value) => (Number.isNaN(value) ? "" : metres ? (1000 * value).toFixed(0) : value.toFixed(4));
