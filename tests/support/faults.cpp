// Preloaded into a program: one call of the C library fails, as on a full disk or without memory. Nothing else changes.
//   LACUNA_FAULT=CALL:N      the Nth CALL within main; CALL: malloc (also calloc, realloc, aligned ones,
//                            mmap), write, fsync, close, rename, open (for writing), mkdir
//   LACUNA_FAULT_COUNT=FILE  how often CALL was called is written there at the end
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <cstring>

extern "C" void* __libc_malloc(std::size_t);
extern "C" void* __libc_calloc(std::size_t, std::size_t);
extern "C" void* __libc_realloc(void*, std::size_t);
extern "C" void* __libc_memalign(std::size_t, std::size_t);

namespace {

char wanted[16];
long wanted_number = 0;
std::atomic<long> calls{0};
bool ready = false;

__attribute__((constructor)) void begin() {
  const char* const fault = std::getenv("LACUNA_FAULT");
  const char* const colon = fault != nullptr ? std::strchr(fault, ':') : nullptr;
  if (colon == nullptr || colon - fault >= long(sizeof wanted)) return;
  std::memcpy(wanted, fault, std::size_t(colon - fault));
  wanted_number = std::atol(colon + 1);
}
__attribute__((destructor)) void end() {
  const char* const file = std::getenv("LACUNA_FAULT_COUNT");
  if (file == nullptr) return;
  char digits[24];
  long number = calls;
  int at = int(sizeof digits);
  do digits[--at] = char('0' + number % 10);
  while ((number /= 10) > 0);
  const long out = syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  syscall(SYS_write, out, digits + at, sizeof digits - std::size_t(at));
  syscall(SYS_close, out);
}

/// Whether this call is the one that fails.
bool fails(const char* call) { return ready && std::strcmp(call, wanted) == 0 && ++calls == wanted_number; }

template <class Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}
template <class Result>
Result failed(int reason, Result result) {
  errno = reason;
  return result;
}

}  // namespace

extern "C" {

/// Only what main calls counts: before it there is nobody to say a line.
static int (*real_main)(int, char**, char**);
static int counted_main(int argc, char** argv, char** environment) {
  ready = wanted[0] != '\0';
  const int status = real_main(argc, argv, environment);
  ready = false;
  return status;
}
int __libc_start_main(int (*main)(int, char**, char**), int argc, char** argv, void (*init)(), void (*fini)(),
                      void (*loader_fini)(), void* stack_end) {
  using Start = int (*)(int (*)(int, char**, char**), int, char**, void (*)(), void (*)(), void (*)(), void*);
  real_main = main;
  return next<Start>("__libc_start_main")(counted_main, argc, argv, init, fini, loader_fini, stack_end);
}

void* malloc(std::size_t size) {
  return fails("malloc") ? failed<void*>(ENOMEM, nullptr) : __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  return fails("malloc") ? failed<void*>(ENOMEM, nullptr) : __libc_calloc(count, size);
}
void* realloc(void* old, std::size_t size) {
  return fails("malloc") ? failed<void*>(ENOMEM, nullptr) : __libc_realloc(old, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  return fails("malloc") ? failed<void*>(ENOMEM, nullptr) : __libc_memalign(alignment, size);
}
int posix_memalign(void** to, std::size_t alignment, std::size_t size) {
  if (fails("malloc")) return ENOMEM;
  *to = __libc_memalign(alignment, size);
  return *to != nullptr ? 0 : ENOMEM;
}
void* mmap(void* at, std::size_t size, int protection, int flags, int file, off_t offset) {
  if (fails("malloc")) return failed(ENOMEM, MAP_FAILED);
  return reinterpret_cast<void*>(syscall(SYS_mmap, at, size, protection, flags, file, offset));
}
ssize_t write(int file, const void* from, std::size_t size) {
  static const auto real = next<ssize_t (*)(int, const void*, std::size_t)>("write");
  return fails("write") ? failed<ssize_t>(ENOSPC, -1) : real(file, from, size);
}
int fsync(int file) {
  static const auto real = next<int (*)(int)>("fsync");
  return fails("fsync") ? failed(EIO, -1) : real(file);
}
int close(int file) {
  static const auto real = next<int (*)(int)>("close");
  const bool now = fails("close");
  const int result = real(file);  // the file is closed all the same
  return now ? failed(EIO, -1) : result;
}
int rename(const char* from, const char* to) {
  static const auto real = next<int (*)(const char*, const char*)>("rename");
  return fails("rename") ? failed(EACCES, -1) : real(from, to);
}
int mkdir(const char* path, mode_t mode) {
  static const auto real = next<int (*)(const char*, mode_t)>("mkdir");
  return fails("mkdir") ? failed(ENOSPC, -1) : real(path, mode);
}
int open(const char* path, int flags, ...) {
  static const auto real = next<int (*)(const char*, int, ...)>("open");
  mode_t mode = 0;
  if ((flags & O_CREAT) != 0) {
    va_list rest;
    va_start(rest, flags);
    mode = va_arg(rest, mode_t);
    va_end(rest);
  }
  if ((flags & O_ACCMODE) != O_RDONLY && fails("open")) return failed(EMFILE, -1);
  return real(path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  mode_t mode = 0;
  if ((flags & O_CREAT) != 0) {
    va_list rest;
    va_start(rest, flags);
    mode = va_arg(rest, mode_t);
    va_end(rest);
  }
  return open(path, flags, mode);
}

}  // extern "C"
