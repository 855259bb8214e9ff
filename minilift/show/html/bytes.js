// Numbers of the page: minilift/show/html/numbers.py says how they are packed.

const byId = (id) => document.getElementById(id);

/** Arrays of n rows that lie one after the other in base64: `plan` lists [name, kind of array, numbers a row]. */
function unpack(base64, n, plan) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  let at = 0;
  return Object.fromEntries(plan.map(([name, Kind, each]) => {
    const array = new Kind(bytes.buffer, at, n * each);
    at += array.byteLength;
    return [name, array];
  }));
}
