// How large people are in the image, a thread a pose: size_operations.py has the maths. Behind common.cu.
extern "C" __global__ void __launch_bounds__(256) sized(const real* x, real* size, real* points, real* out, real least, long long columns,
    long long joints, long long poses) {
  EACH(i, poses) {
    const real* mine = x + i * columns;
    real squares = 0, seen = 0;
    for (long long j = 0; j < joints; j++) {
      real u = mine[2 * j], v = mine[2 * j + 1], square = u * u + v * v;
      if (square == square) {
        squares += square;
        seen += 1;
      }
    }
    real s = sqrt(squares / (seen > 1 ? seen : (real)1));
    s = s > least ? s : least;
    size[i] = s;
    for (long long k = 0; k < columns; k++) out[i * columns + k] = mine[k] / s;
    if (points)
      for (long long k = 0; k < 2 * joints; k++) points[i * 2 * joints + k] = mine[k];
  }
}

extern "C" __global__ void __launch_bounds__(256) sized_backward(const real* dout, const real* dsize, const real* direct,
    const real* x, const real* size, real* dx, real least, long long columns, long long joints, long long poses) {
  EACH(i, poses) {
    const real *mine = x + i * columns, *dmine = dout + i * columns;
    real s = size[i], total = dsize[i], seen = 0, dot = 0;
    for (long long j = 0; j < joints; j++) {
      real u = mine[2 * j], v = mine[2 * j + 1];
      if (u == u && v == v) {
        dot += u * dmine[2 * j] + v * dmine[2 * j + 1];
        seen += 1;
      }
    }
    for (long long k = 2 * joints; k < columns; k++)
      if (mine[k] == mine[k]) dot += mine[k] * dmine[k];
    total = s > least ? (total - dot / (s * s)) / s / (seen > 1 ? seen : (real)1) : (real)0;
    for (long long k = 0; k < columns; k++) dx[i * columns + k] = dmine[k] / s;
    for (long long j = 0; j < joints; j++) {
      real u = mine[2 * j], v = mine[2 * j + 1];
      real *here = dx + i * columns + 2 * j;
      const real *more = direct + (i * joints + j) * 2;
      bool known = u == u && v == v;
      here[0] += more[0] + (known ? total * u : (real)0);
      here[1] += more[1] + (known ? total * v : (real)0);
    }
  }
}

extern "C" __global__ void __launch_bounds__(256) with_size(const real* x, const real* size, real* out, real scale, real shift,
    long long columns, long long poses) {
  EACH(i, poses) {
    for (long long k = 0; k < columns; k++) out[i * (columns + 1) + k] = x[i * columns + k];
    out[i * (columns + 1) + columns] = log(size[i]) * scale + shift;
  }
}

extern "C" __global__ void __launch_bounds__(256) with_size_backward(const real* dout, const real* size, real* dx, real* dsize,
    real scale, long long columns, long long poses) {
  EACH(i, poses) {
    for (long long k = 0; k < columns; k++) dx[i * columns + k] = dout[i * (columns + 1) + k];
    dsize[i] = dout[i * (columns + 1) + columns] / size[i] * scale;
  }
}

extern "C" __global__ void __launch_bounds__(256) unsized(const real* x, const real* size, real* out, long long columns,
    long long poses) {
  EACH(i, poses) {
    for (long long k = 0; k < columns; k++) out[i * columns + k] = x[i * columns + k] * size[i] - (k % 3 == 2 ? 1 : 0);
  }
}

extern "C" __global__ void __launch_bounds__(256) unsized_backward(const real* dout, const real* x, const real* size, real* dx,
    real* dsize, long long columns, long long poses) {
  EACH(i, poses) {
    real total = 0;
    for (long long k = 0; k < columns; k++) {
      total += dout[i * columns + k] * x[i * columns + k];
      dx[i * columns + k] = dout[i * columns + k] * size[i];
    }
    dsize[i] = total;
  }
}

extern "C" __global__ void __launch_bounds__(256) relative(const real* x, const real* target, real* out, real least,
    long long columns, long long poses) {
  EACH(i, poses) {
    const real* mine = target + i * columns;
    real squares = 0;
    for (long long k = 0; k < columns; k++) {
      real away = mine[k] + (k % 3 == 2 ? 1 : 0);
      squares += away * away;
    }
    real reach = sqrt(squares / (columns / 3));
    reach = reach > least ? reach : least;
    for (long long k = 0; k < columns; k++) out[i * columns + k] = x[i * columns + k] / reach;
  }
}
