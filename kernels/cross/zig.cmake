# A CMake tool chain that compiles for BNAS_TARGET (x86_64-windows-gnu, aarch64-macos, aarch64-linux-musl,
# aarch64-linux-gnu.2.17 ...) by Zig's C++ compiler, which brings the systems' headers and libraries with it. It is
# `python-zig` of the PyPI package ziglang.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES BNAS_TARGET)
if(NOT BNAS_TARGET MATCHES "^([^-]+)-([^-]+)")
  message(FATAL_ERROR "Expected -DBNAS_TARGET=machine-system, such as aarch64-macos; got '${BNAS_TARGET}'.")
endif()
set(CMAKE_SYSTEM_PROCESSOR ${CMAKE_MATCH_1})
set(systems_linux Linux)
set(systems_macos Darwin)
set(systems_windows Windows)
set(CMAKE_SYSTEM_NAME ${systems_${CMAKE_MATCH_2}})

find_program(zig NAMES python-zig zig REQUIRED)
set(CMAKE_C_COMPILER ${zig} cc -target ${BNAS_TARGET})
set(CMAKE_CXX_COMPILER ${zig} c++ -target ${BNAS_TARGET})
# The machine's own archiver knows only the machine's own objects.
set(CMAKE_INSTALL_NAME_TOOL ${zig})  # asked for on macOS, but not called for static libraries
foreach(language IN ITEMS C CXX)
  set(CMAKE_${language}_ARCHIVE_CREATE "\"${zig}\" ar qc <TARGET> <LINK_FLAGS> <OBJECTS>")
  set(CMAKE_${language}_ARCHIVE_APPEND "\"${zig}\" ar q <TARGET> <LINK_FLAGS> <OBJECTS>")
  set(CMAKE_${language}_ARCHIVE_FINISH "\"${zig}\" ranlib <TARGET>")
endforeach()
