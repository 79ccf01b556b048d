# libmutatenn_opencl.so: what TVM's wheel lacks to run OpenCL kernels, loaded by the worker where a device
# asks for it. Built where OpenCL's headers and loader are (Debian: opencl-c-headers, ocl-icd-opencl-dev).
find_package(OpenCL QUIET)
if(OpenCL_FOUND)
  file(GLOB opencl_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/opencl/*.cc)
  list(FILTER opencl_sources EXCLUDE REGEX "_test\\.cc$")
  add_library(mutatenn_opencl SHARED ${opencl_sources})
  target_include_directories(mutatenn_opencl PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(mutatenn_opencl PRIVATE mutatenn_options TVM::runtime OpenCL::OpenCL)
  set_target_properties(mutatenn_opencl PROPERTIES
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin
    INSTALL_RPATH "$ORIGIN/../../tvm/lib;$ORIGIN/../../tvm_ffi/lib")
  add_dependencies(mutatenn-worker mutatenn_opencl)
  if(MUTATENN_BUILD_TESTS)
    add_executable(test_opencl ${PROJECT_SOURCE_DIR}/src/opencl/opencl_test.cc
                   ${PROJECT_SOURCE_DIR}/src/opencl/device_tools_test.cc)
    # Beside the programs: the library is looked for there.
    room_test(test_opencl unit "opencl/" 600 tvm compile)
    set_target_properties(test_opencl PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
    add_dependencies(test_opencl mutatenn_opencl)
  endif()
  install(TARGETS mutatenn_opencl LIBRARY DESTINATION mutatenn/bin)
else()
  message(STATUS "OpenCL not found: libmutatenn_opencl.so is not built")
endif()
