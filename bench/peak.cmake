# The limits of one core of this machine; `ninja bench-peak`, run by `make bench`.
add_executable(bench-peak EXCLUDE_FROM_ALL ${PROJECT_SOURCE_DIR}/bench/peak.cc)
target_compile_options(bench-peak PRIVATE -O3 -march=native -ffp-contract=fast -Wall -Wextra)
