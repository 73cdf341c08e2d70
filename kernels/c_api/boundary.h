// What stands between C and C++: no exception passes, each becomes a status and a message.
#pragma once

#include <cstring>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

#include "c_api/bnas.h"
#include "reader/error.h"
#include "reader/file.h"

namespace bnas {

// An argument is NULL or out of range.
class ArgumentError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

inline void require_argument(bool good, const char* message) {
  if (!good) throw ArgumentError(message);
}

inline bnas_status report(bnas_error* error, bnas_status status, const char* message) noexcept {
  if (error != nullptr) {
    error->status = status;
    const std::string_view shown = cut(message, sizeof error->message - 1);
    std::memcpy(error->message, shown.data(), shown.size());
    error->message[shown.size()] = '\0';
  }
  return status;
}

template <class Body>
bnas_status guarded(bnas_error* error, Body body) noexcept {
  try {
    body();
    return report(error, BNAS_OK, "");
  } catch (const ArgumentError& e) {
    return report(error, BNAS_ERROR_ARGUMENT, e.what());
  } catch (const FileError& e) {
    return report(error, BNAS_ERROR_FILE, e.what());
  } catch (const FormatError& e) {
    return report(error, BNAS_ERROR_FORMAT, e.what());
  } catch (const std::invalid_argument& e) {
    return report(error, BNAS_ERROR_BACKEND, e.what());
  } catch (const std::bad_alloc&) {
    return report(error, BNAS_ERROR_MEMORY, "memory ran out");
  } catch (const std::length_error&) {
    return report(error, BNAS_ERROR_MEMORY, "more memory is needed than can be addressed");
  } catch (const std::system_error& e) {
    return report(error, BNAS_ERROR_SYSTEM, e.what());
  } catch (const std::exception& e) {
    return report(error, BNAS_ERROR_INTERNAL, e.what());
  } catch (...) {
    return report(error, BNAS_ERROR_INTERNAL, "unknown failure");
  }
}

}  // namespace bnas
