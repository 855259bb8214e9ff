// Joints on their rays, a thread a joint: operations.py has the maths. Behind common.cu.
extern "C" __global__ void __launch_bounds__(256) rays(const real* points, const real* depth, real* out, long long joints) {
  EACH(j, joints) {
    real z = depth[j];
    out[3 * j] = -points[2 * j] * z;
    out[3 * j + 1] = -points[2 * j + 1] * z;
    out[3 * j + 2] = z;
  }
}

extern "C" __global__ void __launch_bounds__(256) rays_backward(const real* dy, const real* points, const real* depth,
    real* dpoints, real* ddepth, long long joints) {
  EACH(j, joints) {
    real dx = dy[3 * j], dv = dy[3 * j + 1], z = depth[j];
    ddepth[j] = dy[3 * j + 2] - points[2 * j] * dx - points[2 * j + 1] * dv;
    if (dpoints) {
      dpoints[2 * j] = -z * dx;
      dpoints[2 * j + 1] = -z * dv;
    }
  }
}

// Joints that may not have been seen, NaN, or are known with doubt. x (n, columns) is the points (n, 2J) and perhaps
// behind them the standard deviations (n, J); r (n, J) is how far each joint is to be relied on.
extern "C" __global__ void __launch_bounds__(256) reliability(const real* x, real* points, real* r, real level,
    long long columns, long long per_row, long long joints) {
  EACH(j, joints) {
    const real* mine = x + j / per_row * columns;
    long long joint = j % per_row;
    real u = mine[2 * joint], v = mine[2 * joint + 1];
    real told = columns > 2 * per_row ? level / (mine[2 * per_row + joint] + level) : (real)1;
    r[j] = u == u && v == v ? told : (real)0;
    if (points) {
      points[2 * j] = u;
      points[2 * j + 1] = v;
    }
  }
}

extern "C" __global__ void __launch_bounds__(256) reliability_backward(const real* dr, const real* r, const real* dpoints,
    real* out, real level, long long per_row, long long joints) {
  EACH(j, joints) {
    real* mine = out + j / per_row * 3 * per_row;
    long long joint = j % per_row;
    mine[2 * joint] = dpoints[2 * j];
    mine[2 * joint + 1] = dpoints[2 * j + 1];
    mine[2 * per_row + joint] = dr[j] * r[j] * r[j] / -level;
  }
}

extern "C" __global__ void __launch_bounds__(256) given(const real* points, const real* r, real* out, real ratio,
    long long columns, long long per_row, long long joints) {
  EACH(j, joints) {
    real* mine = out + j / per_row * columns;
    long long joint = j % per_row;
    real rely = r[j], doubt = ratio * (1 - rely), weight = rely * rely / (rely * rely + doubt * doubt);
    mine[2 * joint] = rely == 0 ? (real)0 : points[2 * j] * weight;
    mine[2 * joint + 1] = rely == 0 ? (real)0 : points[2 * j + 1] * weight;
    mine[2 * per_row + joint] = weight;
    if (columns > 3 * per_row) mine[3 * per_row + joint] = rely;
  }
}

extern "C" __global__ void __launch_bounds__(256) given_backward(const real* dy, const real* points, const real* r,
    real* dpoints, real* dr, real ratio, long long columns, long long per_row, long long joints) {
  EACH(j, joints) {
    const real* mine = dy + j / per_row * columns;
    long long joint = j % per_row;
    real rely = r[j], doubt = ratio * (1 - rely), both = rely * rely + doubt * doubt, weight = rely * rely / both;
    bool seen = rely != 0;
    real du = mine[2 * joint], dv = mine[2 * joint + 1];
    dpoints[2 * j] = seen ? du * weight : (real)0;
    dpoints[2 * j + 1] = seen ? dv * weight : (real)0;
    if (dr) {
      real dweight = mine[2 * per_row + joint] + du * points[2 * j] + dv * points[2 * j + 1];
      dr[j] = seen ? dweight * (2 * ratio * ratio * rely * (1 - rely) / both / both) + mine[3 * per_row + joint] : (real)0;
    }
  }
}

extern "C" __global__ void __launch_bounds__(256) place(const real* points, const real* r, const real* o, real* out, real ratio,
    long long joints) {
  EACH(j, joints) {
    real rely = r[j], z = o[3 * j + 2], doubt = ratio * (1 - rely);
    real weight = rely * rely / (rely * rely + doubt * doubt), gain = doubt / (doubt + rely);
    for (int axis = 0; axis < 2; axis++) {
      real seen = rely == 0 ? (real)0 : points[2 * j + axis] * weight;
      out[3 * j + axis] = -(seen + gain * o[3 * j + axis]) * z;
    }
    out[3 * j + 2] = z;
  }
}

extern "C" __global__ void __launch_bounds__(256) place_backward(const real* dy, const real* points, const real* r,
    const real* o, real* dpoints, real* dr, real* d_o, real ratio, long long joints) {
  EACH(j, joints) {
    real rely = r[j], z = o[3 * j + 2], dz = dy[3 * j + 2], drely = 0, dweight = 0;
    real doubt = ratio * (1 - rely), both = rely * rely + doubt * doubt, weight = rely * rely / both;
    real below = doubt + rely, gain = doubt / below;
    for (int axis = 0; axis < 2; axis++) {
      real given = rely == 0 ? (real)0 : points[2 * j + axis], own = o[3 * j + axis];
      real d = dy[3 * j + axis], dp = -(d * z);
      dz -= (given * weight + gain * own) * d;
      d_o[3 * j + axis] = gain * dp;
      if (dpoints) dpoints[2 * j + axis] = weight * dp;
      drely += own * dp;
      dweight += given * dp;
    }
    d_o[3 * j + 2] = dz;
    drely = drely * -ratio / below / below + dweight * (2 * ratio * ratio * rely * (1 - rely) / both / both);
    if (dr) dr[j] = rely == 0 ? (real)0 : drely;
  }
}
