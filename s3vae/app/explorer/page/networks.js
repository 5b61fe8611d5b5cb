// The networks of the model: in this page by onnxruntime-web, or of the server that sent the page.

/** Return the content of an element of packed bytes (gzip as base64). */
async function unpacked(id) {
  const text = document.getElementById(id).textContent;
  const packed = await (await fetch(`data:application/gzip;base64,${text.trim()}`)).blob();
  const stream = packed.stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Import a library that the page holds. */
async function library(id) {
  return import(await addressOf(id));
}

/** Return the address of a script that the page holds. */
async function addressOf(id) {
  return URL.createObjectURL(new Blob([await unpacked(id)], { type: "text/javascript" }));
}

/** Return a function (graph, batch, time, inputs) => outputs; both are typed arrays by name. */
async function openNetworks(page) {
  return page.served ? servedNetworks(page) : onnxNetworks(page);
}

async function onnxNetworks(page) {
  const ort = await library("ort.wasm.min.mjs");
  ort.env.wasm.numThreads = 1; // several need headers that only a server can send
  ort.env.wasm.wasmPaths = { mjs: await addressOf("ort-wasm-simd-threaded.mjs") };
  ort.env.wasm.wasmBinary = await unpacked("ort-wasm-simd-threaded.wasm");
  const sessions = {};
  for (const graph of Object.keys(page.graphs)) {
    sessions[graph] = await ort.InferenceSession.create(await unpacked(graph));
  }
  return async (graph, batch, time, inputs) => {
    const feeds = {};
    for (const [name, values] of Object.entries(inputs)) {
      const kind = values instanceof Uint8Array ? "uint8" : "float32";
      feeds[name] = new ort.Tensor(kind, values, shapeOf(page, name, batch, time));
    }
    const results = await sessions[graph].run(feeds);
    return Object.fromEntries(Object.entries(results).map(([name, each]) => [name, each.data]));
  };
}

function servedNetworks(page) {
  return async (graph, batch, time, inputs) => {
    const body = new Blob(page.graphs[graph].inputs.map((name) => inputs[name]));
    const answer = await fetch(`${graph}?batch=${batch}&time=${time}`, { method: "POST", body });
    if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
    const bytes = await answer.arrayBuffer();
    const results = {};
    let start = 0;
    for (const name of page.graphs[graph].outputs) {
      const length = shapeOf(page, name, batch, time).reduce((product, side) => product * side, 1);
      const kind = name === "video" ? Uint8Array : Float32Array;
      results[name] = new kind(bytes, start, length);
      start += length * kind.BYTES_PER_ELEMENT;
    }
    return results;
  };
}

function shapeOf(page, name, batch, time) {
  return page.axes[name].map((axis) => ({ ...page.sizes, batch, time })[axis]);
}

/** The model: clips to codes and back, and codes from the priors. Codes are Float32Arrays. */
class Model {
  constructor(page, run) {
    this.page = page;
    this.run = run;
    this.dim = { static: page.sizes.static, dynamic: page.sizes.dynamic };
    this.pixels = page.sizes.height * page.sizes.width * page.sizes.channel;
  }

  /**
   * Return z_f and z_t of a clip. Long clips are read in overlapping windows of the length of
   * training: z_f is averaged, z_t cross-faded.
   */
  async encode(frames, count) {
    const window = Math.min(this.page.clips.time, count);
    const overlap = Math.floor(this.page.clips.time / 2);
    const starts = [];
    for (let at = 0; at < count - window; at += this.page.clips.time - overlap) starts.push(at);
    starts.push(count - window);
    const dim = this.dim.dynamic;
    const codes = { static: new Float32Array(this.dim.static), dynamic: new Float32Array(count * dim) };
    const total = new Float32Array(count);
    for (const start of starts) {
      const video = frames.slice(start * this.pixels, (start + window) * this.pixels);
      const part = await this.run("encode", 1, window, { video });
      codes.static.forEach((_, i) => (codes.static[i] += part.static[i] / starts.length));
      for (let frame = 0; frame < window; frame++) {
        const weight = Math.min(frame + 1, window - frame, overlap + 1);
        total[start + frame] += weight;
        for (let i = 0; i < dim; i++) {
          codes.dynamic[(start + frame) * dim + i] += weight * part.dynamic[frame * dim + i];
        }
      }
    }
    codes.dynamic.forEach((_, i) => (codes.dynamic[i] /= total[Math.floor(i / dim)]));
    return codes;
  }

  /** Return the frames of a clip, a few at a time. */
  async decode(codes) {
    const dim = this.dim.dynamic;
    const count = codes.dynamic.length / dim;
    const frames = new Uint8Array(count * this.pixels);
    for (let start = 0; start < count; start += 64) {
      const dynamic = codes.dynamic.slice(start * dim, (start + 64) * dim);
      const inputs = { static: codes.static, dynamic };
      const { video } = await this.run("decode", 1, dynamic.length / dim, inputs);
      frames.set(video, start * this.pixels);
    }
    return frames;
  }

  /** Return codes moved by steps (standard deviations) along the first principal directions. */
  moved(codes, steps) {
    const result = { static: codes.static.slice(), dynamic: codes.dynamic.slice() };
    for (const code of ["static", "dynamic"]) {
      const dim = this.dim[code];
      steps[code].forEach((step, direction) => {
        const along = this.page.directions[code][direction];
        result[code].forEach((_, i) => (result[code][i] += step * along[i % dim]));
      });
    }
    return result;
  }

  /** Draw an appearance from the learned prior if the model has one, else from N(0, I). */
  drawStatic(random) {
    const prior = this.page.static_prior;
    if (!prior) return Float32Array.from({ length: this.dim.static }, () => random.normal());
    const sources = prior.parts.flatMap((part) => sourcesOf(part, random));
    return Float32Array.from(prior.centre, (centre, i) =>
      sources.reduce((sum, each, source) => sum + each * prior.mixing[source][i], centre));
  }

  /** Return the indices of the parts of the appearance that are more than one source: attributes. */
  attributes() {
    return (this.page.static_prior?.parts ?? [])
      .map((part, index) => (part.means[0].length > 1 ? index : -1))
      .filter((index, _, all) => index >= 0 && all.length > 1);
  }

  /** Return a static code of which one part of the appearance is drawn again. */
  redrawn(code, index, random) {
    const { parts, centre, mixing, unmixing } = this.page.static_prior;
    const first = parts.slice(0, index).reduce((sum, part) => sum + part.means[0].length, 0);
    const result = code.slice();
    sourcesOf(parts[index], random).forEach((drawn, offset) => {
      const source = first + offset;
      const before = code.reduce((sum, each, i) => sum + (each - centre[i]) * unmixing[i][source], 0);
      result.forEach((_, i) => (result[i] += (drawn - before) * mixing[source][i]));
    });
    return result;
  }

  /** Draw a motion. */
  async drawDynamic(random, time) {
    const prior = this.page.dynamic_prior;
    const before = Float32Array.from(prior.starts[random.choice(prior.shares)]);
    return this.drawnAfter(random, { before, ...this.zeroState(1) }, time);
  }

  /** Draw the codes that follow a clip's, from the motion cluster that explains those best. */
  async continued(random, codes, time) {
    const { starts } = this.page.dynamic_prior;
    const dim = this.dim.dynamic;
    const many = starts.length;
    const likelihood = new Float64Array(many);
    let before = Float32Array.from(starts.flat());
    let state = this.zeroState(many);
    for (let at = 0; at < codes.dynamic.length; at += dim) {
      const next = await this.run("prior_step", many, 1, { before, ...state });
      before = new Float32Array(many * dim);
      for (let i = 0; i < many * dim; i++) {
        before[i] = codes.dynamic[at + (i % dim)];
        const distance = (before[i] - next.mean[i]) / next.std[i];
        likelihood[Math.floor(i / dim)] -= distance ** 2 / 2 + Math.log(next.std[i]);
      }
      state = { hidden: next.next_hidden, cell: next.next_cell };
    }
    const best = likelihood.indexOf(Math.max(...likelihood));
    const [layers, , recurrent] = this.page.dynamic_prior.state;
    const ofBest = (values) => Float32Array.from({ length: layers * recurrent }, (_, i) =>
      values[(Math.floor(i / recurrent) * many + best) * recurrent + (i % recurrent)]);
    const last = { before: codes.dynamic.slice(-dim), hidden: ofBest(state.hidden), cell: ofBest(state.cell) };
    const drawn = await this.drawnAfter(random, last, time);
    const dynamic = new Float32Array(codes.dynamic.length + drawn.length);
    dynamic.set(codes.dynamic);
    dynamic.set(drawn, codes.dynamic.length);
    return { static: codes.static, dynamic };
  }

  async drawnAfter(random, inputs, time) {
    const dim = this.dim.dynamic;
    const drawn = new Float32Array(time * dim);
    for (let at = 0; at < time; at++) {
      const next = await this.run("prior_step", 1, 1, inputs);
      const before = Float32Array.from(next.mean, (mean, i) => mean + next.std[i] * random.normal());
      drawn.set(before, at * dim);
      inputs = { before, hidden: next.next_hidden, cell: next.next_cell };
    }
    return drawn;
  }

  zeroState(batch) {
    const [layers, , recurrent] = this.page.dynamic_prior.state;
    const length = layers * batch * recurrent;
    return { hidden: new Float32Array(length), cell: new Float32Array(length) };
  }
}

/** Draw the sources of one part of the appearance: a component of its mixture, then a point. */
function sourcesOf({ shares, means, factors }, random) {
  const chosen = random.choice(shares);
  const noise = means[chosen].map(() => random.normal());
  return means[chosen].map((mean, row) =>
    factors[chosen][row].reduce((sum, each, column) => sum + each * noise[column], mean));
}

/** Random numbers that a seed fixes (mulberry32, Box-Muller). */
class Random {
  constructor(seed) {
    this.state = seed >>> 0;
  }

  uniform() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  normal() {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Return an index with the probability that its share states. */
  choice(shares) {
    let left = this.uniform();
    return Math.max(0, shares.findIndex((share) => (left -= share) < 0));
  }
}
