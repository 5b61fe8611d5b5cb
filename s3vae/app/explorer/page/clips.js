// Clips: the ones that the page holds, and videos that somebody adds.

/** Return the frames of a clip of the page, which are tiles of one lossless picture. */
async function heldClip(page, held) {
  const { height, width, channel } = page.sizes;
  const bytes = await (await fetch(held.picture)).blob();
  const picture = await createImageBitmap(bytes);
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(picture, 0, 0);
  const frames = new Uint8Array(held.count * height * width * channel);
  const columns = picture.width / width;
  for (let frame = 0; frame < held.count; frame++) {
    const [left, top] = [(frame % columns) * width, Math.floor(frame / columns) * height];
    const { data } = context.getImageData(left, top, width, height);
    writeFrame(data, frames.subarray(frame * height * width * channel), channel);
  }
  const codes = held.codes && {
    static: Float32Array.from(held.codes.static), dynamic: Float32Array.from(held.codes.dynamic),
  };
  return { name: held.name, frames, count: held.count, rate: held.rate, codes };
}

/** Copy pixels (RGBA) into a frame of the model, which may be grey. */
function writeFrame(pixels, frame, channels) {
  for (let i = 0; i < pixels.length / 4; i++) {
    if (channels === 1) {
      frame[i] = Math.round(.299 * pixels[4 * i] + .587 * pixels[4 * i + 1] + .114 * pixels[4 * i + 2]);
    } else {
      for (let c = 0; c < 3; c++) frame[3 * i + c] = pixels[4 * i + c];
    }
  }
}

const HDR = ["pq", "hlg"];

/** Open a video file and return its track of pictures. Throws if they cannot be decoded here. */
async function openVideo(media, file) {
  let track;
  try {
    const input = new media.Input({ source: new media.BlobSource(file), formats: media.ALL_FORMATS });
    track = await input.getPrimaryVideoTrack();
  } catch {
    throw new Error(`${file.name} is no video that can be read here: convert it to MP4`);
  }
  if (!track || !(await track.canDecode())) {
    throw new Error(`this browser finds no pictures in ${file.name} that it can decode: convert it to H.264`);
  }
  if (HDR.includes((await track.getColorSpace()).transfer)) {
    throw new Error(`${file.name} is HDR: convert it to SDR`);
  }
  return track;
}

/** Decode a video frame by frame. Throws with the file's name where it is damaged. */
async function* samplesOf(media, track, file) {
  let read = 0;
  try {
    for await (const sample of new media.VideoSampleSink(track).samples()) {
      read++;
      yield sample;
    }
  } catch (error) {
    if (error.name !== "EncodingError") throw error;
    throw new Error(`${file.name} is damaged after ${read} frames: convert it again`);
  }
}

/**
 * Return a frame as RGBA, by the arithmetic of OpenCV's decoder. Browsers guess the matrix where a
 * video does not state it, and convert primaries. Frames that are not in memory stay as they are.
 */
async function recoloured(media, track, sample) {
  if (!["I420", "NV12"].includes(sample.format)) return sample;
  const frame = sample.toVideoFrame();
  const bytes = new Uint8Array(frame.allocationSize());
  const layout = await frame.copyTo(bytes);
  const { width, height } = frame.visibleRect;
  const { matrix } = await track.getColorSpace();
  const weights = colourWeights(matrix, frame.colorSpace.fullRange);
  const pixels = rgbaOf(bytes, layout, width, height, weights);
  const other = new VideoFrame(pixels, {
    format: "RGBA",
    codedWidth: width,
    codedHeight: height,
    displayWidth: frame.displayWidth,
    displayHeight: frame.displayHeight,
    timestamp: frame.timestamp,
  });
  const { rotation, flip } = sample;
  frame.close();
  sample.close();
  return new media.VideoSample(other, { rotation, flip });
}

