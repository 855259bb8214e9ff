// What fingers and the mouse do to the stage: turn, zoom and shift it, and `drawSoon` after each.

/** One finger or button turns, two fingers zoom and shift, as the right button or Shift do. */
function listenToPointers() {
  const held = new Map();
  const spread = () => {
    const [a, b] = [...held.values()];
    return { far: Math.hypot(a.x - b.x, a.y - b.y), x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
  };
  const shift = (dx, dy) => {
    const unit = (2 * eye.zoom) / view.clientHeight;
    eye.shift = [eye.shift[0] - dx * unit, eye.shift[1] + dy * unit];
  };
  view.addEventListener("pointerdown", (event) => {
    held.set(event.pointerId, { x: event.clientX, y: event.clientY });
    view.setPointerCapture(event.pointerId);
  });
  view.addEventListener("pointermove", (event) => {
    const from = held.get(event.pointerId);
    if (!from) return;
    const before = held.size === 2 ? spread() : null;
    const [dx, dy] = [event.clientX - from.x, event.clientY - from.y];
    held.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (before) {
      const after = spread();
      zoom(before.far / Math.max(after.far, 1));
      shift(after.x - before.x, after.y - before.y);
    } else if (event.shiftKey || event.buttons === 2) shift(dx, dy);
    else turn(-0.008 * dx, 0.008 * dy);
    drawSoon();
  });
  for (const end of ["pointerup", "pointercancel"]) view.addEventListener(end, (event) => held.delete(event.pointerId));
  view.addEventListener("contextmenu", (event) => event.preventDefault());
  view.addEventListener("wheel", (event) => {
    const pixels = event.deltaY * (event.deltaMode ? 33 : 1);
    zoom(Math.exp(0.002 * Math.min(Math.max(pixels, -100), 100)));
    drawSoon();
    event.preventDefault();
  }, { passive: false });
}
