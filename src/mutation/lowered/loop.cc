#include "mutation/expressions.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

constexpr int64_t kThreadBinding = 4;

bool Matches(const Node& node, const Json&) {
  return node.Is(type::kFor) && node["kind"].Int() != kThreadBinding;
}

Node Plus(const Node& a, int64_t b) {
  if (a.Is(type::kIntImm)) return IntImm(DTypeOf(a), a.Int() + b);
  return Make(prim::kAdd, a, IntImm(DTypeOf(a), b));
}

// The loop with its variable replaced in its body.
Node WithVariable(const Node& loop, const Node& extent, const Node& value) {
  const Node variable = loop["loop_var"];
  const Node body =
      Map(loop["body"], [&](const Node& node) { return node.Same(variable) ? value : node; });
  return WithFields(loop, {{"extent", extent}, {"body", body}});
}

Node Changed(const Node& loop, const std::string& change, int64_t by) {
  const Node min = loop["min"], extent = loop["extent"], variable = loop["loop_var"];
  const Node offset = Make(prim::kSub, variable, min);
  if (change == "dropped") return Nothing();
  if (change == "last_dropped") return WithFields(loop, {{"extent", Plus(extent, -by)}});
  if (change == "one_more") return WithFields(loop, {{"extent", Plus(extent, by)}});
  if (change == "shifted") return WithFields(loop, {{"min", Plus(min, by)}});
  if (change == "first_dropped")
    return WithFields(loop, {{"min", Plus(min, by)}, {"extent", Plus(extent, -by)}});
  if (change == "every_other") {
    const Node two = IntImm(DTypeOf(extent), 2);
    return WithVariable(loop, Make(prim::kFloorDiv, Plus(extent, 1), two),
                        Make(prim::kAdd, min, Make(prim::kMul, offset, two)));
  }
  const Node last = Make(prim::kAdd, min, Plus(extent, -1));
  return WithVariable(loop, extent, Make(prim::kSub, last, offset));  // reversed
}

std::vector<Node> Rewrite(const Node& loop, const Json& parameters) {
  std::vector<Node> replaced;
  const Node extent = loop["extent"];
  const bool once = extent.Is(type::kIntImm) && extent.Int() == 1;
  const int64_t by = parameters.at("by").get<int64_t>();
  for (const Json& change : parameters.at("change")) {
    const std::string name = change;
    // Of a loop of one step: these change nothing, or are the loop dropped.
    if (once && name != "dropped" && name != "one_more" && name != "shifted") continue;
    replaced.push_back(Changed(loop, name, by));
  }
  return replaced;
}

}  // namespace

MUTATION_OPERATOR(
        .id = "lowered.loop", .category = "loops", .source = "tool",
        .summary = "Changes the bounds, the step or the order of a loop, or leaves it out.",
        .doc =
            R"(A loop that lacks its first or last step, makes one too many, starts one later (the tool's
change_loop_threshold), makes every other step, runs backwards, or is gone: a tail that was split off and
lost is a loop dropped.
Fault: TVM's issues 2898 (loop partition made wrong code) and 17039 (a bug in VectorizeLoop).
Reversed survives unless the order of a sum shows; a step too many survives where its results are
overwritten or what it reads is harmless.)",
        .example = "lowered",
        .parameters = {{.name = "change",
                        .type = "strings",
                        .fallback = {"dropped", "every_other", "first_dropped", "last_dropped",
                                     "one_more", "reversed", "shifted"},
                        .doc = "What becomes of the loop, a variant each. shifted: starts one "
                               "later and ends one later.",
                        .allowed = {"dropped", "every_other", "first_dropped", "last_dropped",
                                    "one_more", "reversed", "shifted"}},
                       {.name = "by",
                        .type = "integer",
                        .fallback = 1,
                        .doc = "By how many steps bounds change; shifted may go back."}},
        .matches = Matches, .rewrite = Rewrite);

}  // namespace mutatenn
