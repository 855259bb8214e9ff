// The people of the newest frame, by the names that the drawing goes by: minilift/show/live/page.py sends them.

const PAST = 150; // frames that a path goes back
const EASE = 0.12; // of the way to where it should be, for what is looked at: a frame
const FORGET = 300; // names of people, then the oldest colours are given again

const scene = { ...JSON.parse(byId("scene").textContent), n: 0, people: [], stills: false, floor: null, height: 1,
  low: [-0.5, 0, -0.5], high: [0.5, 1, 0.5], camera: [[0, 0.5, 3], [-1, 1, 2], [1, 1, 2], [1, 0, 2], [-1, 0, 2]] };
const AXES = scene.axes;
const ROOT = scene.joints.length; // the mid-hip comes after the joints
const [SEEN, ESTIMATED, MISSING, FILLED] = scene.states.keys();
const hidden = new Set();

/** Rows are the people of the frames of a path, the newest last; only those of the last frame are shown. */
const rows = { at: [], person: [], root: new Float32Array(0), unlike: [] };
let ofPerson = [];
let newest = []; // what was sent of the rows that are shown
const past = []; // of each frame: {person, root} of its people
let first = 0; // the row of newest[0]
let at = 0; // counts frames as they come

let next; // the first frame, then those that follow, in order
const events = new EventSource("/events");
const arrived = new Promise((resolve) => (next = resolve));
let onFrame = (frame) => next(frame);
let order = Promise.resolve(); // pictures take their time, and frames stay in order
events.addEventListener("message", (event) => {
  order = order.then(async () => {
    const frame = JSON.parse(event.data);
    frame.image = frame.picture ? await decoded(frame.picture) : null;
    onFrame(frame);
  });
});
events.addEventListener("end", () => {
  events.close();
  order = order.then(() => say("ended", "ended"));
});
events.addEventListener("error", () => {
  if (events.readyState === EventSource.CLOSED) say("lost", "the page was refused: too many are open");
  else say("lost", "lost: waiting for minilift");
});

/** A picture that can be drawn; null for one that cannot. */
async function decoded(url) {
  const image = new Image();
  image.src = url;
  return image.decode().then(() => image, () => null);
}

function say(kind, words) {
  const state = byId("state");
  if (state.textContent !== words) state.textContent = words;
  state.className = kind;
}

/** The number of a person by name: colours and names go by it. */
function numberOf(who) {
  let number = scene.people.indexOf(who);
  if (number < 0) {
    if (scene.people.length >= FORGET) scene.people.length = 0;
    number = scene.people.push(who) - 1;
  }
  return number;
}

/** Take a frame in place of the one before. */
function take(frame) {
  at++;
  const known = { unit: frame.unit, axes: frame.axes, rays: frame.rays, trusted: frame.trusted };
  Object.assign(scene, known, { size: frame.size ?? scene.size, camera: frame.camera ?? scene.camera });
  scene.picture = frame.image;
  newest = frame.people;
  past.push(newest.map(({ who, joints }) => ({ person: numberOf(who), root: joints[ROOT] })));
  if (past.length > PAST) past.shift();
  fillRows();
  if (newest.length) frameAll(frame);
}

function fillRows() {
  const all = past.flatMap((people, k) => people.map((one) => ({ ...one, at: at - past.length + 1 + k })));
  first = all.length - newest.length;
  rows.at = all.map((row) => row.at);
  rows.person = all.map((row) => row.person);
  rows.root = Float32Array.from(all.flatMap((row) => row.root));
  rows.unlike = all.map((_, row) => row >= first && newest[row - first].unlike);
  ofPerson = scene.people.map(() => []);
  rows.person.forEach((person, row) => ofPerson[person]?.push(row));
  scene.n = all.length;
}

/** What must be in view grows at once, and shrinks slowly; so the eye does not jump when somebody comes. */
function frameAll(frame) {
  const points = [...newest.flatMap(({ joints }) => joints), ...past.flat().map(({ root }) => root)];
  const ends = [Math.min, Math.max].map((most) => [0, 1, 2].map((k) => points.reduce((a, p) => most(a, p[k]), points[0][k])));
  const eased = (old, now, part) => (old === undefined ? now : old + part * (now - old));
  const part = Number.isFinite(scene.level) ? EASE : 1;
  scene.low = ends[0].map((value, k) => (part === 1 ? value : eased(scene.low[k], value, value < scene.low[k] ? 3 * EASE : EASE / 6)));
  scene.high = ends[1].map((value, k) => (part === 1 ? value : eased(scene.high[k], value, value > scene.high[k] ? 3 * EASE : EASE / 6)));
  scene.height = part === 1 ? frame.height : eased(scene.height, frame.height, EASE);
  scene.level = part === 1 ? frame.floor : eased(scene.level, frame.floor, frame.floor < scene.level ? 3 * EASE : EASE / 6);
  scene.floor = [scene.level, 0, 0];
}

const shownIn = () => newest.map((_, k) => first + k);
const given = (row) => newest[row - first];
const joints3d = (row) => given(row)?.joints ?? null;
const points2d = (name, row) => given(row)?.[name] ?? Array(ROOT + 1).fill(null);
const expected = (row, j) => given(row)?.expected?.[j] ?? NaN;
const stateOf = (row, j) => (j === ROOT ? SEEN : given(row)?.state[j] ?? SEEN);

/** What of the floor is below a point. */
function onFloor([x, , z], height) {
  return [x, scene.floor ? scene.floor[0] : height, z];
}

/** The mean of what `value` gives for each joint of a row, without NaN. */
function meanOf(value, row) {
  const there = scene.joints.map((_, j) => value(row, j)).filter((each) => !Number.isNaN(each));
  return there.length ? there.reduce((sum, each) => sum + each, 0) / there.length : NaN;
}
const seenShare = (row) => meanOf((_, j) => (stateOf(row, j) <= ESTIMATED ? 1 : 0), row);

const opening = await arrived; // the drawing needs to know the size of the pictures, and the unit
take(opening);
const metres = scene.unit === "m";
const started = [scene.unit, scene.rays, String(scene.size)].join();
