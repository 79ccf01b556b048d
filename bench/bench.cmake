# Programs that the drivers of bench/ use; built by `make bench`.
add_executable(bench-original EXCLUDE_FROM_ALL ${PROJECT_SOURCE_DIR}/bench/original.cc)
room_program(bench-original compile worker)
add_dependencies(bench-original mutatenn)
add_executable(bench-store EXCLUDE_FROM_ALL ${PROJECT_SOURCE_DIR}/bench/store.cc)
room_program(bench-store judge store)
