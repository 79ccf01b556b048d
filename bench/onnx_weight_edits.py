"""Mutants of a layer's weights, as docs/operators.md describes them."""

import numpy

from onnx_editor import uniform, words


def chosen(numbers, ratio, least):
    """Ascending: those below the ratio, or the `least` lowest where they are fewer."""
    below = numpy.flatnonzero(numbers < ratio)
    return below if len(below) >= least else numpy.sort(numpy.argsort(numbers, kind="stable")[:least])


def change_weights(e, change):
    """`change` of the weights as (neurons, weights of each), and as (groups, neurons, inputs, window)."""
    weight = e.array(e.node.input[1]).astype("float32").copy()
    if e.node.op_type == "Conv":
        group = e.attribute("group", 1)
        as_groups = weight.reshape(group, weight.shape[0] // group, weight.shape[1], -1)
        change(as_groups)
    else:  # as (1, neurons, inputs, 1), a view
        transposed_weight = e.node.op_type == "Gemm" and e.attribute("transB", 0)
        change((weight if transposed_weight else weight.T)[None, :, :, None])
    e.node.input[1] = e.constant(weight)


def neurons(view):
    """(group, neuron) of each neuron in order."""
    return [(g, n) for g in range(view.shape[0]) for n in range(view.shape[1])]


def in_order(e, view):
    """Positions of all weights in the order of the imported graph: OIHW, and inputs x outputs of a matrix."""
    places = numpy.arange(view.size).reshape(view.shape)
    return (places if e.node.op_type == "Conv" else places.transpose(0, 2, 1, 3)).reshape(-1)


def set_flat(view, places, values):
    view[numpy.unravel_index(places, view.shape)] = values


def gaussian_fuzzing(e, parameters, variant):
    def change(view):
        places = in_order(e, view)
        hit = chosen(uniform(view.size, parameters["seed"]), parameters["ratio"], 1)
        pairs = uniform(view.size + 2 * len(hit), parameters["seed"])[view.size:].reshape(-1, 2)
        noise = numpy.sqrt(-2 * numpy.log(1 - pairs[:, 0])) * numpy.cos(2 * numpy.pi * pairs[:, 1])
        scale = parameters["deviation"] * view.astype("float64").std()
        old = view[numpy.unravel_index(places[hit], view.shape)].astype("float64")
        set_flat(view, places[hit], (old + scale * noise).astype("float32"))
    change_weights(e, change)


def weight_shuffling(e, parameters, variant):
    def change(view):
        all_neurons = neurons(view)
        hit = chosen(uniform(len(all_neurons), parameters["seed"]), parameters["ratio"], 1)
        size = view.shape[2] * view.shape[3]
        keys = uniform(len(all_neurons) + len(hit) * size, parameters["seed"])[len(all_neurons):].reshape(-1, size)
        for n, numbers in zip(hit, keys):
            old = view[all_neurons[n]].reshape(-1).copy()
            view[all_neurons[n]] = old[numpy.argsort(numbers, kind="stable")].reshape(view.shape[2:])
    change_weights(e, change)


def neuron_effect_blocking(e, parameters, variant):
    def change(view):
        inputs = view.shape[2]
        for i in chosen(uniform(view.shape[0] * inputs, parameters["seed"]), parameters["ratio"], 1):
            view[i // inputs, :, i % inputs] = 0
    change_weights(e, change)


def neuron_activation_inverse(e, parameters, variant):
    def change(view):
        all_neurons = neurons(view)
        for n in chosen(uniform(len(all_neurons), parameters["seed"]), parameters["ratio"], 1):
            view[all_neurons[n]] *= -1
    change_weights(e, change)


def neuron_switch(e, parameters, variant):
    def change(view):
        all_neurons = neurons(view)
        hit = chosen(uniform(len(all_neurons), parameters["seed"]), parameters["ratio"], 2)
        for a, b in zip(hit[0::2], hit[1::2]):
            old = view[all_neurons[a]].copy()
            view[all_neurons[a]] = view[all_neurons[b]]
            view[all_neurons[b]] = old
    change_weights(e, change)


def weight_bit_flip(e, parameters, variant):
    def change(view):
        numbers = words(2, parameters["seed"])
        place = in_order(e, view)[int(numbers[0]) % view.size]
        bit = parameters["bit"] if parameters["bit"] >= 0 else int(numbers[1]) % 32
        old = view[numpy.unravel_index(place, view.shape)]
        flipped = (old.view("uint32") ^ numpy.uint32(1 << bit)).view("float32")
        set_flat(view, place, flipped)
    change_weights(e, change)
