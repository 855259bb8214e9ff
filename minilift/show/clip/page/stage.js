// The stage: people in 3D over a floor, their shadows and paths on it, and the camera that filmed them.

const BONE = 0.026; // of a person's height: as thick as limbs are drawn
const CELLS = 9; // of the floor to each side
const PATH = 1500; // points of a path at most

const view = byId("view");

function drawStage(at) {
  const [context, width, height] = ready(view);
  const place = lens(width, height, at);
  const people = shownIn(at).map((row) => ({ row, points: joints3d(row) })).filter(({ points }) => points);
  const feet = people.flatMap(({ points }) => points.map((point) => point[1]));
  const lowest = Math.min(...feet, place.middle[1]);
  const floor = (point) => onFloor(point, lowest);
  drawFloor(context, place, floor);
  if (byId("show-path").checked && !scene.stills) drawPaths(context, place, floor);
  people.forEach(({ points }) => drawShadow(context, place, points, floor));
  if (byId("show-camera").checked) drawCamera(context, place);
  const placed = people.map(({ row, points }) => ({ row, seen: points.map(place) }))
    .filter(({ seen }) => seen.every(Boolean));
  const parts = placed.flatMap(({ row, seen }) => partsOf(context, row, seen));
  parts.sort((a, b) => a.near - b.near).forEach(({ draw }) => draw());
  drawNames(context, placed.map(({ row, seen }) => {
    const top = seen.reduce((a, b) => (b.y < a.y ? b : a));
    return { row, near: top.near, x: top.x, y: top.y - 0.09 * scene.height * top.scale - 6 };
  }));
  byId("nobody").hidden = placed.length > 0;
}

/** A grid around what is looked at; it fades, and has no end. */
function drawFloor(context, place, floor) {
  const spacing = metres ? 0.5 : nice(0.3 * scene.height);
  const cell = spacing * Math.max(1, Math.round((1.9 * place.reach) / (CELLS * spacing)));
  const [x0, z0] = [0, 2].map((k) => Math.round(place.middle[k] / cell));
  context.strokeStyle = paint.muted;
  context.lineWidth = 1;
  for (let i = -CELLS; i <= CELLS; i++) {
    for (let j = -CELLS; j < CELLS; j++) {
      const fade = 1 - Math.hypot(i, j + 0.5) / CELLS;
      if (fade <= 0) continue;
      context.globalAlpha = 0.55 * fade;
      for (const swap of [false, true]) {
        const ends = [j, j + 1].map((k) => (swap ? [k, i] : [i, k]))
          .map(([x, z]) => floor([(x0 + x) * cell, 0, (z0 + z) * cell]));
        const line = place.line(...ends);
        if (!line) continue;
        context.beginPath();
        context.moveTo(line[0].x, line[0].y);
        context.lineTo(line[1].x, line[1].y);
        context.stroke();
      }
    }
  }
  context.globalAlpha = 1;
}

/** The number 1, 2 or 5 times a power of ten next below. */
function nice(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [5, 2, 1].find((part) => part * power <= value) * power;
}

/** One line through all bones, so that it is nowhere darker than elsewhere. */
function drawShadow(context, place, points, floor) {
  const lines = scene.parents.map((parent, j) =>
    place.line(...[points[parent], points[j]].map(floor))).filter(Boolean);
  if (!lines.length) return;
  context.globalAlpha = 0.14;
  context.strokeStyle = paint.ink;
  context.lineWidth = 2.4 * BONE * scene.height * lines[0][0].scale;
  context.lineCap = context.lineJoin = "round";
  context.beginPath();
  for (const [from, to] of lines) {
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y);
  }
  context.stroke();
  context.globalAlpha = 1;
}

/** Where the mid-hip goes over the clip, on the floor; a gap in time is a gap in the line. */
function drawPaths(context, place, floor) {
  ofPerson.forEach((own, person) => {
    if (hidden.has(person)) return;
    const every = Math.ceil(own.length / PATH);
    context.globalAlpha = 0.6;
    context.strokeStyle = personColour(person);
    context.lineWidth = 1.6;
    context.lineJoin = "round";
    context.beginPath();
    let last = null;
    for (let k = 0; k < own.length; k += every) {
      const at = rows.at[own[k]];
      const seen = place(floor([...rows.root.subarray(3 * own[k], 3 * own[k] + 3)]));
      if (seen && last !== null && at - last <= every) context.lineTo(seen.x, seen.y);
      else if (seen) context.moveTo(seen.x, seen.y);
      last = seen ? at : null;
    }
    context.stroke();
    context.globalAlpha = 1;
  });
}

/** The camera as a pyramid, with a mark on the upper edge of its picture. */
function drawCamera(context, place) {
  const [apex, ...corners] = scene.camera;
  const upper = middleOf(corners[0], corners[1]);
  const mark = upper.map((value, k) => value + 0.35 * (upper[k] - middleOf(corners[2], corners[3])[k]) / 2);
  const lines = corners.flatMap((corner, k) => [[apex, corner], [corner, corners[(k + 1) % 4]]]);
  for (const ends of [...lines, [corners[0], mark], [mark, corners[1]]]) {
    const line = place.line(...ends);
    if (line) stroke(context, ...line, paint.muted, 1.6);
  }
  const seen = place(apex);
  if (seen) words(context, "camera", seen.x, seen.y + 18, paint.muted);
}

/** The bones and joints of a person with how near each is, to be drawn from the farthest on. */
function partsOf(context, row, seen) {
  const thick = (scale) => Math.min(Math.max(BONE * scene.height * scale, 2.2), 22);
  const bones = scene.parents.map((parent, j) => ({
    near: (seen[parent].near + seen[j].near) / 2,
    draw() {
      const width = thick((seen[parent].scale + seen[j].scale) / 2);
      const state = Math.max(stateOf(row, j), stateOf(row, parent));
      if (state < MISSING) rim(context, seen[parent], seen[j], width);
      stroke(context, seen[parent], seen[j], colour(row, j), state < MISSING ? width : 0.62 * width, state);
    },
  }));
  const head = scene.joints.indexOf("head");
  const dots = scene.joints.map((_, j) => ({
    near: seen[j].near + 0.001 * scene.height,
    draw() {
      const width = thick(seen[j].scale);
      const radius = j === head ? 1.75 * width : 0.68 * width;
      dot(context, seen[j], j === head ? colour(row, ROOT) : colour(row, j), radius, stateOf(row, j));
    },
  }));
  return [...bones, ...dots];
}
