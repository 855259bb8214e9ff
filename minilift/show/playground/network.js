// The network: its weights unpacked and folded as minilift/lift/fast/folded.py folds them, forward, and back.

const HALVES = floats(); // of all 65,536 numbers of 16 bits

function floats() {
  const found = new Float32Array(1 << 16);
  for (let bits = 0; bits < 1 << 16; bits++) {
    const exponent = (bits >> 10) & 31;
    const part = bits & 1023;
    const size = exponent === 0 ? part * 2 ** -24
      : exponent === 31 ? (part ? NaN : Infinity) : (1 + part / 1024) * 2 ** (exponent - 15);
    found[bits] = bits >> 15 ? -size : size;
  }
  return found;
}

function bytesOf(base64) {
  const text = atob(base64.trim());
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes.buffer;
}

/** A Linear in float32: {weight, bias, rows, columns}, scale taken into the weight. */
function readLayers(about, base64) {
  const buffer = bytesOf(base64);
  let at = 0;
  const take = (Kind, n) => {
    const array = new Kind(buffer, at, n);
    at += array.byteLength;
    return array;
  };
  const layers = about.shapes.map(([rows, columns]) => ({
    rows, columns, scale: take(Float32Array, rows), bias: Float32Array.from(take(Float32Array, rows)),
  }));
  for (const layer of layers) {
    const halves = take(Uint16Array, layer.rows * layer.columns);
    layer.weight = new Float32Array(halves.length);
    for (let i = 0; i < layer.rows; i++) {
      const scale = layer.scale[i];
      const end = (i + 1) * layer.columns;
      for (let k = i * layer.columns; k < end; k++) layer.weight[k] = scale * HALVES[halves[k]];
    }
  }
  return layers;
}

/** A network of what `pack_network` gave: {first, blocks: [[one, two], ...], last, slope, head, levels, ...}. */
function readNetwork(about, base64) {
  const [first, ...rest] = readLayers(about, base64);
  const last = rest.pop();
  const blocks = [];
  while (rest.length) blocks.push(rest.splice(0, 2));
  if (blocks.length) blocks[0][0] = behind(first, blocks[0][0]);
  const width = first.rows;
  const vector = () => new Float32Array(width);
  return { ...about, first, blocks, last, width, h: vector(), y: vector(), z: vector() };
}

/** One Linear for two, one after the other: W (W0 x + b0) + b = (W W0) x + (W b0 + b). */
function behind(first, second) {
  const { columns } = first;
  const weight = new Float32Array(second.rows * columns);
  const bias = new Float32Array(second.rows);
  const row = new Float64Array(columns);
  for (let i = 0; i < second.rows; i++) {
    row.fill(0);
    let shift = second.bias[i];
    for (let k = 0; k < second.columns; k++) {
      const by = second.weight[i * second.columns + k];
      shift += by * first.bias[k];
      const at = k * columns;
      for (let c = 0; c < columns; c++) row[c] += by * first.weight[at + c];
    }
    weight.set(row, i * columns);
    bias[i] = shift;
  }
  return { rows: second.rows, columns, weight, bias };
}

/** y = W x + b, eight rows at a time: so every number of x is read once for eight products. */
function linear({ weight, bias, rows, columns: n }, x, y) {
  let i = 0;
  for (; i + 8 <= rows; i += 8) {
    let [a, b, c, d, e, f, g, h] = [0, 0, 0, 0, 0, 0, 0, 0];
    for (let k = 0, at = i * n; k < n; k++, at++) {
      const v = x[k];
      a += weight[at] * v;
      b += weight[at + n] * v;
      c += weight[at + 2 * n] * v;
      d += weight[at + 3 * n] * v;
      e += weight[at + 4 * n] * v;
      f += weight[at + 5 * n] * v;
      g += weight[at + 6 * n] * v;
      h += weight[at + 7 * n] * v;
    }
    y[i] = a + bias[i];
    y[i + 1] = b + bias[i + 1];
    y[i + 2] = c + bias[i + 2];
    y[i + 3] = d + bias[i + 3];
    y[i + 4] = e + bias[i + 4];
    y[i + 5] = f + bias[i + 5];
    y[i + 6] = g + bias[i + 6];
    y[i + 7] = h + bias[i + 7];
  }
  for (; i < rows; i++) {
    let sum = bias[i];
    for (let k = 0; k < n; k++) sum += weight[i * n + k] * x[k];
    y[i] = sum;
  }
}

function rectify(y, slope, factors) {
  for (let i = 0; i < y.length; i++) {
    const factor = y[i] > 0 ? 1 : slope;
    y[i] = y[i] > 0 ? y[i] : slope * y[i];
    if (factors) factors[i] = factor;
  }
}

/** What the last layer gives for columns x; `kept`, an array, takes the slopes of all units for `backward`. */
function forward(net, x, kept) {
  const { h, y, z, slope } = net;
  linear(net.first, x, h);
  net.blocks.forEach(([one, two], number) => {
    const factors = kept && [new Float32Array(net.width), new Float32Array(net.width)];
    linear(one, number ? h : x, y);
    rectify(y, slope, factors && factors[0]);
    linear(two, y, z);
    rectify(z, slope, factors && factors[1]);
    for (let i = 0; i < h.length; i++) h[i] += z[i];
    if (kept) kept.push(factors);
  });
  const answer = new Float32Array(net.last.rows);
  linear(net.last, h, answer);
  return answer;
}

/** d answer / d x of the layers, where `forward` kept the slopes: a row for each of `wanted` rows of the answer. */
function backward(net, kept, wanted) {
  const dh = wanted.map((i) => net.last.weight.slice(i * net.width, (i + 1) * net.width));
  const dx = dh.map(() => new Float32Array(net.first.columns));
  for (let number = net.blocks.length - 1; number >= 0; number--) {
    const [one, two] = net.blocks[number];
    const [f, g] = kept[number];
    const dy = dh.map(() => new Float32Array(net.width));
    transposed(two, dh, g, dy);
    transposed(one, dy, f, number ? dh : dx); // beside the shortcut
  }
  transposed(net.first, dh, new Float32Array(net.width).fill(1), dx);
  return dx;
}

/** out_k += (dy_k factors) W for all k: eight rows of W at a time, those of units that are off left out. */
function transposed({ weight, columns: n }, dy, factors, out) {
  const on = [...factors.keys()].filter((i) => factors[i] !== 0);
  while (on.length % 8) on.push(-1); // nothing, in the place of a row
  for (let t = 0; t < on.length; t += 8) {
    const eight = on.slice(t, t + 8);
    const [p, q, r, s, u, v, w, y] = eight.map((i) => Math.max(i, 0) * n);
    for (let k = 0; k < dy.length; k++) {
      const [a, b, c, d, e, f, g, h] = eight.map((i) => (i < 0 ? 0 : dy[k][i] * factors[i]));
      const row = out[k];
      for (let x = 0; x < n; x++) {
        row[x] += a * weight[p + x] + b * weight[q + x] + c * weight[r + x] + d * weight[s + x]
          + e * weight[u + x] + f * weight[v + x] + g * weight[w + x] + h * weight[y + x];
      }
    }
  }
}
