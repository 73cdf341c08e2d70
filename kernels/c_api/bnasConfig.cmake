# What find_package(bnas) reads: the targets bnas::bnas and bnas::bnas_static (which needs a C++ linker).
include(CMakeFindDependencyMacro)
find_dependency(Threads)
include(${CMAKE_CURRENT_LIST_DIR}/bnasTargets.cmake)
