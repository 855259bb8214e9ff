// Frames as they come: each is drawn at the screen's next one, in the place of the one before.

const drawn = { waiting: false, paused: false, told: -Infinity, looked: false };
const came = []; // when the last frames came, milliseconds
const RATE = 30; // frames by which the rate is told

below.draw = (context, _, from, to) => {
  if (!scene.picture || !byId("show-picture").checked) return false;
  context.drawImage(scene.picture, from.x, from.y, to.x - from.x, to.y - from.y);
  return true;
};

function draw() {
  drawStage(at);
  drawImage(at);
}

/** Draw at the next frame of the screen, once. */
function drawSoon() {
  if (drawn.waiting) return;
  drawn.waiting = true;
  requestAnimationFrame(() => {
    drawn.waiting = false;
    draw();
  });
}

onFrame = (frame) => {
  came.push(performance.now());
  if (came.length > RATE) came.shift();
  say("live", drawn.paused ? "paused" : "live");
  if (drawn.paused) return;
  take(frame);
  if ([scene.unit, scene.rays, String(scene.size)].join() !== started) location.reload(); // another camera
  look();
  tell(frame);
  drawSoon();
};

/** At first from where most is to be seen, once there is somebody. */
function look() {
  if (drawn.looked || !newest.length) return;
  drawn.looked = true;
  byId("colours").value = newest.length > 1 ? "people" : "sides";
  lookFrom("oblique", at);
}

const node = (tag, words, kind = "") => Object.assign(document.createElement(tag), { textContent: words, className: kind });

/** Figures, some times a second: what changes faster cannot be read. */
function tell(frame) {
  const now = performance.now();
  if (now - drawn.told < 250) return;
  drawn.told = now;
  const rate = came.length > 1 ? (1000 * (came.length - 1)) / (came[came.length - 1] - came[0]) : NaN;
  byId("show-picture").closest("label").hidden = !scene.picture;
  const parts = [`frame ${frame.frame}`, frame.time === null ? "" : `${frame.time.toFixed(2)} s`,
    Number.isFinite(rate) ? `${rate.toFixed(1)} frames a second` : "", `${newest.length} ${newest.length === 1 ? "person" : "people"}`];
  byId("lead").replaceChildren(...parts.filter(Boolean).map((words) => node("span", words)));
  byId("rows").replaceChildren(...shownIn().map(aboutRow));
  byId("told").textContent = [AXES[scene.axes] ?? scene.axes, scene.units[scene.unit] ?? scene.unit,
    frame.source && `camera: ${frame.source}`].filter(Boolean).join("; ");
}

function aboutRow(row) {
  const person = rows.person[row];
  const line = document.createElement("tr");
  const who = node("th", scene.people[person]);
  who.scope = "row";
  const swatch = document.createElement("i");
  swatch.style.background = personColour(person);
  who.prepend(swatch);
  const [root, eyeAt] = [joints3d(row)[ROOT], scene.camera[0]];
  const away = Math.hypot(...root.map((value, k) => value - eyeAt[k]));
  const error = meanOf(expected, row);
  const wrong = Number.isNaN(error) ? "not known" : metres ? `${(1000 * error).toFixed(0)} mm` : `${error.toFixed(4)} units`;
  line.append(who, node("td", metres ? `${away.toFixed(2)} m` : `${away.toFixed(3)} units`), node("td", wrong),
    node("td", `${Math.round(ROOT * seenShare(row))} of ${ROOT}`),
    scene.trusted ? node("td", rows.unlike[row] ? "unlike" : "yes", rows.unlike[row] ? "unlike" : "") : node("td", "not known"));
  return line;
}

// ---- what the user does --------------------------------------------------------------------------------

function pause() {
  drawn.paused = !drawn.paused;
  byId("pause").textContent = drawn.paused ? "Go on" : "Pause";
  byId("pause").setAttribute("aria-pressed", drawn.paused);
  if (events.readyState === EventSource.OPEN) say("live", drawn.paused ? "paused" : "live");
}

const KEYS = {
  " ": pause, "+": () => zoom(0.8), "=": () => zoom(0.8), "-": () => zoom(1.25),
  ArrowLeft: () => turn(-Math.PI / 12, 0), ArrowRight: () => turn(Math.PI / 12, 0),
  ArrowUp: () => turn(0, Math.PI / 24), ArrowDown: () => turn(0, -Math.PI / 24),
  1: () => lookFrom("oblique", at), 2: () => lookFrom("camera", at), 3: () => lookFrom("side", at), 4: () => lookFrom("above", at),
};

const on = (selector, event, action) => document.querySelectorAll(selector).forEach((element) =>
  element.addEventListener(event, () => (action(element), drawSoon())));

document.addEventListener("keydown", (event) => {
  const { target, key } = event;
  if (event.ctrlKey || event.altKey || event.metaKey || target.tagName === "SELECT") return;
  if (key === " " && (target.tagName === "BUTTON" || target.type === "checkbox")) return;
  if (!KEYS[key]) return;
  KEYS[key]();
  drawSoon();
  event.preventDefault();
});
on("#pause", "click", pause);
on("[data-view]", "click", (button) => lookFrom(button.dataset.view, at));
on("[data-zoom]", "click", (button) => zoom(Number(button.dataset.zoom)));
on("#viewer input[type=checkbox], #colours", "change", () => {});
listenToPointers();
new ResizeObserver(drawSoon).observe(byId("viewer"));
whenColoursChange(() => (mixPaint(), draw()));

mixPaint();
look();
say("live", "live");
tell(opening);
drawSoon();
