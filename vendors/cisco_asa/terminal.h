// Scripts, typed line by line into a configuration as into the device: what the device would refuse is said
// and not carried out. Lines of a script get none of the benefit of the doubt that lines of an export have,
// which a device has taken once already.
#pragma once
#include <map>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "vendors/cisco_asa/live_list.h"
#include "vendors/cisco_asa/reader.h"

namespace aclmend::cisco_asa {

// Letters, digits and what else the device takes in the name of an object or a group.
bool is_legal_name(std::string_view name);

class Terminal {
 public:
  Terminal(Account& account, Configuration start);
  // Fails where the script is none: an export, or not one line of an ASA's.
  std::optional<Error> type(std::uint16_t source);
  // The configuration after all that was typed.
  Configuration finish();

 private:
  struct LiveGroup {
    std::unordered_map<std::string, std::uint32_t> at;  // member_key → index
    std::vector<bool> is_gone;
    std::size_t left = 0;
    bool has_unknown_members = false;
  };

  void take(Line line);
  bool in_mode(const Line& line, Words words);
  bool is_of_object(Words words) const;
  void command(const Line& line, Words words);
  void undo(const Line& line, Words words);
  void habits_of_ios(const Line& line, std::string_view keyword);

  // terminal_lists.cc
  void list_command(const Line& line, Words words, std::string_view family, bool is_removal);
  void rename_list(const Line& line, std::string_view name, std::string_view to, std::string_view family);
  AccessList* list_for(const Line& line, std::string_view name, std::string_view family, bool is_removal);
  bool takes(const Line& line, const Ace& ace, ListFamily family);
  bool takes(const Line& line, const AddressPlace& place, ListFamily family);
  bool takes(const Line& line, const PortPlace& place);
  bool knows(const Line& line, std::string_view kind, std::string_view name, bool is_group);
  bool say_enacted(const Line& line, const AccessList& list, const Enacted& enacted);
  void list_is_gone(const Line& line, const AccessList& list);
  bool is_binding(const Line& line, Words words);
  void bind(const Line& line, Words words);
  void unbind(const Line& line, Words words);
  void clear(const Line& line, Words words);
  LiveList& live_list(std::uint32_t index);
  std::string what_decides(BindingKind kind, std::string_view interface) const;
  bool is_bound(std::string_view list) const;

  // terminal_names.cc
  void object_header(const Line& line, Words words);
  void rename_object(const Line& line, std::string_view name, std::string_view to);
  bool object_line(const Line& line, Words words);
  void group_header(const Line& line, Words words);
  bool group_line(const Line& line, Words words);
  void remove_name(const Line& line, Words words, bool is_group);
  bool member_is_known(const Line& line, Words words);
  bool leads_back(std::uint32_t from, std::uint32_t to);
  void forget(const std::string& name);
  LiveGroup& live_group(std::uint32_t index);
  std::string_view text_of_place(const Statement& place, std::string& scratch) const;

  // Who names an object or a group.
  ByName<std::uint32_t>& uses();
  std::string_view present_name(std::string_view word) const;
  void count_names(std::string_view text, int by);
  void count_names(const Statement& place, int by);
  bool is_used(std::string_view name);

  Configuration& now() { return reader_.now(); }
  const Configuration& now() const { return const_cast<Reader&>(reader_).now(); }
  // Of a part of a configuration nobody knows what else the device has.
  bool is_whole() const;
  // A device whose export is whole refuses names that do not exist.
  bool refuses_unknown_names() const;
  void refuse(const Line& line, std::string_view word, std::string message);
  void warn(const Line& line, std::string_view word, std::string message);
  void tell(const Line& line, std::string message);
  void not_known(const Line& line, std::string_view word, std::string message);

  Account& account_;
  Reader reader_;
  std::unordered_map<std::uint32_t, LiveList> lists_;
  std::unordered_map<std::uint32_t, LiveGroup> groups_;
  std::optional<ByName<std::uint32_t>> uses_;
  std::size_t commands_ = 0;  // lines of all scripts
  std::size_t known_ = 0, unknown_ = 0;
  std::optional<Error> refusal_;
};

}  // namespace aclmend::cisco_asa
