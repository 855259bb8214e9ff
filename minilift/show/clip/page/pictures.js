// Pictures of the photo or video: minilift/show/clip/page/pictures.py says which frames have one.

const AHEAD = 10; // pictures that are made ready before they are seen
const KEPT = 60; // of them in memory
const photos = JSON.parse(byId("pictures").textContent);
const decoded = new Map(); // by number: an Image; it is `ready` once it can be drawn

/** The number of the picture of a frame, or of the last before it that has one; -1: none. */
function photoOf(at) {
  let [low, high] = [-1, photos.at.length - 1];
  while (low < high) {
    const half = (low + high + 1) >> 1;
    if (photos.at[half] <= at) low = half;
    else high = half - 1;
  }
  return low;
}

function decode(number) {
  let image = decoded.get(number);
  decoded.delete(number); // the newest are last
  if (!image) {
    image = new Image();
    image.src = `data:image/jpeg;base64,${photos.jpeg[number]}`;
    image.decode().then(() => {
      image.ready = true;
      if (photoOf(now.at) === number) drawSoon();
    }, () => {});
  }
  decoded.set(number, image);
  if (decoded.size > KEPT) decoded.delete(decoded.keys().next().value);
  return image;
}

/** Draw the picture of a frame between two corners; what it is of stands in `data-frame` of the canvas. */
function drawPhoto(context, at, from, to) {
  const number = byId("show-picture").checked ? photoOf(at) : -1;
  context.canvas.dataset.frame = "";
  if (number < 0) return false;
  const image = decode(number);
  for (let next = number + 1; next < Math.min(number + AHEAD, photos.at.length); next++) decode(next);
  if (!image.ready) return true;
  context.drawImage(image, from.x, from.y, to.x - from.x, to.y - from.y);
  context.canvas.dataset.frame = frames[photos.at[number]];
  return true;
}

/** Say of which frame a picture is, where that is another than the one that is shown. */
function drawPhotoNote(context, at, from) {
  const number = photoOf(at);
  if (number < 0 || photos.at[number] === at || !byId("show-picture").checked) return;
  words(context, `picture of frame ${frames[photos.at[number]]}`, from.x + 8, from.y + 20, paint.ink, "left");
}

Object.assign(below, { draw: drawPhoto, tell: drawPhotoNote });
