// The contract between the program and a vendor's folder. A folder defines one `const Vendor vendor` in its
// own namespace; CMake collects them. Nothing outside a folder names it.
#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/diagnostic.h"
#include "base/error.h"
#include "base/moment.h"
#include "base/source.h"
#include "model/policy.h"
#include "sets/named_list.h"
#include "sets/packet_set.h"

namespace aclmend {

// How sure a vendor is that a file is its export: 0 not mine, 100 the header says so.
struct Recognition {
  int confidence = 0;
  std::string form;  // "running configuration", "show access-list"
};

// The export in the vendor's own words; only its folder looks inside.
struct Document {
  virtual ~Document() = default;
};

// When the device says that its configuration was last written, and where it says so.
struct Written {
  Moment time;
  Span span;
};

// One firewall in an export. A file with contexts holds several.
struct Device {
  std::string scope;    // context name, or empty
  std::string summary;  // "Cisco ASA 9.16(4), running configuration, written 2026-11-20 02:11:45 UTC"
  model::Policy policy;
  std::vector<std::string> inferred;      // what the reader had to assume, one sentence each
  std::vector<std::string> not_examined;  // "routing", "shun and threat-detection state", …
  std::shared_ptr<const Document> document;
  std::optional<Written> written = {};
};

// What the sender of a denied opening packet sees: a reset or an ICMP error at once, or nothing at all.
enum class Denial : std::uint8_t { unknown, refusal, silence };
struct OnDeny {
  Denial denial = Denial::unknown;
  std::string because;       // the device's own words, "`service resetinbound`"; empty where unknown
  std::optional<Span> span;  // that say so
};

struct Reading {
  std::vector<Device> devices;
  Diagnostics diagnostics;
  std::vector<Ledger> ledgers;  // one a source, same order
};

// The content of a list that the export names and does not hold: an external list, a saved ipset.
struct SetFile {
  std::string name;  // what the rules call it; empty: the file says it itself
  SourcePtr source;
};

struct ReadOptions {
  AddressSet local;  // addresses of the device itself, where the export does not say
  // Their sources stand behind those of the export, before those of scripts; so do their ledgers.
  std::vector<SetFile> sets = {};
  // Commands to be typed into the device with this scope (or the only one) after it was read: the reading is
  // of that device alone then, and its ledgers go on with those of the scripts. Where none or several are
  // meant, all are read and nothing is typed.
  std::vector<SourcePtr> scripts = {};
  std::string scope = {};
};

// ---- changes ------------------------------------------------------------------------------------------

// Defined objects and groups, and literal addresses, into a named group.
struct AddMembers {
  model::GroupId group = 0;
  std::vector<model::GroupId> members;
  AddressSet addresses;
};
// A rule that is disabled.
struct Enable {
  model::RuleRef rule;
};
// A rule to the place before another of its list.
struct MoveBefore {
  model::RuleRef rule;
  std::uint32_t before = 0;  // index in the list
};
// A new rule that permits, with a remark where the dialect has them.
struct InsertPermit {
  model::ListId list = 0;
  std::optional<std::uint32_t> before;  // index in the list; none: at its end
  AddressSet sources, destinations;     // as the list sees them
  std::uint8_t protocol = protocol::tcp;
  std::uint16_t port = 0;
  std::string name;    // what a new group or rule is called after: letters, digits, '-'
  std::string remark;  // one line of printable ASCII
};
// A list that nothing binds, to where packets enter.
struct BindList {
  model::ListId list = 0;
  std::string interface;
};
using Edit = std::variant<AddMembers, Enable, MoveBefore, InsertPermit, BindList>;

// Live commands without what opens and closes a session; each rollback takes its own commands back.
struct Commands {
  std::vector<std::string> lines, rollback;
  std::vector<std::string> notes;  // what a person should know: "ASDM rewrites DM_INLINE groups"
};

// How a vendor's devices are changed by typing.
struct Editing {
  // Fails with the reason why this device does not take such a change.
  Result<Commands> (*write)(const Device& device, const Edit& edit);
  // The device after the scripts were typed into it, one after another. The diagnostics and ledgers are about
  // the scripts alone; spans point into the new policy's sources. Fails where a script is none of this
  // vendor's.
  Result<Reading> (*apply)(const Device& device, std::span<const SourcePtr> scripts);
  // What identifies the running configuration that was exported, and how the device tells its own: in pairs.
  std::vector<std::string> (*made_for)(const Device& device);
  // The same commands as one step that takes hold wholly or not at all; null: there is none.
  std::vector<std::string> (*at_once)(std::span<const std::string> commands) = nullptr;
  std::string_view comment;    // before whatever is no command
  std::string_view begin;      // opens a session: "configure terminal"
  std::string_view end;        // closes it; empty: nothing to close
  std::string_view save;       // "write memory"
  std::string_view confirmed;  // how a verify command answers when all is well
  std::string_view effect;     // when the change takes hold
};

struct Vendor {
  std::string_view id;     // "cisco-asa"
  std::string_view title;  // "Cisco ASA"
  Recognition (*recognise)(const Source& source);
  // Fails when nothing in the files can be judged (another product, no filter lines at all).
  Result<Reading> (*read)(std::span<const SourcePtr> sources, const ReadOptions& options);
  // Commands by which the device itself answers for a packet on the wire.
  std::vector<std::string> (*verify)(const Device& device, const Packet& packet, std::string_view ingress);
  // What a packet that this rule denies (its text; empty: a default) earns its sender; none: not known.
  OnDeny (*on_deny)(const Device& device, std::string_view rule, std::string_view ingress) = nullptr;
  const Editing* editing = nullptr;  // none: cannot be changed by us
  bool takes_sets = false;           // contents of lists in files of their own
  const ListFormat* list = nullptr;  // how its devices are given a list of addresses; none: in no way of ours
  // What a user should export, when a file is not enough.
  std::string_view how_to_export;
};

std::span<const Vendor* const> all_vendors();

}  // namespace aclmend
