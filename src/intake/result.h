// From paths to a firewall that was read: the files of one device, the vendor they belong to, and what its
// reader made of them. A file that is not an export is refused with words that say what to export instead.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/source.h"
#include "vendors/vendor.h"

namespace aclmend::intake {

struct NamedFile {
  std::string name;  // empty: the file names its sets itself
  std::string path;
};

struct Request {
  std::vector<std::string> files;  // of one device: a dual-stack iptables has two
  std::string vendor;              // forced by its id; empty: recognised by the content
  ReadOptions options;
  std::vector<std::string> scripts = {};  // commands to be typed into the device before anything is asked
  std::vector<NamedFile> sets = {};       // contents of lists that the export does not hold
};

struct Intake {
  std::vector<SourcePtr> sources;
  const Vendor* vendor = nullptr;
  std::string form;  // "running configuration"; empty where the vendor was forced and does not know it
  Reading reading;
  std::size_t scripts = 0;  // of the sources, the last so many were applied to the device
};

// Reads the files of one device. Fails where a file cannot be read, is empty or no text, belongs to no vendor
// or as well to several, where two files belong to different vendors, and where nothing in them can be
// judged. With scripts the intake is of the one device they were typed into, and they stand behind its
// sources; fails then where a script is an export or another vendor's, where the vendor's devices take none,
// and where it is not said which device is meant.
Result<Intake> read_device(const Request& request);
// The same for texts that are at hand already.
Result<Intake> read_sources(std::vector<SourcePtr> sources, std::string_view vendor,
                            const ReadOptions& options,
                            std::span<const Vendor* const> vendors = all_vendors());

// Of the devices of an export, the one with this scope; "" where there is only one. The Error names the
// choices.
Result<const Device*> device_in(const Intake& intake, std::string_view scope);

// Something in the scripts was refused or not understood: the device is not as the script wants it.
bool has_script_errors(const Intake& intake);

Result<const Vendor*> vendor_named(std::string_view id,
                                   std::span<const Vendor* const> vendors = all_vendors());

}  // namespace aclmend::intake
