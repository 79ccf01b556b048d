// Questions about Relax calls, calls with one argument replaced, and short ways to make some.
#include "mutation/relax_calls.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

#include "tvm/symbols.h"

namespace mutatenn {
namespace {

// A configuration's word for a function, and Relax's.
constexpr std::pair<const char*, const char*> kFunctions[] = {
    {"batch_norm", op::kBatchNorm}, {"concat", op::kConcat},     {"conv2d", op::kConv2d},
    {"dense", op::kMatmul},         {"pooling", op::kAvgPool2d}, {"pooling", op::kMaxPool2d}};

}  // namespace

bool IsCallOf(const Node& node, const char* name) { return relax::OperatorOf(node) == name; }

bool IsOperatorCall(const Node& node) {
  const std::string name = relax::OperatorOf(node);
  return name.starts_with("relax.") && name != "relax.call_tir";
}

std::optional<relax::Tensor> StaticTensor(const Node& expression) {
  if (!expression.Has("ty")) return std::nullopt;
  const Node ty = expression["ty"];
  if (!ty.Is(type::kTensorType) || !ty["dtype"] || !ty["shape"].Is(type::kShapeExpr))
    return std::nullopt;
  for (const Node& extent : ty["shape"]["values"].Items())
    if (!extent.Is(type::kIntImm)) return std::nullopt;
  return relax::TensorsOf(ty).front();
}

std::optional<relax::Tensor> FloatTensor(const Node& expression) {
  auto tensor = StaticTensor(expression);
  if (tensor && tensor->dtype.find("float") == std::string::npos) return std::nullopt;
  return tensor;
}

ParameterSpec FunctionsParameter() {
  ParameterSpec spec{.name = "functions",
                     .type = "strings",
                     .fallback = Json::array({"conv2d"}),
                     .doc =
                         "Calls of these functions are mutated; dense is any matrix product, "
                         "pooling a window's, `relax.*` any Relax operator by its name."};
  for (const auto& [word, name] : kFunctions)
    if (spec.allowed.empty() || spec.allowed.back() != word) spec.allowed.push_back(word);
  spec.allowed.push_back("relax.*");
  return spec;
}

ParameterSpec OrderParameter() {
  return {.name = "order",
          .type = "string",
          .fallback = "before",
          .doc = "Before the argument `arg`, or after the result.",
          .allowed = {"after", "before"}};
}

ParameterSpec ArgumentParameter() {
  return {.name = "arg",
          .type = "integer",
          .fallback = 0,
          .doc =
              "The argument that is changed: 0 the data, 1 the weight (of batch_norm the scale, "
              "of concat the second input).",
          .allowed = {"0", "1"}};
}

ParameterSpec SyntheticParameter() {
  return {
      .name = "synthetic",
      .type = "boolean",
      .fallback = false,
      .doc =
          "Also nodes that the importer made of parts of others, such as the addition of a bias."};
}

ParameterSpec WordsParameter(const std::string& name, const std::vector<std::string>& words,
                             const std::string& doc) {
  return {.name = name, .type = "strings", .fallback = words, .doc = doc, .allowed = words};
}

std::vector<std::string> Words(const Json& parameters, const char* name) {
  return parameters.at(name).get<std::vector<std::string>>();
}

bool HasWord(const Json& parameters, const char* name, const std::string& word) {
  const Json& words = parameters.at(name);
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool IsChosenFunction(const Node& node, const Json& parameters) {
  const std::string called = relax::OperatorOf(node);
  if (called.empty()) return false;
  for (const Json& word : parameters.at("functions")) {
    if (word == called) return true;
    for (const auto& [known, name] : kFunctions)
      if (word == known && called == name) return true;
  }
  return false;
}

std::vector<Node> ArgumentsOf(const Node& call) {
  std::vector<Node> arguments = call["args"].Items();
  if (!arguments.empty() && arguments[0].Is(type::kTuple)) return relax::TupleFields(arguments[0]);
  return arguments;
}

Node WithArguments(const Node& call, const std::vector<Node>& arguments) {
  const bool tuple = call["args"].size() > 0 && call["args"].At(0).Is(type::kTuple);
  // The old type would stand where another might be inferred.
  return relax::WithoutType(WithFields(
      call, {{"args", tuple ? Node({Make(global::kTuple, Node(arguments))}) : Node(arguments)}}));
}

Node ChosenArgument(const Node& call, const Json& parameters) {
  const std::vector<Node> arguments = ArgumentsOf(call);
  const size_t chosen = parameters.at("arg").get<size_t>();
  return chosen < arguments.size() ? arguments[chosen] : Node();
}

Node WithChosenArgument(const Node& call, const Json& parameters, const Node& argument) {
  std::vector<Node> arguments = ArgumentsOf(call);
  arguments.at(parameters.at("arg").get<size_t>()) = argument;
  return WithArguments(call, arguments);
}

Node Scalar(double value) { return relax::ScalarConstant("float32", value); }

Node ClipCall(const Node& x, double low, double high) {
  return relax::OperatorCall(op::kClip, {x, FloatImm("float64", low), FloatImm("float64", high)});
}

Node TransposeCall(const Node& x, const std::vector<int64_t>& axes) {
  return Call(make::kPermuteDims, x, IntegerArray(axes));
}

Node ReshapeCall(const Node& x, const std::vector<int64_t>& shape) {
  std::vector<Node> extents;
  for (const int64_t extent : shape) extents.push_back(IntImm("int64", extent));
  return Call(make::kReshape, x, Make(global::kShapeExpr, Node(extents)));
}

Node CropCall(const Node& x, const std::vector<int64_t>& shape) {
  std::vector<Node> axes, begins, ends, strides;
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    axes.push_back(IntImm("int64", static_cast<int64_t>(axis)));
    begins.push_back(IntImm("int64", 0));
    ends.push_back(IntImm("int64", shape[axis]));
    strides.push_back(IntImm("int64", 1));
  }
  return Call(make::kStridedSlice, x, Make(global::kTuple, Node(axes)),
              Make(global::kTuple, Node(begins)), Make(global::kTuple, Node(ends)),
              Make(global::kTuple, Node(strides)), false);
}

Node ExtendCall(const Node& x, const std::vector<int64_t>& shape, const std::vector<int64_t>& to) {
  std::vector<int64_t> width;
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    width.push_back(0);
    width.push_back(to[axis] - shape[axis]);
  }
  return Call(make::kPad, x, IntegerArray(width), "constant", 0.0);
}

