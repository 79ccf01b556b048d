// The messages between a Generator and `mutatenn compile-server`, one JSON line each.
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "compile/generator.h"

namespace mutatenn {

Json ToJson(const GeneratorOptions&);
Json ToJson(const GeneratorInfo&);
Json ToJson(const OperatorUse&);
Json ToJson(const PointsOfUse&);
Json ToJson(const Mutant&);
Json ToJson(const BuiltMutant&);
Json ErrorToJson(const Error&);  // {"error": {"code": ..., "message": ...}}

GeneratorOptions GeneratorOptionsFromJson(const Json&);
Result<GeneratorInfo> GeneratorInfoFromJson(const Json&);
OperatorUse OperatorUseFromJson(const Json&);
Result<PointsOfUse> PointsOfUseFromJson(const Json&);
Result<Mutant> MutantFromJson(const Json&);
Result<BuiltMutant> BuiltMutantFromJson(const Json&);
Error ErrorFromJson(const Json&);

}  // namespace mutatenn
