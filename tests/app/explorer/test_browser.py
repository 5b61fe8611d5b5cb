"""The explorer's page in Chromium: what it shows is what the command writes."""

import json
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from numpy import ndarray
from PIL import Image

import s3vae
from s3vae.app.command import execute
from s3vae.app.explorer.page import clips_to_hold, page_of
from s3vae.app.explorer.server import application
from s3vae.app.model import VideoModel
from s3vae.data.preparation import Preparation
from s3vae.model.architecture import Architecture
from s3vae.model.s3vae import S3VAE

webdriver = pytest.importorskip("selenium.webdriver")
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        CHROMIUM is None or DRIVER is None,
        reason="there is no Chromium: install `chromium` and `chromium-driver`",
    ),
]
QUIET = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
GAP = 2
"""Pixels between the clips of a film."""
NAMED = {"button", "checkbox", "slider", "spinbutton", "combobox", "image"}
"""Roles whose elements need a name for screen readers."""


@pytest.fixture(scope="module")
def model() -> VideoModel:
    return s3vae.load("dsprites", "cpu")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for each in QUIET:
        options.add_argument(each)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    output = tmp_path_factory.mktemp("explorer") / "page.html"
    assert execute(["explore", "--model", "dsprites", "-o", str(output)]) == 0
    assert output.stat().st_size < 12e6
    return output.as_uri()


@pytest.fixture
def page(browser: Any, address: str) -> Any:
    browser.get(address)
    wait_for(browser, "Ready.")
    return browser


def wait_for(browser: Any, text: str) -> None:
    from selenium.webdriver.support.ui import WebDriverWait

    def said(driver: Any) -> bool:
        return text in driver.find_element("id", "status").text

    WebDriverWait(browser, 120).until(said)


def pixels(browser: Any, film: str) -> ndarray:
    """Return what a canvas shows."""
    height, width, values = browser.execute_script(
        f"const canvas = document.querySelector('{film} canvas');"
        "const {width, height} = canvas;"
        "const {data} = canvas.getContext('2d').getImageData(0, 0, width, height);"
        "return [height, width, [...data]]"
    )
    return np.array(values, np.uint8).reshape(height, width, 4)[..., :3]


def add(browser: Any, *videos: Path) -> None:
    """Add videos, and wait until the page has begun to read them."""
    browser.execute_script("document.getElementById('status').textContent = ''")
    browser.find_element("id", "upload").send_keys("\n".join(map(str, videos)))


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """Serve an application on a free port, and return its address."""
    uvicorn = pytest.importorskip("uvicorn")
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"
    finally:
        server.should_exit = True
        thread.join()


