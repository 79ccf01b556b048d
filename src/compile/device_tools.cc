// Loops over words, written out with their threads: no schedule is looked for.
#include "compile/device_tools.h"

#include "program/device_tools.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

constexpr const char* kWord = "uint32";
constexpr const char* kIndex = "int32";
constexpr int64_t kMultiplier = 31;  // odd: no word's change is lost

Node Int(int64_t value) { return IntImm(kIndex, value); }
Node Plus(const Node& a, const Node& b) { return Make(prim::kAdd, a, b); }
Node Times(const Node& a, const Node& b) { return Make(prim::kMul, a, b); }

// Of as many words as an index can name: the kernels are told what to touch by numbers.
Node Words(const std::string& name) {
  constexpr int kDefaultAlignment = -1, kNoOffset = 0;
  const Node none = std::vector<Node>{};
  return Make(global::kBufferVar, name,
              Make(global::kMakeBufferType, "", PrimType(kWord), Node{Int(int64_t{1} << 30)}, none,
                   Node(), kDefaultAlignment, kNoOffset, Node(), none));
}

Node Number(const std::string& name) { return Make(global::kVar, name, PrimType(kIndex)); }

Node Load(const Node& buffer, const Node& index) {
  return Make(global::kBufferLoad, buffer, Node{index});
}

Node Store(const Node& buffer, const Node& value, const Node& index) {
  return Make(global::kBufferStore, buffer, value, Node{index});
}

Node Loop(const Node& variable, const Node& extent, const Node& body) {
  constexpr int kSerial = 0;
  return Make(global::kFor, variable, Int(0), extent, kSerial, body, Node(), MakeDict({}), Node());
}

Node Threads(const std::string& tag, const Node& variable, const Node& extent, const Node& body) {
  constexpr int kThreadIndex = 1;
  const Node axis =
      Make(global::kIterVar, Make(global::kRange, Int(0), extent), variable, kThreadIndex, tag);
  return Make(global::kAttrStmt, axis, "thread_extent", extent, body);
}

Node Function(const std::vector<Node>& parameters, const Node& body) {
  // ir.DictAttrs has no constructor of its own; that of an empty module is empty.
  return Make(global::kPrimFunc, Node(parameters), body, Call(global::kTypeMissing),
              MakeModule({})["attrs"]);
}

}  // namespace

Result<Node> DifferFunction() {
  return Guard("comparing values", [&] {
    const Node a = Words("a"), b = Words("b"), table = Words("table"), flags = Words("flags");
    const Node begin = Number("begin"), base = Number("base"), chunks = Number("chunks");
    const Node block = Number("block"), thread = Number("thread"), k = Number("k");
    const Node chunk = Plus(begin, block), twice = Times(chunk, Int(2));
    const Node word = Plus(Times(k, Int(kToolThreads)), thread);
    const Node at = Plus(Times(chunk, Int(kChunkWords)), word);
    const Node behind =
        Make(prim::kGE, Make(prim::kCast, PrimType(kWord), word), Load(table, Plus(twice, Int(1))));
    const Node flag = Plus(Plus(base, Make(prim::kCast, PrimType(kIndex), Load(table, twice))),
                           Make(prim::kSelect, behind, Int(1), Int(0)));
    const Node check = Make(global::kIfThenElse, Make(prim::kNE, Load(a, at), Load(b, at)),
                            Store(flags, IntImm(kWord, 1), flag), Node());
    const Node each = Loop(k, Int(kChunkWords / kToolThreads), check);
    return Function({a, b, table, flags, begin, base, chunks},
                    Threads("blockIdx.x", block, chunks,
                            Threads("threadIdx.x", thread, Int(kToolThreads), each)));
  });
}

Result<Node> DigestFunction() {
  return Guard("digesting values", [&] {
    const Node a = Words("a"), digest = Words("digest"), rounds = Number("rounds");
    const Node block = Number("block"), thread = Number("thread"), k = Number("k");
    // A block reads words that lie together.
    const Node at = Plus(Times(Plus(Times(block, rounds), k), Int(kToolThreads)), thread);
    const Node own = Plus(Times(block, Int(kToolThreads)), thread);
    const Node next = Plus(Times(Load(digest, own), IntImm(kWord, kMultiplier)), Load(a, at));
    const Node body = Make(global::kSeqStmt, Node{Store(digest, IntImm(kWord, 0), own),
                                                  Loop(k, rounds, Store(digest, next, own))});
    return Function({a, digest, rounds},
                    Threads("blockIdx.x", block, Int(kDigestWords / kToolThreads),
                            Threads("threadIdx.x", thread, Int(kToolThreads), body)));
  });
}

}  // namespace mutatenn
