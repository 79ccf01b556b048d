// Turns an image file into the network's input: decoded by OpenCV (EXIF orientation applied),
// resized as Pillow does it (antialiased bilinear, 8 bits after each pass, its fixed-point
// arithmetic: OpenCV has no such filter), cropped as torchvision does it, normalised.
#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/imgcodecs.hpp>

#include "base/files.h"
#include "model/model.h"

namespace mutatenn {
namespace {

constexpr int kChannels = 3;
constexpr int64_t kMaxPixels = int64_t{1} << 27;  // after the resize; 400 MB
constexpr int kPrecisionBits = 32 - 8 - 2;        // Pillow's Resample.c

struct Image {
  int width = 0, height = 0;
  std::vector<uint8_t> pixels;  // rows, 3 bytes a pixel, in OpenCV's order B G R

  uint8_t* Row(int y) { return pixels.data() + int64_t{y} * width * kChannels; }
  const uint8_t* Row(int y) const { return pixels.data() + int64_t{y} * width * kChannels; }
};

Image MakeImage(int width, int height) {
  return {width, height, std::vector<uint8_t>(int64_t{width} * height * kChannels)};
}

// The decoders fill what is missing at the end of a file with grey and say nothing.
bool IsCutShort(const std::string& bytes) {
  if (bytes.compare(0, 2, "\xff\xd8") == 0) {
    size_t scan = bytes.rfind("\xff\xda");  // neither marker can occur inside the coded pixels
    return scan == std::string::npos || bytes.find("\xff\xd9", scan) == std::string::npos;
  }
  if (bytes.compare(0, 4, "\x89PNG") == 0) return bytes.rfind("IEND") == std::string::npos;
  return false;
}

Result<Image> Decode(const std::string& path) {
  std::string bytes = TRY(ReadFile(path));
  if (bytes.empty()) return Fail(Code::kInvalidInput, path, ": not an image: the file is empty");
  if (IsCutShort(bytes)) return Fail(Code::kInvalidInput, path, ": the image is cut short");
  cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
  cv::Mat decoded;
  std::string reason = "expected JPEG, PNG or BMP";
  try {
    decoded = cv::imdecode(cv::Mat(1, static_cast<int>(bytes.size()), CV_8U, bytes.data()),
                           cv::IMREAD_COLOR);
  } catch (const cv::Exception& e) {
    reason = e.err;
  }
  if (decoded.empty() || decoded.type() != CV_8UC3) {
    return Fail(Code::kInvalidInput, path, ": not an image that can be read (", reason, ")");
  }
  Image image = MakeImage(decoded.cols, decoded.rows);
  for (int y = 0; y < image.height; ++y) {
    std::copy_n(decoded.ptr(y), int64_t{image.width} * kChannels, image.Row(y));
  }
  return image;
}

// For each output coordinate the first input coordinate and the weights, times 2^kPrecisionBits.
struct Coefficients {
  std::vector<int> first;
  std::vector<std::vector<int>> weights;
};

// Rounds as Pillow does; its weights and bounds are never below zero where the halves matter.
int Round(double value) {
  return static_cast<int>(value + 0.5);  // NOLINT(bugprone-incorrect-roundings)
}

// Pillow's precompute_coeffs and normalize_coeffs_8bpc for its bilinear (triangle) filter.
Coefficients Precompute(int in_size, int out_size) {
  Coefficients result;
  double scale = static_cast<double>(in_size) / out_size;
  double support = std::max(scale, 1.0);  // the triangle's half width, widened when reducing
  for (int out = 0; out < out_size; ++out) {
    double centre = (out + 0.5) * scale;
    int first = std::max(Round(centre - support), 0);
    int end = std::min(Round(centre + support), in_size);
    std::vector<double> raw;
    double sum = 0;
    for (int in = first; in < end; ++in) {
      raw.push_back(std::max(1.0 - std::abs((in - centre + 0.5) * (1.0 / support)), 0.0));
      sum += raw.back();
    }
    std::vector<int> weights;
    for (double w : raw) {
      weights.push_back(Round((sum != 0 ? w / sum : w) * (1 << kPrecisionBits)));
    }
    result.first.push_back(first);
    result.weights.push_back(std::move(weights));
  }
  return result;
}

// One output byte: the weighted sum of bytes `stride` apart.
uint8_t WeightedSum(const uint8_t* in, int64_t stride, const std::vector<int>& weights) {
  int sum = 1 << (kPrecisionBits - 1);
  for (int w : weights) {
    sum += *in * w;
    in += stride;
  }
  return static_cast<uint8_t>(std::clamp(sum >> kPrecisionBits, 0, 255));
}

// Horizontal, then vertical. Pillow 13 swaps the passes for some sizes: a level of difference.
Image Resize(const Image& image, int width, int height) {
  Image wide = image;
  if (width != image.width) {
    Coefficients c = Precompute(image.width, width);
    wide = MakeImage(width, image.height);
    for (int y = 0; y < image.height; ++y) {
      for (int x = 0; x < width; ++x) {
        const uint8_t* in = image.Row(y) + c.first[x] * kChannels;
        for (int k = 0; k < kChannels; ++k) {
          wide.Row(y)[x * kChannels + k] = WeightedSum(in + k, kChannels, c.weights[x]);
        }
      }
    }
  }
  if (height == image.height) return wide;
  Coefficients c = Precompute(image.height, height);
  Image result = MakeImage(width, height);
  int64_t stride = int64_t{width} * kChannels;
  for (int y = 0; y < height; ++y) {
    for (int64_t at = 0; at < stride; ++at) {
      result.Row(y)[at] = WeightedSum(wide.Row(c.first[y]) + at, stride, c.weights[y]);
    }
  }
  return result;
}

// Short side to `size`; the long side is cut to a whole number, as torchvision does it.
Result<Image> ResizeShortSide(Image image, int size) {
  int shorter = std::min(image.width, image.height), longer = std::max(image.width, image.height);
  if (size == 0 || shorter == size) return image;
  int64_t other = static_cast<int64_t>(static_cast<double>(size) * longer / shorter);
  if (other * size > kMaxPixels) {
    return Fail(
        Code::kInvalidInput, std::to_string(image.width), " x ", std::to_string(image.height),
        " pixels: too long and narrow to be resized to a short side of ", std::to_string(size));
  }
  bool upright = image.width <= image.height;
  int width = upright ? size : static_cast<int>(other),
      height = upright ? static_cast<int>(other) : size;
  return Resize(image, width, height);
}

// The middle `size` x `size` pixels; black where the image is smaller. Half pixels go to the even
// side (Python's round), and padding is split with the smaller half first, as torchvision does
// both.
Image CentreCrop(const Image& image, int size) {
  auto start = [size](int length) {
    if (length < size) return -((size - length) / 2);
    return static_cast<int>(std::nearbyint((length - size) / 2.0));
  };
  int left = start(image.width), top = start(image.height);
  Image result = MakeImage(size, size);
  int x_begin = std::max(0, -left), x_end = std::min(size, image.width - left);
  for (int y = std::max(0, -top); y < std::min(size, image.height - top); ++y) {
    std::copy_n(image.Row(y + top) + int64_t{x_begin + left} * kChannels,
                int64_t{x_end - x_begin} * kChannels, result.Row(y) + int64_t{x_begin} * kChannels);
  }
  return result;
}

Status CheckPreprocessing(const Preprocessing& p) {
  if (p.mean.size() != kChannels || p.std.size() != kChannels) {
    return Fail(Code::kInvalidInput, "preprocessing: mean and std must hold 3 numbers each, not ",
                std::to_string(p.mean.size()), " and ", std::to_string(p.std.size()));
  }
  if (std::find(p.std.begin(), p.std.end(), 0.0) != p.std.end()) {
    return Fail(Code::kInvalidInput, "preprocessing: std must not hold 0");
  }
  if (p.channels != "RGB" && p.channels != "BGR") {
    return Fail(Code::kInvalidInput, "preprocessing: channels must be RGB or BGR, not ",
                p.channels);
  }
  if (p.layout != "NCHW" && p.layout != "NHWC") {
    return Fail(Code::kInvalidInput, "preprocessing: layout must be NCHW or NHWC, not ", p.layout);
  }
  int64_t resize = p.resize_short_side, crop = p.crop;
  if (resize < 0 || crop < 0 || resize * resize > kMaxPixels || crop * crop > kMaxPixels) {
    return Fail(Code::kInvalidInput,
                "preprocessing: resize_short_side and crop must lie in 0..11585");
  }
  return Ok();
}

}  // namespace

Result<ImageTensor> LoadImage(const std::string& path, const Preprocessing& preprocessing) {
  TRY(CheckPreprocessing(preprocessing));
  Image image = TRY(ResizeShortSide(TRY(Decode(path)), preprocessing.resize_short_side).With(path));
  if (preprocessing.crop > 0) image = CentreCrop(image, preprocessing.crop);
  bool planes = preprocessing.layout == "NCHW", rgb = preprocessing.channels == "RGB";
  int64_t pixels = int64_t{image.width} * image.height;
  ImageTensor tensor;
  tensor.shape = planes ? std::vector<int64_t>{1, kChannels, image.height, image.width}
                        : std::vector<int64_t>{1, image.height, image.width, kChannels};
  tensor.data.resize(pixels * kChannels);
  for (int c = 0; c < kChannels; ++c) {
    float normalised[256];
    for (int p = 0; p < 256; ++p) {
      normalised[p] = static_cast<float>((p * preprocessing.scale - preprocessing.mean[c]) /
                                         preprocessing.std[c]);
    }
    const uint8_t* in = image.pixels.data() + (rgb ? kChannels - 1 - c : c);
    for (int64_t at = 0; at < pixels; ++at) {
      tensor.data[planes ? c * pixels + at : at * kChannels + c] = normalised[in[at * kChannels]];
    }
  }
  return tensor;
}

}  // namespace mutatenn
