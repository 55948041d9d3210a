/// Whether the calling thread records a step, and what must not happen meanwhile: see recorded.hpp.
#pragma once

#include "lacuna/core/error.hpp"

namespace lacuna {

/// A step that is being recorded does what cannot be replayed.
class NotReplayable : public DeviceError {
 public:
  using DeviceError::DeviceError;
};

namespace detail {

class HostQuestions;
/// What a step that the calling thread records asks of the host; null where it records nothing.
inline HostQuestions*& recording_questions() {
  static constinit thread_local HostQuestions* recording = nullptr;
  return recording;
}
inline bool step_is_recorded() { return recording_questions() != nullptr; }
/// Throws NotReplayable in a step that is being recorded.
inline void host_is_read(const char* what) {
  if (step_is_recorded()) throw NotReplayable(cat("a recorded step reads ", what, " on the host"));
}

}  // namespace detail
}  // namespace lacuna