def squares(path: Path, colour: tuple[int, int, int], step: int) -> Path:
    """Write a video of a square that moves."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=12, options={"crf": "1"})
        stream.width, stream.height, stream.pix_fmt = 128, 128, "yuv420p"
        for index in range(20):  # longer than a clip of training
            frame = np.zeros((128, 128, 3), np.uint8)
            frame[48:80, 20 + step * index :][:, :32] = colour
            output.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        output.mux(stream.encode())
    return path


def test_nothing_is_requested_beyond_the_page(page: Any) -> None:
    messages = [json.loads(each["message"])["message"] for each in page.get_log("performance")]
    sent = [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]
    assert any(each.startswith("file:") for each in sent)
    assert {each.split(":")[0] for each in sent} <= {"file", "blob", "data"}
    assert not [each for each in page.get_log("browser") if each["level"] == "SEVERE"]


def test_a_slider_changes_pixels_within_100_ms(page: Any) -> None:
    page.find_element("id", "next").click()  # stop
    before = pixels(page, "#change")
    waited = page.execute_async_script(
        """
        const done = arguments[0];
        const canvas = document.querySelector("#change canvas");
        const seen = () => canvas.getContext("2d").getImageData(66, 0, 64, 64).data.join();
        const slider = document.querySelector("[data-code=static]");
        const first = seen(), start = performance.now();
        slider.value = 3;
        slider.dispatchEvent(new Event("input"));
        const look = () => seen() === first ? setTimeout(look) : done(performance.now() - start);
        look();
        """
    )
    after = pixels(page, "#change")
    assert np.array_equal(before[:, :64], after[:, :64])
    assert not np.array_equal(before[:, 66:], after[:, 66:])
    assert waited < 100


def test_a_swap_of_two_videos_is_that_of_the_command(
    page: Any, model: VideoModel, tmp_path: Path
) -> None:
    red = squares(tmp_path / "red.mp4", (230, 30, 30), 3)
    green = squares(tmp_path / "green.mp4", (40, 200, 60), 1)
    add(page, red, green)
    wait_for(page, "Ready.")
    boxes = page.find_elements("css selector", "#clips input")
    # added videos have taken the places of two drawn clips in the grid
    assert [box.is_selected() for box in boxes] == [True, True, False, False, True, True]
    for box in boxes[:2]:
        box.click()
    wait_for(page, "Ready.")
    shown = []
    for _ in range(20):
        page.find_element("id", "next").click()
        shown.append(pixels(page, "#swap"))
    film = np.stack(shown).astype(int)
    side = 64 + GAP
    for row, column, appearance, motion in [(1, 2, green, red), (2, 1, red, green)]:
        clip = film[:, row * side :, column * side :][:, :64, :64]
        swapped = model.swap(appearance, motion).astype(int)
        # the first frame shown may be any
        differences = [np.abs(np.roll(clip, k, axis=0) - swapped).max() for k in range(20)]
        assert min(differences) <= 2


def test_one_part_of_the_appearance_is_drawn_again_and_reset(page: Any, model: VideoModel) -> None:
    page.find_element("id", "next").click()  # stop
    before = pixels(page, "#change")
    parts = page.find_elements("css selector", "#attributes button")
    assert [part.text for part in parts] == [name for name in model.part_names if name]
    changed = before
    for part in parts * 4:
        part.click()
        time.sleep(0.3)
        changed = pixels(page, "#change")
        if not np.array_equal(changed, before):
            break
    assert not np.array_equal(changed[:, 66:], before[:, 66:])
    assert np.array_equal(changed[:, :64], before[:, :64])
    page.find_element("id", "reset").click()
    time.sleep(0.3)
    assert np.array_equal(pixels(page, "#change"), before)


def test_what_is_no_video_is_refused_by_its_name(page: Any, tmp_path: Path) -> None:
    odd = tmp_path / "odd.mp4"
    odd.write_text("no video")
    add(page, odd)
    wait_for(page, "odd.mp4 is no video that can be read here: convert it to MP4")
    assert len(page.find_elements("css selector", "#clips li")) == 4


def test_a_film_is_saved(page: Any, browser: Any, tmp_path: Path) -> None:
    behaviour = {"behavior": "allow", "downloadPath": str(tmp_path), "eventsEnabled": False}
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", behaviour)
    for suffix in ("mp4", "gif"):
        page.find_element("css selector", f"[aria-label='Save as {suffix.upper()}: swap']").click()
        wait_for(page, f"swap.{suffix}: ")
    with av.open(str(tmp_path / "swap.mp4")) as film:
        frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    assert len(frames) == 12
    assert frames[0].shape == (328, 328, 3)
    with Image.open(tmp_path / "swap.gif") as animation:
        assert (animation.n_frames, animation.size) == (12, (328, 328))


def test_a_model_that_needs_pytorch_is_served(browser: Any, tiny: Architecture) -> None:
    torch.manual_seed(0)
    sizes = replace(tiny, encoder="objects", decoder="sprites", channels=1, static=6, dynamic=7)
    model = VideoModel(S3VAE(sizes), Preparation(time=4))
    html = page_of(model, "two objects", clips_to_hold(model, []), served=True)
    with serving(application(model, html)) as address:
        browser.get(address)
        wait_for(browser, "Ready.")
        browser.find_element("id", "draw").click()
        wait_for(browser, "Ready.")
        assert pixels(browser, "#drawn").shape == (4 * 66 - 2, 4 * 66 - 2, 3)


def test_every_control_has_a_name_and_is_reached_by_the_keyboard(page: Any) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    tree = page.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    roles = [
        (node["role"]["value"], node.get("name", {}).get("value"))
        for node in tree
        if not node["ignored"]
    ]
    assert {"button", "slider", "image"} <= {role for role, _ in roles}
    assert [role for role, name in roles if role in NAMED and not name] == []
    controls = page.execute_script(
        "return [...document.querySelectorAll('button, input, select, summary')]"
        ".filter((each) => each.checkVisibility())"
    )
    reached = set()
    page.find_element("tag name", "body").click()
    for _ in range(len(controls) + 2):
        ActionChains(page).send_keys(Keys.TAB).perform()
        reached.add(page.switch_to.active_element.id)
    assert {control.id for control in controls} <= reached


@pytest.mark.parametrize("width", [390, 1400])
def test_the_page_fits_into_the_window(page: Any, width: int) -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    for button in ("draw", "continue"):
        control = page.find_element("id", button)
        page.execute_script("arguments[0].scrollIntoView()", control)  # below the bar that stays
        control.click()
        wait_for(page, "Ready.")
    inner, scrolled = page.execute_script(
        "return [innerWidth, document.documentElement.scrollWidth]"
    )
    page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert inner == width
    assert scrolled <= width
