// Walks a lowered function in program order; what was bound to a loaded value is remembered.
#include "compile/fixed_accesses.h"

#include <algorithm>
#include <array>
#include <set>

#include "tvm/symbols.h"

namespace mutatenn {
namespace {

constexpr std::array kKnownStatements = {type::kBufferStore, type::kFor,         type::kSeqStmt,
                                         type::kIfThenElse,  type::kEvaluate,    type::kBind,
                                         type::kAttrStmt,    type::kAllocBuffer, type::kDeclBuffer};

// TVM's CallEffectKind: annotations and pure functions of their arguments are 0 and 1.
bool IsPure(const Node& call) {
  if (!call["op"].Is(type::kOp)) return false;
  const Node effect = Call(global::kOpAttribute, call["op"], "TCallEffectKind");
  return effect && effect.Int() <= 1;
}

class Accesses {
 public:
  bool AreFixed(const Node& function) {
    Walk(function["body"], [&](const Node& node) { Visit(node); });
    return fixed_;
  }

 private:
  void Visit(const Node& node) {
    if (!fixed_) return;
    if (node.Is(type::kTensorLoad)) {
      Decides(node["indices"]);
    } else if (node.Is(type::kCall)) {
      fixed_ = IsPure(node);
      if (fixed_ && node["op"]["name"].Text() == intrinsic::kIfThenElse)
        Decides(node["args"].At(0));
    } else if (node.Is(prim::kSelect)) {
      Decides(node["condition"]);
    } else if (node.key().starts_with("tirx.")) {
      Statement(node);
    }
  }

  void Statement(const Node& node) {
    if (node.Is(type::kBufferStore)) {
      Decides(node["indices"]);
    } else if (node.Is(type::kFor)) {
      Decides(node["min"]);
      Decides(node["extent"]);
    } else if (node.Is(type::kIfThenElse)) {
      Decides(node["condition"]);
    } else if (node.Is(type::kBind)) {
      if (Loads(node["value"])) loaded_.insert(node["var"].id());
    } else if (node.key() != type::kBufferType) {
      fixed_ = std::find(kKnownStatements.begin(), kKnownStatements.end(), node.key()) !=
               kKnownStatements.end();
    }
  }

  // What an access, or whether it is made, rests on.
  void Decides(const Node& expression) { fixed_ = fixed_ && !Loads(expression); }

  bool Loads(const Node& expression) const {
    bool loads = false;
    Walk(expression, [&](const Node& node) {
      loads = loads || node.Is(type::kTensorLoad) || loaded_.contains(node.id());
    });
    return loads;
  }

  std::set<const void*> loaded_;  // variables
  bool fixed_ = true;
};

}  // namespace

bool HasFixedAccesses(const Node& function) { return Accesses().AreFixed(function); }

}  // namespace mutatenn
