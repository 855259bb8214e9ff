// The 2D joints as they are moved: by mouse, finger and keys. One unit of the drawing is a metre at the person.

const SVG = "http://www.w3.org/2000/svg";
const pad = byId("pad");
const REACH = 1.35; // metres to each side, of someone of 1.75 m
const STEP = 0.01; // metres a key; five times as much with Shift
const handles = [];

const words = (joint) => scene.joints[joint].replaceAll("_", " ");
const reachOf = () => REACH * Math.max(state.height / 1.75, 0.5);

function element(name, attributes = {}, parent = null) {
  const found = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) found.setAttribute(key, value);
  if (parent) parent.append(found);
  return found;
}

/** Make the drawing once: bones, the circle of a move, and a handle for every joint. */
function makePad() {
  element("g", { id: "grid" }, pad);
  element("g", { id: "bones" }, pad);
  element("circle", { id: "circle" }, pad);
  element("path", { id: "hips", d: "" }, pad);
  scene.joints.forEach((_, joint) => {
    const handle = element("g", {
      class: `joint ${scene.sides[joint]}`, tabindex: 0, role: "slider", "aria-roledescription": "joint to be moved",
      "aria-label": words(joint), "aria-valuemin": -300, "aria-valuemax": 300, "data-joint": joint,
    }, pad);
    element("circle", { class: "reach" }, handle);
    element("circle", { class: "dot" }, handle);
    handles.push(handle);
    listen(handle, joint);
  });
}

/** Metres at the person, right and up, of where a pointer is. */
function under(event) {
  const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(pad.getScreenCTM().inverse());
  return [at.x, -at.y];
}

function listen(handle, joint) {
  let from = null;
  handle.addEventListener("pointerdown", (event) => {
    handle.setPointerCapture(event.pointerId);
    handle.focus({ preventScroll: true });
    from = under(event).map((value, c) => value - state.moved[2 * joint + c]);
    event.preventDefault();
  });
  // within a drawing touch-action is not heeded: without this a finger scrolls the page
  handle.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
  handle.addEventListener("pointermove", (event) => {
    if (!from) return;
    under(event).forEach((value, c) => moveTo(joint, c, value - from[c]));
    changed();
  });
  for (const end of ["pointerup", "pointercancel"]) handle.addEventListener(end, () => { from = null; });
  handle.addEventListener("focus", () => choose(joint));
  handle.addEventListener("dblclick", () => hide(joint));
  handle.addEventListener("keydown", (event) => {
    const by = STEP * (event.shiftKey ? 5 : 1);
    const moves = { ArrowLeft: [0, -by], ArrowRight: [0, by], ArrowUp: [1, by], ArrowDown: [1, -by] };
    if (event.key in moves) {
      const [c, step] = moves[event.key];
      moveTo(joint, c, state.moved[2 * joint + c] + step);
    } else if (event.key === "Home") {
      state.moved.fill(0, 2 * joint, 2 * joint + 2);
    } else if (event.key === "Delete" || event.key === "Backspace") {
      hide(joint);
    } else {
      return;
    }
    event.preventDefault();
    changed();
  });
}

/** Move a joint, but not out of the drawing, where nobody could get hold of it any more. */
function moveTo(joint, c, value) {
  const at = 2 * joint + c;
  const own = current.points[at] * state.distance - current.moved[at]; // where it would be
  const most = Math.max(0.96 * reachOf(), Math.abs(own));
  state.moved[at] = Math.min(Math.max(value, -most - own), most - own);
}

/** Let the network not see a joint, or see it again. */
function hide(joint) {
  if (network().head !== "place") return;
  if (!state.hidden.delete(joint)) state.hidden.add(joint);
  changed();
}

function choose(joint) {
  state.joint = joint;
  changed();
}

function drawPad() {
  const reach = reachOf();
  pad.setAttribute("viewBox", [-reach, -reach, 2 * reach, 2 * reach].join(" "));
  const { points } = current;
  const at = (joint) => (joint < 0 ? [0, 0] : [0, 1].map((c) => points[2 * joint + c] * state.distance * (c ? -1 : 1)));
  drawGrid(reach);
  byId("bones").replaceChildren(...scene.parents.map((parent, joint) => {
    const [[x1, y1], [x2, y2]] = [at(parent), at(joint)];
    const unseen = state.hidden.has(joint) || state.hidden.has(parent);
    return element("line", { x1, y1, x2, y2, class: `${scene.sides[joint]}${unseen ? " blind" : ""}` });
  }));
  const size = reach / 160; // a pixel, more or less
  handles.forEach((handle, joint) => {
    const [x, y] = at(joint);
    handle.setAttribute("transform", `translate(${x} ${y})`);
    handle.classList.toggle("blind", state.hidden.has(joint) && network().head === "place");
    handle.classList.toggle("chosen", joint === state.joint);
    const [reached, dot] = handle.children;
    reached.setAttribute("r", 12 * size);
    dot.setAttribute("r", (joint === state.joint ? 3.6 : 3) * size);
    handle.setAttribute("aria-valuenow", Math.round(100 * x));
    handle.setAttribute("aria-valuetext", placeInWords(x, -y, joint));
  });
  const [x, y] = at(state.joint);
  const circle = byId("circle");
  for (const [name, value] of Object.entries({ cx: x, cy: y, r: ROUND })) circle.setAttribute(name, value);
  byId("hips").setAttribute("d", `M${-2 * size} 0H${2 * size}M0 ${-2 * size}V${2 * size}`);
}

function drawGrid(reach) {
  const lines = [];
  for (let at = Math.ceil(-reach / 0.5) * 0.5; at <= reach; at += 0.5) {
    lines.push(element("line", { x1: at, x2: at, y1: -reach, y2: reach }));
    lines.push(element("line", { y1: at, y2: at, x1: -reach, x2: reach }));
  }
  byId("grid").replaceChildren(...lines);
}

function placeInWords(x, y, joint) {
  const [across, up] = [x, y].map((value) => Math.round(100 * value));
  const unseen = state.hidden.has(joint) ? "not seen by the network; " : "";
  return `${unseen}${Math.abs(across)} centimetres ${across < 0 ? "left" : "right"} and `
    + `${Math.abs(up)} ${up < 0 ? "below" : "above"} the middle of the hips`;
}
