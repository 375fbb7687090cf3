// Applies the lines of a file, one after another, to a configuration: as the device would take them from a
// terminal. Nothing is looked up that a later line may still define (convert does that).
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vendors/cisco_asa/document.h"
#include "vendors/words.h"

namespace aclmend::cisco_asa {

// What is said about the lines while they are read and converted.
struct Account {
  explicit Account(std::span<const SourcePtr> inputs) : sources(inputs) {
    for (const SourcePtr& source : inputs)
      ledgers.push_back({std::vector(source->line_count(), LineState::no_effect)});
  }
  void set(const Statement& place, LineState state) {
    std::vector<LineState>& lines = ledgers[place.source].lines;
    if (place.line - 1 < lines.size()) lines[place.line - 1] = state;
  }
  void say(Severity severity, Span span, std::string message, Effect effect) {
    if (span.source < first_told) return;
    diagnostics.add(severity, span, std::move(message), effect);
  }
  // A line that filters and is not understood.
  void not_understood(const Statement& place, Span word, std::string message) {
    set(place, LineState::not_understood);
    say(Severity::error, word, std::move(message), Effect::unknown);
  }

  std::span<const SourcePtr> sources;
  std::uint16_t first_told = 0;  // what is said of the sources before was told when they were read
  Diagnostics diagnostics;
  std::vector<Ledger> ledgers;
};

// `fw01#`, `fw01/pri/act(config-network-object-group)#`, `fw01>`: what a capture has before a typed command.
bool is_prompt(std::string_view word);
// Commands that filter nothing, and those that open a mode whose lines filter nothing.
bool is_inert(std::string_view keyword);
// access-list alert-interval 300, access-list mode auto-commit …: settings, no list of that name.
bool is_list_setting(std::string_view name, std::string_view word);
// What `show access-list` prints behind an entry: "(hitcnt=0) 0x4d69e4a3".
bool looks_shown(std::string_view text);
std::optional<GroupType> group_type(std::string_view word);
// The keywords of the lines inside a group or an object.
bool is_member_of(GroupType type, std::string_view keyword);
bool is_value_of(ObjectKind kind, std::string_view keyword);

class Reader {
 public:
  explicit Reader(Account& account) : account_(account), devices_(1) {}
  Reader(Account& account, Configuration start) : account_(account) { devices_.push_back(std::move(start)); }
  void read(std::uint16_t source);
  std::vector<Configuration> take() { return std::move(devices_); }
  // A reason why the whole file is none of ours, as far as seen.
  const std::string& refusal() const { return refusal_; }

 private:
  friend class Terminal;  // the same commands, with the device's refusals
  enum class Mode : std::uint8_t { none, object, group, interface, class_map, other };

  // read.cc: the file as a whole
  void take_line(const Line& line);
  void header_comment(std::string_view text, Span span);
  void note_reset(const Line& line, Words words, bool is_on);
  bool block_heading(std::string_view text);
  bool version_header(const Line& line);
  void start_device();
  void child(const Line& line);
  void global(const Line& line);
  void without_prompt(const Line& line);
  void unknown_line(const Line& line);
  bool joins_entry_before(const Line& line);
  void end_of_source(const Lines& lines, bool ends_at_pager);

  // read_modes.cc: what stands inside a mode; false: no such word there
  bool object_line(const Line& line, Words words);
  bool group_line(const Line& line, Words words);
  bool interface_line(const Line& line, Words words);
  void note_list_use(const Line& line);

  // read_commands.cc
  bool command(const Line& line, Words words);
  bool no_command(const Line& line, Words words);
  void clear_configure(const Line& line, Words words);
  void access_list(const Line& line, Words words, std::string_view family);
  void remove_entry(const Line& line, Words words, std::string_view family);
  void clear_list(std::string_view name);
  bool may_scan(std::size_t things);
  void access_group(const Line& line, Words words);
  void open_object(const Line& line, Words words);
  void open_group(const Line& line, Words words);
  void alias(const Line& line, Words words);
  void nat(const Line& line, Words words);
  void notes(const Line& line, std::string_view keyword, Words words);
  AccessList& list_named(std::string_view name, std::string_view family);
  std::uint32_t object_named(std::string_view name, ObjectKind kind, Span span);
  std::uint32_t group_named(std::string_view name, GroupType type, Span span);

  Configuration& now() { return devices_.back(); }
  Span span_of(std::string_view word, const Line& line) const {
    return cisco_asa::span_of(word, line.place, account_.sources[line.place.source]->text());
  }
  void decides(const Line& line) { account_.set(line.place, LineState::decides); }
  void not_understood(const Line& line, std::string_view word, std::string message) {
    account_.not_understood(line.place, span_of(word, line), std::move(message));
  }

  Account& account_;
  std::vector<Configuration> devices_;
  std::string refusal_;

  Mode mode_ = Mode::none;
  std::uint32_t open_ = 0;             // the object, group or interface whose mode is open
  std::uint32_t last_list_ = no_list;  // of the last access-list command
  bool last_was_entry_ = false;        // the line before is an entry of that list
  std::size_t scanned_ = 0;            // by commands that look through all there is
  bool is_skipping_ = false;           // in show tech-support: blocks that are no configuration
  bool has_read_block_ = false;
  static constexpr std::uint32_t no_list = 0xFFFFFFFF;
};

}  // namespace aclmend::cisco_asa
