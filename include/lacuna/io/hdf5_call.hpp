/// Calls into the C library of HDF5: identifiers that close themselves, one caller at a time, a quiet end of the program.
#pragma once

#include <hdf5.h>

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "lacuna/io/hdf5_fault.hpp"

namespace lacuna::detail {

/// An identifier of the C library, closed when it goes.
class Hdf5Id {
 public:
  Hdf5Id(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  Hdf5Id(Hdf5Id&& o) noexcept : id_(std::exchange(o.id_, hid_t(-1))), close_(o.close_) {}
  Hdf5Id(const Hdf5Id&) = delete;
  Hdf5Id& operator=(const Hdf5Id&) = delete;
  ~Hdf5Id() {
    if (id_ >= 0) close_(id_);
  }
  operator hid_t() const { return id_; }  // NOLINT: what the C library takes
  bool valid() const { return id_ >= 0; }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

/// The end of the library. A damaged file leaves things open inside of it that nobody can close; it then says "infinite loop
/// closing library" when the program ends. So the library is not closed by itself but here, and after a damaged file only
/// the files that others have open are, so that what they wrote is on the disk. Where somebody else has called the
/// library first, it ends as it wants.
class Hdf5End {
 public:
  static void take() {
    static const bool taken = [] {
      if (H5dont_atexit() >= 0) std::atexit(close);
      return true;
    }();
    (void)taken;
  }
  static std::atomic<bool>& damaged() {
    static std::atomic<bool> met{false};
    return met;
  }

 private:
  static void close() {
    if (!damaged()) {
      H5close();
      return;
    }
    const ssize_t count = H5Fget_obj_count(hid_t(H5F_OBJ_ALL), H5F_OBJ_FILE);
    if (count <= 0) return;
    std::vector<hid_t> files(static_cast<std::size_t>(count));
    const ssize_t found = H5Fget_obj_ids(hid_t(H5F_OBJ_ALL), H5F_OBJ_FILE, files.size(), files.data());
    for (ssize_t i = 0; i < found; ++i) H5Fclose(files[std::size_t(i)]);
  }
};

/// One caller at a time, and no error text of the library on standard error. `path` is what is read, for as long.
class Hdf5Call {
 public:
  explicit Hdf5Call(const std::string& path) : lock_(mutex()), before_(std::exchange(hdf5_file, path.c_str())) {
    Hdf5End::take();
    H5Eget_auto2(H5E_DEFAULT, &print_, &data_);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  }
  Hdf5Call(const Hdf5Call&) = delete;
  Hdf5Call& operator=(const Hdf5Call&) = delete;
  ~Hdf5Call() {
    H5Eset_auto2(H5E_DEFAULT, print_, data_);
    hdf5_file = before_;
  }

 private:
  static std::recursive_mutex& mutex() {
    static std::recursive_mutex one;
    return one;
  }
  std::lock_guard<std::recursive_mutex> lock_;
  const char* before_;
  H5E_auto2_t print_ = nullptr;
  void* data_ = nullptr;
};

#if H5_VERSION_GE(1, 12, 0)
using Hdf5Object = H5O_info1_t;
using Hdf5Link = H5L_info1_t;
inline herr_t hdf5_link(hid_t group, const char* name, Hdf5Link* link) {
  return H5Lget_info1(group, name, link, H5P_DEFAULT);
}
#else
using Hdf5Object = H5O_info_t;
using Hdf5Link = H5L_info_t;
inline herr_t hdf5_link(hid_t group, const char* name, Hdf5Link* link) {
  return H5Lget_info(group, name, link, H5P_DEFAULT);
}
#endif

}  // namespace lacuna::detail
