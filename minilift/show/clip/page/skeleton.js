// How a person is drawn, on the stage and in the picture: colours of people and sides, signs of what was not seen.

const HUES = 8; // then they come again
const NAMES = ["ink", "muted", "line", "page", "card", "left", "right", "middle", "gap", "unlike",
  ...Array.from({ length: HUES }, (_, k) => `p${k}`)];
let paint = {};

/** Read the colours of the style sheet, which differ between light and dark. */
function mixPaint() {
  paint = Object.fromEntries(NAMES.map((name) => [name, colourOf(name)]));
  for (let k = 0; k < HUES; k++) paint[`pale${k}`] = mixed(paint[`p${k}`], paint.card, 0.52);
}

/** Between two colours #rrggbb. */
function mixed(one, other, part) {
  const channels = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  const second = channels(other);
  return `rgb(${channels(one).map((value, k) => Math.round(value + part * (second[k] - value))).join(" ")})`;
}

const personColour = (person) => paint[`p${person % HUES}`];

/** The colour of a joint, and of the bone that ends in it. */
function colour(row, joint) {
  const side = joint === ROOT ? "middle" : scene.sides[joint];
  if (byId("colours").value === "sides") return paint[side];
  const hue = rows.person[row] % HUES;
  return paint[side === "right" ? `pale${hue}` : `p${hue}`];
}

/** A line from a to b; broken where the joint was placed, dotted where it was filled. */
function stroke(context, a, b, shade, width, state = SEEN) {
  context.strokeStyle = shade;
  context.lineWidth = width;
  context.lineCap = "round";
  context.setLineDash(state === MISSING ? [width * 0.9, width * 1.9] : state === FILLED ? [0.01, width * 1.7] : []);
  context.beginPath();
  context.moveTo(a.x, a.y);
  context.lineTo(b.x, b.y);
  context.stroke();
  context.setLineDash([]);
}

/** A wider line in the colour of the ground, that tells a limb from what is behind it; short of the joints. */
function rim(context, a, b, width) {
  const part = (share) => ({ x: a.x + share * (b.x - a.x), y: a.y + share * (b.y - a.y) });
  if (Math.hypot(b.x - a.x, b.y - a.y) > 2 * width) stroke(context, part(0.25), part(0.75), paint.card, width + 3);
}

/** A joint: full where it was seen, small where it was estimated, a ring where placed, a square where filled. */
function dot(context, { x, y }, shade, radius, state = SEEN) {
  context.beginPath();
  if (state === FILLED) context.rect(x - radius, y - radius, 2 * radius, 2 * radius);
  else context.arc(x, y, state === ESTIMATED ? 0.6 * radius : radius, 0, 2 * Math.PI);
  context.fillStyle = state >= MISSING ? paint.card : shade;
  context.fill();
  if (state < MISSING) return;
  context.lineWidth = Math.max(1.4, 0.45 * radius);
  context.strokeStyle = shade;
  context.stroke();
}

/** Words with a rim, so that they can be read over anything. */
function words(context, text, x, y, shade, align = "center") {
  context.font = `600 13px ${getComputedStyle(document.body).fontFamily}`;
  context.textAlign = align;
  context.lineJoin = "round";
  context.lineWidth = 4;
  context.strokeStyle = paint.card;
  context.strokeText(text, x, y);
  context.fillStyle = shade;
  context.fillText(text, x, y);
}

const nameOf = (row) => {
  const several = scene.people.length > 1 && !scene.stills;
  return [several ? scene.people[rows.person[row]] : "", rows.unlike[row] ? "unlike" : ""].filter(Boolean).join(": ");
};

const LINE = 16; // pixels of a line of words

/** Names over heads [{row, near, x, y}]: the nearest first, those that would lie over another a little higher. */
function drawNames(context, names) {
  const taken = [];
  for (const { row, x, y } of names.sort((a, b) => b.near - a.near)) {
    const text = nameOf(row);
    if (!text) continue;
    const half = 4 * text.length + 4;
    const free = [y, y - LINE, y - 2 * LINE].find((up) =>
      taken.every((other) => Math.abs(other.x - x) > other.half + half || Math.abs(other.y - up) >= LINE));
    if (free === undefined) continue; // in a crowd some go without
    taken.push({ x, y: free, half });
    words(context, text, x, free, rows.unlike[row] ? paint.unlike : personColour(rows.person[row]));
  }
}
