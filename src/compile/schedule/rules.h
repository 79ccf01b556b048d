// The rules, one file each. A rule shapes the loops of a fresh Schedule of a normalised function,
// or throws (GiveUp, or a primitive of TVM's): then the caller takes a weaker rule on another
// Schedule.
#pragma once

#include <optional>
#include <vector>

#include "compile/schedule/anatomy.h"
#include "compile/schedule/contraction.h"

namespace mutatenn {

// E: no reduction.
void ScheduleElementwise(Schedule& schedule, const Node& output, const VectorUnit& unit);
// C: contraction, vector lanes over output channels. A constant weight is packed; any other is fast
// only where its channel is innermost.
std::optional<Packing> ScheduleContract(Schedule& schedule, const Anatomy& anatomy,
                                        const Contraction& contraction, const VectorUnit& unit);
// Cx: contraction, vector lanes along the image row, weights broadcast; a constant one is packed.
std::optional<Packing> ScheduleContractRows(Schedule& schedule, const Anatomy& anatomy,
                                            const Contraction& contraction, const VectorUnit& unit);
// R: any other single reduction, kept in registers along the row.
void ScheduleReduce(Schedule& schedule, const Anatomy& anatomy, const VectorUnit& unit);
// What rule R made over a padded image, with whole vectors and no steps between their elements; the
// function itself where there is nothing to gain.
Node WidenRows(const Node& function);
// What rule Cx made of rows that no vector divides, without a condition on the lanes; the function
// itself where there is none.
Node OverlapPieces(const Node& function);
// Pads whose loop over columns is hinted: lowering makes the columns inside the image a loop
// without conditions.
Node SplitPads(const Node& function);

// Whether Cx is the better of the two contraction rules; measured, see contract_rows.cc.
bool PreferRows(const Contraction& contraction, const VectorUnit& unit);

}  // namespace mutatenn
