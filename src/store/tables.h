// Rows of the store's tables: which struct member is which column. The first kKeys columns are the
// primary key. Queries are made from these lists, so that a column is named once in C++.
#pragma once

#include <algorithm>
#include <string>
#include <tuple>

#include "store/store.h"

namespace mutatenn {

template <class Row>
struct Table;

// NOLINTBEGIN(bugprone-macro-parentheses): a table is a list of names, not of expressions
#define STORE_TABLE(Row, name, keys, columns, ...)                 \
  template <>                                                      \
  struct Table<Row> {                                              \
    static constexpr const char* kName = name;                     \
    static constexpr size_t kKeys = keys;                          \
    static constexpr const char* kColumns = columns;               \
    static auto Members(auto& r) { return std::tie(__VA_ARGS__); } \
  };
// NOLINTEND(bugprone-macro-parentheses)

STORE_TABLE(StoredModel, "models", 1, "name,path,hash,graph_hash,layers_json", r.name, r.path,
            r.hash, r.graph_hash, r.layers_json)
STORE_TABLE(StoredImage, "images", 2, "model,name,path,hash,truth,position,input_file", r.model,
            r.name, r.path, r.hash, r.truth, r.position, r.input_file)
STORE_TABLE(StoredDevice, "devices", 1,
            "name,target_json,canonical_target,session_json,target_index,cpu,tvm_version", r.name,
            r.target_json, r.canonical_target, r.session_json, r.target_index, r.cpu, r.tvm_version)
STORE_TABLE(StoredProgram, "programs", 2, "model,target_index,program_json", r.model,
            r.target_index, r.program_json)
STORE_TABLE(StoredPoint, "points", 3, "model,op_key,number,point_json", r.model, r.op_key, r.number,
            r.point_json)
STORE_TABLE(StoredMutant, "mutants", 2,
            "model,id,op_id,op_key,category,level,place,points_json,use_json,selected", r.model,
            r.id, r.op_id, r.op_key, r.category, r.level, r.place, r.points_json, r.use_json,
            r.selected)
STORE_TABLE(StoredOperatorUse, "operator_uses", 2,
            "model,op_key,op_id,category,points,mutants,selected", r.model, r.op_key, r.op_id,
            r.category, r.points, r.mutants, r.selected)
STORE_TABLE(StoredBuild, "builds", 3,
            "model,mutant,target_index,state,reason,ir_kind,seconds,program_json,diff", r.model,
            r.mutant, r.target_index, r.state, r.reason, r.ir_kind, r.seconds, r.program_json,
            r.diff)
STORE_TABLE(StoredCode, "codes", 3, "model,mutant,target_index,code", r.model, r.mutant,
            r.target_index, r.code)
STORE_TABLE(StoredOriginal, "originals", 3, "model,device,image,top_json,seconds", r.model,
            r.device, r.image, r.top_json, r.seconds)
STORE_TABLE(StoredRepeat, "repeats", 3,
            "model,device,image,runs,labels_json,spread_json,reference_diff,reference_label",
            r.model, r.device, r.image, r.runs, r.labels_json, r.spread_json, r.reference_diff,
            r.reference_label)
STORE_TABLE(StoredReferenceOutput, "reference_outputs", 3, "model,image,output,elements", r.model,
            r.image, r.output, r.elements)
STORE_TABLE(StoredVariant, "variants", 3, "model,target_index,variant,program_json", r.model,
            r.target_index, r.variant, r.program_json)
STORE_TABLE(StoredFloor, "floors", 4,
            "model,device,step,output,images,floor,spread,distance,magnitude", r.model, r.device,
            r.step, r.output, r.images, r.floor, r.spread, r.distance, r.magnitude)
STORE_TABLE(StoredStepHash, "step_hashes", 4, "model,device,image,number,step,hash", r.model,
            r.device, r.image, r.number, r.step, r.hash)
STORE_TABLE(StoredGrowth, "growth", 5,
            "model,mutant,device,against,number,image,step,layer,total,scale,local,floor,nonfinite,"
            "died",
            r.model, r.mutant, r.device, r.against, r.number, r.image, r.step, r.layer, r.total,
            r.scale, r.local, r.floor, r.nonfinite, r.died)
STORE_TABLE(StoredFate, "fates", 4,
            "model,mutant,device,image,ending,top_json,infected,dirty_steps,first_step,first_layer,"
            "nonfinite,max_abs_diff,seconds,detail",
            r.model, r.mutant, r.device, r.image, r.ending, r.top_json, r.infected, r.dirty_steps,
            r.first_step, r.first_layer, r.nonfinite, r.max_abs_diff, r.seconds, r.detail)
STORE_TABLE(StoredMutantRun, "mutant_runs", 5, "model,mutant,device,image,run,ending,label",
            r.model, r.mutant, r.device, r.image, r.run, r.ending, r.label)
STORE_TABLE(StoredOutOfBounds, "out_of_bounds", 3, "model,mutant,device,step,buffer,offset",
            r.model, r.mutant, r.device, r.step, r.buffer, r.offset)

#undef STORE_TABLE

// "INSERT ... ON CONFLICT DO UPDATE": unlike REPLACE it keeps the rowid, hence the order of
// insertion.
template <class Row>
std::string UpsertSql() {
  std::string columns = Table<Row>::kColumns, names, keys, updates, marks;
  size_t number = 0;
  for (size_t from = 0; from <= columns.size(); ++number) {
    size_t to = std::min(columns.find(',', from), columns.size());
    std::string column = columns.substr(from, to - from);
    marks += number ? ",?" : "?";
    if (number < Table<Row>::kKeys) {
      keys += (number ? "," : "") + column;
    } else {
      updates += (updates.empty() ? "" : ",") + column + "=excluded." + column;
    }
    from = to + 1;
  }
  return std::string("INSERT INTO ") + Table<Row>::kName + " (" + columns + ") VALUES (" + marks +
         ") ON CONFLICT (" + keys + ") DO UPDATE SET " + updates;
}

template <class Row>
std::string SelectSql(const std::string& rest) {
  return std::string("SELECT ") + Table<Row>::kColumns + " FROM " + Table<Row>::kName + " " + rest;
}

}  // namespace mutatenn
