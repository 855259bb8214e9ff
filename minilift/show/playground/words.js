// What is seen, in words and in the table.

const millimetres = (units) => Math.round(1000 * state.distance * units);
const centimetres = (units) => Math.round(100 * state.distance * Math.abs(units));
const joined = (parts) => parts.filter(Boolean).join(" ");
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

const between = (trust, joint, to) => `${millimetres(trust.low[joint])}${to}${millimetres(trust.high[joint])}`;

/** Where the camera stands, from the person's side. */
function sideInWords() {
  const names = ["the front", "the front left", "the left", "the back left", "the back", "the back right", "the right", "the front right"];
  return names[Math.round(((state.azimuth % 360) + 360) % 360 / 45) % 8];
}

function personInWords() {
  const activity = scene.activities[crowd.activity[state.person]];
  const camera = `seen from ${sideInWords()}, ${state.distance.toFixed(1)} metres away`;
  const moved = known() ? "" : `, with ${count(state.moved)} moved by hand`;
  return `A made person, ${activity}, ${camera}${moved}.`;
}

function count(moved) {
  const n = scene.joints.filter((_, j) => moved[2 * j] || moved[2 * j + 1]).length;
  return n === 1 ? "1 joint" : `${n} joints`;
}

function errorsInWords() {
  const { trust } = current;
  if (!trust) return "These weights come without a trust file, so nothing says how far off they are.";
  const worst = trust.expected.reduce((most, value, j, all) => (value > all[most] ? j : most), 0);
  const mean = trust.expected.reduce((sum, value) => sum + value, 0) / JOINTS;
  return `Joints are expected within ${millimetres(mean)} mm of the truth on average. The network is least sure of the `
    + `${words(worst)}: ${millimetres(trust.expected[worst])} mm, nine times in ten between ${between(trust, worst, " and ")}.`;
}

function likenessInWords() {
  const { trust } = current;
  if (!trust) return "";
  if (trust.unlike) return "This pose is unlike what the network learnt: the answer may be anywhere.";
  const share = Math.round(trust.percentile);
  const how = share < 90 ? "like those that" : "at the edge of what";
  return `This pose is ${how} the network learnt: of 100 usual ones, ${share} have a smaller expected error.`;
}

function truthInWords() {
  if (!known()) return "";
  const off = offs();
  return `In truth the answer is off by ${millimetres(off.reduce((sum, value) => sum + value, 0) / JOINTS)} mm on average.`;
}

/** How far each joint of the answer is from where it is, in units. */
const offs = () => scene.joints.map((_, j) => Math.hypot(...[0, 1, 2].map((c) => current.answer[3 * j + c] - current.truth[3 * j + c])));

function jointInWords() {
  const { joint } = state;
  const { trust, answer, bones, slopes } = current;
  const parent = scene.parents[joint] < 0 ? "middle of the hips" : words(scene.parents[joint]);
  const depth = depthOf(answer, joint);
  const parts = [`${capital(words(joint))}:`];
  if (trust) parts.push(`expected within ${millimetres(trust.expected[joint])} mm,`);
  parts.push(`${centimetres(depth)} cm ${depth > 0 ? "nearer to the camera" : "farther away"} than the ${parent}.`);
  const odds = bones?.[joint].odds;
  if (odds >= DOUBTFUL) parts.push(`The picture hardly says which: ${Math.round(100 * odds)} in 100 for the other way round.`);
  if (slopes) {
    const far = scene.joints.map((_, j) => (j === joint ? 0 : follows(j)));
    const most = far.indexOf(Math.max(...far));
    parts.push(`When it is moved ${100 * ROUND} cm in the picture, it goes up to ${(100 * ROUND * follows(joint)).toFixed(1)} cm in space, `
      + `and of the others the ${words(most)} most: ${(100 * ROUND * far[most]).toFixed(1)} cm.`);
  }
  return joined(parts);
}

function tell() {
  byId("person-words").textContent = personInWords();
  byId("error-words").textContent = joined([errorsInWords(), truthInWords()]);
  const likeness = byId("likeness");
  likeness.textContent = likenessInWords();
  likeness.classList.toggle("unlike", Boolean(current.trust?.unlike));
  byId("joint-words").textContent = jointInWords();
}

let speaking = 0;

/** Say it to screen readers once all has come to rest. */
function speak() {
  clearTimeout(speaking);
  speaking = setTimeout(() => {
    byId("aloud").textContent = ["likeness", "joint-words"].map((id) => byId(id).textContent).join(" ");
  }, 700);
}

const cells = [];

function makeTable() {
  const body = byId("joints").tBodies[0];
  scene.joints.forEach((_, joint) => {
    const row = body.insertRow();
    row.addEventListener("click", () => handles[joint].focus());
    const head = document.createElement("th");
    head.scope = "row";
    head.className = scene.sides[joint];
    head.textContent = words(joint);
    row.append(head);
    cells.push([row, Array.from({ length: 6 }, () => row.insertCell())]);
  });
}

function fillTable() {
  const { trust, bones, answer } = current;
  const off = known() ? offs() : null;
  cells.forEach(([row, own], joint) => {
    const bone = bones?.[joint];
    const texts = [
      trust ? millimetres(trust.expected[joint]) : "", trust ? between(trust, joint, "–") : "", off ? millimetres(off[joint]) : "",
      `${depthOf(answer, joint) > 0 ? "+" : "−"}${centimetres(depthOf(answer, joint))}`,
      bone ? flipInWords(bone.flip) : "", bone && bone.odds !== null ? `${Math.round(100 * bone.odds)}%` : "",
    ];
    own.forEach((cell, k) => { cell.textContent = texts[k]; });
    row.classList.toggle("chosen", joint === state.joint);
    row.classList.toggle("doubtful", Boolean(bone && bone.odds >= DOUBTFUL));
  });
}

/** Pixels of a camera with a focal length of 1000. */
const flipInWords = (flip) => (flip < 0.0995 ? (1000 * flip).toFixed(flip < 0.00995 ? 1 : 0) : "> 99");
