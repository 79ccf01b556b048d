# Finds the headers and libraries of the apache-tvm and apache-tvm-ffi wheels, without importing them.
#   in:  Python3_EXECUTABLE (the virtual environment's) or MUTATENN_SITE_PACKAGES
#   out: TVM::headers, TVM::runtime (libtvm_ffi + libtvm_runtime), TVM_COMPILER_LIBRARY, TVM_SITE_PACKAGES
if(NOT MUTATENN_SITE_PACKAGES)
  execute_process(
    COMMAND ${Python3_EXECUTABLE} -c
      "import importlib.util as u, os; print(os.path.dirname(list(u.find_spec('tvm').submodule_search_locations)[0]))"
    OUTPUT_VARIABLE MUTATENN_SITE_PACKAGES OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
set(TVM_SITE_PACKAGES ${MUTATENN_SITE_PACKAGES})
find_path(TVM_FFI_INCLUDE tvm/ffi/c_api.h PATHS ${TVM_SITE_PACKAGES}/tvm_ffi/include NO_DEFAULT_PATH)
find_path(TVM_INCLUDE tvm/runtime/device_api.h PATHS ${TVM_SITE_PACKAGES}/tvm/include NO_DEFAULT_PATH)
find_library(TVM_FFI_LIBRARY tvm_ffi PATHS ${TVM_SITE_PACKAGES}/tvm_ffi/lib NO_DEFAULT_PATH)
find_library(TVM_RUNTIME_LIBRARY tvm_runtime PATHS ${TVM_SITE_PACKAGES}/tvm/lib NO_DEFAULT_PATH)
find_library(TVM_COMPILER_LIBRARY tvm_compiler PATHS ${TVM_SITE_PACKAGES}/tvm/lib NO_DEFAULT_PATH)
include(FindPackageHandleStandardArgs)
# A worker for another machine needs no compiler.
set(tvm_compiler_variable TVM_COMPILER_LIBRARY)
if(MUTATENN_ROOMS STREQUAL worker_rooms)
  set(tvm_compiler_variable)
endif()
find_package_handle_standard_args(TVM
  REQUIRED_VARS TVM_FFI_LIBRARY TVM_RUNTIME_LIBRARY ${tvm_compiler_variable} TVM_FFI_INCLUDE TVM_INCLUDE
  REASON_FAILURE_MESSAGE "run tools/setup first: it makes .venv with the pinned apache-tvm wheels")
if(TVM_FOUND AND NOT TARGET TVM::headers)
  add_library(TVM::headers INTERFACE IMPORTED)
  target_include_directories(TVM::headers SYSTEM INTERFACE ${TVM_FFI_INCLUDE} ${TVM_INCLUDE})
  add_library(TVM::runtime INTERFACE IMPORTED)
  # Both libraries register functions when loaded; without --no-as-needed the linker would drop them.
  target_link_libraries(TVM::runtime INTERFACE TVM::headers
    -Wl,--no-as-needed ${TVM_FFI_LIBRARY} ${TVM_RUNTIME_LIBRARY} -Wl,--as-needed)
endif()
