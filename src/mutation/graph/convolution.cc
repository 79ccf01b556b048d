#include <algorithm>
#include <array>

#include "mutation/relax_calls.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

using Shape = std::vector<int64_t>;

bool Matches(const Node& node, const Json&) { return IsCallOf(node, op::kConv2d); }

// A convolution taken apart; the two of each array are height and width.
struct Convolution {
  Node call, x, w;
  Shape data, weight, result;        // NCHW, OIHW, NCHW
  Shape strides, padding, dilation;  // padding: top, left, bottom, right
  int64_t groups = 1;

  Node With(const Node& data_in, const Node& weight_in, const Shape& s, const Shape& p,
            const Shape& d, int64_t g) const {
    const Node attrs = call["attrs"];
    return Call(make::kConv2d, data_in, weight_in, IntegerArray(s), IntegerArray(p),
                IntegerArray(d), g, attrs["data_layout"], attrs["kernel_layout"],
                attrs["out_layout"], attrs["out_dtype"]);
  }
  Node WithWeight(const Node& weight_in) const {
    return With(x, weight_in, strides, padding, dilation, groups);
  }
  // With other windows: padding at the end, or cutting off, keeps the shape of the result.
  Node WithWindows(const Shape& s, const Shape& begin, const Shape& d) const {
    Shape pads = {begin[0], begin[1], 0, 0};
    bool larger = false;
    for (size_t i = 0; i < 2; ++i) {
      const int64_t missing =
          (result[2 + i] - 1) * s[i] + (weight[2 + i] - 1) * d[i] + 1 - data[2 + i] - begin[i];
      pads[2 + i] = std::max<int64_t>(missing, 0);
      larger = larger || -missing >= s[i];
    }
    const Node changed = With(x, w, s, pads, d, groups);
    return larger ? CropCall(changed, result) : changed;
  }
};

void Dilation(const Convolution& c, std::vector<Node>* variants) {
  if (c.weight[2] == 1 && c.weight[3] == 1) return;
  const bool dilated = c.dilation != Shape{1, 1};
  variants->push_back(
      c.WithWindows(c.strides, {c.padding[0], c.padding[1]}, dilated ? Shape{1, 1} : Shape{2, 2}));
}

// Half the input channels a group, or twice as many, with the same weights.
void Groups(const Convolution& c, std::vector<Node>* variants) {
  const int64_t twice = 2 * c.groups;
  if (c.weight[1] % 2 == 0 && c.weight[0] % twice == 0)
    variants->push_back(
        c.With(c.x, CropCall(c.w, {c.weight[0], c.weight[1] / 2, c.weight[2], c.weight[3]}),
               c.strides, c.padding, c.dilation, twice));
  if (c.groups % 2 == 0)
    variants->push_back(c.With(c.x, Call(make::kTile, c.w, IntegerArray({1, 2, 1, 1})), c.strides,
                               c.padding, c.dilation, c.groups / 2));
}

void KernelFlipped(const Convolution& c, std::vector<Node>* variants) {
  Node flipped = c.w;
  for (size_t axis : {2, 3})
    if (c.weight[axis] > 1) flipped = Call(make::kFlip, flipped, static_cast<int64_t>(axis));
  if (!flipped.Same(c.w)) variants->push_back(c.WithWeight(flipped));
}

// The weights as they lie, read as OHWI and as HWIO.
void KernelLayout(const Convolution& c, std::vector<Node>* variants) {
  const int64_t o = c.weight[0], i = c.weight[1], h = c.weight[2], w = c.weight[3];
  const std::array<std::pair<Shape, Shape>, 2> readings = {
      {{{o, h, w, i}, {0, 3, 1, 2}}, {{h, w, i, o}, {3, 2, 0, 1}}}};
  for (const auto& [shape, axes] : readings)
    if (MovesElements(shape, axes))
      variants->push_back(c.WithWeight(TransposeCall(ReshapeCall(c.w, shape), axes)));
}

// Data and result as they lie, read and written as NHWC.
void Layout(const Convolution& c, std::vector<Node>* variants) {
  const Shape in = {c.data[0], c.data[2], c.data[3], c.data[1]}, to_nchw = {0, 3, 1, 2},
              to_nhwc = {0, 2, 3, 1};
  if (!MovesElements(in, to_nchw) && !MovesElements(c.result, to_nhwc)) return;
  const Node x = TransposeCall(ReshapeCall(c.x, in), to_nchw);
  const Node y = c.With(x, c.w, c.strides, c.padding, c.dilation, c.groups);
  variants->push_back(ReshapeCall(TransposeCall(y, to_nhwc), c.result));
}

