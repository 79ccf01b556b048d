// Names of relations to nodes and back.
#include "mutation/conditions.h"

#include <iterator>

#include "tvm/symbols.h"

namespace mutatenn {
namespace {

constexpr NamedKind kRelations[] = {{"eq", prim::kEQ}, {"ge", prim::kGE}, {"gt", prim::kGT},
                                    {"le", prim::kLE}, {"lt", prim::kLT}, {"ne", prim::kNE}};

}  // namespace

const NamedKind* RelationOf(const Node& node) {
  return KindOf(std::begin(kRelations), std::end(kRelations), node);
}

const char* RelationNamed(const std::string& name) {
  for (const NamedKind& relation : kRelations)
    if (name == relation.name) return relation.key;
  CHECK(false, name);
}

ParameterSpec RelationsParameter(const char* name, const char* doc) {
  ParameterSpec spec = {.name = name, .type = "strings", .fallback = Json::array(), .doc = doc};
  for (const NamedKind& relation : kRelations) {
    spec.fallback.push_back(relation.name);
    spec.allowed.emplace_back(relation.name);
  }
  return spec;
}

}  // namespace mutatenn
