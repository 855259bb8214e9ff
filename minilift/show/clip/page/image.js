// The picture: keypoints as they were given, and over them the 3D joints projected back.

const EMPTY = 0.06; // of the view, around what it shows

/** What is below the keypoints: nothing, unless a page has pictures (pictures.js). */
const below = { draw: () => false, tell: () => {} };

/** The corners [left, top, right, bottom] of a box around points in the picture, in which nearly all lie. */
function boxAround(some) {
  const [xs, ys] = [[], []];
  for (const row of some) {
    for (const point of points2d("given", row)) {
      if (!point) continue;
      xs.push(point[0]);
      ys.push(scene.rays ? -point[1] : point[1]);
    }
  }
  if (!xs.length) return [0, 0, 1, 1];
  const ends = (values, part) => values.sort((a, b) => a - b)[Math.round(part * (values.length - 1))];
  const box = [ends(xs, 0.002), ends(ys, 0.002), ends(xs, 0.998), ends(ys, 0.998)];
  const wide = Math.max(box[2] - box[0], box[3] - box[1], 1e-6);
  return [box[0] - 0.05 * wide, box[1] - 0.05 * wide, box[2] + 0.05 * wide, box[3] + 0.05 * wide];
}

const sample = (most) => Array.from({ length: Math.min(most, scene.n) }, (_, k) => Math.floor((k * scene.n) / Math.min(most, scene.n)));
const clipBox = boxAround(sample(3000));
const whole = scene.size && [0, 0, ...scene.size];
const picture = byId("image");
const areaOf = ([left, top, right, bottom]) => (right - left) * (bottom - top);

/** What a view `wide` has in its middle, to show a box from `low` to `high`: where that is near the edge of a
 * picture of that `size`, a little farther inside, so that the view is full. */
function centreOf(low, high, wide, size) {
  const middle = (low + high) / 2;
  if (!size) return middle;
  return wide < size ? Math.min(Math.max(middle, wide / 2), size - wide / 2) : size / 2;
}

function drawImage(at) {
  const [context, width, height] = ready(picture);
  const close = !whole || byId("close").checked;
  const some = shownIn(at);
  const box = !close ? whole : scene.stills && some.length ? boxAround(some) : clipBox;
  const margin = EMPTY * Math.min(width, height);
  const scale = Math.min((width - 2 * margin) / (box[2] - box[0]), (height - 2 * margin) / (box[3] - box[1]));
  const across = centreOf(box[0], box[2], width / scale, close && whole && whole[2]);
  const down = centreOf(box[1], box[3], height / scale, close && whole && whole[3]);
  const put = (point) => point && {
    x: width / 2 + scale * (point[0] - across),
    y: height / 2 + scale * ((scene.rays ? -point[1] : point[1]) - down),
  };
  const [from, to] = whole ? [put([0, 0]), put(scene.size)] : [];
  let photo = false;
  if (whole) {
    context.fillStyle = paint.page;
    context.fillRect(from.x, from.y, to.x - from.x, to.y - from.y);
    context.strokeStyle = paint.muted;
    context.lineWidth = 1;
    context.strokeRect(from.x, from.y, to.x - from.x, to.y - from.y);
    photo = below.draw(context, at, from, to);
  }
  const names = [];
  for (const row of some) {
    const given = points2d("given", row).map(put);
    if (byId("show-given").checked) drawGiven(context, row, given, photo);
    if (byId("show-back").checked) drawBack(context, row, points2d("back", row).map(put), given);
    const there = given.filter(Boolean);
    if (!there.length) continue;
    const top = there.reduce((a, b) => (b.y < a.y ? b : a));
    names.push({ row, near: 0, x: top.x, y: top.y - 10 });
  }
  drawNames(context, names);
  if (photo) below.tell(context, at, from);
}

/** Over a photo, limbs have a rim: they are seen on any ground. */
function drawGiven(context, row, points, rimmed) {
  scene.parents.forEach((parent, j) => {
    if (rimmed && points[parent] && points[j]) stroke(context, points[parent], points[j], paint.card, 7.4);
  });
  scene.parents.forEach((parent, j) => {
    if (points[parent] && points[j]) stroke(context, points[parent], points[j], colour(row, j), 4.6, stateOf(row, j));
  });
  scene.joints.forEach((_, j) => points[j] && dot(context, points[j], colour(row, j), 3.4, stateOf(row, j)));
}

/** The projected 3D joints as a thin line of ink, and the way from each to its keypoint. */
function drawBack(context, row, points, given) {
  scene.parents.forEach((parent, j) => {
    if (points[parent] && points[j]) stroke(context, points[parent], points[j], paint.ink, 1.3);
  });
  scene.joints.forEach((_, j) => {
    if (!points[j]) return;
    if (given[j]) stroke(context, given[j], points[j], paint.gap, 2);
    if (stateOf(row, j) >= MISSING) dot(context, points[j], paint.ink, 2.6, stateOf(row, j));
  });
}
