// What the controls of the page do.

const page = JSON.parse(document.getElementById("page").textContent);
const REACH = 3, DRAWN = 16, SWAPPED = 4, MOST_SWAPPED = 6;
const at = (id) => document.getElementById(id);
const clips = [];
let model, media, gif, pending = Promise.resolve();

/** Show a message; an error stays until the next action. */
function say(text, isError = false) {
  at("status").textContent = text;
  at("status").classList.toggle("error", isError);
}

/** Run actions one after the other, and say what each does and whether it failed. */
function act(text, action) {
  pending = pending.then(async () => {
    say(text);
    await new Promise((resolve) => setTimeout(resolve)); // so that the text is seen
    try {
      const note = await action();
      say(typeof note === "string" ? note : "Ready.");
    } catch (error) {
      say(`${error.message}.`, true);
    }
  });
  return pending;
}

/** Add a canvas and buttons that save it. */
function filmIn(id, name, description) {
  const canvas = document.createElement("canvas");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", description);
  const bar = document.createElement("p");
  bar.className = "bar";
  bar.hidden = true;
  const film = new Film(canvas, page.sizes);
  for (const kind of ["mp4", "gif"]) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = `Save as ${kind.toUpperCase()}`;
    button.setAttribute("aria-label", `${button.textContent}: ${name}`);
    button.onclick = () => act(`Writing ${name}.${kind}.`, async () => {
      gif ??= await library("gifenc.esm.js");
      const copy = film.copy();
      const blob = kind === "mp4" ? await mp4Of(media, copy, say) : await gifOf(gif, copy, say);
      download(blob, `${name}.${kind}`);
      return `${name}.${kind}: ${(blob.size / 1000).toFixed(0)} kB.`;
    });
    bar.append(button);
  }
  at(id).append(canvas, bar);
  canvas.hidden = true;
  return {
    show(rows) {
      canvas.hidden = bar.hidden = !rows;
      if (rows) film.show(rows);
    },
  };
}

const view = {
  swap: filmIn("swap", "swap", "Grid of swapped clips"),
  change: filmIn("change", "change", "A clip as decoded, and with changed codes"),
  drawn: filmIn("drawn", "drawn", "Drawn clips"),
  continued: filmIn("continued", "continued", "A clip that goes on"),
};

/** Return the clip of some codes. */
async function decoded(codes, rate) {
  return { frames: await model.decode(codes), count: codes.dynamic.length / model.dim.dynamic, rate };
}

/** Encode a clip and keep it; a video that was read before replaces itself, a new one a held clip in the grid. */
async function add(clip) {
  clip.codes ??= await model.encode(clip.frames, clip.count);
  clip.decoded = await decoded(clip.codes, clip.rate);
  const known = clips.findIndex((each) => each.file && clip.file && sameFile(each.file, clip.file));
  if (known < 0 && clip.file && ticked().length >= SWAPPED) setTicked(ticked().findLast((each) => !each.file), false);
  clip.ticked = known >= 0 ? clips[known].ticked : ticked().length < SWAPPED;
  if (known < 0) clips.push(clip);
  else clips[known] = Object.assign(clips[known], clip);
}

const ticked = () => clips.filter((clip) => clip.ticked);

/** Tick or untick a clip, if there is one. */
function setTicked(clip, isTicked) {
  if (!clip) return;
  clip.ticked = isTicked;
  if (clip.item) clip.item.querySelector("input").checked = isTicked;
}

function sameFile(one, other) {
  return ["name", "size", "lastModified"].every((each) => one[each] === other[each]);
}

/** Show the clips, and what is made of them. The elements of known clips stay, and so does focus. */
async function refresh() {
  for (const clip of clips) {
    clip.item ??= itemOf(clip);
    if (!clip.item.isConnected) at("clips").append(clip.item);
    clip.film.show([[clip]]);
    clip.film.canvas.style.width = "100%";
  }
  for (const id of ["change-clip", "continue-clip"]) {
    const chosen = Math.min(at(id).value || 0, clips.length - 1);
    at(id).replaceChildren(...clips.map((clip, index) => new Option(clip.name, index)));
    at(id).value = chosen;
  }
  await swap();
  await change();
}

