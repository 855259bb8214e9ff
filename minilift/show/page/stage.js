// The stage: a pose in 3D, x to the right, depth away from the camera, up; and the eye that sees it.

const view = byId("view");
const TURN = 0.008; // radians for a pixel of a drag
const STEEPEST = 1.55; // radians: straight down would leave open which way is up

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

const VIEWS = { // where the eye is, in lengths of the view (twice the reach)
  oblique: [0.66, -0.95, 0.35], camera: [0, -1.2, 0], side: [1.2, 0, 0.1], above: [0, -0.05, 1.35],
};

function viewpoint(name) {
  const narrow = Math.max(1, view.clientHeight / view.clientWidth);
  const point = ([x, y, z]) => ({ x, y, z });
  const up = { x: 0, y: 0, z: 1 };
  if (name !== "whole") {
    return { eye: point(VIEWS[name].map((value) => value * narrow)), center: point([0, 0, 0]), up };
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
      xaxis: axis(wide), yaxis: axis(deep), zaxis: axis(wide), dragmode: false, aspectmode: "manual",
      aspectratio: { x: ratio(wide), y: ratio(deep), z: ratio(wide) }, bgcolor: "rgba(0,0,0,0)",
      camera: view.layout?.scene.camera ?? viewpoint("oblique"),
    },
  };
  return Plotly.react(view, coloured(traces), layout, { displayModeBar: false, responsive: true, scrollZoom: false });
}

const look = (camera) => drawn && Plotly.relayout(view, { "scene.camera": camera });

/** Move the eye about what it looks at: turned about the vertical and lifted, in radians; `zoom` times as far. */
function move(turn, zoom, lift = 0) {
  if (!drawn) return;
  const { eye, center, up } = view.layout.scene.camera;
  const [x, y, z] = ["x", "y", "z"].map((axis) => eye[axis] - center[axis]);
  const away = zoom * Math.hypot(x, y, z);
  const azimuth = Math.atan2(y, x) + turn;
  const height = Math.min(Math.max(Math.atan2(z, Math.hypot(x, y)) + lift, -STEEPEST), STEEPEST);
  const level = away * Math.cos(height);
  const to = [level * Math.cos(azimuth), level * Math.sin(azimuth), away * Math.sin(height)];
  look({ eye: { x: center.x + to[0], y: center.y + to[1], z: center.z + to[2] }, center, up });
}

function visible(group) {
  const box = document.querySelector(`[data-show="${group}"]`);
  return !box || box.checked;
}

/**
 * Turning and zooming, in place of plotly's own: its layout hears of a turn of the wheel only at the next one, and
 * of a quick drag perhaps not at all, so that the next pose would be seen from where the eye was before.
 */
function listenToPointer() {
  let from = null; // where a drag has got to
  view.addEventListener("pointerdown", (event) => {
    from = [event.clientX, event.clientY];
    view.setPointerCapture(event.pointerId);
  });
  view.addEventListener("pointermove", (event) => {
    if (!from) return;
    const to = [event.clientX, event.clientY];
    move(-TURN * (to[0] - from[0]), 1, TURN * (to[1] - from[1]));
    from = to;
  });
  for (const end of ["pointerup", "pointercancel"]) view.addEventListener(end, () => (from = null));
  view.addEventListener("wheel", (event) => {
    const pixels = event.deltaY * (event.deltaMode ? 33 : 1);
    move(0, Math.exp(0.002 * Math.min(Math.max(pixels, -100), 100)));
    event.preventDefault();
  }, { passive: false });
}
