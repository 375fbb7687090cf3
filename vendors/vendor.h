// The contract between the program and a vendor's folder. A folder defines one `const Vendor vendor` in its
// own namespace; CMake collects them. Nothing outside a folder names it.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "base/error.h"
#include "base/source.h"
#include "model/policy.h"
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

// One firewall in an export. A file with contexts holds several.
struct Device {
  std::string scope;    // context name, or empty
  std::string summary;  // "Cisco ASA 9.16(4), running configuration, written 2026-11-20 02:11:45 UTC"
  model::Policy policy;
  std::vector<std::string> inferred;      // what the reader had to assume, one sentence each
  std::vector<std::string> not_examined;  // "routing", "shun and threat-detection state", …
  std::shared_ptr<const Document> document;
};

struct Reading {
  std::vector<Device> devices;
  Diagnostics diagnostics;
  std::vector<Ledger> ledgers;  // one a source, same order
};

struct ReadOptions {
  AddressSet local;  // addresses of the device itself, where the export does not say
};

struct Vendor {
  std::string_view id;     // "cisco-asa"
  std::string_view title;  // "Cisco ASA"
  Recognition (*recognise)(const Source& source);
  // Fails when nothing in the files can be judged (another product, no filter lines at all).
  Result<Reading> (*read)(std::span<const SourcePtr> sources, const ReadOptions& options);
  // Commands by which the device itself answers for a packet on the wire.
  std::vector<std::string> (*verify)(const Device& device, const Packet& packet, std::string_view ingress);
  // What a user should export, when a file is not enough.
  std::string_view how_to_export;
};

std::span<const Vendor* const> all_vendors();

}  // namespace aclmend
