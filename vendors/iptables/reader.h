// Files → the rule sets. Blocks of iptables-save, the listing of iptables -S, ipset files; v4 and v6 side by
// side, in any order, with whatever text a terminal left around them.
#pragma once
#include "base/error.h"
#include "vendors/iptables/commands.h"

namespace aclmend::iptables {

// What a file is, by its first lines.
enum class Form : std::uint8_t {
  none,
  save,     // iptables-save
  listing,  // iptables -S
  sets,     // ipset save or ipset list
  table,    // iptables -L: no export
  script,   // a shell script: no export
};
struct Recognised {
  Form form = Form::none;
  int confidence = 0;
};
Recognised recognised(std::string_view text);

// In pieces of how many bytes a long run of rules is read before its turn; all there are: it is not.
std::size_t usual_piece();

class Reader {
 public:
  Reader(IptablesDocument& document, Account& account, std::size_t piece = usual_piece())
      : document_(document),
        account_(account),
        interpreter_(document, account, Interpreter::Strict::no),
        piece_(piece) {}
  // Fails where the file is no export at all.
  std::optional<Error> read(std::uint16_t source);
  // The content of the set with this name, or of those that the file names.
  std::optional<Error> read_set(std::uint16_t source, const std::string& name);

 private:
  std::optional<Error> read_sets(std::uint16_t source);
  void save(std::string_view text, std::uint16_t source);
  std::optional<Error> listing(std::string_view text, std::uint16_t source);
  bool is_worth_reading_ahead(const Lines& lines) const;
  void read_ahead(Lines& lines);
  void take_line(const Line& line);
  void begin_table(const Line& line);
  void end_table(const Line& line);
  void rule(const Line& line);
  void too_long(const Line& line);
  void comment(const Line& line);
  void outside(const Line& line);
  void cut_off(Span where);
  // By what stands between here and the end of the block; then the header, then the file's name.
  Family family_of_block(std::string_view rest, const Line& line);
  void install(Span where);

  IptablesDocument& document_;
  Account& account_;
  Interpreter interpreter_;
  std::deque<std::string> arena_;
  std::string_view text_;
  std::string file_;
  // Of the last header.
  std::optional<Family> header_family_;
  std::string header_tool_, header_written_;
  Half::Backend header_backend_ = Half::Backend::not_said;
  std::optional<Chains> open_;  // the table that is being read
  Place place_;
  std::size_t piece_;
  std::size_t quick_in_a_row_ = 0;  // rules whose skeletons were known
  bool skipped_table_ = false;      // of a name that is no table's
};

// Whether the words show rules of one family: an address, a module that the other one has not.
std::optional<Family> family_shown(std::span<const Word> words);
// Whether they look like one: a protocol that the other family loads too, and hardly ever means.
std::optional<Family> family_hinted(std::span<const Word> words);

}  // namespace aclmend::iptables
