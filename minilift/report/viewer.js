// The viewer: poses in 3D, sorted by error, with their 2D input and the error of each joint.

const view = byId("view");
const unit = scene.metres ? "mm" : "units";
const number = (value) => value.toFixed(scene.metres ? 1 : 5);
const count = (value) => value.toLocaleString("en");
let rank = -1; // the pose that is shown, counted from the best

// ---- 3D: x to the right, depth away from the camera, up ------------------------------------------------

/** Coordinates for plotly of lines, each a list of points (x, y, z) in the camera's axes. */
function lines(list) {
  const trace = { x: [], y: [], z: [] };
  for (const line of list) {
    for (const [x, y, z] of line) {
      trace.x.push(x);
      trace.y.push(-z);
      trace.z.push(y);
    }
    for (const axis of "xyz") trace[axis].push(null);
  }
  return trace;
}

/** A level grid below the feet, with its spacing. */
function floor(points) {
  const spacing = scene.metres ? 0.5 : scene.reach / 2;
  const ticks = [-2, -1, 0, 1, 2].map((tick) => tick * spacing);
  const y = Math.min(...points.map((point) => point[1]));
  const end = 2 * spacing;
  return ticks.flatMap((tick) => [[[tick, y, -end], [tick, y, end]], [[-end, y, tick], [end, y, tick]]]);
}

/** The camera as a pyramid, open towards the person, with its image of the person in the opening. */
function frustum(i) {
  const distance = poses.scale[i];
  const depth = 0.22;
  const at = ([u, v]) => [u * depth * distance, v * depth * distance, (1 - depth) * distance];
  const half = 1.15 * scene.image;
  const corners = [[-half, -half], [half, -half], [half, half], [-half, half]].map(at);
  const apex = [0, 0, distance];
  const arrow = [[-half / 4, half], [0, half * 1.35], [half / 4, half]].map(at); // which way is up
  const edges = corners.map((corner, k) => [apex, corner, corners[(k + 1) % 4]]);
  return [...edges, arrow, ...bonesOf(image(i).map(at))];
}

const TRACES = [
  ["grid", "lines", "line", 1.5], ["camera", "camera", "muted", 2.5], ["truth", "truth", "truth", 13],
  ["gap", "gap", "gap", 4], ["middle", "prediction", "middle", 7], ["left", "prediction", "left", 7],
  ["right", "prediction", "right", 7], ["joints", "prediction", "middle", 4],
].map(([name, group, colour, width]) => ({ name, group, colour, width }));

function coordinates(i) {
  const predicted = skeleton("predicted", i);
  const truth = skeleton("truth", i);
  const found = {
    grid: lines(floor(truth)), camera: lines(frustum(i)), truth: lines(bonesOf(truth)),
    gap: lines(predicted.slice(0, joints).map((point, j) => [point, truth[j]])),
    joints: lines([predicted.slice(0, joints)]),
  };
  for (const side of ["left", "right", "middle"]) found[side] = lines(bonesOf(predicted, side));
  return TRACES.map(({ name }) => found[name]);
}

const VIEWS = {
  oblique: { eye: [0.66, -0.95, 0.35] }, camera: { eye: [0, -1.2, 0] }, side: { eye: [1.2, 0, 0.1] },
  above: { eye: [0, -0.05, 1.35] },
};

function viewpoint(name) {
  const narrow = Math.max(1, view.clientHeight / view.clientWidth);
  const point = ([x, y, z]) => ({ x, y, z });
  const up = { x: 0, y: 0, z: 1 };
  if (name !== "whole") {
    return { eye: point(VIEWS[name].eye.map((value) => value * narrow)), center: point([0, 0, 0]), up };
  }
  const away = poses.scale[Math.max(rank, 0)] / (2 * scene.reach); // of the camera, in lengths of the view
  const far = (0.5 + 0.75 * away) * narrow;
  return { eye: point([0.85 * far, -away / 2 - 0.6 * far, 0.35 * far]), center: point([0, -away / 2, 0]), up };
}

