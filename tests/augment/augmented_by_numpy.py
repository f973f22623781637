"""The augmentations by hand, in NumPy, one image at a time."""

import numpy as np


def numpy_diff_augment(part, image, draws):
    height, width, _ = image.shape
    out = np.zeros_like(image)
    if part == "color":
        brightness, saturation, contrast = draws
        image = image + (brightness - 0.5)
        for i, j in np.ndindex(height, width):
            mean = image[i, j].mean()
            out[i, j] = mean + (image[i, j] - mean) * 2 * saturation
        return out.mean() + (out - out.mean()) * (contrast + 0.5)
    if part == "translation":
        far, wide = (int(side * 0.125 + 0.5) for side in (height, width))
        down, across = np.arange(-far, far + 1), np.arange(-wide, wide + 1)
        down, across = down[int(draws[0] * len(down))], across[int(draws[1] * len(across))]
        for i, j in np.ndindex(height, width):
            if 0 <= i + down < height and 0 <= j + across < width:
                out[i, j] = image[i + down, j + across]
        return out
    out[:] = image
    sizes = height // 2, width // 2
    places = [
        int(u * (side + 1 - size % 2))
        for u, side, size in zip(draws, (height, width), sizes, strict=True)
    ]
    for i in range(sizes[0]):
        for j in range(sizes[1]):
            row, column = i + places[0] - sizes[0] // 2, j + places[1] - sizes[1] // 2
            if 0 <= row < height and 0 <= column < width:
                out[row, column] = 0
    return out


def matrix(*rows):
    return np.array(rows, "float64")


def turn(angle):
    c, s = np.cos(angle), np.sin(angle)
    return matrix([c, -s, 0], [s, c, 0], [0, 0, 1])


def shift(x, y):
    return matrix([1, 0, x], [0, 1, y], [0, 0, 1])


def reflected(i, side):
    while not 0 <= i < side:
        i = -i if i < 0 else 2 * (side - 1) - i
    return i


def moved(image, inverse):
    """Look up each pixel of the output, at the place that `inverse` gives, in the input."""
    height, width, _ = image.shape
    out = np.zeros_like(image, "float64")
    for i, j in np.ndindex(height, width):
        x, y, _ = inverse @ (j - (width - 1) / 2, i - (height - 1) / 2, 1)
        x, y = x + (width - 1) / 2, y + (height - 1) / 2
        left, top = int(np.floor(x)), int(np.floor(y))
        for row, down in ((top, 1 - (y - top)), (top + 1, y - top)):
            for column, across in ((left, 1 - (x - left)), (left + 1, x - left)):
                value = image[reflected(row, height), reflected(column, width)]
                out[i, j] += down * across * value
    return out


def numpy_movement(image, p, geometry, blit):
    """Multiply inverse matrices in the authors' order; `geometry` and `blit` are the draws."""
    height, width, _ = image.shape
    inverse = np.eye(3)
    if blit is not None:
        u = blit[0]
        if u[1] < p:
            inverse = inverse @ np.diag([1 - 2 * int(2 * u[0]), 1, 1])
        if u[3] < p:
            inverse = inverse @ turn(np.pi / 2 * int(4 * u[2]))
        if u[4] < p:
            across, down = np.round(0.125 * np.array([width, height]) * (2 * u[5:7] - 1))
            inverse = inverse @ shift(-across, -down)
    if geometry is not None:
        u, z = geometry
        p_rotation = 1 - np.sqrt(1 - p)
        if u[0] < p:
            inverse = inverse @ np.diag([2 ** (-0.2 * z[0]), 2 ** (-0.2 * z[0]), 1])
        if u[2] < p_rotation:
            inverse = inverse @ turn(np.pi * (2 * u[1] - 1))
        if u[3] < p:
            inverse = inverse @ np.diag([2 ** (-0.2 * z[1]), 2 ** (0.2 * z[1]), 1])
        if u[5] < p_rotation:
            inverse = inverse @ turn(np.pi * (2 * u[4] - 1))
        if u[6] < p:
            inverse = inverse @ shift(-0.125 * width * z[2], -0.125 * height * z[3])
    return moved(image, inverse)


def numpy_ada_color(image, p, u, z):
    """Multiply the authors' 4x4 matrices of homogeneous colours."""
    grey = np.array([1, 1, 1, 0]) / np.sqrt(3)
    along = np.outer(grey, grey)
    total = np.eye(4)
    if u[0] < p:
        total[:3, 3] += 0.2 * z[0]
    if u[1] < p:
        total = np.diag([*3 * [2 ** (0.5 * z[1])], 1]) @ total
    if u[3] < p:
        total = (np.eye(4) - 2 * along * int(2 * u[2])) @ total
    if u[5] < p:
        angle = np.pi * (2 * u[4] - 1)
        cross = np.zeros((4, 4))
        cross[:3, :3] = matrix([0, -1, 1], [1, 0, -1], [-1, 1, 0]) / np.sqrt(3)
        rotation = np.eye(4) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
        total = rotation @ total
    if u[6] < p:
        across = np.diag([1, 1, 1, 0]) - along
        total = (along + np.diag([0, 0, 0, 1]) + across * 2 ** z[2]) @ total
    colors = np.ones((*image.shape[:2], 4))
    colors[..., :3] = image
    return (colors @ total.T)[..., : image.shape[-1]]


def numpy_distortion(image, u, bounds):
    """Lean, turn, stretch and move by matrices; then thicken or thin, neighbour by neighbour."""
    height, width, _ = image.shape
    rotation, shear, scale, far, thickness = bounds
    lean, angle, wide, high, right, down, way = 2 * u - 1
    inverse = shift(far * width * right, far * height * down)
    inverse = inverse @ np.diag([np.exp(scale * wide), np.exp(scale * high), 1])
    inverse = inverse @ turn(np.deg2rad(rotation) * angle)
    found = moved(image, inverse @ matrix([1, shear * lean, 0], [0, 1, 0], [0, 0, 1]))
    out = np.empty_like(found)
    extreme = np.max if way > 0 else np.min
    for i, j in np.ndindex(height, width):
        near = found[max(i - 1, 0) : i + 2, max(j - 1, 0) : j + 2]
        out[i, j] = found[i, j] + abs(thickness * way) * (extreme(near, (0, 1)) - found[i, j])
    return out
