// Films: clips side by side on a canvas, which play, and are saved as MP4 or GIF.

const GAP = 2;
const films = new Set();
const clock = { playing: !matchMedia("(prefers-reduced-motion: reduce)").matches, time: 0, last: 0 };

/** Clips in rows and columns. `cells` has null where nothing is shown. */
class Film {
  constructor(canvas, sizes, { playing = true } = {}) {
    this.canvas = canvas;
    this.sizes = sizes;
    this.context = canvas.getContext("2d", { willReadFrequently: true });
    this.tile = new ImageData(sizes.width, sizes.height);
    if (playing) films.add(this);
  }

  /**
   * Show rows of clips ({frames, count, rate}), each at its own rate. From its frame `mark` on, a
   * clip has a line below it.
   */
  show(rows) {
    const { height, width } = this.sizes;
    const clips = rows.flat().filter(Boolean);
    this.rate = Math.max(...clips.map((clip) => clip.rate));
    this.count = Math.round(Math.max(...clips.map((clip) => clip.count / clip.rate)) * this.rate);
    Object.assign(this, { rows, shown: -1 });
    const columns = Math.max(...rows.map((row) => row.length));
    if (this.canvas.style) this.canvas.style.width = `${Math.max(8 * columns, 12)}rem`;
    this.canvas.width = columns * (width + GAP) - GAP;
    this.canvas.height = rows.length * (height + GAP) - GAP;
    this.draw(this.index());
  }

  index() {
    return Math.floor(clock.time * this.rate + 1e-6) % this.count;
  }

  draw(index) {
    if (index === this.shown) return;
    this.shown = index;
    const { height, width, channel } = this.sizes;
    const pixels = this.tile.data;
    this.rows.forEach((row, y) => row.forEach((clip, x) => {
      if (!clip) return;
      const frame = Math.floor((index / this.rate) * clip.rate + 1e-6) % clip.count;
      const start = frame * height * width * channel;
      for (let i = 0; i < height * width; i++) {
        for (let c = 0; c < 3; c++) pixels[4 * i + c] = clip.frames[start + i * channel + (channel === 3 ? c : 0)];
        pixels[4 * i + 3] = 255;
      }
      this.context.putImageData(this.tile, x * (width + GAP), y * (height + GAP));
      if (frame >= (clip.mark ?? Infinity)) {
        this.context.fillStyle = "#e0245e";
        this.context.fillRect(x * (width + GAP), (y + 1) * (height + GAP) - GAP - 2, width, 2);
      }
    }));
  }

  /** Return a film of the same clips that is not on the page, for a file. */
  copy() {
    const film = new Film(new OffscreenCanvas(1, 1), this.sizes, { playing: false });
    film.show(this.rows);
    return film;
  }

  /** Call `use` with every frame, enlarged by a whole factor. */
  async eachFrame(progress, use) {
    const factor = Math.max(1, Math.round(256 / this.canvas.height));
    const even = (side) => side * factor + (side * factor) % 2;
    const large = new OffscreenCanvas(even(this.canvas.width), even(this.canvas.height));
    const context = large.getContext("2d", { willReadFrequently: true });
    for (let index = 0; index < this.count; index++) {
      if (index % 10 === 0) {
        progress(`Writing frame ${index + 1} of ${this.count}.`);
        await new Promise((resolve) => setTimeout(resolve)); // so that the page stays alive
      }
      this.draw(index);
      context.drawImage(this.canvas, 0, 0, this.canvas.width * factor, this.canvas.height * factor);
      await use(large, context, index);
    }
  }
}

const shownFilms = () => [...films].filter((film) => film.rows);

/** Go on by one frame of the fastest film. */
function showNextFrame() {
  clock.time += 1 / Math.max(...shownFilms().map((film) => film.rate));
  shownFilms().forEach((film) => film.draw(film.index()));
}

function tick(now) {
  if (clock.playing) {
    clock.time += Math.min(now - clock.last, 250) / 1000;
    shownFilms().forEach((film) => film.draw(film.index()));
  }
  clock.last = now;
  requestAnimationFrame(tick);
}

/** Return a film as an MP4 file: H.264 where the browser can write it, else VP9. */
async function mp4Of(media, film, progress) {
  const target = new media.BufferTarget();
  const output = new media.Output({ format: new media.Mp4OutputFormat(), target });
  let source;
  await film.eachFrame(progress, async (canvas, context, index) => {
    if (!source) {
      const { width, height } = canvas;
      const codec = await media.getFirstEncodableVideoCodec(["avc", "vp9", "av1"], { width, height });
      if (!codec) throw new Error("this browser cannot write MP4: save a GIF");
      source = new media.CanvasSource(canvas, { codec, bitrate: media.QUALITY_VERY_HIGH });
      output.addVideoTrack(source, { frameRate: film.rate });
      await output.start();
    }
    await source.add(index / film.rate, 1 / film.rate);
  });
  await output.finalize();
  return new Blob([target.buffer], { type: "video/mp4" });
}

/** Return a film as a GIF of 256 colours per frame. */
async function gifOf(gif, film, progress) {
  const encoder = gif.GIFEncoder();
  await film.eachFrame(progress, (canvas, context) => {
    const { data, width, height } = context.getImageData(0, 0, canvas.width, canvas.height);
    const palette = gif.quantize(data, 256);
    encoder.writeFrame(gif.applyPalette(data, palette), width, height, { palette, delay: 1000 / film.rate });
  });
  encoder.finish();
  return new Blob([encoder.bytes()], { type: "image/gif" });
}

function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