function drawScene() {
  const place = coordinates(Math.max(rank, 0));
  const traces = TRACES.map(({ name, group, colour, width }, k) => ({
    type: "scatter3d", mode: name === "joints" ? "markers" : "lines", ...place[k], hoverinfo: "skip",
    line: { color: `var(--${colour})`, width }, marker: { color: `var(--${colour})`, size: width },
    opacity: name === "truth" ? 0.55 : 1, visible: visible(group), // the prediction shines through the truth
  }));
  const wide = 3 * scene.reach; // wider than any person, so that nothing is cut off
  const deep = Math.max(wide, 1.05 * scene.farthest);
  const axis = (half) => ({ visible: false, range: [-half, half], autorange: false });
  const ratio = (half) => half / scene.reach;
  const layout = {
    margin: { l: 0, r: 0, t: 0, b: 0 }, showlegend: false, paper_bgcolor: "rgba(0,0,0,0)",
    scene: {
      xaxis: axis(wide), yaxis: axis(deep), zaxis: axis(wide), dragmode: "turntable", aspectmode: "manual",
      aspectratio: { x: ratio(wide), y: ratio(deep), z: ratio(wide) }, bgcolor: "rgba(0,0,0,0)",
      camera: view.layout?.scene.camera ?? viewpoint("oblique"),
    },
  };
  return Plotly.react(view, coloured(traces), layout, { displayModeBar: false, responsive: true, scrollZoom: false });
}

const look = (camera) => drawn && Plotly.relayout(view, { "scene.camera": camera });

/** Move the eye about what it looks at: `turn` in radians about the vertical, `zoom` times the distance. */
function move(turn, zoom) {
  if (!drawn) return;
  const { eye, center, up } = view.layout.scene.camera;
  const [x, y, z] = ["x", "y", "z"].map((axis) => zoom * (eye[axis] - center[axis]));
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  const moved = { x: center.x + cos * x - sin * y, y: center.y + sin * x + cos * y, z: center.z + z };
  look({ eye: moved, center, up });
}

function visible(group) {
  const box = document.querySelector(`[data-show="${group}"]`);
  return !box || box.checked;
}

// ---- beside it: the image, the words, the numbers ------------------------------------------------------

function drawImage(i) {
  const points = image(i);
  const [xs, ys] = [0, 1].map((axis) => points.map((point) => point[axis]));
  const middle = [xs, ys].map((values) => (Math.min(...values) + Math.max(...values)) / 2);
  const reach = 0.58 * Math.max(...[xs, ys].map((values) => Math.max(...values) - Math.min(...values)), 1e-9);
  const place = ([x, y]) => [x - middle[0] + reach, middle[1] - y + reach].map((value) => (100 * value) / (2 * reach));
  const line = (kind, [from, to]) =>
    `<line class="${kind}" x1="${from[0]}" y1="${from[1]}" x2="${to[0]}" y2="${to[1]}"/>`;
  const [rootX, rootY] = place([0, 0]);
  const shown = points.map(place);
  const bones = scene.sides.map((side, j) => line(side, [shown[parent(j)], shown[j]]));
  const dots = shown.slice(0, joints).map(([x, y]) => `<circle cx="${x}" cy="${y}" r="1.1"/>`);
  const axes = [line("axis", [[0, rootY], [100, rootY]]), line("axis", [[rootX, 0], [rootX, 100]])];
  byId("image").innerHTML = [...axes, ...bones, ...dots].join("");
}

const cells = scene.joints.map((name) => {
  const row = byId("joint-errors").tBodies[0].insertRow();
  row.innerHTML = '<th scope="row"></th><td></td><td class="bar"><span></span></td>';
  row.cells[0].textContent = name;
  return { value: row.cells[1], bar: row.cells[2].firstChild };
});

function drawErrors(i) {
  const [predicted, truth] = ["predicted", "truth"].map((name) => skeleton(name, i));
  const inUnit = scene.metres ? 1000 : 1;
  const errors = cells.map((_, j) => inUnit * Math.hypot(...predicted[j].map((x, k) => x - truth[j][k])));
  const largest = Math.max(...errors, 1e-12);
  cells.forEach(({ value, bar }, j) => {
    value.textContent = number(errors[j]);
    bar.style.width = `${(100 * errors[j]) / largest}%`;
  });
}