// Every window starts one place earlier, or later.
void Padding(const Convolution& c, std::vector<Node>* variants) {
  const int64_t top = c.padding[0], left = c.padding[1];
  variants->push_back(c.WithWindows(c.strides, {top + 1, left + 1}, c.dilation));
  if (top > 0 || left > 0)
    variants->push_back(c.WithWindows(
        c.strides, {std::max<int64_t>(top - 1, 0), std::max<int64_t>(left - 1, 0)}, c.dilation));
}

// The border's own values instead of zeros.
void PaddingMode(const Convolution& c, std::vector<Node>* variants) {
  if (c.padding == Shape{0, 0, 0, 0}) return;
  const Shape width = {0, 0, 0, 0, c.padding[0], c.padding[2], c.padding[1], c.padding[3]};
  const Node padded = Call(make::kPad, c.x, IntegerArray(width), "replicate", 0.0);
  variants->push_back(c.With(padded, c.w, c.strides, {0, 0, 0, 0}, c.dilation, c.groups));
}

void Stride(const Convolution& c, std::vector<Node>* variants) {
  if (c.result[2] == 1 && c.result[3] == 1) return;
  const bool strided = c.strides != Shape{1, 1};
  variants->push_back(
      c.WithWindows(strided ? Shape{1, 1} : Shape{2, 2}, {c.padding[0], c.padding[1]}, c.dilation));
}

constexpr std::pair<const char*, void (*)(const Convolution&, std::vector<Node>*)> kChanges[] = {
    {"dilation", Dilation},          {"groups", Groups}, {"kernel_flipped", KernelFlipped},
    {"kernel_layout", KernelLayout}, {"layout", Layout}, {"padding", Padding},
    {"padding_mode", PaddingMode},   {"stride", Stride}};

std::vector<std::string> AllChanges() {
  std::vector<std::string> words;
  for (const auto& [word, change] : kChanges) words.push_back(word);
  return words;
}

std::vector<Node> Rewrite(const Node& call, const Json& parameters) {
  const Node attrs = call["attrs"];
  Convolution c{.call = call, .x = call["args"].At(0), .w = call["args"].At(1)};
  const auto data = FloatTensor(c.x), weight = FloatTensor(c.w), result = FloatTensor(call);
  const bool plain = attrs["data_layout"].Text() == "NCHW" &&
                     attrs["kernel_layout"].Text() == "OIHW" &&
                     attrs["out_layout"].Text() == "NCHW";
  if (!data || !weight || !result || !plain) return {};
  c.data = data->shape, c.weight = weight->shape, c.result = result->shape;
  c.strides = Integers(attrs["strides"]), c.padding = Integers(attrs["padding"]);
  c.dilation = Integers(attrs["dilation"]), c.groups = attrs["groups"].Int();
  std::vector<Node> variants;
  for (const auto& [word, change] : kChanges)
    if (HasWord(parameters, "change", word)) change(c, &variants);
  return variants;
}

}  // namespace

MUTATION_OPERATOR(.id = "graph.convolution", .category = "layout and attributes", .source = "new",
                  .summary =
                      "Changes an attribute of a convolution, or the layout in which it reads.",
                  .doc =
                      R"(Attributes that a converter drops or misreads, one mutant for each change:
dilation and stride 1 for 2 and more, 2 for 1 (apache/tvm#7142: dilation left out of a workload's shape);
groups half and twice as many input channels a group, with the weights there are;
kernel_flipped (a true convolution for a correlation);
kernel_layout the weights as they lie, read as OHWI and as HWIO (apache/tvm#14546: HWIO for HWOI);
layout data and result as they lie, read and written as NHWC (the tool's `change_layout`);
padding windows that start one place earlier or later (apache/tvm#13009: SAME without the stride);
padding_mode the border's values instead of zeros.
The result keeps its shape: windows that need more get zeros at the end, what is left over is cut off.
Kernels of 1x1 have no dilation and nothing to flip. Only NCHW data and OIHW weights.
Survives deep in a network, where planes are small or most windows the same.)",
                  .example = "attributes",
                  .parameters = {WordsParameter("change", AllChanges(), "What to change.")},
                  .matches = Matches, .rewrite = Rewrite);

}  // namespace mutatenn
