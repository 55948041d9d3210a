/// What a loader says about a file: one line each, as data, for the programs to print.
///
///     for (const data::Note& note : set.notes)
///       if (note.always || !quiet) std::fprintf(stderr, "note: %s\n", note.text.c_str());
///
/// `always` marks what was inferred, left out or looks odd: it is printed under --quiet too, because a run on other
/// data than its owner thinks is worth nothing.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace lacuna::data {

struct Note {
  std::string text;
  bool always = true;

  Note(std::string line, bool shown_always = true) : text(std::move(line)), always(shown_always) {}
  operator const std::string&() const { return text; }  // NOLINT: a list of notes is a list of lines
};

using LoadNotes = std::vector<Note>;

}  // namespace lacuna::data