function drawStatus(i) {
  const share = scene.n > 1 ? (100 * i) / (scene.n - 1) : 0;
  const away = scene.metres ? `, ${poses.scale[i].toFixed(1)} m from the camera` : "";
  const words = `Pose ${count(i + 1)} of ${count(scene.n)} by error (${share.toFixed(1)}%)`;
  byId("status").innerHTML = "<b></b><br><span></span>";
  byId("status").firstChild.textContent = `${words}: MPJPE ${number(poses.error[i])} ${unit}`;
  byId("status").lastChild.textContent = `Row ${count(poses.row[i])} of the file, counted from 0${away}.`;
  byId("rank").value = i;
  byId("rank").setAttribute("aria-valuetext", `${words}, ${number(poses.error[i])} ${unit}`);
}

let waiting = false;

/** Show the pose with this rank, at the next frame. */
function show(i) {
  rank = Math.min(Math.max(Math.round(i), 0), scene.n - 1);
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    drawImage(rank);
    drawErrors(rank);
    drawStatus(rank);
    if (!drawn) return;
    const place = coordinates(rank);
    Plotly.restyle(view, Object.fromEntries([..."xyz"].map((axis) => [axis, place.map((trace) => trace[axis])])));
  });
}

// ---- what the user does --------------------------------------------------------------------------------

function listen() {
  const on = (selector, event, action) =>
    document.querySelectorAll(selector).forEach((element) => element.addEventListener(event, () => action(element)));
  on("#previous", "click", () => show(rank - 1));
  on("#next", "click", () => show(rank + 1));
  on("#rank", "input", (slider) => show(slider.valueAsNumber));
  on("[data-share]", "click", (button) => show((button.dataset.share / 100) * (scene.n - 1)));
  on("[data-view]", "click", (button) => look(viewpoint(button.dataset.view)));
  on("[data-zoom]", "click", (button) => move(0, Number(button.dataset.zoom)));
  on("[data-show]", "change", (box) => {
    const chosen = TRACES.flatMap(({ group }, k) => (group === box.dataset.show ? [k] : []));
    if (drawn) Plotly.restyle(view, { visible: box.checked }, chosen);
  });
  // Not plotly's own: its layout learns of a turn of the wheel at the next one, and would undo it before that
  view.addEventListener("wheel", (event) => {
    const pixels = event.deltaY * (event.deltaMode ? 33 : 1);
    move(0, Math.exp(0.002 * Math.min(Math.max(pixels, -100), 100)));
    event.preventDefault();
  }, { passive: false });
  document.addEventListener("keydown", (event) => {
    const here = event.target === document.body || byId("viewer").contains(event.target);
    if (!here || event.target.id === "rank" || event.ctrlKey || event.altKey || event.metaKey) return;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const zoom = { "+": 0.8, "=": 0.8, "-": 1.25 }[event.key];
    if (step) event.shiftKey ? move((-step * Math.PI) / 12, 1) : show(rank + step);
    else if (zoom) move(0, zoom);
    else return;
    event.preventDefault();
  });
  charts.filter((chart) => chart.layout.meta === "poses").forEach((chart) =>
    chart.on("plotly_click", ({ points }) => {
      show((points[0].x / 100) * (scene.n - 1));
      byId("poses").scrollIntoView();
    }));
}

function hasWebgl() {
  const canvas = document.createElement("canvas");
  return Boolean(canvas.getContext("webgl2") ?? canvas.getContext("webgl"));
}

function giveUp(reason) {
  byId("no-webgl").textContent = `${reason} The 2D input, the errors of each pose and the charts work without it.`;
  byId("no-webgl").hidden = false;
}

byId("unit").textContent = unit;
byId("rank").max = scene.n - 1;
byId("image").setAttribute("viewBox", "0 0 100 100");
const drawn = hasWebgl();
if (drawn) {
  drawScene();
  view.on("plotly_webglcontextlost", () => giveUp("The browser has dropped the 3D picture: reload the page."));
  whenColoursChange(drawScene);
} else {
  view.hidden = true;
  giveUp("This browser has no WebGL, which the 3D picture needs: turn on its hardware acceleration, or open the page in another.");
}
listen();
show((scene.n - 1) / 2);
