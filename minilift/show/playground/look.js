// The network looked into: how its answer moves with a joint, which bones could point the other way, who looks
// alike. minilift/lift/explain has the same; docs/playground.md derives it.

const ROUND = 0.05; // metres at the person: the circle on which the chosen joint is moved
const DOUBTFUL = 0.3; // odds from which a bone is drawn the other way, too
const ALONG = Math.sqrt(Math.PI / 2); // minilift/lift/explain/depths.py
const TURNS = 24; // sides from which each person of the crowd is seen
const ALIKE = 4;

/** The complementary error function, to 1.5e-7: Abramowitz & Stegun, 7.1.26. */
function erfc(x) {
  const t = 1 / (1 + 0.3275911 * x);
  const poly = [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592].reduce((sum, c) => sum * t + c, 0);
  return poly * t * Math.exp(-x * x);
}

/** z of a joint less z of its parent, in the camera's units: above 0 where the joint is nearer to the camera. */
const depthOf = (joints, joint) => joints[3 * joint + 2] - (scene.parents[joint] < 0 ? -1 : joints[3 * scene.parents[joint] + 2]);

/** {joint, depth, slope, flip, odds} of every bone; odds are null where no error is known. */
function boneDepths(joints, slopes, expected) {
  return scene.parents.map((parent, joint) => {
    const depth = depthOf(joints, joint);
    const row = slopes[3 * joint + 2];
    const other = parent < 0 ? null : slopes[3 * parent + 2];
    let sum = 0;
    for (let i = 0; i < row.length; i++) sum += (row[i] - (other ? other[i] : 0)) ** 2;
    const slope = Math.sqrt(sum);
    const deviation = expected && ALONG * Math.hypot(expected[joint], parent < 0 ? 0 : expected[parent]);
    const odds = expected ? 0.5 * erfc(Math.abs(depth) / deviation / Math.SQRT2) : null;
    return { joint, depth, slope, flip: Math.abs(depth) / slope, odds };
  });
}

/** Where a joint (3) would be with its bone's depth turned: on the same ray. */
function turned(joint) {
  const { answer } = current;
  const [x, y, z] = answer.subarray(3 * joint, 3 * joint + 3);
  const other = z - 2 * depthOf(answer, joint);
  return [x * other / z, y * other / z, other];
}

/** A joint of an answer that stands, when the chosen 2D joint goes a turn of its circle. */
function swung(answer, joint, turn) {
  const by = ROUND / state.distance;
  const move = [0, 1, 2].map((c) => {
    const row = current.slopes[3 * joint + c];
    return by * (row[2 * state.joint] * Math.cos(turn) + row[2 * state.joint + 1] * Math.sin(turn));
  });
  const [moved] = fromCamera([move[0], move[1], move[2] - 1], radians(state.azimuth), radians(state.elevation), state.distance);
  return answer[joint].map((value, c) => value + moved[c]);
}

/** How far joint i goes at most, in metres for each metre that the chosen one is moved in the image. */
function follows(joint) {
  const [a, b] = [0, 1].map((c) => [0, 1, 2].map((k) => current.slopes[3 * joint + k][2 * state.joint + c]));
  const dot = (u, v) => u.reduce((sum, value, k) => sum + value * v[k], 0);
  const [p, q, r] = [dot(a, a), dot(b, b), dot(a, b)];
  return Math.sqrt((p + q) / 2 + Math.hypot((p - q) / 2, r)); // the largest singular value
}

/** The points of joints `seen` over their size, into `out` from `at` on; returns the size. */
function shapeOf(points, seen, out, at) {
  let sum = 0;
  for (const j of seen) sum += points[2 * j] ** 2 + points[2 * j + 1] ** 2;
  const size = Math.sqrt(sum / seen.length);
  for (const j of seen) {
    out[at++] = points[2 * j] / size;
    out[at++] = points[2 * j + 1] / size;
  }
  return size;
}

let gallery = { key: "" };

/** The shapes of all people of the crowd, plain and mirrored, from all sides; kept while the camera stays. */
function galleryOf(seen) {
  const key = [state.elevation, state.distance, state.height, ...seen].join(" ");
  if (gallery.key !== key) {
    const shapes = new Float32Array(scene.people * 2 * TURNS * 2 * seen.length);
    let at = 0;
    for (let view = 0; view < scene.people * 2 * TURNS; view++) {
      shapeOf(project(pictured(view)), seen, shapes, at);
      at += 2 * seen.length;
    }
    gallery = { key, shapes };
  }
  return gallery.shapes;
}

/** Joints as the camera sees them in one view of the crowd: person, mirrored or not, side. */
function pictured(view) {
  const [person, mirrored] = [Math.floor(view / (2 * TURNS)), Math.floor(view / TURNS) % 2 === 1];
  return toCamera(posed(person, mirrored), 2 * Math.PI * (view % TURNS) / TURNS, radians(state.elevation), state.distance);
}

/** The people of the crowd who look most alike in the image: {person, joints, gap}, nearest first, nobody
 * twice; gap is the root mean square distance of their points, in metres at the person. */
function alike() {
  const { given } = current;
  const seen = scene.joints.map((_, j) => j).filter((j) => !Number.isNaN(given[2 * j]));
  if (!seen.length) return [];
  const numbers = 2 * seen.length;
  const own = new Float32Array(numbers);
  const size = shapeOf(given, seen, own, 0);
  const shapes = galleryOf(seen);
  const found = [];
  for (let person = 0; person < scene.people; person++) {
    if (person === state.person && known()) continue;
    let [least, view] = [Infinity, 0];
    for (let k = person * 2 * TURNS; k < (person + 1) * 2 * TURNS; k++) {
      let sum = 0;
      for (let i = 0, at = k * numbers; i < numbers && sum < least; i++, at++) sum += (shapes[at] - own[i]) ** 2;
      if (sum < least) [least, view] = [sum, k];
    }
    found.push({ person, view, gap: Math.sqrt(least / seen.length) * size * state.distance });
  }
  const nearest = found.sort((one, other) => one.gap - other.gap).slice(0, ALIKE);
  return nearest.map((one) => ({ ...one, joints: pictured(one.view) }));
}

/** Two pictures of a person, from the camera and from its right side. */
function thumbnail(joints) {
  const reach = reachOf() * 0.92;
  const picture = element("svg", { viewBox: [-reach, -reach, 4 * reach, 2 * reach].join(" "), "aria-hidden": "true" });
  [[0, 0], [2, 2 * reach]].forEach(([axis, shift]) => {
    const at = (joint) => (joint < 0 ? [shift, 0] : [
      shift + state.distance * (axis === 2 ? -(joints[3 * joint + 2] + 1) : joints[3 * joint]), -state.distance * joints[3 * joint + 1],
    ]);
    scene.parents.forEach((parent, joint) => {
      const [[x1, y1], [x2, y2]] = [at(parent), at(joint)];
      element("line", { x1, y1, x2, y2, class: scene.sides[joint] }, picture);
    });
  });
  return picture;
}

function drawAlike() {
  const people = alike();
  const cards = [{ joints: current.answer, text: "the network's answer" }, ...people.map(({ person, joints, gap }) => ({
    joints, text: `${scene.activities[crowd.activity[person]]}, ${(100 * gap).toFixed(1)} cm apart`,
  }))];
  byId("alike").replaceChildren(...cards.map(({ joints, text }) => {
    const item = document.createElement("li");
    item.append(thumbnail(joints), document.createTextNode(text));
    return item;
  }));
}
