// The player: which frame is shown, what moves it, and what the user does.

const now = { at: 0, playing: false, time: 0, told: 0, waiting: false };
const slider = byId("frame");
const rate = 1 / (scene.seconds ?? 1 / 30); // frames of the page a second

/** Where the present frame is, in words. */
function whereText(at) {
  const words = [`${scene.stills ? "picture" : "frame"} ${frames[at]}`];
  if (scene.times) words.push(`${scene.times[at].toFixed(2)} s`);
  else if (scene.seconds) words.push(`${(scene.seconds * at).toFixed(2)} s`);
  words.push(`${(at + 1).toLocaleString("en")} of ${frames.length.toLocaleString("en")}`);
  return words.join(", ");
}

/** What a screen reader is told when the picture stands still. */
function aloud(at) {
  const people = shownIn(at).map((row) => `${scene.people[rows.person[row]]}: ${aboutRow(row)}`);
  return `${whereText(at)}. ${people.join(" ") || "No one is seen."}`;
}

function draw() {
  drawStage(now.at);
  drawImage(now.at);
  drawHead(now.at);
  slider.value = now.at;
  byId("status").textContent = whereText(now.at);
  if (now.playing && performance.now() - now.told < 200) return; // tables that flicker cannot be read
  now.told = performance.now();
  drawTable(now.at);
  slider.setAttribute("aria-valuetext", whereText(now.at));
  if (!now.playing) byId("aloud").textContent = aloud(now.at);
}

/** Draw at the next frame of the screen, once. */
function drawSoon() {
  if (now.waiting) return;
  now.waiting = true;
  requestAnimationFrame(() => {
    now.waiting = false;
    draw();
  });
}

function go(at) {
  now.at = Math.min(Math.max(Math.round(at), 0), frames.length - 1);
  now.time = now.at;
  drawSoon();
}

function play(on) {
  now.playing = on && frames.length > 1 && !scene.stills;
  byId("play").setAttribute("aria-pressed", now.playing);
  byId("play").lastElementChild.textContent = now.playing ? "Pause" : "Play";
  if (now.playing && now.at === frames.length - 1) go(0);
  if (now.playing) requestAnimationFrame((start) => tick(start, start));
  drawSoon();
}

/** Let seconds pass: frames last as long as in the video, where its rate varies. */
function forward(seconds) {
  let left = seconds;
  while (left > 0) {
    const at = Math.floor(now.time);
    const lasts = at + 1 < frames.length && scene.times ? scene.times[at + 1] - scene.times[at] : 1 / rate;
    const part = Math.min(left, (at + 1 - now.time) * lasts);
    now.time = part < left ? at + 1 : now.time + part / lasts;
    left -= part;
    if (now.time > frames.length) return;
  }
}

function tick(before, time) {
  if (!now.playing) return;
  forward((Math.min(time - before, 250) / 1000) * Number(byId("speed").value));
  if (now.time > frames.length - 1) {
    if (byId("loop").checked) now.time %= frames.length - 1;
    else {
      go(frames.length - 1);
      play(false);
      return;
    }
  }
  now.at = Math.floor(now.time);
  draw();
  requestAnimationFrame((next) => tick(time, next));
}

// ---- what the user does --------------------------------------------------------------------------------

const on = (selector, event, action) => document.querySelectorAll(selector).forEach((element) =>
  element.addEventListener(event, () => (action(element), drawSoon())));

function faster(by) {
  const choice = byId("speed");
  choice.selectedIndex = Math.min(Math.max(choice.selectedIndex + by, 0), choice.options.length - 1);
}

const KEYS = {
  " ": () => play(!now.playing), ArrowLeft: () => go(now.at - 1), ArrowRight: () => go(now.at + 1),
  PageUp: () => go(now.at - 10), PageDown: () => go(now.at + 10), Home: () => go(0), End: () => go(frames.length - 1),
  "+": () => zoom(0.8), "=": () => zoom(0.8), "-": () => zoom(1.25), "[": () => faster(-1), "]": () => faster(1),
  "shift ArrowLeft": () => turn(-Math.PI / 12, 0), "shift ArrowRight": () => turn(Math.PI / 12, 0),
  "shift ArrowUp": () => turn(0, Math.PI / 24), "shift ArrowDown": () => turn(0, -Math.PI / 24),
  1: () => lookFrom("oblique", now.at), 2: () => lookFrom("camera", now.at), 3: () => lookFrom("side", now.at),
  4: () => lookFrom("above", now.at),
};

function listenToKeys() {
  document.addEventListener("keydown", (event) => {
    const { target, key } = event;
    if (event.ctrlKey || event.altKey || event.metaKey || target.tagName === "SELECT") return;
    if (target.tagName === "INPUT" && (key === " " ? target.type === "checkbox" : target === slider && key.length > 1)) return;
    if (key === " " && target.tagName === "BUTTON") return;
    const action = KEYS[(event.shiftKey && key.startsWith("Arrow") ? "shift " : "") + key];
    if (!action) return;
    action();
    drawSoon();
    event.preventDefault();
  });
}

function listen() {
  on("#play", "click", () => play(!now.playing));
  on("#previous", "click", () => go(now.at - 1));
  on("#next", "click", () => go(now.at + 1));
  on("#frame", "input", () => go(slider.valueAsNumber));
  on("[data-view]", "click", (button) => lookFrom(button.dataset.view, now.at));
  on("[data-zoom]", "click", (button) => zoom(Number(button.dataset.zoom)));
  on("#follow", "change", (choice) => Object.assign(eye, { follow: Number(choice.value), zoom: 1, shift: [0, 0] }));
  on("#colours", "change", drawSides);
  on("#who", "change", () => (now.told = 0));
  on("#viewer input[type=checkbox]", "change", (box) => {
    const { person } = box.dataset;
    if (person === undefined) return;
    box.checked ? hidden.delete(Number(person)) : hidden.add(Number(person));
    drawTimeline();
  });
  listenToTimeline(go);
  listenToKeys();
  listenToPointers();
  new ResizeObserver(() => (drawTimeline(), drawSoon())).observe(byId("viewer"));
  whenColoursChange(repaint);
}

/** Say which colour is which side. */
function drawSides() {
  const people = byId("colours").value === "people";
  const [left, right] = byId("sides").querySelectorAll("path");
  left.style.stroke = people ? paint.p0 : paint.left;
  right.style.stroke = people ? paint.pale0 : paint.right;
  byId("sides").lastChild.textContent = people ? "left full, right pale" : "left, right";
}

function repaint() {
  mixPaint();
  drawSides();
  drawTimeline();
  draw();
}

function fillChoices() {
  const option = (text, value) => Object.assign(document.createElement("option"), { textContent: text, value });
  scene.people.forEach((name, person) => {
    byId("who").append(option(name, person));
    byId("follow").append(option(`follow ${name}`, person));
  });
  byId("colours").value = scene.people.length > 1 && !scene.stills ? "people" : "sides";
  slider.max = frames.length - 1;
  byId("scale").textContent = scene.stills ? "picture" : "frame";
  byId("unit").textContent = `error, ${errorUnit}`;
  document.querySelectorAll("[data-axis]").forEach((cell) => (cell.textContent += metres ? ", m" : ""));
  byId("close").checked = Boolean(whole) && areaOf(clipBox) < 0.25 * areaOf(whole);
  byId("close").closest("label").hidden = !whole;
  byId("show-picture").closest("label").hidden = !photos.at.length;
  byId("pace").hidden = scene.seconds !== null || scene.stills;
}

fillChoices();
lookFrom("oblique", 0);
listen();
repaint();
play(false);
