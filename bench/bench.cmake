# Programs that the drivers of bench/ use; built with everything else, so that they go on compiling.
add_executable(bench-original ${PROJECT_SOURCE_DIR}/bench/original.cc)
room_program(bench-original compile worker)
add_dependencies(bench-original mutatenn)
add_executable(bench-store ${PROJECT_SOURCE_DIR}/bench/store.cc)
room_program(bench-store judge store)
