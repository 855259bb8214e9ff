// The answer in 3D: upright in metres, seen by an eye that goes around it.

const view = byId("view");
const OPENING = 0.5; // radians from top to bottom
const STEEPEST = 1.55;
const eye = { azimuth: radians(75), elevation: 0.15, zoom: 1 };
let paint = {};

function mixPaint() {
  paint = Object.fromEntries(["ink", "muted", "line", "card", "left", "right", "middle", "truth", "gap", "unlike"]
    .map((name) => [name, colourOf(name)]));
}

/** A function from a point in metres about the hips to {x, y, scale, near}. */
function lens(width, height) {
  const reach = 0.88 * reachOf() * Math.max(1, height / width);
  const away = eye.zoom * reach / Math.sin(OPENING / 2);
  const focal = height / 2 / Math.tan(OPENING / 2);
  const [sinA, cosA, sinE, cosE] = [Math.sin(eye.azimuth), Math.cos(eye.azimuth), Math.sin(eye.elevation), Math.cos(eye.elevation)];
  return ([x, y, z]) => {
    const ahead = sinA * x + cosA * z;
    const [across, up, near] = [cosA * x - sinA * z, cosE * y - sinE * ahead, sinE * y + cosE * ahead];
    const scale = focal / Math.max(away - near, 0.05 * away);
    return { x: width / 2 + across * scale, y: height / 2 - up * scale, scale, near };
  };
}

/** Joints of the camera's units as they stand upright: the root is the last. */
function stand(joints) {
  const found = fromCamera(joints, radians(state.azimuth), radians(state.elevation), state.distance);
  return [...found, [0, 0, 0]];
}

const parentOf = (joint) => (scene.parents[joint] < 0 ? JOINTS : scene.parents[joint]);

function stroke(context, a, b, shade, width, dash = []) {
  context.strokeStyle = shade;
  context.lineWidth = width;
  context.lineCap = "round";
  context.setLineDash(dash);
  context.beginPath();
  context.moveTo(a.x, a.y);
  context.lineTo(b.x, b.y);
  context.stroke();
  context.setLineDash([]);
}

function drawView() {
  const [context, width, height] = ready(view);
  const place = lens(width, height);
  const answer = stand(current.answer);
  const truth = stand(current.truth);
  const floor = Math.min(...truth.map((point) => point[1]), ...answer.map((point) => point[1])) - 0.03;
  drawFloor(context, place, floor);
  if (byId("show-camera").checked) drawCamera(context, place, width);
  if (byId("show-truth").checked && known()) drawTruth(context, truth.map(place));
  if (byId("show-other").checked) drawOthers(context, place, answer);
  drawPerson(context, answer.map(place));
  if (byId("show-ellipses").checked) drawEllipses(context, place, answer);
}

function drawFloor(context, place, floor) {
  context.globalAlpha = 0.6;
  for (let at = -2; at <= 2; at += 0.5) {
    for (const swap of [false, true]) {
      const ends = [-2, 2].map((end) => place(swap ? [at, floor, end] : [end, floor, at]));
      stroke(context, ...ends, paint.line, 1);
    }
  }
  context.globalAlpha = 1;
}

/** An arrow from where the camera looks, along its line of sight. */
function drawCamera(context, place, width) {
  const [a, e] = [radians(state.azimuth), radians(state.elevation)];
  const away = (metres) => place([Math.sin(a) * Math.cos(e), Math.sin(e), Math.cos(a) * Math.cos(e)].map((part) => part * metres));
  const [from, to] = [1.1, 0.82].map((metres) => away(metres * reachOf()));
  stroke(context, from, to, paint.muted, 2);
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  for (const side of [-1, 1]) {
    stroke(context, to, { x: to.x - 0.3 * dx + side * 0.18 * dy, y: to.y - 0.3 * dy - side * 0.18 * dx }, paint.muted, 2);
  }
  label(context, "camera", Math.min(Math.max(from.x, 32), width - 32), from.y - 14, paint.muted);
}

function drawTruth(context, seen) {
  scene.parents.forEach((_, joint) => {
    const [a, b] = [seen[parentOf(joint)], seen[joint]];
    stroke(context, a, b, paint.truth, Math.max(0.035 * a.scale, 3));
  });
}