/** Return the element of a clip in the list. */
function itemOf(clip) {
  const item = document.createElement("li");
  const canvas = document.createElement("canvas");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", clip.name);
  clip.film = new Film(canvas, page.sizes);
  const box = document.createElement("input");
  box.type = "checkbox";
  box.checked = clip.ticked;
  box.onchange = () => {
    if (box.checked && ticked().length >= MOST_SWAPPED) {
      box.checked = false;
      say(`At most ${MOST_SWAPPED} clips can be swapped at once: untick another one.`, true);
      return;
    }
    clip.ticked = box.checked;
    act("Swapping.", swap);
  };
  const label = document.createElement("label");
  label.append(box, ` ${clip.name}`);
  item.append(canvas, label);
  if (clip.file && page.clips.crop !== "none") {
    addButton(item, "Change crop", clip, () => act(`Opening ${clip.name}.`, () => showCrop(clip)));
  }
  addButton(item, "Remove", clip, () => act(`Removing ${clip.name}.`, () => remove(clip)));
  return item;
}

function addButton(item, text, clip, action) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = text;
  button.setAttribute("aria-label", `${text}: ${clip.name}`);
  button.onclick = action;
  item.append(button);
}

async function remove(clip) {
  if (clips.length === 1) throw new Error("one clip must stay: add another one first");
  clips.splice(clips.indexOf(clip), 1);
  films.delete(clip.film);
  clip.item.remove();
  at("upload").focus();
  await refresh();
}

async function swap() {
  const chosen = ticked();
  if (!chosen.length) return view.swap.show(null);
  const rows = [[null, ...chosen]];
  for (const moving of chosen) {
    const row = [moving];
    for (const lending of chosen) {
      const codes = { static: lending.codes.static, dynamic: moving.codes.dynamic };
      row.push(await decoded(codes, moving.rate));
    }
    rows.push(row);
  }
  view.swap.show(rows);
}

/** Add the sliders of one code. */
function addSliders(code) {
  page.directions[code].forEach((_, direction) => {
    const label = document.createElement("label");
    const slider = document.createElement("input");
    const output = document.createElement("span");
    output.setAttribute("aria-hidden", "true"); // the slider has its value
    Object.assign(slider, { type: "range", min: -REACH, max: REACH, step: .1, value: 0 });
    slider.dataset.code = code;
    slider.setAttribute("aria-label", `${code === "static" ? "Appearance" : "Motion"}, direction ${direction + 1}`);
    output.textContent = "0.0";
    slider.oninput = () => {
      output.textContent = Number(slider.value).toFixed(1);
      changeSoon();
    };
    label.append(`${direction + 1}`, slider, output);
    at(`${code}-sliders`).append(label);
  });
}

const edited = { of: null, static: null, random: new Random(0) };

/** Return the static code of a clip, or the one that was made of it. */
const staticOf = (clip) => (edited.of === clip.codes ? edited.static : clip.codes.static);

/** Add a button for every part of the appearance that the prior found: hair, clothes, a shape. */
function addAttributes() {
  model.attributes().forEach((part, index) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = page.part_names[part] ?? `Part ${index + 1}`;
    button.onclick = () => {
      const clip = clips[at("change-clip").value];
      edited.static = model.redrawn(staticOf(clip), part, edited.random);
      edited.of = clip.codes;
      changeSoon();
    };
    at("attributes").querySelector("p").append(button);
    at("attributes").hidden = false;
  });
}

const steps = (code) => [...document.querySelectorAll(`[data-code=${code}]`)].map((each) => Number(each.value));

let changing = false, changeAgain = false;

/** Decode at most once at a time, so that a moving slider is followed. */
async function changeSoon() {
  changeAgain = true;
  if (changing) return;
  changing = true;
  try {
    while (changeAgain) {
      changeAgain = false;
      await change();
    }
  } catch (error) {
    say(`${error.message}.`, true);
  } finally {
    changing = false;
  }
}

async function change() {
  const clip = clips[at("change-clip").value];
  if (!clip) return;
  const start = { ...clip.codes, static: staticOf(clip) };
  const codes = model.moved(start, { static: steps("static"), dynamic: steps("dynamic") });
  view.change.show([[clip.decoded, await decoded(codes, clip.rate)]]);
}

async function draw() {
  const random = new Random(Number(at("draw-seed").value));
  const time = page.clips.time;
  const rows = [[], [], [], []];
  for (let i = 0; i < DRAWN; i++) {
    const codes = { static: model.drawStatic(random), dynamic: await model.drawDynamic(random, time) };
    rows[Math.floor(i / 4)].push(await decoded(codes, page.rate));
  }
  view.drawn.show(rows);
}

