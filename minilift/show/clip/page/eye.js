// The eye that sees the stage: it turns about what it looks at, and sees it in perspective.

const OPENING = 0.6; // radians from the top to the bottom of the view
const STEEPEST = 1.55; // radians: straight down would leave open which way is up
const NEAR = 0.02; // of the distance: nothing nearer than this is drawn
const eye = { azimuth: 0.6, elevation: 0.22, zoom: 1, shift: [0, 0], follow: -1 };

const middleOf = (low, high) => low.map((value, k) => (value + high[k]) / 2);

/** What must be seen at a frame: the middle of it, and how far it reaches up and to the sides. */
function framing(at) {
  if (eye.follow >= 0) {
    const row = nearest(eye.follow, at);
    const [x, y, z] = rows.root.subarray(3 * row, 3 * row + 3);
    const up = scene.floor ? onFloor([x, y, z])[1] + 0.52 * scene.height : y; // steady while they bob
    return { middle: [x, up, z], tall: 0.68 * scene.height, wide: 0.5 * scene.height };
  }
  let { low, high } = scene;
  if (scene.stills) {
    const points = shownIn(at).flatMap((row) => joints3d(row) ?? []);
    if (points.length) {
      low = [0, 1, 2].map((k) => Math.min(...points.map((point) => point[k])));
      high = [0, 1, 2].map((k) => Math.max(...points.map((point) => point[k])));
    }
  }
  if (byId("show-camera").checked) {
    low = low.map((value, k) => Math.min(value, ...scene.camera.map((point) => point[k])));
    high = high.map((value, k) => Math.max(value, ...scene.camera.map((point) => point[k])));
  }
  const [x, y, z] = high.map((value, k) => (value - low[k]) / 2);
  const wide = Math.hypot(x, z);
  return { middle: middleOf(low, high), tall: Math.max(1.1 * y + 0.4 * wide, 0.62 * scene.height), wide: 1.05 * wide };
}

/** The row of a person in a frame, or in the one nearest to it. */
function nearest(person, at) {
  const own = ofPerson[person];
  let [low, high] = [0, own.length - 1];
  while (low < high) {
    const half = (low + high) >> 1;
    if (rows.at[own[half]] < at) low = half + 1;
    else high = half;
  }
  return low > 0 && at - rows.at[own[low - 1]] < rows.at[own[low]] - at ? own[low - 1] : own[low];
}

/** A function from a point of the stage to {x, y, scale, near}: pixels, pixels a unit, towards the eye. */
function lens(width, height, at) {
  const { middle, tall, wide } = framing(at);
  const reach = Math.max(tall, (wide * height) / width);
  const [sinA, cosA] = [Math.sin(eye.azimuth), Math.cos(eye.azimuth)];
  const [sinE, cosE] = [Math.sin(eye.elevation), Math.cos(eye.elevation)];
  const focal = height / 2 / Math.tan(OPENING / 2);
  const away = (eye.zoom * reach) / Math.sin(OPENING / 2);
  const see = ([px, py, pz]) => {
    const [x, y, z] = [px - middle[0], py - middle[1], pz - middle[2]];
    const ahead = sinA * x + cosA * z;
    return [cosA * x - sinA * z - eye.shift[0] * reach, cosE * y - sinE * ahead - eye.shift[1] * reach,
      sinE * y + cosE * ahead];
  };
  const put = ([across, up, near]) => {
    const scale = focal / (away - near);
    return { x: width / 2 + across * scale, y: height / 2 - up * scale, scale, near };
  };
  const nearestSeen = away * (1 - NEAR);
  const place = (point) => {
    const seen = see(point);
    return seen[2] < nearestSeen ? put(seen) : null;
  };
  /** Both ends of a line, cut off where it comes too near; null where all of it does. */
  place.line = (from, to) => {
    const [a, b] = [see(from), see(to)];
    if (a[2] >= nearestSeen && b[2] >= nearestSeen) return null;
    const cut = (end, other) => {
      if (end[2] < nearestSeen) return end;
      const part = (nearestSeen - other[2]) / (end[2] - other[2]);
      return other.map((value, k) => value + part * (end[k] - value));
    };
    return [put(cut(a, b)), put(cut(b, a))];
  };
  return Object.assign(place, { middle, reach, away });
}

function turn(across, up) {
  eye.azimuth += across;
  eye.elevation = Math.min(Math.max(eye.elevation + up, -STEEPEST), STEEPEST);
}

function zoom(factor) {
  eye.zoom = Math.min(Math.max(eye.zoom * factor, 0.08), 12);
}

/** Look from a side by name, at all of it. */
function lookFrom(name, at) {
  const { middle } = framing(at);
  const [x, y, z] = scene.camera[0].map((value, k) => value - middle[k]);
  const front = Math.atan2(x, z);
  const [azimuth, elevation] = {
    oblique: [front + 0.6, 0.22], camera: [front, Math.atan2(y, Math.hypot(x, z))], side: [front + Math.PI / 2, 0.08],
    above: [front, STEEPEST],
  }[name];
  Object.assign(eye, { azimuth, elevation, zoom: name === "above" ? 1.4 : 1, shift: [0, 0] });
}
