"""Writes the small IR modules that tests use: kernels.json, expressions.json, lowered.json, accelerators.json,
layers.json and attributes.json (the operators' goldens),
reshapes.json (src/compile/views_test.cc), accesses.json (src/compile/fixed_accesses_test.cc).

Run by hand after a change here or an upgrade of TVM:  .venv/bin/python tests/examples/make_examples.py
"""
import json
import pathlib
import re

from tvm import IRModule, relax, te, topi
from tvm.target import Target
from tvm.script import ir as I
from tvm.script import relax as R
from tvm.script import tirx as T
from tvm_ffi import get_global_func

to_json = get_global_func("ffi.ToJSONGraphString")


@I.ir_module
class Convolution:
    @R.function
    def main(x: R.Tensor((1, 2, 5, 5), "float32"), w: R.Tensor((3, 2, 3, 3), "float32")):
        with R.dataflow():
            conv = R.nn.conv2d(x, w, padding=[1, 1, 1, 1])
            relu = R.nn.relu(conv)
            R.output(relu)
        return relu


# A float comparison, a bound that is not constant, an integer store and a > that nobody asked about.
@T.prim_func(private=True, s_tir=True)
def comparisons(x: T.Buffer((T.int64(8),), "float32"), bound: T.Buffer((T.int64(1),), "int32"),
                chosen: T.Buffer((T.int64(8),), "float32"), kept: T.Buffer((T.int64(8),), "float32"),
                late: T.Buffer((T.int64(8),), "int32")):
    T.func_attr({"tirx.noalias": True})
    for i in range(T.int64(8)):
        with T.sblock("choose"):
            v = T.axis.spatial(T.int64(8), i)
            chosen[v] = T.Select(x[v] < T.float32(0.25), x[v] * T.float32(2), x[v] + T.float32(1))
    for i in range(T.int64(8)):
        with T.sblock("keep"):
            v = T.axis.spatial(T.int64(8), i)
            kept[v] = T.if_then_else(T.Cast("int32", v) < bound[T.int64(0)], x[v], T.float32(0))
    for i in range(T.int64(8)):
        with T.sblock("count_late"):
            v = T.axis.spatial(T.int64(8), i)
            late[v] = T.Cast("int32", v > T.int64(3))


