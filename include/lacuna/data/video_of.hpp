/// What the id of an utterance says of where it was cut from.
#pragma once

#include <string>

namespace lacuna::data {

/// The video of "video$_$3", "video[3]", "video_3"; an id of another form is returned as it is.
inline std::string video_of(std::string id) {
  std::size_t end = id.find("$_$");
  if (end == std::string::npos) end = id.find('[');
  if (end == std::string::npos && id.find_last_of('_') != std::string::npos &&
      id.find_first_not_of("0123456789", id.find_last_of('_') + 1) == std::string::npos)
    end = id.find_last_of('_');
  if (end != std::string::npos && end > 0) id.resize(end);
  return id;
}

}  // namespace lacuna::data