async function goOn() {
  const clip = clips[at("continue-clip").value];
  if (!clip) throw new Error("add a clip first");
  const time = Math.round(Number(at("continue-frames").value));
  if (!(time >= 1 && time <= 240)) throw new Error("the number of frames must be from 1 to 240");
  const codes = await model.continued(new Random(Number(at("continue-seed").value)), clip.codes, time);
  view.continued.show([[{ ...(await decoded(codes, clip.rate)), mark: clip.count }]]);
}

const cropping = { clip: null, frame: null };

/** Show the first frame of an added video, and the part of it that is used. */
async function showCrop(clip) {
  const track = await openVideo(media, clip.file);
  for await (const sample of samplesOf(media, track, clip.file)) {
    cropping.frame = new OffscreenCanvas(sample.displayWidth, sample.displayHeight);
    sample.draw(cropping.frame.getContext("2d"), 0, 0);
    sample.close();
    break;
  }
  cropping.clip = clip;
  at("crop-name").textContent = clip.name;
  const { x, y, size } = clip.place ?? { x: .5, y: .5, size: 1 };
  at("crop-x").value = 100 * x;
  at("crop-y").value = 100 * y;
  at("crop-size").value = 100 * size;
  at("crop").hidden = false;
  drawCrop();
  at("crop-x").focus();
}

const chosenPlace = () => ({
  x: at("crop-x").value / 100, y: at("crop-y").value / 100, size: at("crop-size").value / 100,
});

function drawCrop() {
  const { frame } = cropping;
  const canvas = at("crop-view");
  [canvas.width, canvas.height] = [frame.width, frame.height];
  const context = canvas.getContext("2d");
  context.filter = "brightness(.45)";
  context.drawImage(frame, 0, 0);
  context.filter = "none";
  const { left, top, width, height } = boxOf(page, frame, chosenPlace());
  context.drawImage(frame, left, top, width, height, left, top, width, height);
}

/** Read videos; those that cannot be read do not stop the others. */
async function upload(files) {
  const refused = [], notes = [];
  for (const file of files) {
    try {
      const clip = await readVideo(media, page, file, null, say);
      await add({ ...clip, file });
      if (clip.cut) notes.push(`${file.name}: the first ${clip.count} frames`);
    } catch (error) {
      refused.push(error.message);
    }
  }
  await refresh();
  if (page.clips.crop === "face") notes.push("this model knows faces: press Change crop to frame each one");
  if (refused.length) throw new Error([...refused, ...notes].join("; "));
  return notes.length ? `${notes.join("; ")}.` : null;
}

function listen() {
  at("play").onclick = () => {
    clock.playing = !clock.playing;
    namePlay();
  };
  at("next").onclick = () => {
    clock.playing = false;
    namePlay();
    showNextFrame();
  };
  at("upload").onchange = () => {
    const files = [...at("upload").files];
    at("upload").value = "";
    act("Reading videos.", () => upload(files));
  };
  at("crop").onsubmit = (event) => {
    event.preventDefault();
    const { file, name } = cropping.clip;
    const place = chosenPlace();
    act(`Reading ${name}.`, async () => {
      await add({ ...(await readVideo(media, page, file, place, say)), file, place });
      await refresh();
    });
  };
  at("crop-close").onclick = () => {
    at("crop").hidden = true;
    cropping.clip.item.querySelector("button").focus();
  };
  for (const id of ["crop-x", "crop-y", "crop-size"]) at(id).oninput = drawCrop;
  at("change-clip").onchange = changeSoon;
  at("reset").onclick = () => {
    edited.of = null;
    for (const slider of document.querySelectorAll("[data-code]")) {
      slider.value = 0;
      slider.nextSibling.textContent = "0.0";
    }
    changeSoon();
  };
  at("draw").onclick = () => act("Drawing.", draw);
  at("continue").onclick = () => act("Drawing.", goOn);
}

function namePlay() {
  at("play").textContent = clock.playing ? "Pause all clips" : "Play all clips";
}

act("The model is loading.", async () => {
  addSliders("static");
  addSliders("dynamic");
  listen();
  namePlay();
  model = new Model(page, await openNetworks(page));
  addAttributes();
  media = await library("mediabunny.min.mjs");
  for (const held of page.held) await add(await heldClip(page, held));
  await refresh();
  at("main").inert = false;
  requestAnimationFrame(tick);
});