# Functions, divisions, an if statement with or, quotients in indices, and a buffer beyond int16.
@T.prim_func(private=True, s_tir=True)
def expressions(x: T.Buffer((T.int64(8),), "float32"), y: T.Buffer((T.int64(8),), "float32"),
                swish: T.Buffer((T.int64(8),), "float32"), power: T.Buffer((T.int64(8),), "float32"),
                ends: T.Buffer((T.int64(8),), "float32"), folded: T.Buffer((T.int64(4), T.int64(2)), "float32"),
                total: T.Buffer((T.int64(4),), "float32")):
    T.func_attr({"tirx.noalias": True})
    for i in range(T.int64(8)):
        with T.sblock("activate"):
            v = T.axis.spatial(T.int64(8), i)
            swish[v] = x[v] / (T.float32(1) + T.exp(T.float32(0) - x[v]))
    for i in range(T.int64(8)):
        with T.sblock("raise"):
            v = T.axis.spatial(T.int64(8), i)
            power[v] = T.pow(T.min(T.sqrt(x[v]), T.float32(2)), y[v]) * y[v] + T.float32(0.5)
    for i in range(T.int64(8)):
        with T.sblock("mark_ends"):
            v = T.axis.spatial(T.int64(8), i)
            if v < T.int64(2) or v >= T.int64(6):
                ends[v] = x[v]
            else:
                ends[v] = T.float32(0)
    for i, j in T.grid(T.int64(4), T.int64(2)):
        with T.sblock("fold"):
            v, w = T.axis.remap("SS", [i, j])
            folded[v, w] = x[v * T.int64(2) + w] + y[v // T.int64(2) + T.int64(1)]
    for i, j in T.grid(T.int64(4), T.int64(2)):
        with T.sblock("sum"):
            v, k = T.axis.remap("SR", [i, j])
            with T.init():
                total[v] = T.float32(0)
            total[v] = total[v] + x[v * T.int64(2) + k]


# Two rows at a time of 3, in pieces of 4 of 10: loops and a tail's predicates.
@T.prim_func(private=True, s_tir=True)
def scaled(x: T.Buffer((T.int64(3), T.int64(10)), "float32"), y: T.Buffer((T.int64(3), T.int64(10)), "float32")):
    T.func_attr({"tirx.noalias": True})
    for i, h, j, k in T.grid(T.int64(2), T.int64(2), T.int64(3), T.int64(4)):
        with T.sblock("scale"):
            v = T.axis.spatial(T.int64(3), i * T.int64(2) + h)
            w = T.axis.spatial(T.int64(10), j * T.int64(4) + k)
            T.where(i * T.int64(2) + h < T.int64(3) and j * T.int64(4) + k < T.int64(10))
            y[v, w] = x[v, w] * T.float32(2)


# The largest of each column, in vectors of 4 columns.
@T.prim_func(private=True, s_tir=True)
def largest(x: T.Buffer((T.int64(10), T.int64(8)), "float32"), y: T.Buffer((T.int64(8),), "float32")):
    T.func_attr({"tirx.noalias": True})
    for i in range(T.int64(2)):
        for k in range(T.int64(10)):
            for j in T.vectorized(T.int64(4)):
                with T.sblock("largest"):
                    v = T.axis.spatial(T.int64(8), i * T.int64(4) + j)
                    w = T.axis.reduce(T.int64(10), k)
                    with T.init():
                        y[v] = T.float32(-1000.5)
                    y[v] = T.Select(y[v] < x[w, v], x[w, v], y[v])


# For a GPU: a piece of a vector reversed by way of shared memory, the last piece partly filled.
@T.prim_func(private=True, s_tir=True)
def reversed_pieces(x: T.Buffer((T.int64(1000),), "float32"), y: T.Buffer((T.int64(1000),), "float32")):
    T.func_attr({"tirx.noalias": True})
    shared = T.sblock_alloc_buffer((T.int64(1024),), "float32", scope="shared")
    for b in T.thread_binding(T.int64(16), thread="blockIdx.x"):
        for t in T.thread_binding(T.int64(64), thread="threadIdx.x"):
            with T.sblock("fill"):
                v = T.axis.spatial(T.int64(1024), b * T.int64(64) + t)
                T.where(b * T.int64(64) + t < T.int64(1000))
                shared[v] = x[v]
        for t in T.thread_binding(T.int64(64), thread="threadIdx.x"):
            with T.sblock("copy"):
                v = T.axis.spatial(T.int64(1000), b * T.int64(64) + t)
                w = T.axis.spatial(T.int64(1024), b * T.int64(64) + T.int64(63) - t)
                T.where(b * T.int64(64) + t < T.int64(1000))
                y[v] = shared[w]


# For a GPU: the sum of each warp's half by shuffles.
@T.prim_func(private=True, s_tir=True)
def shuffled(x: T.Buffer((T.int64(32),), "float32"), y: T.Buffer((T.int64(32),), "float32")):
    T.func_attr({"tirx.noalias": True})
    for t in T.thread_binding(T.int64(32), thread="threadIdx.x"):
        with T.sblock("add"):
            v = T.axis.spatial(T.int64(32), t)
            y[v] = x[v] + T.tvm_warp_shuffle_down(T.uint32(0xffffffff), x[v], 16, 32, 32)


@T.prim_func(private=True, s_tir=True)
def transposed(x: T.Buffer((T.int64(200), T.int64(200)), "float32"), y: T.Buffer((T.int64(200), T.int64(200)), "float32")):
    T.func_attr({"tirx.noalias": True})
    for i, j in T.grid(T.int64(200), T.int64(200)):
        with T.sblock("transpose"):
            v, w = T.axis.remap("SS", [i, j])
            y[v, w] = x[w, v]


@I.ir_module
class Layers:
    @R.function
    def main(x: R.Tensor((1, 2, 4, 4), "float32"), w1: R.Tensor((3, 2, 3, 3), "float32"),
             b1: R.Tensor((1, 3, 1, 1), "float32"), gamma: R.Tensor((3,), "float32"),
             beta: R.Tensor((3,), "float32"), mean: R.Tensor((3,), "float32"),
             var: R.Tensor((3,), "float32"), w2: R.Tensor((3, 3, 1, 1), "float32"),
             w3: R.Tensor((3, 3), "float32"), b3: R.Tensor((3,), "float32"),
             mask: R.Tensor((1, 1, 4, 4), "float32")):
        with R.dataflow():
            conv = R.nn.conv2d(x, w1, padding=[1, 1, 1, 1])
            conv_bias = R.add(conv, b1)
            norm = R.nn.batch_norm(conv_bias, gamma, beta, mean, var, axis=1, training=False)
            norm_0 = norm[0]
            relu = R.nn.relu(norm_0)
            point = R.nn.conv2d(relu, w2)
            relu6 = R.clip(point, 0.0, 6.0)
            limited = R.clip(relu6, -1.0, 1.0)
            residual = R.add(relu, limited)
            weighted = R.multiply(residual, mask)  # or a transposed plane would have the same mean
            pooled = R.mean(weighted, axis=[2, 3])
            dense = R.matmul(pooled, w3)
            dense_bias = R.add(dense, b3)
            R.output(dense_bias)
        return dense_bias


@I.ir_module
class Attributes:
    @R.function
    def main(x: R.Tensor((1, 4, 8, 8), "float32"), w1: R.Tensor((4, 4, 3, 3), "float32"),
             w2: R.Tensor((4, 2, 1, 1), "float32"), gamma: R.Tensor((4,), "float32"),
             beta: R.Tensor((4,), "float32"), mean: R.Tensor((4,), "float32"),
             var: R.Tensor((4,), "float32")):
        with R.dataflow():
            conv = R.nn.conv2d(x, w1, padding=[1, 1, 1, 1])
            largest = R.nn.max_pool2d(conv, [3, 3], strides=[2, 2], padding=[1, 1, 1, 1])
            grouped = R.nn.conv2d(largest, w2, groups=2)
            average = R.nn.avg_pool2d(largest, [3, 3], strides=[1, 1], padding=[1, 1, 1, 1])
            bare = R.nn.avg_pool2d(average, [1, 1])  # no padding: nothing to count
            difference = R.subtract(grouped, bare)
            norm = R.nn.batch_norm(difference, gamma, beta, mean, var, axis=1, training=False)
            norm_0 = norm[0]
            both = R.concat((norm_0, average), axis=1)
            total = R.add(both, both)
            pooled = R.mean(total, axis=[2, 3])
            probabilities = R.nn.softmax(pooled, axis=1)
            R.output(probabilities)
        return probabilities


ATTRIBUTES = {"conv": "Conv_0", "largest": "MaxPool_1", "grouped": "Conv_2", "average": "AveragePool_3",
              "bare": "AveragePool_4", "difference": "Sub_5", "norm": "BatchNormalization_6",
              "norm_0": "BatchNormalization_6", "both": "Concat_7", "total": "Add_8",
              "pooled": "GlobalAveragePool_9", "probabilities": "Softmax_10"}
LAYERS = {"conv": "Conv_0", "conv_bias": "Conv_0", "norm": "BatchNormalization_1",
          "norm_0": "BatchNormalization_1", "relu": "Relu_2", "point": "Conv_3", "relu6": "Clip_4",
          "limited": "Clip_5", "residual": "Add_6", "weighted": "Mul_9", "pooled": "GlobalAveragePool_7",
          "dense": "Gemm_8", "dense_bias": "Gemm_8"}
SYNTHETIC = ["conv_bias", "norm_0", "dense_bias"]  # the importer's, not the user's


# As lowered for a GPU: a piece copied asynchronously to shared memory, by TVM's words and by PTX's.
@T.prim_func(private=True, s_tir=True)
def staged(x: T.Buffer((T.int64(64),), "float32"), y: T.Buffer((T.int64(64),), "float32")):
    T.func_attr({"tirx.noalias": True})
    t = T.launch_thread("threadIdx.x", 64)
    shared = T.alloc_buffer((64,), "float32", scope="shared")
    with T.attr(0, "async_commit_queue_scope", 0):
        with T.attr(0, "async_scope", 1):
            shared[t] = x[t]
    with T.attr(0, "async_wait_queue_scope", 0):
        with T.attr(0, "async_wait_inflight_count", 0):
            y[t] = shared[t] + T.float32(1)
    T.evaluate(T.call_intrin("void", "tirx.ptx.cp_async_wait_group", 1))
    T.evaluate(T.call_intrin("void", "tirx.ptx.cp_async_wait_all"))


# As lowered for a GPU: how often each of four values occurs, and their sum.
@T.prim_func(private=True, s_tir=True)
def histogram(x: T.Buffer((T.int64(64),), "int32"), counts: T.Buffer((T.int64(4),), "int32"),
              total: T.Buffer((T.int64(1),), "int32")):
    T.func_attr({"tirx.noalias": True})
    for t in range(64):
        T.evaluate(T.call_intrin("int32", "tirx.atomic_add", T.address_of(counts[x[t]]), 1))
        T.evaluate(T.call_intrin("int32", "tirx.cuda.atomic_add", T.address_of(total[0]), x[t]))


# What an access rests on, for src/compile/fixed_accesses_test.cc: on values in all but the first two.
@I.ir_module(s_tir=True)
class Accesses:
    @T.prim_func(private=True, s_tir=True)
    def fixed_bound(x: T.Buffer((8,), "float32"), i: T.Buffer((8,), "int32"), y: T.Buffer((8,), "float32")):
        for v in range(8):
            z = T.bind(x[v])
            w = T.bind((v + 3) % 8)
            y[w] = T.max(z, T.float32(0)) * T.exp(z) * T.Cast("float32", i[v])

    @T.prim_func(private=True, s_tir=True)
    def fixed_tail(x: T.Buffer((8,), "float32"), i: T.Buffer((8,), "int32"), y: T.Buffer((8,), "float32")):
        for v, w in T.grid(2, 5):
            if v * 5 + w < 8:
                y[v * 5 + w] = T.if_then_else(v < 1, x[v * 5 + w], T.float32(0))

    @T.prim_func(private=True, s_tir=True)
    def gathered(x: T.Buffer((8,), "float32"), i: T.Buffer((8,), "int32"), y: T.Buffer((8,), "float32")):
        for v in range(8):
            y[v] = x[i[v]]

    @T.prim_func(private=True, s_tir=True)
    def scattered(x: T.Buffer((8,), "float32"), i: T.Buffer((8,), "int32"), y: T.Buffer((8,), "float32")):
        for v in range(8):
            y[i[v]] = x[v]

    @T.prim_func(private=True, s_tir=True)
    def bound(x: T.Buffer((8,), "float32"), i: T.Buffer((8,), "int32"), y: T.Buffer((8,), "float32")):
        for v in range(8):
            w = T.bind(i[v])
            u = T.bind(w + 1)
            y[v] = x[u]

    @T.prim_func(private=True, s_tir=True)
    def branched(x: T.Buffer((8,), "float32"), i: T.Buffer((8,), "int32"), y: T.Buffer((8,), "float32")):
        for v in range(8):
            if x[v] < T.float32(0):
                y[v] = x[v]

    @T.prim_func(private=True, s_tir=True)
    def chosen(x: T.Buffer((8,), "float32"), i: T.Buffer((8,), "int32"), y: T.Buffer((8,), "float32")):
        for v in range(8):
            y[v] = T.if_then_else(x[v] < T.float32(0), x[v + 1], T.float32(0))

    @T.prim_func(private=True, s_tir=True)
    def selected(x: T.Buffer((8,), "float32"), i: T.Buffer((8,), "int32"), y: T.Buffer((8,), "float32")):
        for v in range(8):
            y[v] = T.Select(x[v] < T.float32(0), x[v + 1], T.float32(0))

    @T.prim_func(private=True, s_tir=True)
    def bounded(x: T.Buffer((8,), "float32"), i: T.Buffer((8,), "int32"), y: T.Buffer((8,), "float32")):
        for v in range(i[0]):
            y[v] = x[v]

    @T.prim_func(private=True, s_tir=True)
    def called(x: T.Buffer((8,), "float32"), i: T.Buffer((8,), "int32"), y: T.Buffer((8,), "float32")):
        T.evaluate(T.call_extern("int32", "poke", T.address_of(y[0])))

    @T.prim_func(private=True, s_tir=True)
    def repeated(x: T.Buffer((8,), "float32"), i: T.Buffer((8,), "int32"), y: T.Buffer((8,), "float32")):
        while y[0] < T.float32(8):
            y[0] = y[0] + x[0]


def kernel_of(module):
    for step in (relax.transform.LegalizeOps(), relax.transform.AnnotateTIROpPattern(),
                 relax.transform.FuseOps(), relax.transform.FuseTIR(),
                 relax.transform.DeadCodeElimination()):
        module = step(module)
    (kernel,) = [f for g, f in module.functions.items() if g.name_hint != "main"]
    return kernel


# As src/compile lowers (the passes of src/tvm/passes.h); `after`: what devices need beside.
def lowered(kernel, target, after=()):
    text = (pathlib.Path(__file__).parents[2] / "src/tvm/passes.h").read_text()
    text = text[text.index("kLoweringPasses[]"):text.index("kPackingPasses[]")]
    kernel = kernel.with_attr("global_symbol", "kernel").with_attr("target", target)
    module = IRModule({"kernel": kernel})
    for name, argument in re.findall(r'\{"([\w.]+)"(?:, true, Node\((\w+)\))?\}', text):
        given = [] if not argument else [True if argument == "true" else int(argument)]
        module = get_global_func(name)(*given)(module)
    for name, argument in after:
        module = get_global_func(name)(argument)(module)
    return module["kernel"].without_attr("target")  # it names the machine this ran on


def write(name, content):
    path = pathlib.Path(__file__).parent / name
    path.write_text(json.dumps(content, separators=(",", ":")) + "\n")


def function(node):
    return json.loads(to_json(node, None))


write("kernels.json", {"kernels": [
    {"key": "conv2d_relu_key", "role": "conv2d_relu", "layers": ["Conv_0", "Relu_2"],
     "function": function(kernel_of(Convolution))},
    {"key": "comparisons_key", "role": "comparisons", "layers": ["Where_9"],
     "function": function(comparisons)}]})
write("expressions.json", {"kernels": [
    {"key": "expressions_key", "role": "expressions", "layers": ["Swish_0"], "function": function(expressions)},
    {"key": "transposed_key", "role": "transposed", "layers": ["Transpose_1"],
     "function": function(transposed)}]})
CPU = Target({"kind": "llvm", "mcpu": "x86-64"})
GPU = Target({"kind": "cuda", "arch": "sm_80"})
write("lowered.json", {"kernels": [
    {"key": "scaled_key", "role": "scaled", "layers": ["Mul_0"],
     "function": function(lowered(scaled, CPU.with_host(CPU)))},
    {"key": "largest_key", "role": "largest", "layers": ["ReduceMax_1"],
     "function": function(lowered(largest, CPU.with_host(CPU)))},
    {"key": "transposed_key", "role": "transposed", "layers": ["Transpose_3"],
     "function": function(lowered(transposed, CPU.with_host(CPU)))},
    {"key": "reversed_key", "role": "reversed_pieces", "layers": ["Reverse_2"],
     "function": function(lowered(reversed_pieces, GPU.with_host(CPU),
                                  [("s_tir.transform.ThreadSync", "shared")]))},
    {"key": "shuffled_key", "role": "shuffled", "layers": ["Sum_4"],
     "function": function(lowered(shuffled, GPU.with_host(CPU)))}]})
write("accelerators.json", {"kernels": [
    {"key": "staged_key", "role": "staged", "layers": ["Add_0"], "function": function(staged)},
    {"key": "histogram_key", "role": "histogram", "layers": ["ScatterAdd_1"],
     "function": function(histogram)}]})
write("layers.json", {"graph": function(Layers["main"]), "num_inputs": 1, "layers": LAYERS,
                      "synthetic": SYNTHETIC})
write("attributes.json", {"graph": function(Attributes["main"]), "num_inputs": 1, "layers": ATTRIBUTES,
                          "synthetic": ["norm_0"]})
x = te.placeholder((1, 4, 6), "float32", "x")
write("reshapes.json", {name: function(te.create_prim_func([x, y])) for name, y in {
    "reshape": topi.reshape(x, (4, 6)),
    "expand_dims": topi.expand_dims(x, 0),
    "transpose": topi.transpose(x, (0, 2, 1)),
    "slice": topi.strided_slice(x, [0, 0, 0], [1, 4, 3], [1, 1, 1])}.items()})
write("accesses.json", {g.name_hint: function(f) for g, f in Accesses.functions.items()})
