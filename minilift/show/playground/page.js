// The page: what is asked for is looked at, lifted, judged and drawn; what takes longer waits for a rest.

const REST = 150; // milliseconds without a change, before the network is looked into
const networks = new Map();
let current = {};
let drawing = 0;
let resting = 0;

function network() {
  const name = byId("weights").value;
  if (!networks.has(name)) {
    const about = scene.networks[name];
    const net = readNetwork(about, byId(`weights-${name}`).textContent);
    networks.set(name, { ...net, trust: about.trust && readTrust(about.trust, byId(`trust-${name}`).textContent) });
  }
  return networks.get(name);
}

/** Look, lift and judge once: all that follows is drawn from `current`. */
function lookAndLift() {
  const net = network();
  const seen = looked(net);
  const began = performance.now();
  const answer = lift(net, seen.given, seen.sigma);
  const took = performance.now() - began;
  const trust = net.trust ? judge(net.trust, scene.parents, seen.given, answer, seen.sigma) : null;
  const { slopes, bones } = current; // until the next rest those of a pose nearby
  current = { ...seen, answer, trust, took, slopes, bones };
}

/** Anything has changed. */
function changed() {
  document.body.dataset.rested = "no";
  clearTimeout(resting);
  resting = setTimeout(lookInto, REST);
  if (!drawing) drawing = requestAnimationFrame(draw);
}

function draw() {
  drawing = 0;
  lookAndLift();
  drawAll();
  speak();
}

function drawAll() {
  drawPad();
  drawView();
  tell();
  fillTable();
  byId("speed").textContent = `${current.took.toFixed(1)} ms`;
  tellSliders();
}

function lookInto() {
  if (drawing) return void changed();
  current.slopes = jacobian(network(), current.given, current.sigma);
  current.bones = boneDepths(current.answer, current.slopes, current.trust?.expected);
  drawAll();
  drawAlike();
  document.body.dataset.rested = "yes";
}

const SLIDERS = {
  azimuth: (value) => `${value}°`, elevation: (value) => `${value}°`, distance: (value) => `${value.toFixed(1)} m`,
  height: (value) => `${value.toFixed(2)} m`, noise: (value) => `${value} px`,
};

function tellSliders() {
  for (const [name, said] of Object.entries(SLIDERS)) {
    byId(name).value = state[name];
    byId(`${name}-said`).textContent = said(state[name]);
    byId(name).setAttribute("aria-valuetext", said(state[name]));
  }
  const net = network();
  byId("told").disabled = !net.levels;
  byId("hide").disabled = net.head !== "place";
  byId("hide").textContent = state.hidden.has(state.joint) ? `let it see the ${words(state.joint)}` : `hide the ${words(state.joint)}`;
  document.body.classList.toggle("no-truth", !known());
  document.body.classList.toggle("no-trust", !net.trust);
  byId("about-weights").textContent = net.said;
}

function choosePerson(person) {
  state.person = person;
  state.moved.fill(0);
  state.hidden.clear();
  changed();
}

/** The next person of those who do the same. */
function another() {
  const same = [...crowd.activity.keys()].filter((person) => crowd.activity[person] === crowd.activity[state.person]);
  choosePerson(same[(same.indexOf(state.person) + 1) % same.length]);
}

function resetAll() {
  Object.assign(state, { mirrored: false, azimuth: 30, elevation: 5, distance: 4, height: 1.75, noise: 0 });
  state.draws = drawNoise(1);
  choosePerson(state.person);
}

/** Mirror the person with all that was moved: left becomes right. */
function mirror() {
  state.mirrored = !state.mirrored;
  state.azimuth = -state.azimuth;
  const before = state.moved.slice();
  scene.mirror.forEach((from, joint) => {
    state.moved[2 * joint] = -before[2 * from];
    state.moved[2 * joint + 1] = before[2 * from + 1];
  });
  state.hidden = new Set([...state.hidden].map((joint) => scene.mirror[joint]));
  changed();
}

function listenToPage() {
  for (const name of Object.keys(SLIDERS)) {
    byId(name).addEventListener("input", (event) => {
      state[name] = Number(event.target.value);
      changed();
    });
  }
  byId("told").addEventListener("change", (event) => { state.told = event.target.checked; changed(); });
  byId("weights").addEventListener("change", () => { current = {}; changed(); });
  byId("pose").addEventListener("change", (event) => choosePerson(crowd.activity.indexOf(Number(event.target.value))));
  const clicks = {
    another, mirror, reset: resetAll, hide: () => hide(state.joint),
    again: () => { state.draws = drawNoise(Math.floor(Math.random() * 2 ** 31)); changed(); },
  };
  for (const [id, act] of Object.entries(clicks)) byId(id).addEventListener("click", act);
  for (const button of document.querySelectorAll("[data-view]")) button.addEventListener("click", () => lookFrom(button.dataset.view));
  for (const box of document.querySelectorAll("#shown input")) box.addEventListener("change", drawView);
  addEventListener("resize", () => drawView());
}

function begin() {
  state.draws = drawNoise(1);
  mixPaint();
  makePad();
  makeTable();
  listenToPage();
  listenToView();
  whenColoursChange(() => { mixPaint(); drawAll(); });
  draw();
  changed();
  byId("wait").hidden = true;
}

// For who looks in from outside: the network, its trust and its Jacobian as functions of numbers.
globalThis.minilift = {
  lift: (points, sigma) => Array.from(lift(network(), points, sigma)),
  judge: (points, sigma) => judge(network().trust, scene.parents, Float32Array.from(points), lift(network(), points, sigma), sigma),
  jacobian: (points, sigma) => jacobian(network(), Float32Array.from(points), sigma).map((row) => Array.from(row)),
  depths: (points, sigma) => {
    const [net, given] = [network(), Float32Array.from(points)];
    const answer = lift(net, given, sigma);
    return boneDepths(answer, jacobian(net, given, sigma), net.trust && judge(net.trust, scene.parents, given, answer, sigma).expected);
  },
  current: () => current,
  state,
};

requestAnimationFrame(() => setTimeout(begin)); // first let it be said that weights are read
