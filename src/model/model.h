// What the user gives: network, preprocessing, images, labels; and the front-end child, which
// imports the network with TVM's Python importer and legalises operators. Nothing here links TVM.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace mutatenn {

// Pixel p in 0..255 of channel c becomes (p * scale - mean[c]) / std[c].
struct Preprocessing {
  int resize_short_side = 256;   // 0 = no resize
  int crop = 224;                // centre crop, square; 0 = no crop
  std::string channels = "RGB";  // or "BGR"
  std::string layout = "NCHW";   // or "NHWC"
  double scale = 1.0 / 255;
  std::vector<double> mean = {0, 0, 0};
  std::vector<double> std = {1, 1, 1};
};

struct ImageTensor {
  std::vector<int64_t> shape;  // [1, C, H, W] or [1, H, W, C]
  std::vector<float> data;
};

// JPEG, PNG or BMP, EXIF orientation applied, as 3 channels; resized as Pillow's antialiased
// bilinear filter does it, centre-cropped, normalised. kInvalidInput names a file that is no image.
Result<ImageTensor> LoadImage(const std::string& path, const Preprocessing& preprocessing);

struct ImageFile {
  std::string name;  // file name: the image's id
  std::string path;
  int64_t truth = -1;  // class, -1 = not known
};
// The images of a folder (sorted by name), or one file. `truth` is a tab-separated file with the
// columns file, class (and more, ignored), "" = none; a listed file that is missing, a class that
// is no number or below 0 are refused with the line.
Result<std::vector<ImageFile>> ListImages(const std::string& path, const std::string& truth);
// Line n (from 1) is class n-1.
Result<std::vector<std::string>> ReadClasses(const std::string& path);

struct ImportedWeight {
  std::string name;
  std::vector<int64_t> shape;
  std::string dtype;
  int64_t offset = 0, bytes = 0;
};
struct ImportedLayer {
  std::string name, op;
};
struct ImportedBinding {
  int layer = -1;          // index into layers
  bool synthetic = false;  // the importer invented it (bias add, reshape, tuple access, ...)
};
struct ImportedModel {
  std::string
      module_json;  // tvm.ir.save_json of an IRModule whose `main` takes inputs, then weights
  std::vector<ImportedWeight> weights;  // raw elements in the weights file, offsets multiples of 64
  std::vector<ImportedLayer> layers;    // nodes of the user's model in order
  std::vector<ImportedBinding> bindings;  // of main's one dataflow block, in order
  int num_inputs = 1;
};

// `python -m mutatenn.frontend`: JSON lines over a socket pair. Never sees images; not needed after
// build.
class Frontend {
 public:
  virtual ~Frontend() = default;
  // Writes the weights to `weights_file`. A model TVM cannot import: one line with file and
  // operator.
  virtual Result<ImportedModel> Import(const std::string& path,
                                       const std::string& weights_file) = 0;
  // A module whose `main` is one operator call, as JSON, to the same legalised: `main` is
  // relax.call_tir calls, and the PrimFuncs they name. An operator without legalisation is
  // kUnsupported.
  virtual Result<std::string> Legalize(const std::string& module_json) = 0;

  // How TVM's dlight schedules each PrimFunc of a module for a GPU target (JSON): by the function's
  // name the trace of its primitives, as JSON of TVM's; "" where no rule takes it.
  virtual Result<std::map<std::string, std::string>> Schedule(const std::string& module_json,
                                                              const std::string& target) = 0;

  // A user's own operator, a Python file (python/mutatenn/operators.py).
  struct UserPoints {
    std::string level;                             // "graph" or "code"
    std::vector<std::vector<std::string>> points;  // of each module: the names that they are at
  };
  virtual Result<UserPoints> FindUserPoints(const std::string& file,
                                            const std::vector<std::string>& module_jsons) = 0;
  // The module with points applied, by their numbers among those of `origin_json`. kInvalidInput
  // where the file fails, changes nothing, or changes more than its point.
  virtual Result<std::string> ApplyUserPoints(const std::string& file,
                                              const std::string& origin_json,
                                              const std::string& module_json,
                                              const std::vector<int>& numbers) = 0;

  // A module of Relax becomes a library or a script; python/mutatenn/frontend.py names the fields.
  virtual Status UseModule(const std::string& op, Json request) = 0;
};
// `python`: the interpreter, "" = $MUTATENN_PYTHON, else the virtual environment beside the
// program, else python3 of PATH.
Result<std::unique_ptr<Frontend>> StartFrontend(const std::string& python);

}  // namespace mutatenn