bool MovesElements(const std::vector<int64_t>& shape, const std::vector<int64_t>& axes) {
  int64_t last = -1;
  for (const int64_t axis : axes) {
    if (shape[static_cast<size_t>(axis)] == 1) continue;
    if (axis < last) return true;
    last = axis;
  }
  return false;
}

std::optional<Node> Fitted(const Node& expression, const relax::Tensor& wanted) {
  auto typed = Guard("", [&] { return relax::Typer().Normalize(expression); });
  const auto tensor = typed.ok() ? StaticTensor(*typed) : std::nullopt;
  if (!tensor) return std::nullopt;
  Node fitted = expression;
  if (tensor->dtype != wanted.dtype) fitted = Call(make::kAsType, fitted, DType(wanted.dtype));
  if (tensor->shape == wanted.shape) return fitted;
  auto elements = [](const std::vector<int64_t>& shape) {
    return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
  };
  if (elements(tensor->shape) == elements(wanted.shape)) return ReshapeCall(fitted, wanted.shape);
  if (tensor->shape.size() != wanted.shape.size()) return std::nullopt;
  std::vector<int64_t> common;
  for (size_t i = 0; i < wanted.shape.size(); ++i)
    common.push_back(std::min(tensor->shape[i], wanted.shape[i]));
  if (common != tensor->shape) fitted = CropCall(fitted, common);
  return common == wanted.shape ? fitted : ExtendCall(fitted, common, wanted.shape);
}

std::optional<Node> GenericCall(const std::string& op, const std::vector<Node>& arguments,
                                const Node& like) {
  const relax::OperatorForm form = relax::FormOf(op);
  if (form.inputs < 1 || arguments.empty()) return std::nullopt;
  Node attributes;
  if (!form.attributes.empty()) {
    attributes = like["attrs"];
    if (!attributes || !attributes.Is(form.attributes)) return std::nullopt;
  }
  std::vector<Node> taken;
  for (size_t i = 0; i < static_cast<size_t>(form.inputs); ++i)
    taken.push_back(arguments[std::min(i, arguments.size() - 1)]);
  return relax::OperatorCall(op, taken, attributes);
}

std::vector<int64_t> Integers(const Node& array) {
  std::vector<int64_t> values;
  for (const Node& item : array.Items()) values.push_back(item.Int());
  return values;
}

Node IntegerArray(const std::vector<int64_t>& values) {
  return Node(std::vector<Node>(values.begin(), values.end()));
}

}  // namespace mutatenn
