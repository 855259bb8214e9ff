// The timeline below the stage: who is there when, and how sure each person's joints are.

const PAD = 8; // pixels: half the handle of the slider, so that all lines of the timeline lie over each other

const STRIPS = [
  { name: "expected error", value: (row) => meanOf(expected, row), there: scene.most.expected !== null,
    top: (most) => `${errorText(most)} ${errorUnit}` },
  { name: "confidence", value: (row) => meanOf(confidence, row), there: scene.most.confidence !== null,
    top: (most) => most.toFixed(2), least: 1 },
  { name: "joints seen", value: seenShare, there: true, top: () => "100%", least: 1 },
].filter(({ there }) => there);

const across = (at, width) => PAD + (width - 2 * PAD) * (frames.length > 1 ? at / (frames.length - 1) : 0.5);

/** A line of the timeline: a label and a canvas. */
function line(parent, label, height, kind) {
  const element = document.createElement("div");
  element.className = `strip ${kind}`;
  element.append(label, document.createElement("canvas"));
  element.lastChild.style.height = `${height}px`;
  parent.append(element);
  return element.lastChild;
}

const lanes = scene.stills ? [] : scene.people.map((name, person) => {
  const label = document.createElement("label");
  label.innerHTML = '<input type="checkbox" checked><i></i><span></span>';
  label.firstChild.dataset.person = person;
  label.lastChild.textContent = name;
  const canvas = line(byId("lanes"), label, 22, "lane");
  canvas.setAttribute("role", "img");
  return { canvas, swatch: label.children[1] };
});

const strips = scene.stills ? [] : STRIPS.map((strip) => {
  const label = document.createElement("span");
  label.innerHTML = "<span></span><small></small>";
  label.firstChild.textContent = strip.name;
  const canvas = line(byId("strips"), label, 44, "chart");
  canvas.setAttribute("role", "img");
  const values = Float32Array.from({ length: scene.n }, (_, row) => strip.value(row));
  const most = Math.max(strip.least ?? 0, values.reduce((a, b) => (b > a ? b : a), 0)) || 1;
  label.lastChild.textContent = `top ${strip.top(most)}`;
  return { ...strip, canvas, values, most };
});

/** The parts of a person's rows that follow each other without a gap. */
function* runs(own) {
  let begin = 0;
  for (let k = 1; k <= own.length; k++) {
    if (k < own.length && rows.at[own[k]] - rows.at[own[k - 1]] === 1) continue;
    yield own.slice(begin, k);
    begin = k;
  }
}

function drawLane({ canvas, swatch }, person) {
  const [context, width] = ready(canvas);
  const half = (width - 2 * PAD) / Math.max(frames.length - 1, 1) / 2;
  swatch.style.background = personColour(person);
  const bar = (from, to, top, height, shade) => {
    const [left, right] = [across(from, width) - half, across(to, width) + half];
    context.fillStyle = shade;
    context.fillRect(left, top, Math.max(right - left, 1), height);
  };
  let [filled, unlike] = [0, 0];
  for (const run of runs(ofPerson[person])) {
    const seen = (row) => seenShare(row) > 0;
    bar(rows.at[run[0]], rows.at[run[run.length - 1]], 8, 6, paint[`pale${person % HUES}`]);
    for (let k = 0; k < run.length; k++) {
      if (!seen(run[k])) { filled++; continue; }
      let end = k;
      while (end + 1 < run.length && seen(run[end + 1])) end++;
      bar(rows.at[run[k]], rows.at[run[end]], 5, 12, personColour(person));
      k = end;
    }
    for (const row of run) {
      if (!rows.unlike[row]) continue;
      unlike++;
      bar(rows.at[row], rows.at[row], 0, 5, paint.unlike);
    }
  }
  const gaps = [...runs(ofPerson[person])].length - 1;
  canvas.setAttribute("aria-label", `${scene.people[person]}: ${ofPerson[person].length} frames, ${gaps} gap${gaps === 1 ? "" : "s"}, `
    + `${filled} frames filled, ${unlike} unlike the training data`);
}

function drawStrip({ canvas, values, most, name }) {
  const [context, width, height] = ready(canvas);
  const y = (value) => height - 3 - (height - 6) * (value / most);
  context.strokeStyle = paint.line;
  context.lineWidth = 1;
  for (const value of [0, most / 2, most]) {
    context.beginPath();
    context.moveTo(PAD, Math.round(y(value)) + 0.5);
    context.lineTo(width - PAD, Math.round(y(value)) + 0.5);
    context.stroke();
  }
  ofPerson.forEach((own, person) => {
    if (hidden.has(person)) return;
    context.strokeStyle = context.fillStyle = personColour(person);
    context.lineWidth = 1.5;
    context.lineJoin = "round";
    for (const run of runs(own)) {
      context.beginPath();
      run.forEach((row) => !Number.isNaN(values[row]) && context.lineTo(across(rows.at[row], width), y(values[row])));
      if (run.length > 1) context.stroke();
      else context.fillRect(across(rows.at[run[0]], width) - 1, y(values[run[0]]) - 1, 2, 2);
    }
  });
  const there = values.filter((value) => !Number.isNaN(value));
  const mean = there.reduce((sum, value) => sum + value, 0) / there.length;
  canvas.setAttribute("aria-label", `${name} over time, mean ${(mean / most * 100).toFixed(0)}% of the top of the chart`);
}

function drawTimeline() {
  lanes.forEach(drawLane);
  strips.forEach(drawStrip);
}

/** Move the line that shows the present frame. */
function drawHead(at) {
  const any = (lanes[0] ?? strips[0])?.canvas;
  byId("head").hidden = !any;
  if (any) byId("head").style.left = `${any.offsetLeft + across(at, any.clientWidth)}px`;
}

/** Call `go` with the frame under the pointer, pressed or dragged over a line of the timeline. */
function listenToTimeline(go) {
  for (const { canvas } of [...lanes, ...strips]) {
    const seek = (event) => {
      const part = (event.offsetX - PAD) / (canvas.clientWidth - 2 * PAD);
      go(Math.round(Math.min(Math.max(part, 0), 1) * (frames.length - 1)));
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      seek(event);
    });
    canvas.addEventListener("pointermove", (event) => event.buttons && seek(event));
  }
}
