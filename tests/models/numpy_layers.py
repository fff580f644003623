"""The layers once more, in float64 NumPy and in the plainest way, for the modules' tests: maps are [H, W,
C], one line each, without padding.
"""

import numpy as np


def value(variable):
    return np.asarray(variable, np.float64)


def relu(x):
    return np.maximum(x, 0.0)


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def softmax(x):
    shares = np.exp(x - x.max(-1, keepdims=True))
    return shares / shares.sum(-1, keepdims=True)


def weights(layer):
    """A layer's kernel, over its spectral norm as one step of power iteration finds it from the layer's
    vector.
    """
    kernel = value(layer.kernel)
    if not layer.spectral:
        return kernel
    matrix = kernel.reshape(-1, kernel.shape[-1])
    v = value(layer.u) @ matrix.T
    v /= np.linalg.norm(v)
    u = v @ matrix
    u /= np.linalg.norm(u)
    return kernel / (v @ matrix @ u.T).item()


def linear(layer, x):
    return x @ weights(layer) + (value(layer.bias) if layer.use_bias else 0.0)


def convolve(layer, x):
    """Zeros beyond the ends; each output is the sum over the kernel's places, its middle at the place
    itself.
    """
    kernel = weights(layer)
    rows, columns = kernel.shape[:2]
    padded = np.pad(x, [(rows // 2,) * 2, (columns // 2,) * 2, (0, 0)])
    out = sum(
        padded[i : i + x.shape[0], j : j + x.shape[1]] @ kernel[i, j]
        for i in range(rows)
        for j in range(columns)
    )
    return out + (value(layer.bias) if layer.use_bias else 0.0)


def normalise(layer, x, style=None):
    normal = (x - value(layer.moving_mean)) / np.sqrt(value(layer.moving_variance) + 1e-3)
    if style is None:
        return normal * value(layer.gamma) + value(layer.beta)
    scale, shift = np.split(linear(layer.modulation, style), 2)
    return normal * (1.0 + scale) + shift


def halve(x, rows=2, columns=2):
    return x.reshape(x.shape[0] // rows, rows, x.shape[1] // columns, columns, -1).mean((1, 3))


def largest(x, rows=2, columns=2):
    return x.reshape(x.shape[0] // rows, rows, x.shape[1] // columns, columns, -1).max((1, 3))


def double(x):
    return x.repeat(2, 0).repeat(2, 1)


def attend(layer, line, columns, reach):
    """Windowed self-attention of one line [H, W, C]: own character and `reach` on either side, 2 x 2
    pooled keys.
    """
    query, key, seen = (
        convolve(layer.query, line),
        largest(convolve(layer.key, line)),
        largest(convolve(layer.value, line)),
    )
    out, length = np.zeros([*line.shape[:2], seen.shape[-1]]), line.shape[1] // columns
    for j in range(line.shape[1]):
        low, high = (
            max(0, j // columns - reach) * columns // 2,
            min(length, j // columns + reach + 1) * columns // 2,
        )
        keys, values = (
            key[:, low:high].reshape(-1, key.shape[-1]),
            seen[:, low:high].reshape(-1, seen.shape[-1]),
        )
        for i in range(line.shape[0]):
            out[i, j] = softmax(query[i, j] @ keys.T) @ values
    return line + value(layer.gain) * convolve(layer.output_projection, out)
