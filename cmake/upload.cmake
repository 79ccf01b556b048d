# libmutatenn-upload.so: what TVM's own RPC server loads (src/upload). It may need nothing that a TVM wheel's
# machine lacks, so it is made of the few sources it uses and links libtvm_ffi alone, found as loaded there.
set(upload_sources upload/upload.cc base/files.cc base/hash.cc base/hmac.cc base/json.cc base/process.cc
  base/result.cc device/file_cache.cc device/local_worker.cc device/reply.cc tvm/runtime.cc)
list(TRANSFORM upload_sources PREPEND ${PROJECT_SOURCE_DIR}/src/)
add_library(mutatenn-upload MODULE ${upload_sources})
target_include_directories(mutatenn-upload PRIVATE ${PROJECT_SOURCE_DIR}/src)
target_link_libraries(mutatenn-upload PRIVATE mutatenn_options nlohmann_json::nlohmann_json TVM::headers ${TVM_FFI_LIBRARY})
set_target_properties(mutatenn-upload PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}
  CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON SKIP_BUILD_RPATH ON BUILD_WITH_INSTALL_RPATH ON)
target_link_options(mutatenn-upload PRIVATE -Wl,-z,nodelete -s)
