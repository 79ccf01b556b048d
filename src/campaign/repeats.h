// What the original is like on a device before any mutant runs there: the same result every time,
// and that of the campaign's first device, the reference? A mutant's difference means something
// only beyond that.
#pragma once

#include <string>
#include <vector>

#include "device/originals.h"
#include "store/store.h"

namespace mutatenn {

// Stores what `repeats` say of the device; the campaign's first device gives the reference.
Status StoreRepeats(Store& store, const std::string& model, const std::string& device,
                    bool is_reference, const std::vector<ImageRepeats>& repeats);

// Whether the device was seen not to repeat itself there.
bool IsNoisy(const StoredRepeat& repeat);

// One line about a device whose original is not the reference's or not always the same; "" = all is
// well. Over all images stored.
Result<std::string> FindingOf(Store& store, const std::string& model, const std::string& device);

}  // namespace mutatenn