/** Return what turns Y, U and V into red, green and blue, times 2^13. */
function colourWeights(matrix, fullRange) {
  const [red, blue] = { bt709: [.2126, .0722], "bt2020-ncl": [.2627, .0593] }[matrix] ?? [.299, .114];
  const green = 1 - red - blue;
  const scale = fullRange ? 2 ** 13 : (2 ** 13 * 255) / 224;
  const [ofV, ofU] = [2 * (1 - red) * scale, 2 * (1 - blue) * scale];
  return {
    black: fullRange ? 0 : 16,
    luma: Math.round(fullRange ? 2 ** 13 : (2 ** 13 * 255) / 219),
    red: Math.round(ofV),
    greenU: Math.round((-ofU * blue) / green),
    greenV: Math.round((-ofV * red) / green),
    blue: Math.round(ofU),
  };
}

/** Convert planes of YUV 4:2:0; every product is rounded down, and colours are not interpolated. */
function rgbaOf(bytes, layout, width, height, weights) {
  const [luma, first, second] = layout;
  const [step, ofV] = second ? [1, second.offset] : [2, first.offset + 1]; // I420 or NV12
  const pixels = new Uint8ClampedArray(4 * width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const colour = (y >> 1) * first.stride + step * (x >> 1);
      const u = 8 * (bytes[first.offset + colour] - 128);
      const v = 8 * (bytes[ofV + colour] - 128);
      const level = (8 * (bytes[luma.offset + y * luma.stride + x] - weights.black) * weights.luma) >> 16;
      const at = 4 * (y * width + x);
      pixels[at] = level + ((v * weights.red) >> 16);
      pixels[at + 1] = level + ((u * weights.greenU) >> 16) + ((v * weights.greenV) >> 16);
      pixels[at + 2] = level + ((u * weights.blue) >> 16);
      pixels[at + 3] = 255;
    }
  }
  return pixels;
}

/** Return a clip of a video file, cropped and resized as those of training. */
async function readVideo(media, page, file, place, progress) {
  const { height, width, channel } = page.sizes;
  const track = await openVideo(media, file);
  const times = [];
  for await (const sample of samplesOf(media, track, file)) {
    if (times.push(sample.timestamp) % 50 === 0) progress(`${file.name}: ${times.length} frames found`);
    sample.close();
  }
  if (!times.length) throw new Error(`${file.name} has no frames that can be read`);
  const every = takenFrames(page.clips, times, file.name);
  const taken = every.slice(0, page.most_frames);
  const frames = new Uint8Array(taken.length * height * width * channel);
  let box, canvas, context, index = 0, done = 0;
  for await (const raw of samplesOf(media, track, file)) {
    if (index++ !== taken[done]) {
      raw.close();
      continue;
    }
    const sample = await recoloured(media, track, raw);
    if (!canvas) {
      canvas = new OffscreenCanvas(sample.displayWidth, sample.displayHeight);
      context = canvas.getContext("2d", { willReadFrequently: true });
      box = boxOf(page, canvas, place);
    }
    sample.draw(context, 0, 0, canvas.width, canvas.height);
    sample.close();
    const { data } = context.getImageData(box.left, box.top, box.width, box.height);
    writeFrame(resized(data, box, page.sizes), frames.subarray(done * height * width * channel), channel);
    if (++done % 10 === 0) progress(`${file.name}: frame ${done} of ${taken.length}`);
    if (done === taken.length) break;
  }
  const span = times[taken.at(-1)] - times[taken[0]];
  const rate = span > 0 ? (taken.length - 1) / span : page.rate;
  return { name: file.name, frames, count: taken.length, rate, cut: every.length > taken.length };
}

