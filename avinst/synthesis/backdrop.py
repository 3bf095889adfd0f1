"""What stands behind a drawn instrument: backgrounds, and shapes that are no instrument."""

import math

import numpy as np
from PIL import Image, ImageDraw

from avinst.synthesis.drawing import Color, smooth


def random_color(rng: np.random.Generator) -> Color:
    """A muted color: what stands behind an instrument should not outshine it."""
    color = rng.uniform(40, 215, size=3)
    grey = color.mean()
    red, green, blue = (grey + rng.uniform(0.15, 0.7) * (color - grey)).round().astype(int).tolist()
    return (red, green, blue)


def paint_backdrop(width: int, height: int, rng: np.random.Generator) -> Image.Image:
    """A random still background, RGB: gradient, stripes, checks, blobs or a room, with a few shapes on it."""
    kind = rng.choice(["gradient", "stripes", "checks", "blobs", "room"])
    image = _gradient(width, height, rng)
    draw = ImageDraw.Draw(image)
    if kind == "stripes":
        _stripes(draw, width, height, rng)
    elif kind == "checks":
        _checks(draw, width, height, rng)
    elif kind == "blobs":
        for _ in range(int(rng.integers(3, 9))):
            draw_shape(draw, *_random_place(width, height, rng), rng)
    elif kind == "room":
        _room(draw, width, height, rng)
    for _ in range(int(rng.integers(0, 4))):
        draw_shape(draw, *_random_place(width, height, rng), rng)
    grain = rng.normal(0, rng.uniform(0, 6), size=(height // 2, width // 2, 1)).repeat(2, 0).repeat(2, 1)
    pixels = np.asarray(image, np.float32)[: grain.shape[0], : grain.shape[1]] + grain
    image.paste(Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)))
    return image


def draw_shape(draw: ImageDraw.ImageDraw, x: float, y: float, size: float, rng: np.random.Generator) -> None:
    """A blob, box, ring, bar or cross about (x, y), `size` pixels from its centre to its rim."""
    color, rim = random_color(rng), random_color(rng)
    kind = rng.choice(["blob", "box", "ring", "bar", "cross"])
    turn = rng.uniform(0, math.pi)
    if kind == "blob":
        radii = size * rng.uniform(0.55, 1.0, size=7)
        angles = turn + np.arange(7) * 2 * math.pi / 7
        corners = zip((x + radii * np.cos(angles)).tolist(), (y + radii * np.sin(angles)).tolist(), strict=True)
        draw.polygon(smooth(list(corners)), fill=color, outline=rim)
    elif kind == "ring":
        draw.ellipse((x - size, y - size, x + size, y + size), outline=color, width=max(2, round(size / 4)))
    elif kind == "box":
        draw.polygon(_turned(x, y, size, size * rng.uniform(0.4, 1.0), turn), fill=color, outline=rim)
    else:
        draw.polygon(_turned(x, y, size, size * 0.18, turn), fill=color, outline=rim)
        if kind == "cross":
            draw.polygon(_turned(x, y, size, size * 0.18, turn + math.pi / 2), fill=color, outline=rim)


def _turned(x: float, y: float, half_length: float, half_width: float, turn: float) -> list[tuple[float, float]]:
    cos, sin = math.cos(turn), math.sin(turn)
    corners = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    return [
        (x + a * half_length * cos - b * half_width * sin, y + a * half_length * sin + b * half_width * cos)
        for a, b in corners
    ]


def _random_place(width: int, height: int, rng: np.random.Generator) -> tuple[float, float, float]:
    return (rng.uniform(0, width), rng.uniform(0, height), height * rng.uniform(0.06, 0.22))


def _gradient(width: int, height: int, rng: np.random.Generator) -> Image.Image:
    first, second = np.array(random_color(rng), np.float32), np.array(random_color(rng), np.float32)
    turn = rng.uniform(0, 2 * math.pi)
    y, x = np.mgrid[0:height, 0:width]
    along = (x / width - 0.5) * math.cos(turn) + (y / height - 0.5) * math.sin(turn) + 0.5
    blend = np.clip(along, 0, 1)[..., None]
    return Image.fromarray((first + (second - first) * blend).astype(np.uint8))


def _stripes(draw: ImageDraw.ImageDraw, width: int, height: int, rng: np.random.Generator) -> None:
    color, pitch, turn = random_color(rng), height * rng.uniform(0.08, 0.3), rng.uniform(0, math.pi)
    for offset in np.arange(-width, width, pitch):
        x = width / 2 - offset * math.sin(turn)
        y = height / 2 + offset * math.cos(turn)
        draw.polygon(_turned(x, y, width, pitch / 4, turn), fill=color)


def _checks(draw: ImageDraw.ImageDraw, width: int, height: int, rng: np.random.Generator) -> None:
    color, side = random_color(rng), height * rng.uniform(0.1, 0.3)
    for row in range(math.ceil(height / side)):
        for column in range(row % 2, math.ceil(width / side), 2):
            draw.rectangle((column * side, row * side, (column + 1) * side, (row + 1) * side), fill=color)


def _room(draw: ImageDraw.ImageDraw, width: int, height: int, rng: np.random.Generator) -> None:
    floor = height * rng.uniform(0.6, 0.85)
    draw.rectangle((0, floor, width, height), fill=random_color(rng))
    for _ in range(int(rng.integers(1, 4))):  # windows and pictures
        left, top = rng.uniform(0, width * 0.8), rng.uniform(0, floor * 0.4)
        right, bottom = left + width * rng.uniform(0.08, 0.25), top + height * rng.uniform(0.15, 0.4)
        draw.rectangle((left, top, right, bottom), fill=random_color(rng), outline=random_color(rng), width=4)
