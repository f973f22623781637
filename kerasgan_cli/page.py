"""The page of `kerasgan ui`, in Gradio."""

import html
import re

import gradio as gr
from starlette.middleware import Middleware

from kerasgan_cli.gallery import STEPS, STRIP

STYLE = """
.gradio-container {width: 100% !important; max-width: 1080px !important; margin: auto !important}
.about h1 {margin: 0; font-size: 1.6rem} .about p {margin: 0.1rem 0; opacity: 0.75}
.picture img {image-rendering: pixelated}
footer {display: none !important}
"""
SYSTEM = ("system-ui", "sans-serif")  # No font is fetched from elsewhere,
ELSEWHERE = re.compile(rb'<(script|link)\b[^>]*(src|href)="https?://[^>]*>(</script>)?')
OWN = (  # and nothing else: Gradio's page names a script of its own and hosts of fonts.
    b"default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' "
    b"'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:"
)
LAST_SEED = 2**32 - 1
RANDOM = "() => Math.floor(Math.random() * 1000000)"
LIVE = {
    "trigger_mode": "always_last",
    "show_progress": "hidden",
    "concurrency_id": "model",
    "api_visibility": "private",
}


def launch(page, port, browser=False):
    """Serve a page on the loopback, in a thread, and return its address.

    Args:
        page: A `gradio.Blocks`.
        port: The port.
        browser: Whether a browser is opened.

    Raises:
        OSError: If another program has taken the port.
    """
    look = gr.themes.Default(font=SYSTEM, font_mono=("ui-monospace", "monospace"))
    _, address, _ = page.launch(
        server_name="127.0.0.1", server_port=port, share=False, inbrowser=browser, quiet=True,
        prevent_thread_lock=True, ssr_mode=False, footer_links=[], theme=look, css=STYLE,
        app_kwargs={"middleware": [Middleware(_FromHereAlone)]},
    )  # fmt: skip
    return address


class _FromHereAlone:
    """What stands before Gradio's server, so that its page fetches nothing from elsewhere.

    Args:
        app: The server, an ASGI application.
    """

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http" or scope["path"] != "/":
            return await self.app(scope, receive, send)
        begun, parts = [], []

        async def changed(message):
            if message["type"] == "http.response.start":
                begun.append(message)
                return
            parts.append(message.get("body", b""))
            if message.get("more_body"):
                return
            body = ELSEWHERE.sub(b"", b"".join(parts))
            kept = [pair for pair in begun[0]["headers"] if pair[0].lower() != b"content-length"]
            own = [(b"content-length", b"%d" % len(body)), (b"content-security-policy", OWN)]
            await send({**begun[0], "headers": [*kept, *own]})
            await send({"type": "http.response.body", "body": body})

        await self.app(scope, receive, changed)


def build(gallery, title, lines):
    """Return the page of a `Gallery`, a `gradio.Blocks`.

    Args:
        gallery: What draws.
        title: The title of the page.
        lines: Lines of text about the model.
    """
    with gr.Blocks(title=title, analytics_enabled=False, delete_cache=(60, 600)) as page:
        gr.HTML(_about(title, lines))
        with gr.Row():
            with gr.Column(scale=1, min_width=260):
                seed = gr.Number(0, label="Seed", precision=0, minimum=0, maximum=LAST_SEED)
                another = gr.Button("Another seed")
                values = [_component(control) for control in gallery.controls]
            with gr.Column(scale=3, min_width=320):
                walks = gr.State(False)
                with gr.Tab("Pictures") as still:
                    count = gr.Slider(1, gallery.most, min(16, gallery.most), step=1,
                                      label="Number of pictures")  # fmt: skip
                    shown = [_image(), _command()]
                with gr.Tab("Walk between two seeds") as moving:
                    other = gr.Number(1, label="Second seed", precision=0, minimum=0,
                                      maximum=LAST_SEED)  # fmt: skip
                    place = gr.Slider(0, STEPS, STEPS // 2, step=1,
                                      label="Place on the way, in percent")  # fmt: skip
                    shown += [_image(height=320), _image(buttons=[]), _command()]
        inputs = [seed, count, other, place, *values]
        drawing = {"fn": drawer(gallery), "inputs": [walks, *inputs], "outputs": shown, **LIVE}
        gr.on([page.load, *(component.change for component in inputs)], **drawing)
        for tab, state in ((still, False), (moving, True)):
            tab.select(lambda state=state: state, None, walks, **LIVE).then(**drawing)
        another.click(None, None, seed, js=RANDOM, api_visibility="private")
    return page


def drawer(gallery):
    """Return the function that draws the tab that is shown; the other one keeps its pictures."""

    def draw(walks, seed, count, other, place, *values):
        seed, other = int(seed or 0), int(other or 0)  # A field that was emptied holds None.
        if not walks:
            command = gallery.command(values, "-n", count, "--seed", seed)
            return gallery.samples(count, seed, values), command, *[gr.skip()] * 3
        way = gallery.strip(seed, other, values)
        command = gallery.command(values, "--interpolate", f"{seed}:{other}", "-n", STRIP)
        return *[gr.skip()] * 2, gallery.walk(seed, other, place, values), way, command

    return draw


def _image(buttons=("download", "fullscreen"), height=None):
    return gr.Image(format="png", type="pil", interactive=False, show_label=False, height=height,
                    buttons=list(buttons), elem_classes="picture")  # fmt: skip


def _command():
    return gr.Textbox(label="The same from the shell", interactive=False, buttons=["copy"])


def _about(title, lines):
    """Return the head of the page; what a preset says of itself is text, whatever it holds."""
    words = "".join(f"<p>{html.escape(line)}</p>" for line in lines)
    return f'<div class="about"><h1>{html.escape(title)}</h1>{words}</div>'


def _component(control):
    if control.choices:
        return gr.Dropdown(list(control.choices), value=control.start, label=control.label)
    return gr.Slider(control.low, control.high, control.start, step=control.step,
                     label=control.label)  # fmt: skip