/** Return the indices of the frames that the model takes: every one, or those nearest to a rate. */
function takenFrames(clips, times, name) {
  let every = times.map((_, index) => index);
  if (clips.fps && times.length > 1) {
    const between = times.slice(1).map((time, index) => time - times[index]).sort((a, b) => a - b);
    const halfFrame = between[Math.floor(between.length / 2)] / 2;
    const ticks = Math.floor((times.at(-1) - times[0] + halfFrame) * clips.fps) + 1;
    const nearest = new Set();
    for (let tick = 0, at = 0; tick < ticks; tick++) {
      const time = times[0] + tick / clips.fps;
      while (at + 1 < times.length && Math.abs(times[at + 1] - time) < Math.abs(times[at] - time)) at++;
      nearest.add(at);
    }
    if (nearest.size < .9 * ticks) {
      throw new Error(`${name} has too few frames for the model, which reads ${clips.fps} per second`);
    }
    every = [...nearest];
  }
  return every.filter((_, index) => index % (clips.stride ?? 1) === 0);
}

/** Return the part of a frame to use: the whole, or a box of the model's aspect. */
function boxOf(page, frame, place) {
  const { height, width } = page.sizes;
  if (page.clips.crop === "none") {
    return { left: 0, top: 0, width: frame.width, height: frame.height };
  }
  const { x, y, size } = place ?? { x: .5, y: .5, size: 1 };
  const scale = size * Math.min(frame.height / height, frame.width / width);
  const box = { width: toEven(scale * width), height: toEven(scale * height) };
  box.left = toEven(x * (frame.width - box.width));
  box.top = toEven(y * (frame.height - box.height));
  return box;
}

/** Round as Python does: a half to the even neighbour. */
function toEven(number) {
  const rounded = Math.round(number);
  return rounded - number === .5 && rounded % 2 ? rounded - 1 : rounded;
}

/** Resize pixels (RGBA) as OpenCV does: by area where they shrink, else by cubic interpolation. */
function resized(pixels, box, sizes) {
  const shrinks = box.height >= sizes.height && box.width >= sizes.width;
  const weights = shrinks ? areaWeights : cubicWeights;
  const across = weights(box.width, sizes.width);
  const down = weights(box.height, sizes.height);
  const rows = new Float64Array(box.height * sizes.width * 4);
  for (let y = 0; y < box.height; y++) {
    for (let x = 0; x < sizes.width; x++) {
      for (const [from, weight] of across[x]) {
        for (let c = 0; c < 3; c++) {
          rows[(y * sizes.width + x) * 4 + c] += weight * pixels[(y * box.width + from) * 4 + c];
        }
      }
    }
  }
  const result = new Uint8ClampedArray(sizes.height * sizes.width * 4).fill(255);
  for (let y = 0; y < sizes.height; y++) {
    for (let x = 0; x < sizes.width; x++) {
      for (let c = 0; c < 3; c++) {
        let sum = 0;
        for (const [from, weight] of down[y]) sum += weight * rows[(from * sizes.width + x) * 4 + c];
        result[(y * sizes.width + x) * 4 + c] = sum;
      }
    }
  }
  return result;
}

function areaWeights(from, to) {
  const scale = from / to;
  return Array.from({ length: to }, (_, at) => {
    const [start, end] = [at * scale, (at + 1) * scale];
    const weights = [];
    for (let i = Math.floor(start); i < Math.min(from, Math.ceil(end - 1e-9)); i++) {
      weights.push([i, (Math.min(i + 1, end) - Math.max(i, start)) / scale]);
    }
    return weights;
  });
}

function cubicWeights(from, to) {
  const a = -.75; // the constant of OpenCV
  const kernel = (t) => t <= 1 ? ((a + 2) * t - (a + 3)) * t * t + 1 : ((a * t - 5 * a) * t + 8 * a) * t - 4 * a;
  return Array.from({ length: to }, (_, at) => {
    const centre = (at + .5) * from / to - .5;
    const first = Math.floor(centre) - 1;
    return [0, 1, 2, 3].map((i) => [
      Math.min(Math.max(first + i, 0), from - 1), kernel(Math.abs(centre - first - i)),
    ]);
  });
}
