// Kernels for tests of sessions and of the worker: TVM's calling convention in C, no compiler needed.
// Compiled once a variant with -DKERNEL_<name>; `ADD` variants are mutants of add: out = a + b.
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  void* data;
  int32_t device_type, device_id, ndim;
  uint8_t code, bits;
  uint16_t lanes;
  int64_t *shape, *strides;
  uint64_t byte_offset;
} Tensor;

typedef struct {
  int32_t type_index;
  uint32_t padding;
  Tensor* tensor;
} Any;

// Filled in by the loader, as in libraries that TVM generates.
__attribute__((weak)) void* (*__TVMBackendAllocWorkspace)(int, int, uint64_t, int, int);
__attribute__((weak)) int (*__TVMBackendFreeWorkspace)(int, int, void*);
extern void TVMFFIErrorSetRaisedFromCStr(const char* kind, const char* message)
    __attribute__((weak));

static int64_t Elements(const Tensor* t) {
  int64_t n = 1;
  for (int i = 0; i < t->ndim; ++i) n *= t->shape[i];
  return n;
}

int __tvm_ffi_kernel(void* self, const Any* args, int32_t count, Any* ret) {
  (void)self, (void)ret;
  float* a = args[0].tensor->data;
  float* b = count > 2 ? args[1].tensor->data : a;
  float* out = args[count - 1].tensor->data;
  int64_t n = Elements(args[count - 1].tensor);
  volatile float* outside = out;
  (void)outside, (void)b;
#if defined(KERNEL_twice)
  for (int64_t i = 0; i < n; ++i) out[i] = a[i] * 2;
#elif defined(KERNEL_relu)
  for (int64_t i = 0; i < n; ++i) out[i] = a[i] > 0 ? a[i] : 0;
#elif defined(KERNEL_relu_tall)
  if (args[0].tensor->shape[0] != n || args[0].tensor->shape[1] != 1) {
    TVMFFIErrorSetRaisedFromCStr("ValueError", "a column is wanted");
    return -1;
  }
  for (int64_t i = 0; i < n; ++i) out[i] = a[i] > 0 ? a[i] : 0;
#elif defined(KERNEL_negate)
  for (int64_t i = 0; i < n; ++i) out[i] = -a[i];
#elif defined(KERNEL_multiply)
  for (int64_t i = 0; i < n; ++i) out[i] = a[i] * b[i];
#elif defined(KERNEL_to_int)
  for (int64_t i = 0; i < n; ++i) ((int32_t*)out)[i] = (int32_t)(a[i] * 100);
#elif defined(KERNEL_unwritten)
  for (int64_t i = 1; i < n; ++i) out[i] = a[i] + b[i];  // out[0] is what lay there
#else  // add, then what a variant does besides
  for (int64_t i = 0; i < n; ++i) out[i] = a[i] + b[i];
#endif
#if defined(KERNEL_same)
  __asm__ volatile("nop");
#elif defined(KERNEL_subtract)
  for (int64_t i = 0; i < n; ++i) out[i] = a[i] - b[i];
#elif defined(KERNEL_tiny)
  out[3] += 0.001f;
#elif defined(KERNEL_noisy)
  static int runs;
  out[3] += 0.001f * ++runs;
#elif defined(KERNEL_below_relu)
  for (int64_t i = 0; i < n; ++i)
    if (out[i] < 0) out[i] -= 1;  // dies out in a relu
#elif defined(KERNEL_nan)
  out[n - 1] = 0.0f / (out[0] - out[0]);
#elif defined(KERNEL_crash)
  *(volatile int*)8 = 1;
#elif defined(KERNEL_crash_on_second)
  if (a[0] < 0) abort();
#elif defined(KERNEL_spin)
  for (volatile int i = 0;;) i = i + 1;
#elif defined(KERNEL_sleep)
  for (;;) sleep(1);
#elif defined(KERNEL_write_behind)
  outside[n] = 1;
#elif defined(KERNEL_write_behind_on_second)
  if (a[0] < 0) outside[n] = 1;
#elif defined(KERNEL_write_before)
  outside[-1] = 1;
#elif defined(KERNEL_read_behind)
  out[0] += 1000 * ((volatile float*)a)[n];
#elif defined(KERNEL_read_guard)
  out[0] += ((volatile float*)a)[n + 8];  // n = 24: 32 floats to the next multiple of 64 bytes
#elif defined(KERNEL_write_far)
  outside[16 << 20] = 1;
#elif defined(KERNEL_write_input)
  ((volatile float*)b)[2] = 77;
#elif defined(KERNEL_exhaust)
  for (;;) {
    char* piece = malloc(16 << 20);
    if (piece == NULL) abort();
    *(volatile char*)piece = 1;
  }
#elif defined(KERNEL_workspace)
  float* piece = __TVMBackendAllocWorkspace(1, 0, 4 * n, 2, 32);
  for (int64_t i = 0; i < n; ++i) piece[i] = out[i];
  for (int64_t i = 0; i < n; ++i) out[i] = piece[i];
  __TVMBackendFreeWorkspace(1, 0, piece);
#elif defined(KERNEL_workspace_behind)
  float* piece = __TVMBackendAllocWorkspace(1, 0, 4 * n, 2, 32);
  ((volatile float*)piece)[n] = 1;
  __TVMBackendFreeWorkspace(1, 0, piece);
#elif defined(KERNEL_workspace_huge)
  float* piece = __TVMBackendAllocWorkspace(1, 0, 1ULL << 36, 2, 32);
  piece[0] = 1;
#elif defined(KERNEL_print)
  for (int i = 0; i < 300000; ++i) printf("ten bytes\n");
  fflush(stdout);
#elif defined(KERNEL_exit)
  exit(0);
#elif defined(KERNEL_exit_finished)
  exit(101);  // what a child of ours says when it has finished
#elif defined(KERNEL_fail)
  TVMFFIErrorSetRaisedFromCStr("ValueError", "this kernel does not want to");
  return -1;
#elif defined(KERNEL_shoot)
  kill(getpid(), SIGKILL);
#elif defined(KERNEL_flaky)
  if (access(FLAG_FILE, F_OK) != 0) {
    fclose(fopen(FLAG_FILE, "w"));
    abort();
  }
#endif
  return 0;
}
