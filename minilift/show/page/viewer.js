// The viewer: poses in 3D, sorted by error, with their 2D input and the error of each joint.

const unit = scene.metres ? "mm" : "units";
const number = (value) => value.toFixed(scene.metres ? 1 : 5);
const count = (value) => value.toLocaleString("en");
let rank = -1; // the pose that is shown, counted from the best

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
  listenToPointer();
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