function drawPerson(context, seen) {
  const parts = scene.parents.map((_, joint) => ({ joint, a: seen[parentOf(joint)], b: seen[joint] }));
  parts.sort((one, other) => one.a.near + one.b.near - other.a.near - other.b.near);
  for (const { joint, a, b } of parts) {
    const shade = paint[scene.sides[joint]];
    const unseen = state.hidden.has(joint) && network().head === "place";
    const thick = Math.min(Math.max(0.028 * b.scale, 2.5), 12);
    stroke(context, a, b, paint.card, thick + 3);
    stroke(context, a, b, shade, unseen ? 0.6 * thick : thick, unseen ? [thick, 1.8 * thick] : []);
    dot(context, b, shade, (scene.joints[joint] === "head" ? 1.9 : 0.85) * thick, unseen);
  }
  const { x, y } = seen[state.joint];
  context.beginPath();
  context.arc(x, y, 11, 0, 2 * Math.PI);
  context.strokeStyle = paint.ink;
  context.lineWidth = 1.6;
  context.stroke();
}

function dot(context, { x, y }, shade, radius, open) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = open ? paint.card : shade;
  context.fill();
  context.strokeStyle = shade;
  context.lineWidth = 1.6;
  if (open) context.stroke();
}

/** Where each joint goes when the chosen one goes once around its circle in the image. */
function drawEllipses(context, place, answer) {
  if (!current.slopes) return;
  const around = Array.from({ length: 41 }, (_, k) => 2 * Math.PI * k / 40);
  context.lineWidth = 1.6;
  context.strokeStyle = paint.gap;
  for (let joint = 0; joint < JOINTS; joint++) {
    context.beginPath();
    for (const turn of around) {
      const { x, y } = place(swung(answer, joint, turn));
      context.lineTo(x, y);
    }
    context.stroke();
  }
  // and how far when it is moved to the right
  answer.slice(0, JOINTS).forEach((point, joint) => {
    const [from, to] = [place(point), place(swung(answer, joint, 0))];
    if (Math.hypot(to.x - from.x, to.y - from.y) > 3) stroke(context, from, to, paint.gap, 2);
  });
}

/** Bones that may as well point the other way, and where they would. */
function drawOthers(context, place, answer) {
  for (const { joint, odds } of current.bones ?? []) {
    if (!(odds >= DOUBTFUL)) continue;
    const other = place(stand(turned(joint)).at(0));
    const from = place(answer[parentOf(joint)]);
    stroke(context, from, other, paint[scene.sides[joint]], 2.5, [1, 6]);
    dot(context, other, paint[scene.sides[joint]], 4, true);
  }
}

function label(context, text, x, y, shade) {
  context.font = `600 13px ${getComputedStyle(document.body).fontFamily}`;
  context.textAlign = "center";
  context.lineWidth = 4;
  context.lineJoin = "round";
  context.strokeStyle = paint.card;
  context.strokeText(text, x, y);
  context.fillStyle = shade;
  context.fillText(text, x, y);
}

/** Drag, wheel and keys turn the eye; two fingers are left to the page. */
function listenToView() {
  let from = null;
  view.addEventListener("pointerdown", (event) => {
    view.setPointerCapture(event.pointerId);
    from = [event.clientX, event.clientY];
  });
  view.addEventListener("pointermove", (event) => {
    if (!from) return;
    turn((from[0] - event.clientX) * 0.008, (event.clientY - from[1]) * 0.008);
    from = [event.clientX, event.clientY];
  });
  for (const end of ["pointerup", "pointercancel"]) view.addEventListener(end, () => { from = null; });
  view.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(event.deltaY > 0 ? 1.1 : 1 / 1.1);
  }, { passive: false });
  view.addEventListener("keydown", (event) => {
    const keys = {
      ArrowLeft: () => turn(-0.1, 0), ArrowRight: () => turn(0.1, 0), ArrowUp: () => turn(0, 0.1),
      ArrowDown: () => turn(0, -0.1), "+": () => zoom(1 / 1.2), "-": () => zoom(1.2),
    };
    if (!(event.key in keys)) return;
    keys[event.key]();
    event.preventDefault();
  });
}

function turn(across, up) {
  eye.azimuth += across;
  eye.elevation = Math.min(Math.max(eye.elevation + up, -STEEPEST), STEEPEST);
  drawView();
}

function zoom(factor) {
  eye.zoom = Math.min(Math.max(eye.zoom * factor, 0.3), 3);
  drawView();
}

/** Look from where the camera is, from its right side, from above, or from between. */
function lookFrom(name) {
  const front = radians(state.azimuth);
  [eye.azimuth, eye.elevation] = {
    camera: [front, radians(state.elevation)], side: [front + Math.PI / 2, 0.08], above: [front, STEEPEST],
    oblique: [front + 0.8, 0.18],
  }[name];
  eye.zoom = 1;
  drawView();
}
